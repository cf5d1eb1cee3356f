package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"picora/store/blob"
)

// textDoc is a document at a path of a collection.
func textDoc(user, collection, path string, n int) Media {
	h := sha256.Sum256(fmt.Appendf(nil, "%s %d", user, n))
	return Media{
		ID: NewID(IDLen), User: user, Kind: Doc, Filename: "a.md", Title: fmt.Sprintf("Title %d", n), MIME: "text/markdown", Ext: "md",
		Size: int64(n), BlobSize: int64(n), Hash: h[:], Blob: blob.NewKey(time.Now()), Public: true,
		Collection: collection, Text: Text{Format: "markdown", Path: path},
	}
}

func putDoc(t *testing.T, s *Store, m Media, keep int) (out Media, replaced string) {
	t.Helper()
	out, replaced, fresh, err := s.PutDoc(context.Background(), NewDoc{Media: m, Keep: keep})
	if err != nil || !fresh {
		t.Fatalf("put: fresh %v, %v", fresh, err)
	}
	return out, replaced
}

func shelf(t *testing.T, s *Store) (user, collection string) {
	t.Helper()
	u, err := s.CreateUser(t.Context(), User{Email: "ann@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.CreateCollection(t.Context(), Collection{User: u.ID, Name: "c", Slug: "c", Allowed: []Kind{Doc}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return u.ID, c.ID
}

func TestADocumentAtAPathIsReplacedAndItsContentKept(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		user, kb := shelf(t, s)
		first, _ := putDoc(t, s, textDoc(user, kb, "a.md", 1), 2)
		if first.Text.Version != 1 || first.Text.Lineage != first.ID || first.Text.Origin != UploadOrigin {
			t.Errorf("%+v", first.Text)
		}
		docs := []Media{first}
		for n := 2; n <= 5; n++ {
			d, replaced := putDoc(t, s, textDoc(user, kb, "a.md", n), 2)
			if replaced != docs[len(docs)-1].ID || d.Text.Version != n || d.Text.Lineage != first.ID || d.Text.Origin != SyncOrigin || !d.Created.Equal(first.Created) {
				t.Errorf("%d took the place of %s: %+v", n, replaced, d.Text)
			}
			if _, err := s.Media(ctx, replaced); !errors.Is(err, ErrNotFound) {
				t.Errorf("the old id: %v", err)
			}
			docs = append(docs, d)
		}
		list, err := s.Revisions(ctx, user, first.ID)
		if err != nil || len(list) != 2 || list[0].Number != 4 || list[1].Number != 3 || list[0].Blob != docs[3].Blob {
			t.Fatalf("%+v %v", list, err)
		}
		if c, err := s.CountRevisions(ctx, user); err != nil || c.N != 2 || c.Bytes != 7 {
			t.Errorf("%+v %v", c, err)
		}
		gone, err := s.Trash(ctx, "", 9)
		want := []string{docs[0].Blob, docs[1].Blob}
		slices.Sort(want)
		if err != nil || !slices.Equal(gone, want) {
			t.Errorf("pruned are %v, not %v: %v", gone, want, err)
		}
		for _, b := range []string{docs[2].Blob, docs[3].Blob, docs[4].Blob} {
			if known, err := s.HasBlob(ctx, b); err != nil || !known {
				t.Errorf("the blob of a revision is unknown: %v", err)
			}
		}
		if _, err := s.DeleteMedia(ctx, user, []string{docs[4].ID}); err != nil {
			t.Fatal(err)
		}
		if c, err := s.CountRevisions(ctx, user); err != nil || c.N != 0 || c.Bytes != 0 {
			t.Errorf("after the document: %+v %v", c, err)
		}
		if gone, err = s.Trash(ctx, "", 9); err != nil || len(gone) != 5 {
			t.Errorf("%v %v", gone, err)
		}
		if n, err := s.Count(ctx, user, Doc); err != nil || n.N != 0 {
			t.Errorf("%+v %v", n, err)
		}
	})
}

func TestWithoutRevisionsTheOldContentGoes(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		user, kb := shelf(t, s)
		old, _ := putDoc(t, s, textDoc(user, kb, "a.md", 1), 0)
		putDoc(t, s, textDoc(user, kb, "a.md", 2), 0)
		gone, err := s.Trash(t.Context(), "", 9)
		if err != nil || !slices.Equal(gone, []string{old.Blob}) {
			t.Errorf("%v %v", gone, err)
		}
		if list, err := s.Revisions(t.Context(), user, old.ID); err != nil || len(list) != 0 {
			t.Errorf("%v %v", list, err)
		}
	})
}

func TestTwoDocumentsAreNotAtOnePath(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		user, kb := shelf(t, s)
		a, _ := putDoc(t, s, textDoc(user, kb, "a.md", 1), 0)
		b, _ := putDoc(t, s, textDoc(user, kb, "b.md", 2), 0)
		loose, _ := putDoc(t, s, textDoc(user, "", "", 3), 0)
		for _, m := range []Media{b, loose} {
			_, err := s.UpdateMedia(ctx, user, m.ID, func(m *Media) error { m.Collection, m.Text.Path = kb, "a.md"; return nil })
			if !errors.Is(err, ErrPathTaken) {
				t.Errorf("moved over another: %v", err)
			}
		}
		if m, err := s.DocAt(ctx, user, kb, "a.md"); err != nil || m.ID != a.ID {
			t.Errorf("%s %v", m.ID, err)
		}
		if _, err := s.TrashMedia(ctx, user, []string{a.ID}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.DocAt(ctx, user, kb, "a.md"); !errors.Is(err, ErrNotFound) {
			t.Errorf("what is in the trash holds a path: %v", err)
		}
		if _, err := s.UpdateMedia(ctx, user, b.ID, func(m *Media) error { m.Text.Path = "a.md"; return nil }); err != nil {
			t.Error(err)
		}
		back, err := s.RestoreMedia(ctx, user, []string{a.ID})
		if err != nil || len(back) != 1 || back[0].Collection != "" {
			t.Errorf("%+v %v", back, err)
		}
	})
}

func TestATextDoesNotTakeThePlaceOfAFile(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		user, kb := shelf(t, s)
		m := textDoc(user, kb, "a.md", 1)
		m.MIME, m.Ext, m.Text.Format = "application/pdf", "pdf", "pdf"
		file, _ := putDoc(t, s, m, 2)
		if _, _, _, err := s.PutDoc(t.Context(), NewDoc{Media: textDoc(user, kb, "a.md", 2), Keep: 2}); !errors.Is(err, ErrPathTaken) {
			t.Errorf("a text in its place: %v", err)
		}
		if _, err := s.Media(t.Context(), file.ID); err != nil {
			t.Errorf("the file: %v", err)
		}
		if c, err := s.CountRevisions(t.Context(), user); err != nil || c.N != 0 {
			t.Errorf("%+v %v", c, err)
		}
	})
}

// TestARestoredCollectionComesBackWhole: something new at the path of one of its documents
// keeps none of the others in the trash.
func TestARestoredCollectionComesBackWhole(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		user, kb := shelf(t, s)
		first, _ := putDoc(t, s, textDoc(user, kb, "a.md", 1), 2)
		other, _ := putDoc(t, s, textDoc(user, kb, "b.md", 2), 2)
		if _, err := s.DeleteCollection(ctx, user, kb, true); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.FollowCollection(ctx, kb, 10); err != nil {
			t.Fatal(err)
		}
		if _, err := s.RestoreCollection(ctx, user, kb, nil); err != nil {
			t.Fatal(err)
		}
		newer, _ := putDoc(t, s, textDoc(user, kb, "a.md", 3), 2) // before those in the trash follow
		if back, more, err := s.FollowCollection(ctx, kb, 10); err != nil || more || len(back) != 2 {
			t.Fatalf("%d came back, more %v: %v", len(back), more, err)
		}
		for id, want := range map[string]string{first.ID: "", other.ID: kb, newer.ID: kb} {
			if m, err := s.Media(ctx, id); err != nil || m.Collection != want {
				t.Errorf("%s is in %q: %v", id, m.Collection, err)
			}
		}
		if list, err := s.Following(ctx); err != nil || len(list) != 0 {
			t.Errorf("left to do: %v %v", list, err)
		}
	})
}

func TestPutDocIsWithinTheLimits(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		user, kb := shelf(t, s)
		full := errors.New("full")
		one := func(st Standing) error {
			if st.Count[Doc].N > 0 {
				return full
			}
			return nil
		}
		put := func(m Media) error {
			_, _, _, err := s.PutDoc(t.Context(), NewDoc{Media: m, May: one})
			return err
		}
		if err := put(textDoc(user, kb, "a.md", 1)); err != nil {
			t.Error(err)
		}
		if err := put(textDoc(user, kb, "b.md", 2)); !errors.Is(err, full) {
			t.Errorf("one too many: %v", err)
		}
		if err := put(textDoc(user, kb, "a.md", 3)); err != nil {
			t.Errorf("one that takes another's place: %v", err)
		}
		if err := put(textDoc(user, kb, "b.md", 3)); err != nil {
			t.Errorf("one that is there: %v", err)
		}
	})
}

func TestListUpdatedHasWhatChangedLastFirst(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		user, _ := shelf(t, s)
		var all []string
		for n := range 5 {
			m, _ := putDoc(t, s, textDoc(user, "", "", n), 0)
			all = append(all, m.ID)
		}
		if _, err := s.UpdateMedia(ctx, user, all[1], func(m *Media) error { m.Title = "new"; return nil }); err != nil {
			t.Fatal(err)
		}
		want := []string{all[1], all[4], all[3], all[2], all[0]}
		var got []string
		for q := (Query{Kind: Doc, Limit: 2}); ; {
			page, err := s.ListUpdated(ctx, user, q)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, ids(page.Items)...)
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

func TestRevisionsAreDeletedInPortions(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		user, kb := shelf(t, s)
		for n := 1; n <= 6; n++ {
			putDoc(t, s, textDoc(user, kb, "a.md", n), 10)
		}
		n, freed, more, err := s.DeleteRevisions(t.Context(), user, 3)
		if err != nil || n != 3 || !more || freed == 0 {
			t.Errorf("%d %d %v %v", n, freed, more, err)
		}
		m, rest, more, err := s.DeleteRevisions(t.Context(), user, 3)
		if err != nil || m != 2 || more || freed+rest != 15 {
			t.Errorf("%d %d %v %v", m, rest, more, err)
		}
	})
}
