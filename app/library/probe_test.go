package library

import (
	"context"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"

	"picora/app/config"
	"picora/app/fault"
	"picora/store/blob"
	"picora/store/blob/disk"
)

// sick is a store of which one operation fails.
type sick struct {
	blob.Store
	put, open, remove error
	text              string // what is read instead; "": what was written
}

func (s sick) Put(ctx context.Context, key string, r io.Reader) (blob.Info, error) {
	if s.put != nil {
		return blob.Info{}, s.put
	}
	return s.Store.Put(ctx, key, r)
}

func (s sick) Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	if s.text != "" {
		return io.NopCloser(strings.NewReader(s.text)), nil
	}
	if s.open != nil {
		return nil, s.open
	}
	return s.Store.Open(ctx, key, off, n)
}

func (s sick) Delete(ctx context.Context, key string) error {
	if s.remove != nil {
		return s.remove
	}
	return s.Store.Delete(ctx, key)
}

func TestATrialOfTheStorageTellsWhatIsWrong(t *testing.T) {
	wrap := func(err error) error { return fmt.Errorf("somewhere: %w", err) }
	for _, c := range []struct {
		name string
		sick sick
		want string
		left int
	}{
		{"nothing", sick{}, "write: read: delete:", 0},
		{"a full disk", sick{put: wrap(blob.ErrNoSpace)}, "write:full", 0},
		{"a quota", sick{put: wrap(syscall.EDQUOT)}, "write:full", 0},
		{"no right to write", sick{put: wrap(syscall.EACCES)}, "write:forbidden", 0},
		{"a disk that is read only", sick{put: wrap(syscall.EROFS)}, "write:readOnly", 0},
		{"no right to read", sick{open: wrap(syscall.EPERM)}, "write: read:forbidden delete:", 0},
		{"other bytes", sick{text: "other"}, "write: read:damaged delete:", 0},
		{"a disk that is sick", sick{remove: wrap(syscall.EIO)}, "write: read: delete:failed", 1},
	} {
		d, err := disk.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		c.sick.Store = d
		l := New(nil, c.sick, config.Upload{}, 1)
		p, err := l.Probe(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range p.Steps {
			got = append(got, s.Name+":"+s.Problem)
		}
		if strings.Join(got, " ") != c.want || p.OK() != (c.name == "nothing") || p.Free <= 0 || p.Keep != 1 || p.Bytes != probeSize {
			t.Errorf("%s: %v, %+v", c.name, got, p)
		}
		left := 0
		for _, err := range d.List(context.Background(), "", "") {
			if err != nil {
				t.Fatal(err)
			}
			left++
		}
		if left != c.left || len(l.intakes.running) != 0 {
			t.Errorf("%s: %d files are left, %d uploads run", c.name, left, len(l.intakes.running))
		}
	}
}

func TestOneTrialOfTheStorageRuns(t *testing.T) {
	l := New(nil, nil, config.Upload{}, 0)
	l.probing.Lock()
	if _, err := l.Probe(context.Background()); fault.From(err).Code != fault.Busy {
		t.Error(err)
	}
	if p := (&Probe{Steps: make([]ProbeStep, 3), Free: 5, Keep: 5}); p.OK() {
		t.Error("a disk without room is well")
	}
}
