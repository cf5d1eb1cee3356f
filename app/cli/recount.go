package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"picora/app/control"
)

// recount is the command that puts counts right.
func (e *env) recount() *cobra.Command {
	var user string
	cmd := &cobra.Command{
		Use:   "recount",
		Short: "Compare what accounts are said to have with what they have",
		Long: `Counts all pictures and their bytes anew, everybody's or those of one account, and
puts the counts right that quotas are measured by. The server does the same every
night at three. Uploads go on meanwhile. Works while the server runs and while it
does not.`,
		Example: `  picora recount
  picora recount --user you@example.org`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.control(cmd, false, func(c *control.Client) error {
				out, err := c.Recount(cmd.Context(), user)
				if err != nil {
					return err
				}
				for _, r := range out.Repaired {
					fmt.Fprintf(cmd.OutOrStdout(), "%s: %s. Repaired.\n", r.Email, r.What)
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "Accounts: %d. Wrong counts, now right: %d.\n", out.Users, len(out.Repaired))
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "`e-mail` of one account")
	return cmd
}
