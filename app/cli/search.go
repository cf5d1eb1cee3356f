package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"picora/app/control"
)

// search are the commands for the index of words.
func (e *env) search() *cobra.Command {
	cmd := &cobra.Command{Use: "search", Short: "The index that searches use"}
	var user string
	rebuild := &cobra.Command{
		Use:   "rebuild",
		Short: "Make the index that searches use anew",
		Long: `Forgets what is indexed of titles, file names, tags and texts, everybody's or those of
one account, and indexes it anew. Picora keeps the index itself: this is for a
search that does not find what is there. Searches find the newest files only until
it is done. Works while the server runs and while it does not; the texts of
documents are read by the server, in the background.`,
		Example: `  picora search rebuild
  picora search rebuild --user you@example.org`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.control(cmd, false, func(c *control.Client) error {
				out, err := c.RebuildSearch(cmd.Context(), user)
				if err == nil {
					fmt.Fprintf(cmd.ErrOrStderr(), "Accounts whose files were indexed anew: %d.\n", out.Users)
				}
				return err
			})
		},
	}
	rebuild.Flags().StringVar(&user, "user", "", "`e-mail` of one account")
	cmd.AddCommand(rebuild)
	return cmd
}
