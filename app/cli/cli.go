// Package cli is the command line: one file a command. A command parses its
// flags, calls one function and prints.
package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"picora/app"
	"picora/app/auth"
	"picora/app/config"
	"picora/app/control"
	"picora/app/dashboard"
	"picora/app/fault"
	"picora/app/settings"
	"picora/app/storage"
	usages "picora/app/usage"
)

// Statuses of the program.
const (
	statusFailed = 1
	statusUsage  = 2
)

// env is what the commands share.
type env struct {
	config string // --config
	data   string // --data
	pages  dashboard.Files
}

// Main runs the command that args name and returns the program's exit status. The
// pages are what browsers see.
func Main(args []string, pages dashboard.Files) int {
	e := &env{pages: pages}
	root := &cobra.Command{
		Use:   "picora",
		Short: "A self-hosted media host: one program, one port",
		Long: `Picora keeps pictures and gives them links that last.

  picora serve                                        start the server on port 3102
  picora user add you@example.org                     make an account
  picora key add --user you@example.org --name PicGo  make an API key for a client

Settings come from a file (--config), the environment (PICORA_SECTION_KEY) and
flags; later ones win. config.example.toml lists them all.`,
		Version:       Version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknown(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.PersistentFlags().StringVar(&e.config, "config", "", "settings `file` (default none: the built-in defaults)")
	root.PersistentFlags().StringVar(&e.data, "data", "", "data `folder` (default ./data)")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage{fmt.Errorf("%w\nSee: %s --help", err, c.CommandPath())}
	})
	root.AddCommand(e.serve(), e.user(), e.key(), e.sessionKey(), e.recount(), e.search(), e.blobs(), e.scrub(), e.doctor(), e.worker(), e.version())
	root.SetArgs(args)
	err := root.Execute()
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "picora:", sentence(err))
	if errors.As(err, &usage{}) {
		return statusUsage
	}
	return statusFailed
}

// usage is an error in how the program was called or configured.
type usage struct{ error }

func (u usage) Unwrap() error { return u.error }

// unknown is the error of a word that is no command of cmd.
func unknown(cmd *cobra.Command, word string) error {
	return usage{fmt.Errorf("there is no command %s %s\nSee: %s --help", cmd.CommandPath(), word, cmd.CommandPath())}
}

// sentence is the part of an error that is for people.
func sentence(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Message
	}
	return err.Error()
}

// load reads the settings; set are the command's own flags.
func (e *env) load(set func(*config.Config)) (config.Config, error) {
	cfg, err := config.Load(e.config, os.Environ(), func(c *config.Config) {
		if e.data != "" {
			c.Server.Data = e.data
		}
		if set != nil {
			set(c)
		}
	})
	if err != nil {
		return cfg, usage{fmt.Errorf("the settings are not right:\n%w", err)}
	}
	return cfg, nil
}

// control runs fn on the users and keys: through the server when one runs on the
// data folder, else on the database, which it makes only if it may.
func (e *env) control(cmd *cobra.Command, mayMake bool, fn func(*control.Client) error) error {
	return e.withServer(cmd, mayMake, func(c *control.Client, _ *storage.Storage) error { return fn(c) })
}

// withServer is control; fn also gets where files are when no server has that.
func (e *env) withServer(cmd *cobra.Command, mayMake bool, fn func(*control.Client, *storage.Storage) error) error {
	cfg, err := e.load(nil)
	if err != nil {
		return err
	}
	if c, running := control.Dial(cfg.Server.Data); running {
		return fn(c, nil)
	}
	if !mayMake && !app.HasStore(cfg.Server.Data) {
		return fmt.Errorf("there is no Picora in %s (see --data)", cfg.Server.Data)
	}
	s, err := app.OpenStore(cmd.Context(), cfg.Server.Data)
	if err != nil {
		return err
	}
	users, err := auth.New(s, cfg.Server.Data)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	live, err := settings.Open(cmd.Context(), s, cfg.Accounts)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	files, err := storage.New(cmd.Context(), cfg, s)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	c := control.Local(control.Handler(s, users, live, usages.New(s, cfg.Plans), files, nil))
	return errors.Join(fn(c, files), files.Close(), s.Close())
}

// logger sets the program's log.
func logger(l config.Log) {
	var level slog.Level
	level.UnmarshalText([]byte(l.Level)) // validated
	o := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewTextHandler(os.Stderr, o)
	if l.Format == "json" {
		h = slog.NewJSONHandler(os.Stderr, o)
	}
	slog.SetDefault(slog.New(h))
}
