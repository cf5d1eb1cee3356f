package library

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"picora/app/usage"
	"picora/media"
	"picora/media/strip"
	"picora/media/svg"
	"picora/store"
)

// Upload is one file on its way in.
type Upload struct {
	User     string
	Kind     store.Kind
	Filename string // as the client named it
	Body     io.Reader
	Length   int64 // bytes that the body is said to have at most; 0 when unknown
	Least    int64 // bytes that the file has at least; 0 when unknown
	// Describe is asked for the rest of the record when the body is at its end
	// and before anything is kept: form fields may follow the file.
	Describe func(*store.Media) error

	file *wholeFile // what Body reads, when it is a file that is complete
}

// wholeFile is a file that need not be read again to be stored.
type wholeFile struct {
	path string
	hash []byte // SHA-256
	size int64  // bytes
}

// keepFile stores the file under the key of m.
func (l *Library) keepFile(ctx context.Context, up Upload, m *store.Media) error {
	m.Hash, m.Size = up.file.hash, up.file.size
	if err := l.describe(ctx, up, m); err != nil {
		return err
	}
	info, err := l.blobs.PutFile(ctx, m.Blob, up.file.path)
	m.BlobSize = info.Size
	return err
}

// duplicate ends an intake whose bytes the user has already.
type duplicate struct{ media store.Media }

func (duplicate) Error() string { return "library: duplicate" }

// Add takes one upload: type from its content, bytes to the blob store while
// they are hashed and examined, then the record. When it returns without error
// the file survives a power failure; when it returns an error nothing is kept.
// The same bytes again give the record that is there, and fresh is false.
func (l *Library) Add(ctx context.Context, up Upload) (m store.Media, fresh bool, err error) {
	if up.Kind == store.Audio {
		if err := l.SoundRoom(ctx, up.User, up.Least); err != nil {
			return m, false, err
		}
	}
	if up.Kind == store.Video {
		if err := l.FilmRoom(ctx, up.User, up.Least); err != nil {
			return m, false, err
		}
	}
	var room *usage.Reservation
	if l.usage != nil {
		if room, err = l.usage.Reserve(ctx, up.User, up.Kind, up.Least); err != nil {
			return m, false, err
		}
		defer room.Release()
	}
	if up.Kind == store.Audio {
		return l.addSound(ctx, up, room)
	}
	if up.Kind == store.Video {
		return l.addFilm(ctx, up, room)
	}
	if up.Kind == store.Doc {
		return l.addPDF(ctx, up, room)
	}
	body := bufio.NewReaderSize(up.Body, 4<<10)
	head, err := body.Peek(4 << 10)
	if err != nil && !errors.Is(err, io.EOF) {
		return m, false, err
	}
	t, err := media.Sniff(head)
	if err != nil {
		return m, false, err
	}
	if needsWorker(t) && l.variants == nil {
		return m, false, media.Unsupported("this server takes JPEG, PNG, GIF, WebP and SVG only")
	}
	m = store.Media{
		User: up.User, Kind: up.Kind, MIME: t.MIME, Ext: t.Ext, Public: true,
		Filename: CleanName(up.Filename, t.Ext), Blob: l.intakes.begin(up.Length),
		KeepMetadata: l.upload.KeepMetadata, Frames: 1,
	}
	defer l.intakes.end(m.Blob)
	switch {
	case t == media.SVG:
		err = l.takeSVG(ctx, up, body, &m)
	case needsWorker(t):
		if err = l.takePicture(ctx, up, body, t, &m, room); err == nil {
			err = l.develop(ctx, &m)
			defer l.intakes.end(m.Blob) // which may be another now
		}
	default:
		err = l.takePicture(ctx, up, body, t, &m, room)
	}
	if d, ok := errors.AsType[duplicate](err); ok {
		return d.media, false, nil
	}
	if err != nil {
		return m, false, err
	}
	room.Release() // the record counts from here on; both would count it twice
	m, fresh, err = l.record(ctx, m)
	if fresh && m.Kind == store.Image && !m.Seen {
		select {
		case l.arrived <- struct{}{}:
		default: // somebody is on the way
		}
	}
	return m, fresh, err
}

// takePicture streams the body into the blob store. All checks are made when the
// body is at its end but the blob is not yet there, so a refusal leaves nothing.
func (l *Library) takePicture(ctx context.Context, up Upload, body io.Reader, t media.Type, m *store.Media, room *usage.Reservation) error {
	in := newIntake(body, t, strip.Limits{MaxPixels: l.maxPixels()})
	defer in.stop()
	in.progress = l.progress(ctx, up, m.Blob, l.upload.MaxBytes, func(int64) error { return l.TooLarge() }, room)
	in.atEnd = func(hash []byte, r *strip.Report) error {
		m.Hash, m.Size, m.Plan = hash, r.Size, r.Plan.Marshal()
		m.Width, m.Height, m.Frames, m.Orientation = r.Width, r.Height, r.Frames, r.Orientation
		m.Taken, m.Camera = r.Taken, r.Camera
		if r.Orientation >= 5 { // the picture is shown turned by 90 degrees
			m.Width, m.Height = r.Height, r.Width
		}
		err := l.describe(ctx, up, m)
		if m.KeepMetadata && r.Lat != nil && r.Long != nil { // else the place is nobody's business, ours included
			m.GPS = []float64{*r.Lat, *r.Long}
		}
		return err
	}
	info, err := l.blobs.Put(ctx, m.Blob, in)
	m.BlobSize = info.Size
	return err
}

// progress is what an intake asks as bytes arrive for the blob: are they no more than
// most (negative: any number), and is there still room for them?
func (l *Library) progress(ctx context.Context, up Upload, blob string, most int64, tooLarge func(most int64) error, room *usage.Reservation) func(n int64) error {
	return func(n int64) error {
		if most >= 0 && n > most {
			return tooLarge(most)
		}
		l.intakes.arrived(blob, n)
		if room != nil && n > up.Least+progressStep { // more than was said, or nothing was said
			if err := room.Grow(ctx, n); err != nil {
				return err
			}
		}
		return l.Room(ctx, 0)
	}
}

// takeSVG stores what the sanitiser leaves of the body, never the body itself.
func (l *Library) takeSVG(ctx context.Context, up Upload, body io.Reader, m *store.Media) error {
	raw, err := io.ReadAll(io.LimitReader(body, svg.MaxBytes+1))
	if err != nil {
		return err
	}
	if int64(len(raw)) > l.upload.MaxBytes {
		return l.TooLarge()
	}
	clean, err := svg.Sanitize(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	hash := sha256.Sum256(raw)
	m.Hash, m.Size = hash[:], int64(len(raw))
	m.Width, m.Height = svg.Size(clean)
	m.Seen = true // it is small enough to be its own preview
	if err := l.describe(ctx, up, m); err != nil {
		return err
	}
	info, err := l.blobs.Put(ctx, m.Blob, bytes.NewReader(clean))
	m.BlobSize = info.Size
	return err
}

// describe completes the record and looks for a duplicate of it.
func (l *Library) describe(ctx context.Context, up Upload, m *store.Media) error {
	if up.Describe != nil {
		if err := up.Describe(m); err != nil {
			return err
		}
	}
	old, err := l.store.MediaByHash(ctx, m.User, m.Kind, m.Hash)
	if err == nil {
		return duplicate{old}
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// record writes the record of a blob that is stored, and deletes the blob when no
// record has it: writing failed, or an equal upload came first.
func (l *Library) record(ctx context.Context, m store.Media) (out store.Media, fresh bool, err error) {
	for range 5 { // an id in use is a matter of 2^-66 times the pictures there are
		m.ID = newID(m.Kind)
		if out, fresh, err = l.create(ctx, m); !errors.Is(err, store.ErrExists) {
			break
		}
	}
	if err == nil && fresh {
		return out, true, nil
	}
	return out, false, l.discard(ctx, &m, err)
}

// newID makes an id: pictures have short ones (contract 1.6).
func newID(k store.Kind) string {
	if k == store.Image {
		return store.NewID(store.ImageIDLen)
	}
	return store.NewID(store.IDLen)
}

func (l *Library) create(ctx context.Context, m store.Media) (store.Media, bool, error) {
	if l.usage == nil {
		return l.store.CreateMedia(ctx, m)
	}
	return l.usage.Add(ctx, m)
}

// discard deletes the blobs of a record that was not written, because of err or, when
// that is nil, because an equal upload came first.
func (l *Library) discard(ctx context.Context, m *store.Media, err error) error {
	ctx = context.WithoutCancel(ctx)
	if err != nil {
		err = fmt.Errorf("library: record %s: %w", m.Blob, err)
		// A commit may fail after the record is on the disk. The blob stays then,
		// and when in doubt: an orphan is swept, a lost blob is lost.
		if known, e := l.store.HasBlob(ctx, m.Blob); known || e != nil {
			return errors.Join(err, e)
		}
	}
	for _, b := range m.Blobs() {
		err = errors.Join(err, l.blobs.Delete(ctx, b))
	}
	return err
}
