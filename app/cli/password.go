package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"picora/app/control"
)

func (e *env) userPassword() *cobra.Command {
	var stdin bool
	cmd := &cobra.Command{
		Use:   "password EMAIL --password-stdin",
		Short: "Set the password of an account",
		Long: `Sets the password of an account, for who has forgotten it, and ends all its
sessions. API keys stay as they are.`,
		Example: `  printf %s "$PASSWORD" | picora user password you@example.org --password-stdin`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage{errors.New("picora user password takes one e-mail address\nSee: picora user password --help")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if !stdin {
				return usage{errors.New("picora user password reads the password from standard input: add --password-stdin")}
			}
			password, err := readPassword(cmd.InOrStdin())
			if err != nil {
				return err
			}
			return e.control(cmd, false, func(c *control.Client) error {
				ended, err := c.SetPassword(cmd.Context(), control.NewPassword{Email: args[0], Password: password})
				if err == nil {
					fmt.Fprintf(cmd.ErrOrStderr(), "Set the password of %s. Sessions ended: %d\n", args[0], ended.Sessions)
				}
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&stdin, "password-stdin", false, "read the password, 8 to 64 characters, from standard input")
	return cmd
}

// sessionKey is the command for the keys that sign access tokens.
func (e *env) sessionKey() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "session-key",
		Short: "Replace the key that signs access tokens",
		Long: `Access tokens, which people get when they sign in, are signed with a key in the
data folder. Replace it when somebody may have read that folder.`,
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "rotate",
		Short: "Sign with a new key from now on",
		Long: `Signs with a new key from now on. Nobody is signed out: the old key is good for
the tokens that it signed, which live for 15 minutes.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.control(cmd, false, func(c *control.Client) error {
				err := c.RotateSessionKeys(cmd.Context())
				if err == nil {
					fmt.Fprintln(cmd.ErrOrStderr(), "Access tokens are signed with a new key. Nobody was signed out.")
				}
				return err
			})
		},
	})
	return needsCommand(cmd)
}
