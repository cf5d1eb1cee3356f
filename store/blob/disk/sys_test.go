package disk

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"picora/store/blob"
)

func TestFullDisksAreToldApart(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		full bool
	}{
		{"no error", nil, false},
		{"a full disk", syscall.ENOSPC, true},
		{"a used-up quota", syscall.EDQUOT, true},
		{"as os gives it", &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, true},
		{"another", &fs.PathError{Op: "write", Path: "x", Err: syscall.EIO}, false},
	} {
		err := noSpace(c.err)
		if errors.Is(err, blob.ErrNoSpace) != c.full || !errors.Is(err, c.err) {
			t.Errorf("%s: %v becomes %v", c.name, c.err, err)
		}
	}
}

// The kernel's own full device says what a full disk says.
func TestFillingAFullDevice(t *testing.T) {
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, size := range []int{1, largeBuffer} {
		err := fill(t.Context(), f, strings.NewReader(strings.Repeat("x", size)))
		if !errors.Is(err, blob.ErrNoSpace) || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%d bytes give %v, want ErrNoSpace", size, err)
		}
	}
	// A reader's own trouble is not the store's.
	r, w := io.Pipe()
	w.CloseWithError(syscall.ENOSPC)
	if err := fill(t.Context(), f, r); errors.Is(err, blob.ErrNoSpace) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a failing reader gives %v", err)
	}
}
