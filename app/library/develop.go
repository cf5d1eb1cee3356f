package library

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"picora/media"
	"picora/media/worker"
	"picora/store"
)

// delivered says as what a picture is delivered whose type browsers do not show. The
// file as uploaded is kept beside it.
var delivered = map[string]media.Type{media.HEIC.MIME: media.JPEG, media.HEIF.MIME: media.JPEG, media.TIFF.MIME: media.JPEG}

// deliveredQuality is that of JPEGs which stand for the picture itself.
const deliveredQuality = 92

// needsWorker reports whether pictures of the type are decoded before they are taken:
// the walk of their container says too little of them, or they are converted.
func needsWorker(t media.Type) bool {
	return t == media.AVIF || t == media.BMP || t == media.ICO || delivered[t.MIME] != media.Type{}
}

// develop has the picture that was just stored decoded, and converted when browsers
// do not show its type. On an error nothing is kept.
func (l *Library) develop(ctx context.Context, m *store.Media) (err error) {
	defer func() {
		if err != nil {
			err = l.discard(ctx, m, undecoded(err))
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, time.Duration(l.variants.options.Timeout))
	defer cancel()
	if err := l.probe(ctx, m); err != nil {
		return err
	}
	if to, convert := delivered[m.MIME]; convert {
		if err := l.convert(ctx, m, to); err != nil {
			return err
		}
	}
	m.Look, err = l.lookAt(ctx, m)
	m.Seen = err == nil
	return err
}

// probe has a worker tell what the file of m is, which must be what its container said.
func (l *Library) probe(ctx context.Context, m *store.Media) error {
	in, err := l.source(ctx, m.Blob)
	if err != nil {
		return err
	}
	defer in.Close()
	result, err := l.variants.pool.Do(ctx, worker.Job{Kind: media.ProbeJob, In: in.File, Args: l.fileArgs(m)})
	if err != nil {
		return err
	}
	var f media.Facts
	if err := json.Unmarshal(result, &f); err != nil {
		return fmt.Errorf("library: a worker's answer: %w", err)
	}
	if f.MIME != m.MIME || f.Width != m.Width || f.Height != m.Height {
		return media.Corrupt("the file says different things about what it is")
	}
	return nil
}

// undecoded is what the sender is told of a decoder's failure: it was the file's.
func undecoded(err error) error {
	switch {
	case errors.Is(err, worker.ErrBusy):
		return errBusy
	case errors.Is(err, worker.ErrTimeout):
		return media.Unsupported("the picture takes too long to decode")
	case errors.Is(err, worker.ErrMemory):
		return media.Unsupported("the picture takes too much memory to decode")
	case errors.Is(err, worker.ErrCrashed):
		return media.Corrupt("the picture cannot be decoded")
	}
	return err
}

// convert makes the file that is delivered of m, whose blob becomes its Source.
func (l *Library) convert(ctx context.Context, m *store.Media, to media.Type) error {
	in, err := l.source(ctx, m.Blob)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := l.variants.cache.Create()
	if err != nil {
		return err
	}
	defer out.Close()
	defer out.Discard()
	spec := media.Spec{Format: "jpeg", Quality: deliveredQuality, Still: true}
	result, err := l.variants.pool.Do(ctx, worker.Job{Kind: media.MakeJob, In: in.File, Out: out.File, Args: media.MakeArgs{File: l.fileArgs(m), Spec: spec}})
	if err != nil {
		return err
	}
	var made media.Made
	if err := json.Unmarshal(result, &made); err != nil || made.MIME != to.MIME || int64(made.Width)*int64(made.Height) > l.maxPixels() || made.Width < 1 || made.Height < 1 {
		return fmt.Errorf("library: a worker's answer makes no sense: %+v, %w", made, err)
	}
	if _, err := out.Seek(0, io.SeekStart); err != nil {
		return err
	}
	key := l.intakes.begin(0)
	info, err := l.blobs.Put(ctx, key, out)
	if err != nil {
		l.intakes.end(key)
		return err
	}
	m.Source, m.Blob, m.BlobSize = m.Blob, key, info.Size
	m.MIME, m.Ext, m.Plan = to.MIME, to.Ext, nil
	m.Width, m.Height, m.Frames, m.Orientation = made.Width, made.Height, 1, 1
	return nil
}
