package library

import (
	"context"
	"io"

	"picora/app/fault"
	"picora/media"
	"picora/store"
)

// uploadSide is the larger side, in pixels, of a poster that was made of an upload.
const uploadSide = 1280

// SetPoster puts the picture in body in the place of the poster that was taken from the
// user's video. What is kept is a JPEG made of it. AtEnd is asked before anything is made:
// form fields may follow the file.
func (l *Library) SetPoster(ctx context.Context, user, id string, body io.Reader, atEnd func() error) (m store.Media, err error) {
	if l.variants == nil {
		return m, fault.New(fault.FeatureDisabled, "This server does not make pictures of pictures, and so takes no posters.")
	}
	if err := l.Room(ctx, 0); err != nil {
		return m, err
	}
	spool, err := l.variants.cache.Create()
	if err != nil {
		return m, err
	}
	defer spool.Close()
	defer spool.Discard()
	is, err := l.spoolPicture(body, spool, l.MaxUpload(), l.TooLarge, atEnd, sniffPoster)
	if err != nil {
		return m, err
	}
	spec := media.Spec{Width: uploadSide, Height: uploadSide, Fit: media.Inside, Format: "jpeg", Still: true}
	_, info, err := l.remakeFile(ctx, spool.File, is, spec)
	if err != nil {
		return m, undecoded(err)
	}
	defer l.intakes.end(info.Key)
	m, err = l.changeFilm(ctx, user, id, func(m *store.Media) error {
		m.SetPart(store.Part{Name: store.UploadPart, Blob: info.Key, MIME: media.JPEG.MIME, Size: info.Size})
		return nil
	})
	if err != nil {
		return m, l.discard(ctx, &store.Media{Blob: info.Key}, err)
	}
	return m, nil
}

// sniffPoster tells the type of a picture that pixels can be made of.
func sniffPoster(head []byte) (media.Type, error) {
	t, err := media.Sniff(head)
	if err == nil && t == media.SVG {
		err = media.Unsupported("A poster is a picture made of pixels; upload JPEG, PNG, GIF, WebP, AVIF, HEIC, TIFF, BMP or ICO.")
	}
	return t, err
}

// DropPoster puts the poster that was taken from the user's video back in its place.
func (l *Library) DropPoster(ctx context.Context, user, id string) (store.Media, error) {
	return l.changeFilm(ctx, user, id, func(m *store.Media) error {
		m.DropPart(store.UploadPart)
		return nil
	})
}

// changeFilm lets edit change what the user's video consists of. Blobs that it loses are
// deleted.
func (l *Library) changeFilm(ctx context.Context, user, id string, edit func(*store.Media) error) (store.Media, error) {
	m, err := l.store.NoteMedia(ctx, id, func(m *store.Media) error {
		if m.User != user || m.Kind != store.Video {
			return store.ErrNotFound
		}
		if err := edit(m); err != nil {
			return err
		}
		m.Updated = l.store.Now()
		return nil
	})
	if err == nil {
		l.onEdit(id)
		l.signalTrash()
	}
	return m, err
}
