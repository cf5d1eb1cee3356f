package library

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"picora/app/fault"
	"picora/media"
	"picora/media/worker"
	"picora/store"
	"picora/store/cache"
)

const (
	// MaxCaptions is the largest file of captions that is taken, in bytes. That of a film
	// of two hours has about a twentieth of it.
	MaxCaptions = 2 << 20
	// captionsMost is what is kept of it at most: WebVTT writes some things at more length.
	captionsMost = 2 * MaxCaptions
	// maxCues is how many captions a file has at most.
	maxCues = 20_000
	// maxCaptionTracks is how many languages a video has captions in at most.
	maxCaptionTracks = 32
	captionsTime     = 30 * time.Second
)

// Captions are what the owner says of a file of captions.
type Captions struct {
	Lang    string // BCP 47
	Label   string // what people read; empty: the language's name
	Default bool   // players show them unless told otherwise
}

// AddCaptions gives the user's video the captions in body, SRT or WebVTT, which take the
// place of those in the same language. What they are is asked for at the body's end: form
// fields may follow the file.
func (l *Library) AddCaptions(ctx context.Context, user, id string, body io.Reader, describe func() (Captions, error)) (m store.Media, t store.Track, err error) {
	if l.variants == nil {
		return m, t, fault.New(fault.FeatureDisabled, "This server does no media work, and so takes no captions.")
	}
	if err := l.Room(ctx, MaxCaptions); err != nil {
		return m, t, err
	}
	text, err := l.takeCaptions(ctx, body, func() (err error) {
		t, err = captionTrack(describe)
		return err
	})
	if err != nil {
		return m, t, err
	}
	key := l.intakes.begin(0)
	defer l.intakes.end(key)
	info, err := l.blobs.Put(ctx, key, bytes.NewReader(text))
	if err != nil {
		return m, t, err
	}
	m, err = l.changeFilm(ctx, user, id, func(m *store.Media) error {
		if err := setCaptions(m, t); err != nil {
			return err
		}
		m.SetPart(store.Part{Name: t.Name, Blob: key, MIME: vttMIME, Size: info.Size})
		return nil
	})
	if err != nil {
		return m, t, l.discard(ctx, &store.Media{Blob: key}, err)
	}
	return m, t, nil
}

// captionTrack is the track for captions that describe tells of.
func captionTrack(describe func() (Captions, error)) (t store.Track, err error) {
	is, err := describe()
	if err != nil {
		return t, err
	}
	lang, ok := Language(is.Lang)
	if !ok {
		return t, fault.New(fault.Invalid, "lang is the language of the captions, as BCP 47 writes it: en, pt-BR or zh-Hans, for example.")
	}
	return store.Track{
		Name: "text-" + strings.ToLower(lang), Kind: store.TextTrack, Lang: lang, Label: line(is.Label, maxTitle), Default: is.Default, Uploaded: true,
	}, nil
}

// setCaptions gives m the track, in the place of what is in its language.
func setCaptions(m *store.Media, t store.Track) error {
	kept, texts := []store.Track{}, 0
	for _, old := range m.Film.Tracks {
		if old.Kind == store.TextTrack {
			if strings.EqualFold(old.Lang, t.Lang) {
				m.DropPart(old.Name)
				continue
			}
			old.Default = old.Default && !t.Default // of these there is one
			texts++
		}
		kept = append(kept, old)
	}
	if texts >= maxCaptionTracks {
		return fault.New(fault.Invalid, "A video has captions in at most %d languages. Delete some first.", maxCaptionTracks)
	}
	m.Film.Tracks = append(kept, t)
	return nil
}

// DropCaptions takes those captions of the user's video away that have the name, or are in
// the language.
func (l *Library) DropCaptions(ctx context.Context, user, id, which string) (store.Media, error) {
	return l.changeFilm(ctx, user, id, func(m *store.Media) error {
		for _, t := range m.Film.Tracks {
			if t.Kind == store.TextTrack && (t.Name == which || strings.EqualFold(t.Lang, which)) {
				m.Film.DropTrack(t.Name)
				m.DropPart(t.Name)
				return nil
			}
		}
		return fault.New(fault.NotFound, "The video has no such captions.")
	})
}

// takeCaptions reads a file of captions and has a worker write it as WebVTT.
func (l *Library) takeCaptions(ctx context.Context, body io.Reader, atEnd func() error) ([]byte, error) {
	in, err := l.variants.cache.Create()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	defer in.Discard()
	n, err := io.Copy(in, io.LimitReader(body, MaxCaptions+1))
	switch {
	case err != nil:
		return nil, err
	case n > MaxCaptions:
		return nil, CaptionsTooLarge()
	case n == 0:
		return nil, media.Corrupt("the file is empty")
	}
	if err := atEnd(); err != nil {
		return nil, err
	}
	if _, err := rewind(in); err != nil {
		return nil, err
	}
	out, err := l.variants.cache.Create()
	if err != nil {
		return nil, err
	}
	defer out.Close()
	defer out.Discard()
	_, err = l.variants.pool.Do(ctx, worker.Job{Kind: media.CaptionsJob, In: in.File, Out: out.File, Args: media.CaptionsArgs{MaxCues: maxCues}, Time: captionsTime})
	if err != nil {
		return nil, uncaptioned(err)
	}
	return captionsText(out)
}

// captionsText is what a worker wrote, if that is WebVTT.
func captionsText(out *cache.File) ([]byte, error) {
	if _, err := rewind(out); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(out, captionsMost+1))
	if err != nil {
		return nil, err
	}
	if len(b) > captionsMost || !utf8.Valid(b) || !bytes.HasPrefix(b, []byte("WEBVTT\n")) {
		return nil, fmt.Errorf("%w: captions of %d bytes", errNonsense, len(b))
	}
	return b, nil
}

// CaptionsTooLarge is the refusal of a file above MaxCaptions.
func CaptionsTooLarge() error {
	return fault.New(fault.Invalid, "A file of captions has at most %s.", size(MaxCaptions))
}

// uncaptioned is what the sender is told of a failure to read captions: it was the file's.
func uncaptioned(err error) error {
	switch {
	case errors.Is(err, worker.ErrBusy):
		return errBusy
	case errors.Is(err, worker.ErrTimeout), errors.Is(err, worker.ErrMemory), errors.Is(err, worker.ErrCrashed):
		return media.Corrupt("the file cannot be read as captions")
	}
	return err
}

// Language writes a tag of a language as it is usually written (RFC 5646, 2.1.1), with the
// shortest code, and says whether it is one, of at most 35 characters. Whether there is
// such a language is not asked.
func Language(tag string) (string, bool) {
	if len(tag) > 35 {
		return "", false
	}
	parts := strings.Split(tag, "-")
	if short, there := shorter[strings.ToLower(parts[0])]; there {
		parts[0] = short
	}
	for i, p := range parts {
		for _, c := range []byte(p) {
			letter := c|0x20 >= 'a' && c|0x20 <= 'z'
			if !letter && (i == 0 || c < '0' || c > '9') {
				return "", false
			}
		}
		switch {
		case len(p) < 1 || len(p) > 8 || i == 0 && len(p) < 2:
			return "", false
		case i > 0 && len(parts[i-1]) == 1: // what follows a singleton stays small
			parts[i] = strings.ToLower(p)
		case i > 0 && len(p) == 4 && p[0] > '9':
			parts[i] = strings.ToUpper(p[:1]) + strings.ToLower(p[1:])
		case i > 0 && len(p) == 2:
			parts[i] = strings.ToUpper(p)
		default:
			parts[i] = strings.ToLower(p)
		}
	}
	return strings.Join(parts, "-"), true
}
