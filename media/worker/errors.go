package worker

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"picora/media"
)

// The ways in which a job ends without result, beside the refusals of package
// media, which mean that the file is at fault.
var (
	ErrCrashed = errors.New("worker: crashed")             // or did what no sound worker does
	ErrTimeout = errors.New("worker: took too long")       // by the clock, or of processor time
	ErrMemory  = errors.New("worker: out of memory")       // its limit, or the machine's
	ErrSpace   = errors.New("worker: the disk is full")    // of an output
	ErrFailed  = errors.New("worker: failed")              // the handler returned an error that is no refusal
	ErrBusy    = errors.New("worker: too many jobs wait")  // or the deadline came before a worker had it
	ErrClosed  = errors.New("worker: the pool is closed")  //
	errUnread  = errors.New("worker: gone before the job") // nothing was done; another child may do it
)

// A Failure is an ErrCrashed, ErrTimeout, ErrMemory, ErrSpace or ErrFailed, which it
// answers to with errors.Is, with what is known of it.
type Failure struct {
	Kind   error
	What   string // such as "signal: segmentation fault"
	Stderr string // beginning and end of what the child wrote there, and to its standard output, during the job
	cause  error  // the context's end, or nil
}

func (f *Failure) Error() string { return fmt.Sprintf("%v: %s", f.Kind, f.What) }

// Unwrap returns the kind and, when the job's context ended, its error.
func (f *Failure) Unwrap() []error {
	if f.cause != nil {
		return []error{f.Kind, f.cause}
	}
	return []error{f.Kind}
}

// An Outcome is how a job ended, as a word for counters.
type Outcome string

// The outcomes.
const (
	Done      Outcome = "done"
	Refused   Outcome = "refused"
	Failed    Outcome = "failed"
	Crashed   Outcome = "crashed"
	TimedOut  Outcome = "timeout"
	NoMemory  Outcome = "memory"
	Busy      Outcome = "busy"
	Cancelled Outcome = "cancelled"
)

func outcome(err error) Outcome {
	if err == nil {
		return Done
	}
	for _, o := range []struct {
		is      error
		outcome Outcome
	}{
		{media.ErrCorrupt, Refused}, {media.ErrUnsupported, Refused}, {media.ErrTooManyPixels, Refused},
		{ErrBusy, Busy}, {ErrTimeout, TimedOut}, {ErrMemory, NoMemory}, {ErrCrashed, Crashed},
		{ErrClosed, Cancelled}, {context.Canceled, Cancelled},
	} {
		if errors.Is(err, o.is) {
			return o.outcome
		}
	}
	return Failed
}

// shortOfMemory tells from what a process wrote last that it could not get memory.
// The words are those of the Go runtime, of its start of threads from C, and of libc.
func shortOfMemory(stderr string) bool {
	for _, words := range []string{"out of memory", "annot allocate memory", "pthread_create failed", "failed to create new OS thread"} {
		if strings.Contains(stderr, words) {
			return true
		}
	}
	return false
}
