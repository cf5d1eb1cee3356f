package library

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"picora/media"
	"picora/media/prose"
	"picora/media/worker"
	"picora/store"
)

const (
	// proseTime bounds the work on one page. The largest ordinary documents take a few
	// seconds; there is no bound to how long others would take.
	proseTime = 20 * time.Second
	// proseWait is how long a reader waits for others' pages.
	proseWait = 5 * time.Second
	// proseAtOnce is how many pages are made at once: pictures are made by the same workers.
	proseAtOnce = 2
	// previewTime bounds the work on text that is being written, which is asked for again
	// and again.
	previewTime = 5 * time.Second
	// proseVersion is part of what pages are kept under: another one makes them anew.
	proseVersion = "1"
)

// ErrNoProse says that a document was not made a page; its text can be shown as it is.
var ErrNoProse = errors.New("library: the document was not made a page")

// proseSlots are taken by pages that are being made.
type proseSlots chan struct{}

// Prose is the Markdown document as a page that shows pictures of the hosts in own.
// Pages are kept with the pictures that can be made again, and so is that one cannot
// be made. Begin is asked before a page that there is is read into memory. ErrNoProse,
// begin's error, and the context's.
func (l *Library) Prose(ctx context.Context, m *store.Media, own []string, begin func() error) (p prose.Page, err error) {
	if l.variants == nil {
		return p, ErrNoProse
	}
	sum := sha256.Sum256([]byte("prose " + proseVersion + "\n" + strings.Join(own, "\n") + "\n" + m.Blob))
	key := hex.EncodeToString(sum[:16])
	f, err := l.variants.cache.Get(m.ID, key)
	if err != nil {
		if f, err = l.makeProse(ctx, m, own, key); err != nil {
			if ctx.Err() != nil {
				return p, ctx.Err()
			}
			slog.Warn("a document was not made a page", "id", m.ID, "err", err)
			return p, fmt.Errorf("%w: %w", ErrNoProse, err)
		}
	}
	defer f.Close()
	if err := begin(); err != nil {
		return p, err
	}
	return readProse(f)
}

// readProse reads a page that a worker wrote, and makes sure that it is one.
func readProse(f *os.File) (p prose.Page, err error) {
	fi, err := f.Stat()
	if err == nil && fi.Size() == 0 {
		return p, ErrNoProse // noted by noProse
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err == nil {
		err = json.NewDecoder(io.LimitReader(f, 2*prose.MaxHTML)).Decode(&p)
	}
	if err == nil {
		err = prose.Inert(p.HTML)
	}
	if err != nil {
		return prose.Page{}, fmt.Errorf("%w: %w", ErrNoProse, err)
	}
	return p, nil
}

// makeProse has a worker make the page, and keeps it.
func (l *Library) makeProse(ctx context.Context, m *store.Media, own []string, key string) (*os.File, error) {
	if err := l.proseTurn(ctx); err != nil {
		return nil, err
	}
	defer func() { <-l.prose }()
	if f, err := l.variants.cache.Get(m.ID, key); err == nil { // made while this one waited
		return f, nil
	}
	in, err := l.source(ctx, m.Blob)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	out, err := l.variants.cache.Create()
	if err != nil {
		return nil, err
	}
	defer out.Close()
	defer out.Discard()
	// It is made to its end when its reader leaves: it will be asked for.
	ctx = context.WithoutCancel(ctx)
	_, err = l.variants.pool.Do(ctx, worker.Job{Kind: media.ProseJob, In: in.File, Out: out.File, Args: media.ProseArgs{Own: own}, Time: proseTime})
	if errors.Is(err, worker.ErrTimeout) || errors.Is(err, worker.ErrMemory) || errors.Is(err, media.ErrUnsupported) {
		err = errors.Join(err, l.noProse(ctx, m.ID, key))
	}
	if err != nil {
		return nil, err
	}
	return l.keep(ctx, m.ID, key, out.File)
}

// proseTurn waits until a page may be made. Who got their turn gives it back.
func (l *Library) proseTurn(ctx context.Context) error {
	late := time.NewTimer(proseWait)
	defer late.Stop()
	select {
	case l.prose <- struct{}{}:
		return nil
	case <-late.C:
		return errBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}

// PreviewProse is Markdown as the page that it would be, of which nothing is kept.
// ErrNoProse, errBusy, and the context's.
func (l *Library) PreviewProse(ctx context.Context, text []byte, own []string) (p prose.Page, err error) {
	if l.variants == nil {
		return p, ErrNoProse
	}
	if err := l.proseTurn(ctx); err != nil {
		return p, err
	}
	defer func() { <-l.prose }()
	in, err := l.variants.cache.Create()
	if err != nil {
		return p, err
	}
	defer in.Close()
	in.Discard() // its name; the file lives as long as it is open
	if _, err = in.Write(text); err == nil {
		_, err = in.Seek(0, io.SeekStart)
	}
	if err != nil {
		return p, err
	}
	out, err := l.variants.cache.Create()
	if err != nil {
		return p, err
	}
	defer out.Close()
	out.Discard()
	if _, err = l.variants.pool.Do(ctx, worker.Job{Kind: media.ProseJob, In: in.File, Out: out.File, Args: media.ProseArgs{Own: own}, Time: previewTime}); errors.Is(err, worker.ErrBusy) {
		return p, errBusy
	} else if err != nil {
		return p, fmt.Errorf("%w: %w", ErrNoProse, err)
	}
	return readProse(out.File)
}

// noProse notes that the document is too much for a page.
func (l *Library) noProse(ctx context.Context, id, key string) error {
	empty, err := l.variants.cache.Create()
	if err != nil {
		return err
	}
	defer empty.Close()
	defer empty.Discard()
	f, err := l.keep(context.WithoutCancel(ctx), id, key, empty.File)
	if err == nil {
		f.Close()
	}
	return err
}

// ReadDoc reads the text of a document as it is kept.
func (l *Library) ReadDoc(ctx context.Context, m *store.Media) ([]byte, error) {
	return l.readText(ctx, m.Blob, m.BlobSize)
}
