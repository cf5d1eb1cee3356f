package scrub

import (
	"context"
	"errors"
	"time"

	"picora/app/library"
	"picora/store"
	"picora/store/blob"
)

// look compares which files records have with which there are: both are in the order of
// their keys.
func (x *Scrub) look(ctx context.Context, r *Run, pace *pacer) (place string, more bool, err error) {
	defer pace.rest(ctx, time.Now())
	kept, err := x.store.KeptBlobs(ctx, r.Place, portion)
	if err != nil {
		return "", false, err
	}
	end := "" // of the portion; empty: the end of all
	if len(kept) == portion {
		end = kept[portion-1].Blob
	}
	var files, bytes int64
	strange := 0
	for info, err := range x.blobs.List(ctx, "", r.Place) {
		if err != nil {
			return "", false, err
		}
		if end != "" && info.Key > end {
			break
		}
		for len(kept) > 0 && kept[0].Blob < info.Key {
			if err := x.absent(ctx, r, &kept[0]); err != nil {
				return "", false, err
			}
			kept = kept[1:]
		}
		if len(kept) > 0 && kept[0].Blob == info.Key {
			files, bytes = files+1, bytes+info.Size
			err = x.present(ctx, r, &kept[0], info.Size)
			kept = kept[1:]
		} else {
			strange++
			err = x.nobodys(ctx, r, info.Key)
		}
		if err != nil {
			return "", false, err
		}
		if strange == portion { // the place is to be kept now and then
			x.note(r, func() { r.Files, r.Bytes = r.Files+files, r.Bytes+bytes })
			return info.Key, true, nil
		}
	}
	for i := range kept {
		if err := x.absent(ctx, r, &kept[i]); err != nil {
			return "", false, err
		}
	}
	x.note(r, func() { r.Files, r.Bytes = r.Files+files, r.Bytes+bytes })
	return end, end != "", nil
}

// present is for a file that is there.
func (x *Scrub) present(ctx context.Context, r *Run, k *store.Kept, size int64) error {
	if k.Size < 0 || k.Size == size {
		return nil
	}
	return x.found(ctx, r, store.Finding{Blob: k.Blob, Problem: store.Corrupt, Size: size, Detail: library.WrongSize(size, k.Size)})
}

// absent is for a file that was not in the list: it may have come after that, or have gone
// with its record.
func (x *Scrub) absent(ctx context.Context, r *Run, k *store.Kept) error {
	info, err := x.blobs.Stat(ctx, k.Blob)
	if err == nil {
		return x.present(ctx, r, k, info.Size)
	}
	if !errors.Is(err, blob.ErrNotFound) && !errors.Is(err, blob.ErrKey) {
		return err
	}
	return x.found(ctx, r, store.Finding{Blob: k.Blob, Problem: store.Missing})
}

// nobodys is for a file that no record had. What is not of an upload under way, and has no
// record then, will have none; unless it was deleted between.
func (x *Scrub) nobodys(ctx context.Context, r *Run, key string) error {
	if x.library.Underway(key) {
		return nil
	}
	if known, err := x.store.HasBlob(ctx, key); known || err != nil {
		return err
	}
	info, err := x.blobs.Stat(ctx, key)
	if errors.Is(err, blob.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return x.found(ctx, r, store.Finding{Blob: key, Problem: store.Orphan, Size: info.Size})
}

// read reads files and compares their bytes with what they were.
func (x *Scrub) read(ctx context.Context, r *Run, pace *pacer) (place string, more bool, err error) {
	nightly := r.By == Nightly
	if place = r.Place; nightly && place == "" {
		x.mu.Lock()
		place = x.state.Cycle.Place
		x.mu.Unlock()
	}
	target := r.target(x.least)
	if r.ReadBytes >= target {
		return place, false, nil
	}
	kept, err := x.store.KeptBlobs(ctx, place, readPortion)
	if err != nil {
		return "", false, err
	}
	for i := range kept {
		if r.ReadBytes >= target {
			return x.came(place, nightly), false, nil
		}
		if err := x.examine(ctx, r, &kept[i], pace); err != nil {
			return "", false, err
		}
		place = kept[i].Blob
	}
	if len(kept) == 0 { // all of them were read
		x.mu.Lock()
		x.state.Cycle = Cycle{Done: time.Now().UTC()}
		x.mu.Unlock()
		return "", false, nil
	}
	return x.came(place, nightly), true, nil
}

// came notes how far the nights have come.
func (x *Scrub) came(place string, nightly bool) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	if c := &x.state.Cycle; nightly {
		if c.Place == "" {
			c.Began = time.Now().UTC()
		}
		c.Place = place
	}
	return place
}

// readNew reads what came since the last night and has no sum of its bytes yet: of what is
// damaged before it is read nobody will know.
func (x *Scrub) readNew(ctx context.Context, r *Run, pace *pacer) (place string, more bool, err error) {
	if place = max(r.Place, r.Since); place == "" || r.Share == 0 {
		return "", false, nil
	}
	kept, err := x.store.KeptBlobs(ctx, place, readPortion)
	if err != nil || len(kept) == 0 {
		return "", false, err
	}
	for i := range kept {
		if kept[i].Hash != nil {
			continue
		}
		if err := x.examine(ctx, r, &kept[i], pace); err != nil {
			return "", false, err
		}
	}
	return kept[len(kept)-1].Blob, true, nil
}

// examine reads a file, and keeps the sum of its bytes when it is the first time.
func (x *Scrub) examine(ctx context.Context, r *Run, k *store.Kept, pace *pacer) error {
	wait := pace.reads(ctx)
	exam, err := x.library.Examine(ctx, k, func(n int) error {
		x.note(r, func() { r.ReadBytes += int64(n) })
		return wait(n)
	})
	if err != nil {
		return err
	}
	x.note(r, func() { r.Read++ })
	if exam.Problem != 0 {
		return x.found(ctx, r, store.Finding{Blob: k.Blob, Problem: exam.Problem, Size: exam.Size, Detail: exam.Detail})
	}
	if k.Hash == nil {
		return x.store.NoteSum(ctx, k.Blob, exam.Size, exam.Hash)
	}
	return nil
}
