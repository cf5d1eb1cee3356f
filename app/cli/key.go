package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"picora/app/control"
)

// key is the command for API keys.
func (e *env) key() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Make, list and revoke API keys",
		Long: `Makes, lists and revokes API keys, with which clients such as PicGo sign in.
Works while the server runs (through a socket in the data folder that only the
folder's owner may open) and while it does not.`,
	}
	cmd.AddCommand(e.keyAdd(), e.keyList(), e.keyRevoke())
	return needsCommand(cmd)
}

func (e *env) keyAdd() *cobra.Command {
	var in control.NewKey
	var until string
	cmd := &cobra.Command{
		Use:   "add --user EMAIL --name NAME",
		Short: "Make an API key",
		Long: `Makes an API key and prints it, alone, on standard output. It is shown this once:
only its hash is kept.

Scopes are read, read_write, read_write_delete (the default), or single ones:
media.read media.write media.delete kb.read kb.write account.read usage.read
collection.read collection.write collection.delete episode.write`,
		Example: `  picora key add --user you@example.org --name PicGo
  picora key add --user you@example.org --name "blog, read only" --scope read
  picora key add --user you@example.org --name guest --expires 90d
  KEY=$(picora key add --user you@example.org --name script --expires 2027-01-01)`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if in.Email == "" || in.Name == "" {
				return usage{errors.New("picora key add needs --user and --name\nSee: picora key add --help")}
			}
			var err error
			if in.Expires, err = expiry(until, time.Now()); err != nil {
				return usage{err}
			}
			return e.control(cmd, false, func(c *control.Client) error {
				k, err := c.AddKey(cmd.Context(), in)
				if err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), k.Plain)
				fmt.Fprintf(cmd.ErrOrStderr(), "Made the key %q of %s. It is not shown again. Clients send it as: Authorization: Bearer KEY\n", k.Name, k.Email)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&in.Email, "user", "", "`e-mail` of the account it acts for")
	cmd.Flags().StringVar(&in.Name, "name", "", "what it is for, 1 to 64 characters")
	cmd.Flags().StringVar(&until, "expires", "", "when it ends: after `days`, such as 90d, or its last day, such as 2027-01-01 (default never)")
	cmd.Flags().StringSliceVar(&in.Scopes, "scope", nil, "what it may do; may be given several times (default read_write_delete)")
	return cmd
}

func (e *env) keyList() *cobra.Command {
	var user string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the API keys",
		Long:  "Lists the API keys, everybody's or those of one account, revoked ones too. When a key\nwas last used is some five minutes exact.",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.control(cmd, false, func(c *control.Client) error {
				keys, err := c.Keys(cmd.Context(), user)
				if err != nil {
					return err
				}
				if len(keys) == 0 {
					fmt.Fprintln(cmd.ErrOrStderr(), "There are no keys yet. Make one: picora key add --user you@example.org --name PicGo")
					return nil
				}
				rows := [][]string{{"KEY", "NAME", "USER", "SCOPES", "CREATED", "EXPIRES", "USED", "STATE", "ID"}}
				for _, k := range keys {
					rows = append(rows, []string{
						k.Prefix + "…" + k.Last4, k.Name, k.Email, strings.Join(k.Scopes, ","),
						day(k.Created), dayOrNever(k.Expires), dayOrNever(k.Used), state(k, time.Now()), k.ID,
					})
				}
				return table(cmd.OutOrStdout(), rows)
			})
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "`e-mail` of one account")
	return cmd
}

// expiry reads --expires: days from now, or a last day, as this machine's clock has it.
func expiry(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if days, is := strings.CutSuffix(text, "d"); is {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n <= 36_500 {
			return now.AddDate(0, 0, n), nil
		}
	}
	last, err := time.ParseInLocation(time.DateOnly, text, now.Location())
	if err != nil {
		return time.Time{}, fmt.Errorf("--expires %q is neither a number of days such as 90d nor a day such as 2027-01-01", text)
	}
	if last = last.AddDate(0, 0, 1); !last.After(now) {
		return time.Time{}, fmt.Errorf("--expires %s is past", text)
	}
	return last.Add(-time.Second), nil
}

func state(k control.Key, now time.Time) string {
	switch {
	case !k.Revoked.IsZero():
		return "revoked " + day(k.Revoked)
	case !k.Expires.IsZero() && !k.Expires.After(now):
		return "expired"
	}
	return "valid"
}

func dayOrNever(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return day(t)
}

func (e *env) keyRevoke() *cobra.Command {
	return &cobra.Command{
		Use:     "revoke ID",
		Short:   "Revoke an API key",
		Long:    "Revokes an API key, named by its id or its first 12 characters as the list shows them. The next request with it is refused.",
		Example: "  picora key revoke sk_live_ab12",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return usage{errors.New("picora key revoke takes one key\nSee: picora key revoke --help")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.control(cmd, false, func(c *control.Client) error {
				k, err := c.RevokeKey(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "Revoked the key %q of %s.\n", k.Name, k.Email)
				return nil
			})
		},
	}
}
