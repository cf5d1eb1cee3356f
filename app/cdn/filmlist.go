package cdn

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/access"
	"picora/app/usage"
	"picora/media/hls"
	"picora/store"
)

const (
	playlistType = "application/vnd.apple.mpegurl"

	// smallSide is the shorter side, in pixels, of the pictures with which players start:
	// they are there first. While its owner's bandwidth is used up, there are no larger
	// ones.
	smallSide = 360
	smallName = "360p" // of the address that always leads to them
)

// filmList writes a playlist, or that of the storyboard. All addresses in it carry the
// signature that opened it.
func (d *CDN) filmList(c *fiber.Ctx, e *entry, at filmAddress, state usage.Bandwidth, f *file) (err error) {
	w := listWriter{cdn: d, ctx: c.UserContext(), entry: e, film: &e.media.Film, sig: d.carried(c, &e.media)}
	f.mime = playlistType
	switch at.what {
	case masterList:
		err = w.master(at.track, state == usage.Degraded)
	case trackList:
		err = w.track(at.track)
	case boardText:
		f.mime = "text/vtt; charset=utf-8"
		err = w.board()
	}
	if err != nil {
		return err
	}
	f.bytes = w.Bytes()
	sum := sha256.Sum256(f.bytes)
	f.etag = `"` + hex.EncodeToString(sum[:16]) + `"`
	c.Response().Header.Add(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	if len(f.bytes) >= worthCoding && takesGzip(c.Get(fiber.HeaderAcceptEncoding)) {
		f.bytes, f.coding, f.etag = zipped(f.bytes), "gzip", f.etag[:len(f.etag)-1]+`-g"`
	}
	f.size = int64(len(f.bytes))
	return nil
}

// carried is the signature that opened the video, as it stands in an address; empty when
// it was opened by something else.
func (d *CDN) carried(c *fiber.Ctx, m *store.Media) string {
	args := c.Context().QueryArgs()
	sig, exp := string(args.Peek("sig")), string(args.Peek("exp"))
	if access.Open(m) || !d.signer.LinkValid(m.ID, sig, exp, time.Now()) {
		return ""
	}
	return "sig=" + sig + "&exp=" + exp // a valid one is of letters that need no escapes
}

// listWriter writes the playlists of a video.
type listWriter struct {
	bytes.Buffer
	cdn   *CDN
	ctx   context.Context
	entry *entry
	film  *store.Film
	sig   string
}

// signed is an address with the signature, and with the tag of the part that it leads to
// if that is not in its name.
func (w *listWriter) signed(uri, tag string) string {
	sep := "?"
	if tag != "" {
		uri, sep = uri+"?v="+tag, "&"
	}
	if w.sig != "" {
		uri += sep + w.sig
	}
	return uri
}

// master writes the list of all sizes, or of the one of that name, or of the small one.
func (w *listWriter) master(only string, small bool) error {
	sizes := w.sizes()
	if len(sizes) == 0 || !w.film.Plays() {
		return absent(&w.entry.media)
	}
	up := ""
	if only != "" {
		up = "../"
		i := slices.IndexFunc(sizes, func(t store.Track) bool { return t.Name == only })
		switch {
		case i < 0 && only != smallName:
			return absent(&w.entry.media)
		case small, only == smallName: // the first
			i = 0
		}
		sizes = sizes[i : i+1]
	} else if small {
		sizes = sizes[:1]
	}
	m := hls.Master{}
	for _, t := range sizes {
		m.Variants = append(m.Variants, hls.Variant{
			URI: w.signed(up+t.Name+"/media.m3u8", ""), Codecs: t.Codecs, Bandwidth: t.Bandwidth, Average: t.Average,
			Width: t.Width, Height: t.Height, FrameRate: t.FrameRate,
		})
	}
	m.Sounds, m.Texts = w.renditions(store.SoundTrack, up), w.renditions(store.TextTrack, up)
	if !slices.ContainsFunc(m.Sounds, func(r hls.Rendition) bool { return r.Default }) && len(m.Sounds) > 0 {
		m.Sounds[0].Default = true // a film is not silent by default
	}
	return m.Write(w)
}

// sizes are the tracks of pictures in the order in which players should try them: the
// small one, those above it, those below.
func (w *listWriter) sizes() (list []store.Track) {
	for _, t := range w.film.Tracks {
		if _, made := w.entry.media.Part(t.Name); made && t.Kind == store.PictureTrack {
			list = append(list, t)
		}
	}
	slices.SortStableFunc(list, func(a, b store.Track) int { return cmp.Compare(side(a), side(b)) })
	first := 0
	for i, t := range list {
		if side(t) <= smallSide {
			first = i
		}
	}
	below := slices.Clone(list[:first])
	slices.Reverse(below)
	return append(list[first:len(list):len(list)], below...)
}

// side is the shorter side of a track's pictures, in pixels.
func side(t store.Track) int { return min(t.Width, t.Height) }

func (w *listWriter) renditions(kind store.TrackKind, up string) (list []hls.Rendition) {
	for _, t := range w.film.Tracks {
		if _, made := w.entry.media.Part(t.Name); !made || t.Kind != kind {
			continue
		}
		list = append(list, hls.Rendition{
			URI: w.signed(up+t.Name+"/media.m3u8", ""), Name: t.Label, Lang: t.Lang, Default: t.Default,
			Codecs: t.Codecs, Bandwidth: t.Bandwidth, Average: t.Average, Channels: t.Channels,
		})
	}
	return list
}

// track writes the list of the pieces of a track.
func (w *listWriter) track(name string) error {
	t, ok := w.film.Track(name)
	part, made := w.entry.media.Part(name)
	if !ok || !made {
		return absent(&w.entry.media)
	}
	if t.Kind == store.TextTrack { // one piece is all of it
		l := hls.List{Target: hls.Target(w.film.Duration), Pieces: []hls.Piece{{URI: w.signed("../"+name+".vtt", tagOf(part)), Duration: max(w.film.Duration, 0.001)}}}
		return l.Write(w)
	}
	x, err := w.cdn.track(w.ctx, w.entry, name)
	if err != nil {
		return err
	}
	longest, err := w.longest()
	if err != nil {
		return err
	}
	l := hls.List{Init: w.signed(x.tag+"-init.mp4", ""), Target: hls.Target(longest)}
	for i, seconds := range x.seconds {
		l.Pieces = append(l.Pieces, hls.Piece{URI: w.signed(fmt.Sprintf("%s-%d.m4s", x.tag, i), ""), Duration: seconds})
	}
	return l.Write(w)
}

// longest is the duration of the longest piece of all tracks, in seconds: they must have
// the same target duration (RFC 8216, section 6.2.4).
func (w *listWriter) longest() (most float64, err error) {
	for _, t := range w.film.Tracks {
		if _, made := w.entry.media.Part(t.Name); !made || t.Kind == store.TextTrack {
			continue
		}
		x, err := w.cdn.track(w.ctx, w.entry, t.Name)
		if err != nil {
			return 0, err
		}
		most = max(most, x.longest())
	}
	return most, nil
}

// board writes the storyboard as WebVTT: for each stretch of time, the part of a sheet
// that shows it (Media Fragments, section 4.2.2).
func (w *listWriter) board() error {
	b := &w.film.Board
	part, made := w.entry.media.Part(store.BoardPart)
	if !made || b.Columns <= 0 || b.Rows <= 0 || b.Every <= 0 {
		return absent(&w.entry.media)
	}
	w.WriteString("WEBVTT\n")
	of := b.Columns * b.Rows
	for i := range min(b.Pictures, of*len(b.Sheets)) {
		from := float64(i) * b.Every
		to := from + b.Every
		if i == b.Pictures-1 {
			to = max(to, w.film.Duration)
		}
		at := w.signed(fmt.Sprintf("%s%d.jpg", sheet, i/of), tagOf(part))
		fmt.Fprintf(w, "\n%s --> %s\n%s#xywh=%d,%d,%d,%d\n", clock(from), clock(to), at, i%of%b.Columns*b.Width, i%of/b.Columns*b.Height, b.Width, b.Height)
	}
	return nil
}

// clock is a time as WebVTT has it.
func clock(seconds float64) string {
	ms := int64(seconds*1000 + 0.5)
	return fmt.Sprintf("%02d:%02d:%02d.%03d", ms/3_600_000, ms/60_000%60, ms/1000%60, ms%1000)
}
