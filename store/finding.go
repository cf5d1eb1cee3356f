package store

import (
	"context"
	"errors"
	"time"

	"picora/store/kv"
)

//go:generate go tool msgp -tests=false -io=false -o finding_gen.go

//msgp:timezone utc
//msgp:ignore Findings

// Finding is something that is wrong with a blob. It stands until that is put right, and
// goes with the blob.
type Finding struct {
	Blob    string    `msg:"blob"`
	Problem Problem   `msg:"problem"`
	Detail  string    `msg:"detail"` // for people: what is wrong with a Corrupt one
	Size    int64     `msg:"size"`   // bytes that are there
	Found   time.Time `msg:"found"`  // the first time
	// Binned is since when an Orphan waits to be deleted; zero: it does not.
	Binned time.Time `msg:"binned"`
}

// Problem is what is wrong with a blob.
type Problem uint8

// The problems.
const (
	Missing Problem = 1 // a record has it, and it is not there
	Corrupt Problem = 2 // its bytes are others than they were, or cannot be read
	Orphan  Problem = 3 // it is there, and no record has it
)

// Problems are all of them by their names.
var Problems = map[string]Problem{"missing": Missing, "corrupt": Corrupt, "orphan": Orphan}

func (p Problem) String() string {
	for name, q := range Problems {
		if p == q {
			return name
		}
	}
	return "unknown"
}

// Findings is how many there are of each problem, and the bytes of orphans.
type Findings struct {
	Missing, Corrupt, Orphans int
	OrphanBytes               int64
	// Binned are the orphans that wait to be deleted.
	Binned int
}

// MostFindings is how many findings are kept. What is beyond is found again when others
// have been put right.
const MostFindings = 10_000

// NoteFinding keeps what is wrong with a blob, and reports whether that was not known; one
// that was keeps its time. It does nothing, and kept is false, when it is not so any more: a
// record has the orphan, or none has the blob.
func (s *Store) NoteFinding(ctx context.Context, f Finding) (fresh, kept bool, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		fresh, kept = false, false
		owned, err := has(tx, keyBlob(f.Blob))
		if err != nil {
			return err
		}
		leaving, err := has(tx, keyTrashed(f.Blob))
		if err != nil || leaving || owned == (f.Problem == Orphan) {
			return err
		}
		kept = true
		var old Finding
		err = get(tx, keyFinding(f.Blob), &old)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		fresh = err != nil || old.Problem != f.Problem
		f.Found = s.Now()
		if !fresh {
			f.Found = old.Found
			if f.Binned.IsZero() || !old.Binned.IsZero() {
				f.Binned = old.Binned
			}
		}
		return put(tx, keyFinding(f.Blob), &f)
	})
	return fresh, kept, err
}

// DropFinding forgets what was wrong with a blob.
func (s *Store) DropFinding(ctx context.Context, blob string) error {
	return s.db.Update(ctx, func(tx kv.Tx) error { return tx.Delete(keyFinding(blob)) })
}

// Finding is what is wrong with the blob; ErrNotFound when nothing is known to be.
func (s *Store) Finding(ctx context.Context, blob string) (f Finding, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error { return get(tx, keyFinding(blob), &f) })
	return f, err
}

// ListFindings lists up to limit findings of that problem (zero: of any), those behind the
// blob after, in the order of the blobs' keys.
func (s *Store) ListFindings(ctx context.Context, p Problem, after string, limit int) (list []Finding, err error) {
	r := kv.Prefix(keyFindings)
	if after != "" {
		r.From = append(keyFinding(after), 0)
	}
	err = s.db.View(ctx, func(tx kv.Reader) error {
		list = nil
		for e, err := range tx.Scan(r) {
			if err != nil || len(list) == limit {
				return err
			}
			var f Finding
			if _, err := f.UnmarshalMsg(e.Value); err != nil {
				return err
			}
			if p == 0 || f.Problem == p {
				list = append(list, f)
			}
		}
		return nil
	})
	return list, err
}

// CountFindings counts what is known to be wrong.
func (s *Store) CountFindings(ctx context.Context) (n Findings, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		n = Findings{}
		for e, err := range tx.Scan(kv.Prefix(keyFindings)) {
			if err != nil {
				return err
			}
			var f Finding
			if _, err := f.UnmarshalMsg(e.Value); err != nil {
				return err
			}
			switch f.Problem {
			case Missing:
				n.Missing++
			case Corrupt:
				n.Corrupt++
			case Orphan:
				n.Orphans++
				n.OrphanBytes += f.Size
				if !f.Binned.IsZero() {
					n.Binned++
				}
			}
		}
		return nil
	})
	return n, err
}

// All is how many there are.
func (n Findings) All() int { return n.Missing + n.Corrupt + n.Orphans }

// EndOrphan has a blob deleted that waited long enough as an orphan, unless a record has it
// now; done says which.
func (s *Store) EndOrphan(ctx context.Context, blob string) (done bool, err error) {
	err = s.db.Update(ctx, func(tx kv.Tx) error {
		done = false
		owned, err := has(tx, keyBlob(blob))
		if err != nil {
			return err
		}
		if owned {
			return tx.Delete(keyFinding(blob))
		}
		done = true
		return tx.Put(keyTrashed(blob), nil)
	})
	return done, err
}

// MendMedia is NoteMedia for what was damaged, of records in the trash, too.
func (s *Store) MendMedia(ctx context.Context, id string, edit func(*Media) error) (Media, error) {
	return s.noteMedia(ctx, id, anyMedia, edit)
}
