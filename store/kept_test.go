package store

import (
	"slices"
	"testing"

	"picora/store/kv"
)

func TestItIsKnownWhoHasABlob(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		u := person(t, s, "ann@example.org")
		var all []Kept
		for after := ""; ; after = all[len(all)-1].Blob {
			list, err := s.KeptBlobs(ctx, after, 4)
			if err != nil {
				t.Fatal(err)
			}
			if all = append(all, list...); len(list) < 4 {
				break
			}
		}
		roles := map[string]int{}
		for _, k := range all {
			if roles[k.Role]++; k.User != u.ID || k.ID == "" || k.Name == "" {
				t.Errorf("%+v", k)
			}
		}
		if !slices.IsSortedFunc(all, func(a, b Kept) int {
			if a.Blob < b.Blob {
				return -1
			}
			return 1
		}) || roles[RevisionRole] != 2 || roles[WatermarkRole] != 1 || roles[AvatarRole] != 1 || len(roles) != 4 {
			t.Errorf("%v", roles)
		}
		// Schema 5 named revisions and watermarks by their ids, which led nowhere.
		err := s.db.Update(ctx, func(tx kv.Tx) error {
			for _, k := range all {
				if err := tx.Put(keyBlob(k.Blob), []byte(k.ID)); err != nil {
					return err
				}
			}
			return tx.Put(keyVersion, []byte("5"))
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := migrate(ctx, s.db, migrations, t.TempDir()); err != nil {
			t.Fatal(err)
		}
		for _, k := range all {
			if now, err := s.KeptBlob(ctx, k.Blob); err != nil || now.Role != k.Role || now.ID != k.ID || now.User != k.User {
				t.Errorf("%+v, %v, was %+v", now, err, k)
			}
		}
	})
}

func TestFindingsStandUntilTheyAreSoNoMore(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		m := create(t, s, media(NewID(IDLen), 1))
		note := func(f Finding, wantFresh, wantKept bool) {
			t.Helper()
			if fresh, kept, err := s.NoteFinding(ctx, f); err != nil || fresh != wantFresh || kept != wantKept {
				t.Errorf("%+v: %v %v %v", f, fresh, kept, err)
			}
		}
		note(Finding{Blob: m.Blob, Problem: Missing}, true, true)
		note(Finding{Blob: m.Blob, Problem: Missing}, false, true)
		note(Finding{Blob: m.Blob, Problem: Corrupt, Size: 3}, true, true)
		note(Finding{Blob: m.Blob, Problem: Orphan}, false, false) // somebody has it
		note(Finding{Blob: "none", Problem: Missing}, false, false)
		note(Finding{Blob: "none", Problem: Orphan, Size: 7}, true, true)
		binned := Finding{Blob: "none", Problem: Orphan, Size: 7, Binned: s.Now()}
		note(binned, false, true)
		binned.Binned = s.Now().Add(1e12)
		note(binned, false, true)
		if f, err := s.Finding(ctx, "none"); err != nil || f.Binned.After(s.Now()) || f.Binned.IsZero() {
			t.Errorf("the time in the bin begins anew: %+v, %v", f, err)
		}
		if n, err := s.CountFindings(ctx); err != nil || n != (Findings{Corrupt: 1, Orphans: 1, OrphanBytes: 7, Binned: 1}) {
			t.Errorf("%+v, %v", n, err)
		}
		if err := s.NoteSum(ctx, m.Blob, 5, make([]byte, 32)); err != nil {
			t.Fatal(err)
		}
		if err := s.NoteSum(ctx, "none", 5, make([]byte, 32)); err != nil {
			t.Fatal(err)
		}
		// What is deleted is forgotten with all that was known of it.
		if _, err := s.DeleteMedia(ctx, m.User, []string{m.ID}); err != nil {
			t.Fatal(err)
		}
		if done, err := s.EndOrphan(ctx, "none"); !done || err != nil {
			t.Errorf("%v %v", done, err)
		}
		note(Finding{Blob: m.Blob, Problem: Orphan}, false, false) // it is about to go
		trash, err := s.Trash(ctx, "", 10)
		if err != nil || len(trash) != 2 {
			t.Fatal(trash, err)
		}
		if err := s.EmptyTrash(ctx, trash); err != nil {
			t.Fatal(err)
		}
		for k := range dump(t, s) {
			if k[:2] == "cs" || k[:2] == "sc" {
				t.Errorf("%q is left", k)
			}
		}
	})
}
