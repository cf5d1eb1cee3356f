package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"picora/app"
	"picora/app/config"
	"picora/app/control"
	"picora/app/scrub"
	usages "picora/app/usage"
)

// scrub is the command that checks the files.
func (e *env) scrub() *cobra.Command {
	var repair bool
	cmd := &cobra.Command{
		Use:   "scrub",
		Short: "Check that all files are there and whole",
		Long: `Looks for files that are missing, damaged (their bytes are not what they were) or
nobody's (no record has them), and prints what it finds. It reads all files, which
takes as long as the disk or bucket needs for that.

With --repair it puts right what can be: an upload is copied from another one with
the same bytes, of anybody's or in the trash; what Picora made of an upload is made
anew; what is nobody's is kept 30 more days and deleted then. Nothing is deleted at
once, and a damaged file stays until there is something better in its place.

Works while the server runs, which goes on serving, and while it does not. The
server does the same every night, a part of the files at a time: see [scrub] in the
settings. Ends with status 1 when something is wrong and was not put right.`,
		Example: `  picora scrub
  picora scrub --repair`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := e.load(nil)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			if c, running := control.Dial(cfg.Server.Data); running {
				return check(ctx, cmd, c, repair)
			}
			return e.checkAlone(ctx, cmd, cfg, repair)
		},
	}
	cmd.Flags().BoolVar(&repair, "repair", false, "put right what can be")
	return cmd
}

// checkAlone checks the files of a Picora that does not run.
func (e *env) checkAlone(ctx context.Context, cmd *cobra.Command, cfg config.Config, repair bool) error {
	if !app.HasStore(cfg.Server.Data) {
		return fmt.Errorf("there is no Picora in %s (see --data)", cfg.Server.Data)
	}
	cfg.Log.Level = "error" // the command says what it finds
	logger(cfg.Log)
	a, err := app.New(ctx, cfg, app.Program{Pages: e.pages, Version: Version()})
	if err != nil {
		return err
	}
	inside, stop := context.WithCancel(context.WithoutCancel(ctx)) // it is told to stop by the client
	c, done := a.Scrub(inside)
	err = check(ctx, cmd, c, repair)
	stop()
	<-done
	return errors.Join(err, a.Close())
}

// check has the files checked, shows how far that is, and prints what is wrong.
func check(ctx context.Context, cmd *cobra.Command, c *control.Client, repair bool) error {
	state, err := c.StartScrub(ctx, repair)
	if err != nil {
		return err
	}
	began := state.State.Run.Began
	progress := gauge{w: cmd.ErrOrStderr(), shown: isTerminal(cmd.ErrOrStderr())}
	for state.State.Run != nil && state.State.Run.Began.Equal(began) {
		progress.show(state.State.Run)
		select {
		case <-ctx.Done():
			progress.clear()
			if err := c.StopScrub(context.WithoutCancel(ctx)); err != nil {
				return err
			}
			return errors.New("stopped; what was found until now is kept")
		case <-time.After(200 * time.Millisecond):
		}
		if state, err = c.Scrub(ctx); err != nil && ctx.Err() == nil {
			return fmt.Errorf("the server does not say how far the check is, with which it goes on when it starts again: %w", err)
		}
	}
	progress.clear()
	last := state.State.Last
	if last == nil || !last.Began.Equal(began) {
		return errors.New("another check took the place of this one")
	}
	return report(ctx, cmd, c, last, &state)
}

// report prints what is wrong, and what was put right.
func report(ctx context.Context, cmd *cobra.Command, c *control.Client, r *scrub.Run, state *control.Scrub) error {
	w, found := cmd.OutOrStdout(), state.Found
	for _, done := range r.Repairs {
		fmt.Fprintf(w, "repaired  %s of %s, which was %s: %s\n", done.Role, orElse(done.Media, "an account"), done.Problem, done.How)
	}
	for after := ""; ; {
		page, err := c.Findings(ctx, after)
		if err != nil {
			return err
		}
		for i := range page.Items {
			fmt.Fprintln(w, line(&page.Items[i]))
		}
		if after = page.Next; after == "" {
			break
		}
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "Files: %d (%s), read: %d. Missing: %d, damaged: %d, nobody's: %d (%s). Repaired: %d, deleted: %d.\n",
		r.Files, usages.Size(r.Bytes), r.Read, found.Missing, found.Corrupt, found.Orphans, usages.Size(found.OrphanBytes), r.Repaired, r.Deleted)
	switch {
	case r.Error != "":
		return fmt.Errorf("the check did not come to its end: %s", r.Error)
	case r.Stopped:
		return errors.New("the check was stopped")
	case found.Missing+found.Corrupt > 0 && !r.Repair:
		return errors.New("files are missing or damaged: picora scrub --repair puts right what can be")
	case found.Missing+found.Corrupt > 0:
		return errors.New("files are missing or damaged that could not be put right: put their copies back from a backup, or delete them")
	}
	return nil
}

// line is a finding as a line.
func line(f *control.Finding) string {
	if f.Problem == "orphan" {
		s := fmt.Sprintf("orphan    blob %s (%s)", f.Blob, usages.Size(f.Size))
		if !f.Ends.IsZero() {
			s += ", kept until " + day(f.Ends)
		}
		return s
	}
	s := fmt.Sprintf("%-9s %s of %q (%s) of %s, blob %s", f.Problem, orElse(f.Role, "file"), f.Name, f.ID, orElse(f.Email, "nobody"), f.Blob)
	if f.Detail != "" {
		s += ". " + f.Detail
	}
	return s
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// gauge is a line that says how far a check is, on a terminal.
type gauge struct {
	w     io.Writer
	shown bool
}

func (b gauge) show(r *scrub.Run) {
	if !b.shown {
		return
	}
	fmt.Fprintf(b.w, "\r\x1b[K%s: %d files", r.Phase, r.Files)
	if all := r.ToRead(); all > 0 && r.Phase == scrub.Read {
		took := time.Since(r.Began).Seconds()
		rate := float64(r.ReadBytes) / max(took, 0.1)
		fmt.Fprintf(b.w, ", read %s of %s, %s/s", usages.Size(r.ReadBytes), usages.Size(all), usages.Size(int64(rate)))
		if r.ReadBytes > 0 {
			left := time.Duration(float64(all-r.ReadBytes) / rate * float64(time.Second))
			fmt.Fprintf(b.w, ", %s left", left.Round(time.Second))
		}
	}
}

func (b gauge) clear() {
	if b.shown {
		fmt.Fprint(b.w, "\r\x1b[K")
	}
}
