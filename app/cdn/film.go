package cdn

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"picora/app/access"
	"picora/app/fault"
	"picora/app/library"
	"picora/app/usage"
	"picora/media/hls"
	"picora/store"
)

// filmMemory is how many bytes of records of videos are kept in memory, and of where the
// pieces of their tracks lie: those of a two-hour track take 30 KB.
const filmMemory = 32 << 20

// errNoFilm is the cause of a refusal whose sentence says why a video does not play.
var errNoFilm = errors.New("cdn: the video does not play")

// pieces says where those of a track lie in its file.
type pieces struct {
	file    library.Delivery
	tag     string
	mime    string
	starts  []int64 // where each begins, and behind the last, in bytes
	seconds []float64
}

// longest is the duration of the longest piece, in seconds.
func (x *pieces) longest() (most float64) {
	for _, s := range x.seconds {
		most = max(most, s)
	}
	return most
}

// serveFilm handles GET and HEAD of what there is of a video.
func (d *CDN) serveFilm(c *fiber.Ctx, at address) error {
	f, p, err := d.openFilm(c, at)
	if err != nil {
		return refuse(c, err)
	}
	return send(c, &f, p)
}

func (d *CDN) openFilm(c *fiber.Ctx, at address) (f file, p access.Policy, err error) {
	ctx := c.UserContext()
	e, err := d.film(ctx, at.id)
	if err != nil {
		return f, p, err
	}
	if err := noQuery(c); err != nil {
		return f, p, err
	}
	if p, err = d.mayPlay(c, &e.media, at.film.what); err != nil {
		return f, p, err
	}
	state := usage.Ok
	if d.usage != nil {
		if state, err = d.usage.Bandwidth(ctx, e.media.User); err != nil {
			return f, p, err
		}
	}
	if state == usage.Suspended {
		return f, p, usage.ErrSuspended
	}
	f.served = e.file.served
	switch at.film.what {
	case masterList, trackList, boardText:
		err = d.filmList(c, e, at.film, state, &f)
		return f, mayChange(p), err
	case trackInit, trackPiece:
		return f, p, d.piece(ctx, e, at.film, &f)
	}
	tag, err := d.filmPart(e, at.film, &f)
	if string(c.Context().QueryArgs().Peek("v")) != tag { // with it the bytes never change
		p = mayChange(p)
	}
	return f, p, err
}

// film finds the record of a video in memory or in the store.
func (d *CDN) film(ctx context.Context, id string) (*entry, error) {
	if e, ok := d.films.get(id); ok {
		return e, nil
	}
	e := &entry{edits: d.films.begin(id)}
	m, err := d.library.Any(ctx, id)
	if err != nil {
		return nil, err
	}
	if m.Kind != store.Video {
		return nil, store.ErrNotFound
	}
	m.Plan, m.Tags, m.Film.Chapters, m.Film.Survey = nil, nil, nil, nil // nobody asks here
	e.media, e.file.served = m, d.meter(&m)
	d.films.put(id, e)
	return e, nil
}

// mayPlay is allowed. Small pictures have signatures of their own, which open no more.
func (d *CDN) mayPlay(c *fiber.Ctx, m *store.Media, what filmThing) (access.Policy, error) {
	switch what {
	case posterFile:
		return d.allowed(c, m, store.PosterPart)
	case previewFile:
		return d.allowed(c, m, store.PreviewPart)
	}
	return d.access.Allowed(c, m, nil)
}

// absent is why something of a video is not there. What is to come has no 404, which
// players and caches would keep to.
func absent(m *store.Media) error {
	switch {
	case m.Film.State == store.FilmFailed:
		return &fault.Error{Code: fault.NotFound, Message: "This video cannot be played: its file could not be processed.", Cause: errNoFilm}
	case m.Film.State != store.FilmReady:
		return fault.New(fault.Busy, "This video is being processed. Try again in a moment.")
	}
	return store.ErrNotFound
}

// filmPart describes a file that is kept as it is sent, or a stretch of one.
func (d *CDN) filmPart(e *entry, at filmAddress, f *file) (tag string, err error) {
	m := &e.media
	name, mime := store.FilePart, "video/mp4"
	switch at.what {
	case captionFile:
		if t, ok := m.Film.Track(at.track); !ok || t.Kind != store.TextTrack {
			return "", absent(m)
		}
		name, mime = at.track, "text/vtt; charset=utf-8"
	case posterFile:
		name, mime = store.PosterPart, "image/jpeg"
		if _, own := m.Part(store.UploadPart); own {
			name = store.UploadPart
		}
	case previewFile:
		name = store.PreviewPart
	case boardSheet:
		name, mime = store.BoardPart, "image/jpeg"
	}
	part, ok := m.Part(name)
	if !ok {
		return "", absent(m)
	}
	v := d.library.Part(part)
	off, size, suffix := int64(0), v.Size, ""
	if at.what == boardSheet {
		if off, size, ok = sheetAt(&m.Film.Board, at.n); !ok || off+size > v.Size {
			return "", store.ErrNotFound
		}
		suffix = "-" + strconv.Itoa(at.n)
	}
	f.mime = mime
	d.stretch(f, v, off, size, suffix)
	if at.what == wholeFile {
		d.elsewhere(f, m, v)
	}
	return tagOf(part), nil
}

// sheetAt is where the n-th sheet of a storyboard lies.
func sheetAt(b *store.Board, n int) (off, size int64, ok bool) {
	for i, s := range b.Sheets {
		if i == n {
			return off, s, s > 0
		}
		off += s
	}
	return 0, 0, false
}

// piece describes a piece of a track.
func (d *CDN) piece(ctx context.Context, e *entry, at filmAddress, f *file) error {
	x, err := d.track(ctx, e, at.track)
	if err != nil {
		return err
	}
	if x.tag != at.tag || at.n >= len(x.seconds) {
		return store.ErrNotFound
	}
	f.mime = x.mime
	if at.what == trackInit {
		d.stretch(f, x.file, 0, x.starts[0], "-init")
		return nil
	}
	d.stretch(f, x.file, x.starts[at.n], x.starts[at.n+1]-x.starts[at.n], "-"+strconv.Itoa(at.n))
	return nil
}

// stretch has f be size bytes of v from off on.
func (d *CDN) stretch(f *file, v library.Delivery, off, size int64, suffix string) {
	f.size, f.etag = size, v.ETag[:len(v.ETag)-1]+suffix+`"`
	f.open = func(ctx context.Context, from, n int64) (*library.Content, error) {
		return d.library.Open(ctx, v, off+from, n)
	}
}

// tagOf is in the address of what is made of the part, so that with other bytes it has
// another. It names no blob.
func tagOf(p store.Part) string {
	sum := sha256.Sum256([]byte(p.Blob))
	return hex.EncodeToString(sum[:tagLen/2])
}

// track finds in memory, or in its file, where the pieces of a track of pictures or sound
// lie.
func (d *CDN) track(ctx context.Context, e *entry, name string) (*pieces, error) {
	key := e.media.ID + "/" + name
	if known, ok := d.films.get(key); ok && known.edits == e.edits {
		return known.pieces, nil
	}
	t, ok := e.media.Film.Track(name)
	part, has := e.media.Part(name)
	if !ok || t.Kind == store.TextTrack {
		return nil, absent(&e.media)
	}
	if !has {
		return nil, store.ErrNotFound
	}
	x := &pieces{file: d.library.Part(part), tag: tagOf(part), mime: "video/mp4"}
	if t.Kind == store.SoundTrack {
		x.mime = "audio/mp4"
	}
	index, err := hls.ReadIndex(&deliveryReader{ctx, d.library, x.file}, x.file.Size)
	if err != nil {
		return nil, missing(err)
	}
	x.starts = append(make([]int64, 0, len(index.Segments)+1), index.Init)
	x.seconds = make([]float64, 0, len(index.Segments))
	for i, s := range index.Segments {
		x.starts = append(x.starts, x.starts[i]+s.Size)
		x.seconds = append(x.seconds, s.Duration)
	}
	d.films.put(key, &entry{media: store.Media{ID: e.media.ID}, edits: e.edits, pieces: x})
	return x, nil
}

// deliveryReader reads a delivery here and there.
type deliveryReader struct {
	ctx     context.Context
	library *library.Library
	of      library.Delivery
}

// ReadAt implements io.ReaderAt.
func (r *deliveryReader) ReadAt(p []byte, off int64) (int, error) {
	content, err := r.library.Open(r.ctx, r.of, off, int64(len(p)))
	if err != nil {
		return 0, err
	}
	defer content.Close()
	return io.ReadFull(content, p)
}
