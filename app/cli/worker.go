package cli

import (
	"github.com/spf13/cobra"

	"picora/media/worker/child"
)

// worker is the command that the server starts for media work; see package worker.
func (e *env) worker() *cobra.Command {
	return &cobra.Command{
		Use:    "worker",
		Short:  "Do media work for the server, which starts this itself",
		Hidden: true,
		Args:   noArgs,
		RunE: func(*cobra.Command, []string) error {
			return child.Serve(map[string]child.Handler{})
		},
	}
}
