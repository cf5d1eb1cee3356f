package library

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"picora/media"
	"picora/store"
)

// FromTrash finds a record in the user's trash.
func (l *Library) FromTrash(ctx context.Context, user, id string) (store.Media, error) {
	return l.store.TrashedMedia(ctx, user, id)
}

// cover is the part of m that is a small picture of it. Pictures have none.
func cover(m *store.Media) (store.Part, bool) {
	for _, name := range map[store.Kind][]string{
		store.Video: {store.UploadPart, store.PosterPart}, store.Audio: {store.CoverPart}, store.Doc: {store.CoverPart},
	}[m.Kind] {
		if p, has := m.Part(name); has {
			return p, true
		}
	}
	return store.Part{}, false
}

// HasThumbnail reports whether Thumbnail shows m.
func HasThumbnail(m *store.Media) bool {
	_, has := cover(m)
	return has || m.Kind == store.Image
}

// A Thumbnail is a small picture of a record.
type Thumbnail struct {
	*Content
	Size int64 // bytes
	MIME string
}

// Thumbnail opens a small picture of m, of whatever kind: what spec makes of a picture's,
// an SVG itself, or the picture that belongs to something else. store.ErrNotFound when there
// is none, or none can be made.
func (l *Library) Thumbnail(ctx context.Context, m *store.Media, spec media.Spec) (t Thumbnail, err error) {
	if m.Kind == store.Image && m.MIME != media.SVG.MIME {
		spec.Format = cmp.Or(spec.Format, "webp")
		v, err := l.Variant(ctx, m, spec)
		if errors.Is(err, ErrNotMade) {
			err = fmt.Errorf("%w: %v", store.ErrNotFound, err) // whatever the reason was
		}
		if err != nil {
			return t, err
		}
		return Thumbnail{v.Open(0, v.Size), v.Size, v.MIME}, nil
	}
	d, mime := Delivery{}, m.MIME
	if p, has := cover(m); has {
		d, mime = l.Part(p), p.MIME
	} else if m.Kind != store.Image {
		return t, store.ErrNotFound
	} else if d, err = l.Delivery(m); err != nil {
		return t, err
	}
	content, err := l.Open(ctx, d, 0, d.Size)
	return Thumbnail{content, d.Size, mime}, err
}
