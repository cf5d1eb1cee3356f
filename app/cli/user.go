package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"picora/app/control"
)

// user is the command for accounts.
func (e *env) user() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "user",
		Short: "Make and list accounts, set passwords",
		Long: `Makes and lists accounts, and sets their passwords. Works while the server runs (through a socket in the
data folder that only the folder's owner may open) and while it does not.`,
	}
	cmd.AddCommand(e.userAdd(), e.userList(), e.userPassword())
	return needsCommand(cmd)
}

func (e *env) userAdd() *cobra.Command {
	var in control.NewUser
	var stdin bool
	cmd := &cobra.Command{
		Use:   "add EMAIL",
		Short: "Make an account",
		Long: `Makes an account. Without --password-stdin it has no password: API keys work,
signing in to a dashboard does not.`,
		Example: `  picora user add you@example.org --admin
  printf %s "$PASSWORD" | picora user add you@example.org --password-stdin`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage{errors.New("picora user add takes one e-mail address\nSee: picora user add --help")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			in.Email = args[0]
			if stdin {
				if in.Password, err = readPassword(cmd.InOrStdin()); err != nil {
					return err
				}
			}
			return e.control(cmd, true, func(c *control.Client) error {
				u, err := c.AddUser(cmd.Context(), in)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s\n", u.ID)
				fmt.Fprintf(cmd.ErrOrStderr(), "Made the account %s. Next: picora key add --user %s --name PicGo\n", u.Email, u.Email)
				if in.Password == "" {
					fmt.Fprintf(cmd.ErrOrStderr(), "It has no password, so nobody can sign in to it yet. Give it one: picora user password %s --password-stdin\n", u.Email)
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&in.Admin, "admin", false, "may administer the server; no limits apply")
	cmd.Flags().StringVar(&in.Plan, "plan", "", "`plan`: none, trial, pro or pro_plus (default: the one of new accounts)")
	cmd.Flags().BoolVar(&in.Unlimited, "unlimited", false, "no limits of a plan apply")
	cmd.Flags().BoolVar(&stdin, "password-stdin", false, "read the password, 8 to 64 characters, from standard input")
	return cmd
}

// readPassword reads one line.
func readPassword(r io.Reader) (string, error) {
	s, err := bufio.NewReader(io.LimitReader(r, 4096)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", err
	}
	if s = strings.TrimRight(s, "\r\n"); s == "" {
		return "", usage{errors.New("no password came on standard input")}
	}
	return s, nil
}

func (e *env) userList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the accounts",
		Long:  "Lists the accounts by e-mail address.",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.control(cmd, false, func(c *control.Client) error {
				users, err := c.Users(cmd.Context())
				if err != nil {
					return err
				}
				if len(users) == 0 {
					fmt.Fprintln(cmd.ErrOrStderr(), "There are no accounts yet. Make one: picora user add you@example.org")
					return nil
				}
				rows := [][]string{{"EMAIL", "ROLE", "PLAN", "CREATED", "ID"}}
				for _, u := range users {
					role := "user"
					if u.Admin {
						role = "admin"
					}
					plan := u.Plan
					if u.Unlimited {
						plan = "unlimited"
					}
					rows = append(rows, []string{u.Email, role, plan, day(u.Created), u.ID})
				}
				return table(cmd.OutOrStdout(), rows)
			})
		},
	}
}

// table prints rows in aligned columns.
func table(w io.Writer, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintln(t, strings.Join(r, "\t"))
	}
	return t.Flush()
}

func day(t time.Time) string { return t.Local().Format(time.DateOnly) }

// needsCommand makes a command that only groups others say so when it is called
// alone or with a word that is none of them.
func needsCommand(cmd *cobra.Command) *cobra.Command {
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknown(cmd, args[0])
		}
		cmd.SetOut(os.Stderr)
		return errors.Join(cmd.Help(), usage{fmt.Errorf("%s needs a command", cmd.CommandPath())})
	}
	return cmd
}
