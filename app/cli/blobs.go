package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"picora/app/control"
	"picora/app/storage"
)

// blobs are the commands for where files are kept.
func (e *env) blobs() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "blobs",
		Short: "Where files are kept, and moving them",
		Long: `Files are kept on a disk or in a bucket. They can be moved from one to the other
while the server runs: nothing is lost, and nobody waits.`,
	}
	cmd.AddCommand(e.blobsCopy(), e.blobsStatus(), e.blobsCancel(), e.blobsUse())
	return needsCommand(cmd)
}

func (e *env) blobsCopy() *cobra.Command {
	var to string
	var dry bool
	cmd := &cobra.Command{
		Use:   "copy --to PLACE",
		Short: "Move all files to another disk or bucket, while the server runs",
		Long: `Copies all files to a bucket or a folder, reads each back to compare it, and then
has the server use the copies. Uploads, reads and deletes go on meanwhile. What was
copied from stays as it is: when you are content, remove it.

A place is s3://BUCKET/PREFIX (or s3: for the bucket of the settings; key and service are
those of the section [s3]), or disk:/FOLDER (or disk: for the data folder).

With a server that runs, the server does it: Ctrl-C only ends the watching. Without one,
this command does it. Either way it goes on where it was after a stop or a crash, by
itself when the server starts, or with the same command.`,
		Example: `  picora blobs copy --to s3://my-bucket/picora --dry-run
  picora blobs copy --to s3://my-bucket/picora
  picora blobs copy --to disk:/mnt/large/picora`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			to, err := absolute(to)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return e.withServer(cmd, false, func(c *control.Client, own *storage.Storage) error {
				if dry {
					return plan(ctx, cmd.OutOrStdout(), c, to)
				}
				if own != nil {
					slog.SetLogLoggerLevel(slog.LevelError) // what else there is to say is shown below
					done := make(chan struct{})
					run, end := context.WithCancel(ctx)
					go func() { defer close(done); own.Run(run) }()
					defer func() { end(); <-done }()
				}
				s, err := c.CopyBlobs(ctx, to)
				if err != nil {
					return err
				}
				err = (&watch{out: cmd.ErrOrStderr(), to: wanted(s)}).follow(ctx, c, s)
				switch {
				case errors.Is(err, context.Canceled) && own == nil:
					fmt.Fprintln(cmd.ErrOrStderr(), "The server goes on. To watch it again: picora blobs status, or the same command. To end it: picora blobs cancel")
					return nil
				case errors.Is(err, context.Canceled):
					return errors.New("stopped. It goes on with the same command, or when the server starts. To end it: picora blobs cancel")
				case err != nil:
					return err
				}
				s, err = c.Blobs(ctx)
				if err == nil {
					where(cmd.OutOrStdout(), &s)
				}
				return err
			})
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "`place` to move the files to: s3://bucket/prefix or disk:/folder")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only try the place, and say what would be copied")
	return cmd
}

// wanted is where files are when the move of that status is over.
func wanted(s storage.Status) string {
	if s.To != "" {
		return s.To
	}
	return s.At
}

// absolute names a folder as the server, which may run elsewhere, understands it.
func absolute(place string) (string, error) {
	if place == "" {
		return "", usage{errors.New("name the place: --to s3://bucket/prefix or --to disk:/folder\nSee: picora blobs --help")}
	}
	folder, ok := strings.CutPrefix(place, "disk:")
	if !ok || folder == "" {
		return place, nil
	}
	folder, err := filepath.Abs(folder)
	return "disk:" + folder, err
}

// plan prints what a move would do.
func plan(ctx context.Context, w io.Writer, c *control.Client, to string) error {
	p, err := c.PlanBlobs(ctx, to)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "From %s to %s, which works: %d files, %s.\n", p.From, p.To, p.Files, amount(p.Bytes))
	fmt.Fprintf(w, "There already, to be compared: %d files. To be copied: %d, %s.\n", p.There, p.Files-p.There, amount(p.Copy))
	if p.Others > 0 {
		fmt.Fprintf(w, "Other files there, which stay: %d. A place is for one Picora alone: is it the right one?\n", p.Others)
	}
	if p.Free < p.Copy {
		return fmt.Errorf("there is room for %s only in %s", amount(p.Free), p.To)
	}
	return nil
}

func (e *env) blobsStatus() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say where files are kept, and how far a move is",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.withServer(cmd, false, func(c *control.Client, own *storage.Storage) error {
				s, err := c.Blobs(cmd.Context())
				if err != nil {
					return err
				}
				where(cmd.OutOrStdout(), &s)
				if own != nil && s.To != "" {
					fmt.Fprintf(cmd.OutOrStdout(), "No server runs. It goes on when one starts, or with: picora blobs copy --to %s\n", s.To)
				}
				return nil
			})
		},
	}
}

func (e *env) blobsCancel() *cobra.Command {
	return &cobra.Command{
		Use:   "cancel",
		Short: "End a move of files that is under way",
		Long: `Ends a move. The files are where they were; what was copied stays in the other place, and
the next copy to it has less to do. When uploads go to the new place already, those that
came meanwhile are moved back first.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.control(cmd, false, func(c *control.Client) error {
				s, err := c.CancelBlobs(cmd.Context())
				if err == nil {
					where(cmd.OutOrStdout(), &s)
				}
				return err
			})
		},
	}
}

func (e *env) blobsUse() *cobra.Command {
	return &cobra.Command{
		Use:   "use PLACE",
		Short: "Say that the files are in another place already",
		Long: `After a move the database knows where the files are, whatever the settings say. When you
brought them elsewhere by other means, such as a copy of a disk that broke, stop the
server and name the place. Nothing is copied.`,
		Example: "  picora blobs use s3://my-bucket/picora",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage{errors.New("picora blobs use takes one place\nSee: picora blobs use --help")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := absolute(args[0])
			if err != nil {
				return err
			}
			return e.control(cmd, false, func(c *control.Client) error {
				s, err := c.UseBlobs(cmd.Context(), at)
				if err == nil {
					where(cmd.OutOrStdout(), &s)
				}
				return err
			})
		},
	}
}

// where prints where files are.
func where(w io.Writer, s *storage.Status) {
	switch {
	case s.To == "":
		fmt.Fprintf(w, "Files are kept in %s\n", s.At)
	case s.Phase == "switching":
		fmt.Fprintf(w, "Files are being moved from %s to %s, where uploads go already: what came last is copied.\n", s.At, s.To)
	default:
		fmt.Fprintf(w, "Files are being moved from %s to %s: %s\n", s.At, s.To, far(s))
	}
	if s.Waiting != "" {
		fmt.Fprintf(w, "It waits, and will try again: %s\n", s.Waiting)
	}
	if len(s.Set) > 0 {
		fmt.Fprintf(w, "The settings say %s. Change them: %s\n", s.Settings, strings.Join(s.Set, ", "))
	}
	if s.Left != "" {
		fmt.Fprintf(w, "They were moved from %s on %s. What is there is not used any more; to remove it: %s\n", s.Left, day(s.Moved), s.Remove)
	}
}
