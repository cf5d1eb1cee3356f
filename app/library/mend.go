package library

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"

	"picora/media"
	"picora/media/strip"
	"picora/store"
)

// What became of a blob that was damaged.
const (
	Copied  = "copied"  // from another file with the same bytes
	Remade  = "remade"  // of the file as it was uploaded
	Remakes = "remakes" // the same, in the background
)

// mostTwins is how many copies of a file are tried.
const mostTwins = 50

// Mend puts right what is wrong with a blob, when that can be done, and says how; empty: it
// cannot. What comes in its place has another key, and the damaged bytes go only then. Bad
// reports whether something is wrong with another blob, too.
func (l *Library) Mend(ctx context.Context, k *store.Kept, bad func(blob string) bool) (how string, err error) {
	m := k.Media
	switch {
	case k.Upload:
		how, err = l.mendUpload(ctx, k, bad)
	case l.variants == nil:
	case k.Role == store.WatermarkRole:
		how, err = l.mendWatermark(ctx, k)
	case m == nil || m.Trashed(): // in the trash nothing is made
	case k.Role == store.FileRole && m.Source != "":
		how, err = l.mendDelivered(ctx, m)
	case m.Kind == store.Audio:
		how, err = l.mendSound(ctx, m, k)
	case m.Kind == store.Doc && m.Text.Format == "pdf" && l.pdfs != nil:
		how, err = l.mendPDF(ctx, m, k)
	case m.Kind == store.Video && l.films != nil:
		how, err = l.mendFilm(ctx, m, k, bad)
	}
	if errors.Is(err, errChanged) || errors.Is(err, store.ErrNotFound) || errors.Is(err, errNonsense) || fileAtFault(err) {
		slog.Info("a damaged file was not made anew", "blob", k.Blob, "err", err)
		return "", nil
	}
	return how, err
}

// mendUpload copies a file from where the same bytes are: from a record of anybody's, or
// from what belongs to nobody.
func (l *Library) mendUpload(ctx context.Context, k *store.Kept, bad func(string) bool) (how string, err error) {
	twins, err := l.store.Twins(ctx, k.Hash, mostTwins)
	if err != nil {
		return "", err
	}
	var from []string
	for i := range twins {
		from = append(from, twins[i].Blob)
	}
	nobodys, err := l.store.ListFindings(ctx, store.Orphan, "", store.MostFindings)
	if err != nil {
		return "", err
	}
	for _, f := range nobodys {
		if f.Size == k.Size && len(from) < mostTwins {
			from = append(from, f.Blob)
		}
	}
	for _, blob := range from {
		if blob == k.Blob || bad(blob) {
			continue
		}
		done, err := l.copyOver(ctx, k, blob)
		if done || err != nil {
			return Copied, err
		}
	}
	return "", nil
}

// copyOver puts a copy of a blob in the place of a damaged one, unless the bytes are others
// than they should be.
func (l *Library) copyOver(ctx context.Context, k *store.Kept, from string) (done bool, err error) {
	if err := l.Room(ctx, k.Size); err != nil {
		return false, err
	}
	r, err := l.blobs.Open(ctx, from, 0, -1)
	if err != nil {
		_, err = unreadable(ctx, Exam{}, err)
		return false, err
	}
	defer r.Close()
	key := l.intakes.begin(k.Size)
	defer l.intakes.end(key)
	info, err := l.blobs.Put(ctx, key, &proving{Reader: r, hash: sha256.New(), want: k.Hash})
	if errors.Is(err, errDamaged) {
		return false, nil
	}
	if err != nil {
		_, err = unreadable(ctx, Exam{}, err)
		return false, err
	}
	err = l.replaceBlob(ctx, k.ID, k.Blob, func(m *store.Media) error {
		if m.Source == k.Blob {
			m.Source = key
		} else {
			m.Blob, m.BlobSize = key, info.Size
		}
		return nil
	})
	if err != nil {
		err = l.discard(ctx, &store.Media{Blob: key}, err)
	}
	return err == nil, err
}

// proving is a reader that ends with errDamaged when it gave other bytes than it should.
type proving struct {
	io.Reader
	hash hash.Hash
	want []byte
}

func (p *proving) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	p.hash.Write(b[:n])
	if errors.Is(err, io.EOF) && !bytes.Equal(p.hash.Sum(nil), p.want) {
		return n, errDamaged
	}
	return n, err
}

// replaceBlob lets edit put something in the place of a blob of the record; errChanged when
// the record has that no more.
func (l *Library) replaceBlob(ctx context.Context, id, old string, edit func(*store.Media) error) error {
	_, err := l.store.MendMedia(context.WithoutCancel(ctx), id, func(m *store.Media) error {
		for _, b := range m.Blobs() {
			if b == old {
				return edit(m)
			}
		}
		return errChanged
	})
	if err == nil {
		l.onEdit(id)
		l.signalTrash()
	}
	return err
}

// mendWatermark makes the picture of a watermark anew, of the picture that it was made of.
func (l *Library) mendWatermark(ctx context.Context, k *store.Kept) (string, error) {
	w, err := l.store.Watermark(ctx, k.User, k.ID)
	if err != nil || w.Image == "" {
		return "", err
	}
	m, err := l.Own(ctx, k.User, w.Image)
	if err != nil {
		return "", err
	}
	if m.Source == "" {
		if whole, err := l.intact(ctx, m.Blob, m.Hash); !whole {
			return "", err
		}
	}
	_, err = l.EditWatermark(ctx, k.User, k.ID, WatermarkChange{Image: &w.Image})
	return Remade, err
}

// mendDelivered makes what is delivered of a picture anew, of the file as it was uploaded.
func (l *Library) mendDelivered(ctx context.Context, m *store.Media) (string, error) {
	if whole, err := l.intact(ctx, m.Source, m.Hash); !whole {
		return "", err
	}
	in, err := l.source(ctx, m.Source)
	if err != nil {
		return "", err
	}
	defer in.Close()
	head := make([]byte, 4<<10)
	n, err := in.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	t, err := media.Sniff(head[:n])
	if err != nil {
		return "", err
	}
	facts, err := walk(io.NewSectionReader(in, 0, m.Size), t, strip.Limits{MaxPixels: l.maxPixels()})
	if err != nil {
		return "", err
	}
	is := media.FileArgs{MIME: t.MIME, Orientation: facts.Orientation, MaxPixels: l.maxPixels()}
	made, info, err := l.remakeFile(ctx, in.File, is, media.Spec{Format: "jpeg", Quality: deliveredQuality, Still: true})
	if err != nil {
		return "", err
	}
	defer l.intakes.end(info.Key)
	err = l.replaceBlob(ctx, m.ID, m.Blob, func(now *store.Media) error {
		now.Blob, now.BlobSize, now.Width, now.Height = info.Key, info.Size, made.Width, made.Height
		return nil
	})
	if err != nil {
		return "", l.discard(ctx, &store.Media{Blob: info.Key}, err)
	}
	return Remade, nil
}

// mendPart has make make a part of the record anew, as a part of a record of nothing else,
// when the file that it is made of is whole.
func (l *Library) mendPart(ctx context.Context, m *store.Media, k *store.Kept, make func(made *store.Media) error) (string, error) {
	if whole, err := l.intact(ctx, m.Blob, m.Hash); !whole {
		return "", err
	}
	made := &store.Media{}
	if err := make(made); err != nil || len(made.Parts) == 0 {
		return "", err
	}
	err := l.note(ctx, m.ID, made, func(now *store.Media) error {
		if p, _ := now.Part(k.Role); p.Blob != k.Blob {
			return errChanged
		}
		now.SetPart(made.Parts[0])
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("library: part %s of %s: %w", k.Role, m.ID, err)
	}
	return Remade, nil
}
