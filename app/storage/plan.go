package storage

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"picora/app/fault"
	"picora/store/blob"
	"picora/store/blob/move"
)

// try opens a place to which files may be moved, and says whether it is empty.
func (v *Storage) try(ctx context.Context, p Place, look func(opened) error) (empty bool, err error) {
	target, err := open(ctx, p, &v.cfg, true)
	if err != nil {
		return false, refusal(p, err)
	}
	if c, ok := target.(io.Closer); ok {
		defer c.Close()
	}
	if err := v.apart(ctx, target); err != nil {
		return false, refusal(p, err)
	}
	if empty, err = v.ours(ctx, target); err != nil {
		return false, refusal(p, err)
	}
	return empty, look(target)
}

// apart makes sure that a place is not the one where files are, by another name.
func (v *Storage) apart(ctx context.Context, target blob.Store) error {
	key := blob.NewKey(time.Now())
	if _, err := target.Put(ctx, key, strings.NewReader("")); err != nil {
		return err
	}
	_, err := v.blobs.Stat(ctx, key)
	if e := target.Delete(context.WithoutCancel(ctx), key); e != nil {
		return e
	}
	switch {
	case err == nil:
		return fault.New(fault.Conflict, "The files are there already: it is the place where they are, by another name.")
	case errors.Is(err, blob.ErrNotFound):
		return nil
	}
	return err
}

// ours makes sure that a place is not another Picora's: of the first files there, one at
// least is known here. It says whether the place is empty.
func (v *Storage) ours(ctx context.Context, target blob.Store) (empty bool, err error) {
	const enough = 1000
	n := 0
	for i, err := range target.List(ctx, "", "") {
		if err != nil {
			return false, err
		}
		known, err := v.store.HasBlob(ctx, i.Key)
		if err != nil || known {
			return false, err
		}
		if n++; n == enough {
			break
		}
	}
	if n > 0 {
		return false, fault.New(fault.Conflict, "There are files of another Picora. A folder, or a prefix in a bucket, is for one alone: name another, or empty it.")
	}
	return true, nil
}

// Plan is what a move would do.
type Plan struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Files  int64  `json:"files"`
	Bytes  int64  `json:"bytes"`
	There  int64  `json:"there"`  // files that are in the target, with the same size
	Copy   int64  `json:"copy"`   // bytes to copy
	Others int64  `json:"others"` // files in the target that are not in the source
	Free   int64  `json:"free"`   // bytes that may be copied into the target
}

// Plan finds out what a move would do. The place is tried, and nothing stays in it.
func (v *Storage) Plan(ctx context.Context, to string) (p Plan, err error) {
	place, err := Parse(to, &v.cfg)
	if err != nil {
		return p, err
	}
	if st := v.snapshot(); st.To != "" {
		return p, fault.New(fault.Conflict, "The files are being moved to %s. picora blobs status shows how far that is.", v.name(st.To))
	}
	if err := v.take(ctx, func() {}); err != nil {
		return p, err
	}
	defer v.turn.Unlock()
	if err := v.opened(ctx); err != nil {
		return p, err
	}
	s, err := v.Status()
	if err != nil {
		return p, err
	}
	if place.Folder != "" {
		defer untouched(place.Folder)()
	}
	_, err = v.try(ctx, place, func(target opened) error {
		d, err := move.Compare(ctx, v.blobs, target)
		if err != nil {
			return err
		}
		free, err := target.Free(ctx)
		p = Plan{
			From: s.At, To: place.String(), Files: d.Blobs, Bytes: d.Bytes, There: d.There, Copy: d.Missing, Others: d.Others,
			Free: max(free-v.keeps(encode(place, &v.cfg)), 0),
		}
		return err
	})
	return p, err
}

// untouched removes those of the folders that were not there when it was called.
func untouched(folder string) (remove func()) {
	var mine []string
	for _, name := range []string{"blobs", "tmp", "."} {
		path := filepath.Join(folder, name)
		if _, err := os.Lstat(path); os.IsNotExist(err) {
			mine = append(mine, path)
		}
	}
	return func() {
		for _, path := range mine {
			emptied(path)
		}
	}
}

// emptied removes a folder that has nothing but empty folders.
func emptied(path string) {
	inside, _ := filepath.Glob(filepath.Join(path, "*")) // what cannot be read stays
	for _, p := range inside {
		emptied(p)
	}
	os.Remove(path)
}
