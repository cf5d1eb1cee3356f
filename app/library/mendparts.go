package library

import (
	"context"
	"encoding/json"
	"slices"

	"picora/media"
	"picora/media/worker"
	"picora/store"
)

// mendSound makes a part of an audio file anew: its picture here, what needs all of the file
// in the lane for that.
func (l *Library) mendSound(ctx context.Context, m *store.Media, k *store.Kept) (how string, err error) {
	if k.Role == store.CoverPart {
		return l.mendPart(ctx, m, k, func(made *store.Media) error {
			out, err := l.variants.cache.Create()
			if err != nil {
				return err
			}
			defer out.Close()
			defer out.Discard()
			f, err := l.soundFacts(ctx, m, out, -1)
			if err != nil || !f.Cover {
				return err
			}
			return l.keepCover(ctx, made, out)
		})
	}
	if whole, err := l.intact(ctx, m.Blob, m.Hash); !whole {
		return "", err
	}
	err = l.replaceBlob(ctx, m.ID, k.Blob, func(now *store.Media) error {
		if k.Role == store.PeaksPart {
			now.Sound.Measured = false
		} else {
			now.Sound.Level.State = store.LevelWanted
		}
		now.DropPart(k.Role)
		return nil
	})
	if err != nil {
		return "", err
	}
	l.hearSoon("")
	return Remakes, nil
}

// mendPDF takes the text out of a PDF again, or draws its first page.
func (l *Library) mendPDF(ctx context.Context, m *store.Media, k *store.Kept) (string, error) {
	return l.mendPart(ctx, m, k, func(made *store.Media) error {
		if err := l.wakePDF(ctx); err != nil {
			return err
		}
		in, err := l.source(ctx, m.Blob)
		if err != nil {
			return err
		}
		defer in.Close()
		args := media.PDFArgs{MaxText: MaxPDFText, TextTime: pdfTextTime, Width: pdfWidth}
		if k.Role == store.CoverPart {
			return l.drawPDF(ctx, made, in, args)
		}
		out, err := l.variants.cache.Create()
		if err != nil {
			return err
		}
		defer out.Close()
		defer out.Discard()
		result, err := l.pdfs.Do(ctx, worker.Job{Kind: media.PDFJob, In: in.File, Out: out.File, Args: args, Time: pdfTime})
		if err != nil {
			return err
		}
		var facts media.PDF
		if json.Unmarshal(result, &facts) != nil || facts.Locked {
			return errNonsense
		}
		return l.keepText(ctx, made, out)
	})
}

// mendFilm has the work on a video done again that lost something that was made of it. It
// plays meanwhile if it can. What its owner uploaded cannot be made.
func (l *Library) mendFilm(ctx context.Context, m *store.Media, k *store.Kept, bad func(string) bool) (string, error) {
	if whole, err := l.intact(ctx, m.Blob, m.Hash); !whole {
		return "", err
	}
	lost := map[string]bool{} // all at once: the work is done once
	for _, p := range m.Parts {
		if t, _ := m.Film.Track(p.Name); (p.Blob == k.Blob || bad(p.Blob)) && p.Name != store.UploadPart && !t.Uploaded {
			lost[p.Blob] = true
		}
	}
	if !lost[k.Blob] {
		return "", nil
	}
	err := l.replaceBlob(ctx, m.ID, k.Blob, func(now *store.Media) error { return redoFilm(now, lost) })
	if err != nil {
		return "", err
	}
	signal(l.films.arrived)
	return Remakes, nil
}

// redoFilm takes the parts away that are lost, and has the work begin at its beginning. One
// that is being worked on is left alone.
func redoFilm(m *store.Media, lost map[string]bool) error {
	f := &m.Film
	if f.State != store.FilmReady {
		return errChanged
	}
	f.State, f.Passes, f.Survey, f.Fault, f.Note = store.FilmWaiting, surveyStep, nil, "", ""
	for _, p := range slices.Clone(m.Parts) {
		t, track := f.Track(p.Name)
		switch {
		case lost[p.Blob]:
			m.DropPart(p.Name)
			f.DropTrack(p.Name)
			if p.Name == store.BoardPart {
				f.Board = store.Board{}
			}
		case track && t.Kind == store.PictureTrack:
			f.State = store.FilmPlayable
		}
	}
	return nil
}
