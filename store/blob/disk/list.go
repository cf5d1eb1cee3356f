package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path"
	"slices"
	"strings"

	"picora/store/blob"
)

// List implements blob.Store. It holds the names of one 17-minute folder at a
// time, and opens no folder that cannot hold a wanted key. Files that are not
// blobs are passed over, and so are symbolic links.
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		for _, bound := range []string{prefix, after} {
			if !blob.ValidPrefix(bound) {
				yield(blob.Info{}, fmt.Errorf("%w: %q", blob.ErrKey, bound))
				return
			}
		}
		w := walk{root: s.root, prefix: prefix, after: after, yield: yield}
		err := ctx.Err()
		if err == nil {
			err = w.top(ctx)
		}
		if err != nil && err != errStopped {
			yield(blob.Info{}, err)
		}
	}
}

// errStopped ends a walk whose consumer has seen enough.
var errStopped = errors.New("stopped")

// A walk is one run of List.
type walk struct {
	root          *os.Root
	prefix, after string
	yield         func(blob.Info, error) bool
}

// top walks the folders of 12 days.
func (w *walk) top(ctx context.Context) error {
	heads, err := w.heads("")
	if err != nil {
		return err
	}
	for _, head := range heads {
		if err := w.days(ctx, head); err != nil {
			return err
		}
	}
	return nil
}

// days walks the folders of 17 minutes in the folder of head.
func (w *walk) days(ctx context.Context, head string) error {
	heads, err := w.heads(head)
	if err != nil {
		return err
	}
	for _, head := range heads {
		if err := w.minutes(ctx, head); err != nil {
			return err
		}
	}
	return nil
}

// heads returns in ascending order what the keys in each folder in the folder of
// head start with, where a wanted key may start so.
func (w *walk) heads(head string) ([]string, error) {
	size := 4
	if head != "" {
		size = 2
	}
	dir := path.Join(blobsDir, head)
	all, err := names(w.root, dir)
	if err != nil {
		return nil, fmt.Errorf("blob: list: %w", err)
	}
	var heads []string
	for _, name := range all {
		if len(name) != size || !w.wants(head+name) {
			continue
		}
		fi, err := w.root.Lstat(path.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("blob: list: %w", err)
		}
		if err == nil && fi.IsDir() {
			heads = append(heads, head+name)
		}
	}
	return heads, nil
}

// minutes yields the blobs whose keys start with head, which share a folder.
func (w *walk) minutes(ctx context.Context, head string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	dir, err := w.root.OpenRoot(path.Join(blobsDir, head[:4], head[4:]))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("blob: list: %w", err)
	}
	defer dir.Close()
	keys, err := names(dir, ".")
	if err != nil {
		return fmt.Errorf("blob: list: %w", err)
	}
	for _, key := range keys {
		if !blob.ValidKey(key) || !strings.HasPrefix(key, head) || !strings.HasPrefix(key, w.prefix) || key <= w.after {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		fi, err := dir.Lstat(key)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !fi.Mode().IsRegular() {
			continue // deleted meanwhile, or nothing of ours
		}
		if err != nil {
			return fmt.Errorf("blob: list: %w", err)
		}
		if !w.yield(info(key, fi), nil) {
			return errStopped
		}
	}
	return nil
}

// wants reports whether a wanted key can begin with head.
func (w *walk) wants(head string) bool {
	both := min(len(head), len(w.prefix))
	return blob.ValidPrefix(head) &&
		head[:both] == w.prefix[:both] &&
		head >= w.after[:min(len(head), len(w.after))]
}

// names returns what the folder dir holds, in ascending order; nothing when it
// is gone. It does not use ReadDir, which stats every entry of a rooted folder.
func names(root *os.Root, dir string) ([]string, error) {
	f, err := root.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	slices.Sort(names)
	return names, err
}
