package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"picora/app"
	"picora/app/auth"
	"picora/app/config"
	"picora/app/dashboard"
)

// serve is the command that starts the server.
func (e *env) serve() *cobra.Command {
	var listen string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Start the server",
		Long: `Starts Picora and serves until it is told to stop (Ctrl-C or SIGTERM). Uploads
in flight may then finish, as long as server.shutdown_timeout allows.

Everything is kept in the data folder: the database picora.db and the files in
blobs/. To move a Picora, stop it and copy that folder.`,
		Example: `  picora serve
  picora serve --data /srv/picora --listen 127.0.0.1:3102
  PICORA_SERVER_BASE_URL=https://pics.example.org picora serve`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := e.load(func(c *config.Config) {
				if listen != "" {
					c.Server.Listen = listen
				}
			})
			if err != nil {
				return err
			}
			logger(cfg.Log)
			for _, name := range config.UnknownEnv(os.Environ()) {
				slog.Warn("there is no such setting", "variable", name)
			}
			useThreads()
			return run(cmd, cfg, e.pages)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "", "`address` to listen on (default :3102, every interface)")
	return cmd
}

// useThreads lets four goroutines run at a time, unless the environment says
// how many. Go counts a thread that waits for the disk (fdatasync) as running for
// a while: on 2 cores with GOMAXPROCS=2, concurrent uploads per second were 1.3 to
// 1.8 times fewer than with 4.
func useThreads() {
	const threads = 4
	if os.Getenv("GOMAXPROCS") == "" && runtime.GOMAXPROCS(0) < threads {
		runtime.GOMAXPROCS(threads)
	}
}

func run(cmd *cobra.Command, cfg config.Config, pages dashboard.Files) error {
	ctx, stop := context.WithCancel(cmd.Context())
	defer stop()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go obey(signals, stop)
	a, err := app.New(ctx, cfg, app.Program{Pages: pages, Version: Version()})
	if err != nil {
		return err
	}
	if err := a.Listen(); err != nil {
		return errors.Join(err, a.Close())
	}
	slog.Info("Picora is running", "version", Version(), "url", address(cfg, a.Addr()), "data", cfg.Server.Data)
	if at := a.MetricsAddr(); at != nil {
		slog.Info("metrics are served", "url", "http://"+at.String()+"/metrics")
	}
	if err := offerSetup(ctx, cmd.ErrOrStderr(), a, address(cfg, a.Addr())); err != nil {
		return errors.Join(err, a.Close())
	}
	return errors.Join(a.Run(ctx), a.Close())
}

// obey stops the server at the first signal; the second ends the program at once.
func obey(signals <-chan os.Signal, stop context.CancelFunc) {
	<-signals
	stop()
	<-signals
	slog.Warn("ended at once by a second signal; uploads in flight are cut off")
	os.Exit(1)
}

// offerSetup prints the link to the first account when there is none. It is no line of
// the log, for it must be seen whatever the log's level is.
func offerSetup(ctx context.Context, w io.Writer, a *app.App, base string) error {
	token, err := a.Auth().OpenSetup(ctx)
	if err != nil || token == "" {
		return err
	}
	_, err = fmt.Fprintf(w, "There is no account yet. Open this within %d minutes to make the first: %s/setup?token=%s\n",
		auth.SetupAge/time.Minute, strings.TrimRight(base, "/"), token)
	return err
}

// address is where a person on this machine finds the server.
func address(cfg config.Config, addr net.Addr) string {
	if cfg.Server.BaseURL != "" {
		return cfg.Server.BaseURL
	}
	t, ok := addr.(*net.TCPAddr)
	if !ok || t.IP.IsUnspecified() || t.IP.IsLoopback() {
		_, port, _ := net.SplitHostPort(addr.String())
		return "http://localhost:" + port
	}
	return "http://" + addr.String()
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage{fmt.Errorf("%s takes no argument %q\nSee: %s --help", cmd.CommandPath(), args[0], cmd.CommandPath())}
	}
	return nil
}
