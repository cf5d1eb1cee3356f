package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"picora/app/control"
	"picora/app/storage"
)

// watch shows how far a move of files is, on a line of the terminal or a line now and then.
type watch struct {
	out io.Writer
	to  string // where the files are to be

	seen    []sample // of the last while
	waiting string   // what was said last
	wrote   time.Time
}

// sample is how many bytes were copied at a moment.
type sample struct {
	at    time.Time
	bytes int64
}

const (
	watchEvery = 300 * time.Millisecond
	lineEvery  = 10 * time.Second // where there is no terminal
	rateOver   = 15 * time.Second
)

// follow returns when the move is over. The context's error when somebody ended the watching.
func (w *watch) follow(ctx context.Context, c *control.Client, s storage.Status) (err error) {
	terminal := isTerminal(w.out)
	if terminal {
		defer fmt.Fprintln(w.out)
	}
	for s.To != "" {
		w.show(&s, terminal)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(watchEvery):
		}
		if s, err = c.Blobs(ctx); ctx.Err() != nil {
			return ctx.Err()
		} else if err != nil {
			return fmt.Errorf("the server does not answer any more; when it is started again, it goes on with the copy: %w", err)
		}
	}
	if s.At != w.to {
		return errors.New("somebody ended the move: the files are kept in " + s.At)
	}
	return nil
}

// show writes how far the move is.
func (w *watch) show(s *storage.Status, terminal bool) {
	now, start := time.Now(), ""
	if terminal {
		start = "\r\x1b[K" // over what is on the line
	}
	w.seen = append(w.seen, sample{now, s.Bytes})
	for len(w.seen) > 2 && now.Sub(w.seen[0].at) > rateOver {
		w.seen = w.seen[1:]
	}
	if s.Waiting != w.waiting && s.Waiting != "" {
		fmt.Fprintf(w.out, "%sIt waits, and will try again: %s\n", start, s.Waiting)
	}
	w.waiting = s.Waiting
	text := bar(s) + w.rate(s)
	switch {
	case terminal:
		fmt.Fprint(w.out, start, text)
	case now.Sub(w.wrote) >= lineEvery:
		w.wrote = now
		fmt.Fprintln(w.out, text)
	}
}

// bar is how far the move is, drawn.
func bar(s *storage.Status) string {
	const width = 24
	if s.Phase != "copying" || s.AllBytes == 0 {
		return far(s)
	}
	full := int(width * s.Bytes / s.AllBytes)
	return "[" + strings.Repeat("#", full) + strings.Repeat("-", width-full) + "] " + far(s)
}

// far is how far the move is, in words.
func far(s *storage.Status) string {
	switch {
	case s.Phase == "counting":
		return "counting the files"
	case s.Phase == "switching":
		return "uploads go there; copying what came last"
	case s.AllFiles == 0:
		return fmt.Sprintf("%d files, %s", s.Files, amount(s.Bytes))
	}
	return fmt.Sprintf("%d%%, %d of %d files, %s of %s", 100*s.Bytes/max(s.AllBytes, 1), s.Files, s.AllFiles, amount(s.Bytes), amount(s.AllBytes))
}

// rate is how fast it goes, and how long it will take.
func (w *watch) rate(s *storage.Status) string {
	first, last := w.seen[0], w.seen[len(w.seen)-1]
	took := last.at.Sub(first.at).Seconds()
	if s.Phase != "copying" || took < 0.5 || last.bytes <= first.bytes {
		return ""
	}
	each := float64(last.bytes-first.bytes) / took
	text := fmt.Sprintf(", %s/s", amount(int64(each)))
	if s.AllBytes > s.Bytes {
		left := time.Duration(float64(s.AllBytes-s.Bytes) / each * float64(time.Second))
		text += fmt.Sprintf(", %s left", left.Round(time.Second))
	}
	return text
}

// amount is a number of bytes for people.
func amount(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n)/1000, 0
	for ; f >= 999.95 && unit < 4; unit++ {
		f /= 1000
	}
	return fmt.Sprintf("%.1f %cB", f, "kMGTP"[unit])
}

// isTerminal reports whether somebody watches.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	fi, err := f.Stat()
	return err == nil && fi.Mode()&os.ModeCharDevice != 0
}
