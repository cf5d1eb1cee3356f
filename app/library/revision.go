package library

import (
	"context"
	"errors"

	"picora/app/fault"
	"picora/store"
)

// Revisions lists the texts that the document had before, the newest first.
func (l *Library) Revisions(ctx context.Context, m *store.Media) ([]store.Revision, error) {
	return l.store.Revisions(ctx, m.User, m.Text.Lineage)
}

// Revision finds one of the document's revisions.
func (l *Library) Revision(ctx context.Context, m *store.Media, id string) (r store.Revision, err error) {
	r, err = l.store.Revision(ctx, m.User, m.Text.Lineage, id)
	if errors.Is(err, store.ErrNotFound) {
		err = fault.New(fault.NoRevision, "The document has no such revision.")
	}
	return r, err
}

// RevisionText reads a revision's text.
func (l *Library) RevisionText(ctx context.Context, r *store.Revision) ([]byte, error) {
	return l.readText(ctx, r.Blob, r.Size)
}

// RestoreRevision makes a revision's text the document's again, in a new record that takes the
// old one's place. The revision stays.
func (l *Library) RestoreRevision(ctx context.Context, m *store.Media, r *store.Revision) (store.Media, DocReport, error) {
	if DocPath(m) == "" {
		return store.Media{}, DocReport{}, fault.New(fault.Invalid, "Only documents of a collection can go back to a revision: this one has no kbId and relativePath.")
	}
	old, err := l.store.MediaByHash(ctx, m.User, store.Doc, r.Hash)
	if err == nil {
		return old, DocReport{Duplicate: true}, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return store.Media{}, DocReport{}, err
	}
	text, err := l.RevisionText(ctx, r)
	if err != nil {
		return store.Media{}, DocReport{}, err
	}
	return l.AddDoc(ctx, Doc{
		User: m.User, Filename: r.Filename, Content: text, Title: r.Title, Public: &m.Public, Tags: &m.Tags,
		Collection: m.Collection, Path: m.Text.Path, restored: r,
	})
}

// DropRevisions deletes up to 200 revisions of the user's documents.
func (l *Library) DropRevisions(ctx context.Context, user string) (n int, freed int64, more bool, err error) {
	const portion = 200
	n, freed, more, err = l.store.DeleteRevisions(ctx, user, portion)
	if n > 0 {
		l.signalTrash()
	}
	return n, freed, more, err
}

// CountRevisions is how many revisions the user's documents have, and their bytes.
func (l *Library) CountRevisions(ctx context.Context, user string) (store.Count, error) {
	return l.store.CountRevisions(ctx, user)
}
