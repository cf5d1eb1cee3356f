package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"picora/app/control"
	"picora/media/wall"
	"picora/media/worker"
)

// doctor is the command that says what this host gives.
func (e *env) doctor() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Say which walls this host gives, and where files are kept",
		Long: `Media files are decoded by workers: processes of this program that may do
next to nothing else. Doctor starts one, says which of the walls around it this
host gives, and has it try what it must not be able to do. It also says where files
are kept, and when the settings say otherwise.

It ends with status 0 whatever it finds: Picora runs without some of the walls,
but what they hold back is then held back by the others alone.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), time.Minute)
			defer cancel()
			if err := examine(ctx, cmd.OutOrStdout()); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "\nFiles:")
			err := e.control(cmd, false, func(c *control.Client) error {
				s, err := c.Blobs(ctx)
				if err == nil {
					where(cmd.OutOrStdout(), &s)
				}
				return err
			})
			if err != nil {
				fmt.Fprintln(cmd.OutOrStdout(), sentence(err))
			}
			return nil
		},
	}
}

// examine prints what walls there are and what a worker tried.
func examine(ctx context.Context, w io.Writer) error {
	pool := worker.New(worker.Options{Workers: 1})
	defer pool.Close()
	walls, err := pool.Walls(ctx)
	if err != nil {
		return err
	}
	result, err := pool.Do(ctx, worker.Job{Kind: "try"})
	if err != nil {
		return err
	}
	var tries wall.Report
	if err := json.Unmarshal(result, &tries); err != nil {
		return err
	}
	fmt.Fprintln(w, "The walls around a worker:")
	if err := table(w, rows(walls, "yes", "NO")); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nWhat a worker could do:")
	return table(w, rows(tries, "no", "YES"))
}

// rows are the lines of a report, with words for a wall that stands and one that
// does not.
func rows(report wall.Report, stands, missing string) (rows [][]string) {
	for _, line := range report {
		word := missing
		if line.Stands {
			word = stands
		}
		rows = append(rows, []string{"  " + line.Name, word, line.Detail})
	}
	return rows
}
