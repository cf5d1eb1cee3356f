package boltkv

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"syscall"
)

// bbolt reads through a memory map and trusts what it reads: a damaged page
// makes it panic, and a failing disk or a file cut short is a memory fault,
// which ends the process unless it is turned into a panic first.

// onPanic calls fn, which must be bbolt's code rather than a caller's, and
// returns a panic or a memory fault in it as ErrCorrupt.
func onPanic(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", ErrCorrupt, r)
		}
	}()
	return fn()
}

// onDamage calls fn, which may be a caller's, and returns what can only come
// from a damaged file as ErrCorrupt. Other panics pass.
func onDamage(path string, fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		if err = damage(path, r); err == nil {
			panic(r)
		}
	}()
	return fn()
}

// damage returns the error for a recovered panic that is a memory fault or one
// of bbolt's assertions about pages, and nil for any other.
func damage(path string, r any) error {
	if s, ok := r.(string); ok {
		if strings.HasPrefix(s, "assertion failed: ") || strings.HasPrefix(s, "invalid page type: ") {
			return fmt.Errorf("%w: reading %s: %s", ErrCorrupt, path, s)
		}
		return nil
	}
	fault, ok := r.(interface {
		error
		Addr() uintptr
	})
	if !ok {
		return nil
	}
	return fmt.Errorf("%w: reading %s: %w (a bad disk, a file cut short, or a write to a slice that was lent)",
		ErrCorrupt, path, fault)
}

// commitError returns err with its cause findable by errors.Is: when growing
// the file bbolt keeps the text of an error only.
func commitError(path string, err error) error {
	for _, cause := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT} {
		if !errors.Is(err, cause) && strings.Contains(err.Error(), cause.Error()) {
			return fmt.Errorf("boltkv: commit to %s: %w: %w", path, cause, err)
		}
	}
	return fmt.Errorf("boltkv: commit to %s: %w", path, err)
}

// harmless reports whether the database is still to be trusted after a commit
// failed with err. No room is noticed before anything in use is overwritten.
// After any other error it is unknown what reached the disk, and a second sync
// may report success for what the first one lost.
func harmless(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
