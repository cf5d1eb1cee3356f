package scrub

import (
	"context"
	"errors"
	"log/slog"

	"picora/store"
	"picora/store/blob"
)

// mend puts right what can be.
func (x *Scrub) mend(ctx context.Context, r *Run) (place string, more bool, err error) {
	if !r.Repair {
		return "", false, nil
	}
	list, err := x.store.ListFindings(ctx, 0, r.Place, readPortion)
	if err != nil || len(list) == 0 {
		return "", false, err
	}
	for i := range list {
		if list[i].Problem == store.Orphan {
			continue
		}
		if err := x.mendOne(ctx, r, &list[i]); err != nil {
			return "", false, err
		}
	}
	return list[len(list)-1].Blob, true, nil
}

// mendOne puts one file right, if it can be. What fails is left for the next time.
func (x *Scrub) mendOne(ctx context.Context, r *Run, f *store.Finding) error {
	k, err := x.store.KeptBlob(ctx, f.Blob)
	if errors.Is(err, store.ErrNotFound) { // it went, or another repair took it along
		return x.store.DropFinding(ctx, f.Blob)
	}
	if err != nil {
		return err
	}
	how, err := x.library.Mend(ctx, &k, func(blob string) bool {
		f, err := x.store.Finding(ctx, blob)
		return err == nil && f.Problem != store.Orphan
	})
	if ctx.Err() != nil || errors.Is(err, blob.ErrUnavailable) {
		return err
	}
	if err != nil {
		slog.Warn("a file was not put right, which is tried again in the next check", "blob", f.Blob, "err", err)
		return nil
	}
	if how == "" {
		slog.Warn("a file cannot be put right", "blob", f.Blob, "problem", f.Problem.String(), "role", k.Role, "owner", k.User, "media", k.ID, "name", k.Name)
		return nil
	}
	slog.Info("a file was put right", "blob", f.Blob, "problem", f.Problem.String(), "role", k.Role, "owner", k.User, "media", k.ID, "how", how)
	x.note(r, func() {
		r.Repaired++
		if done := (Repair{User: k.User, Role: k.Role, Problem: f.Problem.String(), How: how}); len(r.Repairs) < MostRepairs {
			if k.Media != nil {
				done.Media = k.ID
			}
			r.Repairs = append(r.Repairs[:len(r.Repairs):len(r.Repairs)], done) // others may hold the old list
		}
	})
	return x.store.DropFinding(ctx, f.Blob)
}

// So many of all files, and more than a few, are nobody's only when something else is wrong:
// the database is an older copy, or the storage another server's, too. A night then puts none
// of them into the bin; somebody who asks for repairs does.
const suspectFew, suspectPart = 10, 10

// bin puts what is nobody's into the bin, and deletes what was there long enough.
func (x *Scrub) bin(ctx context.Context, r *Run) (place string, more bool, err error) {
	if !r.Repair {
		return "", false, nil
	}
	if r.Place == "" {
		all, err := x.store.CountFindings(ctx)
		if err != nil {
			return "", false, err
		}
		loose := int64(all.Orphans - all.Binned)
		if r.By == Nightly && loose > suspectFew && loose*suspectPart > r.Files+loose {
			slog.Warn("so many files are nobody's that none is put into the bin: the database may be an older copy, or another Picora may use the same storage", "files", loose)
			x.note(r, func() { r.Held = true })
			return "", false, nil
		}
	}
	list, err := x.store.ListFindings(ctx, store.Orphan, r.Place, readPortion)
	if err != nil || len(list) == 0 {
		return "", false, err
	}
	now := x.store.Now()
	for _, f := range list {
		switch {
		case f.Binned.IsZero():
			f.Binned = now
			if _, _, err := x.store.NoteFinding(ctx, f); err != nil {
				return "", false, err
			}
		case now.Sub(f.Binned) >= Kept:
			done, err := x.store.EndOrphan(ctx, f.Blob)
			if err != nil {
				return "", false, err
			}
			if done {
				x.note(r, func() { r.Deleted++ })
			}
		}
	}
	x.library.EmptySoon()
	return list[len(list)-1].Blob, true, nil
}
