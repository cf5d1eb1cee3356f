package library

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"syscall"
	"time"

	"picora/app/fault"
	"picora/store/blob"
)

// probeSize is how many bytes a trial writes: enough to be more than a name in a folder.
const probeSize = 1 << 20

// Probe is what a trial of the storage found: a file was written, read back and deleted, the
// same way as uploads are.
type Probe struct {
	Steps             []ProbeStep
	Bytes             int64
	Free, Total, Keep int64 // of the disk; a total of 0 is unknown; Keep is the room that uploads leave
}

// OK reports whether everything worked, and there is room for files.
func (p *Probe) OK() bool {
	for _, s := range p.Steps {
		if s.Problem != "" {
			return false
		}
	}
	return len(p.Steps) == 3 && p.Free > p.Keep
}

// ProbeStep is one thing that was tried. Problem is "" when it worked, and else full,
// forbidden, readOnly, damaged or failed.
type ProbeStep struct {
	Name    string
	Took    time.Duration
	Problem string
}

// Probe tries the storage. A step that fails is the last but for deleting. One trial runs
// at a time.
func (l *Library) Probe(ctx context.Context) (p Probe, err error) {
	if !l.probing.TryLock() {
		return p, fault.New(fault.Busy, "The storage is being tried already. Ask again in a moment.")
	}
	defer l.probing.Unlock()
	if p.Free, p.Total, err = l.Disk(ctx); err != nil {
		return p, err
	}
	p.Bytes, p.Keep = probeSize, l.minFree
	data := make([]byte, probeSize)
	rand.Read(data)
	key := l.intakes.begin(probeSize)
	defer l.intakes.end(key)
	try := func(name string, f func() error) bool {
		start := time.Now()
		err := f()
		p.Steps = append(p.Steps, ProbeStep{name, time.Since(start), problem(err)})
		if err != nil {
			slog.Error("a trial of the storage failed", "step", name, "err", err)
		}
		return err == nil
	}
	written := try("write", func() error {
		_, err := l.blobs.Put(ctx, key, bytes.NewReader(data))
		return err
	})
	if !written {
		return p, nil
	}
	try("read", func() error { return l.same(ctx, key, data) })
	try("delete", func() error { return l.gone(context.WithoutCancel(ctx), key) })
	return p, nil
}

// errDamaged says that what was read is not what was written.
var errDamaged = errors.New("library: other bytes were read than were written")

func (l *Library) same(ctx context.Context, key string, data []byte) error {
	r, err := l.blobs.Open(ctx, key, 0, -1)
	if err != nil {
		return err
	}
	defer r.Close()
	got, err := io.ReadAll(io.LimitReader(r, int64(len(data))+1))
	if err == nil && !bytes.Equal(got, data) {
		err = errDamaged
	}
	return err
}

func (l *Library) gone(ctx context.Context, key string) error {
	if err := l.blobs.Delete(ctx, key); err != nil {
		return err
	}
	if _, err := l.blobs.Stat(ctx, key); !errors.Is(err, blob.ErrNotFound) {
		return fmt.Errorf("library: the file is there after it was deleted: %w", errors.Join(err, errDamaged))
	}
	return nil
}

// problem is what an error of the storage means to who looks after the server.
func problem(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, blob.ErrNoSpace), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "full"
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return "forbidden"
	case errors.Is(err, syscall.EROFS):
		return "readOnly"
	case errors.Is(err, errDamaged):
		return "damaged"
	}
	return "failed"
}
