package library

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"picora/media"
	"picora/media/worker"
	"picora/store"
	"picora/store/blob"
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
	result, err := l.variants.pool.Do(ctx, worker.Job{Kind: media.ProbeJob, In: in.File, Args: l.fileArgs(m), Time: time.Duration(l.variants.options.Timeout)})
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
	made, info, err := l.remake(ctx, m, media.Spec{Format: "jpeg", Quality: deliveredQuality, Still: true})
	if err != nil {
		return err
	}
	m.Source, m.Blob, m.BlobSize = m.Blob, info.Key, info.Size
	m.MIME, m.Ext, m.Plan = to.MIME, to.Ext, nil
	m.Width, m.Height, m.Frames, m.Orientation = made.Width, made.Height, 1, 1
	return nil
}

// remake stores what spec makes of m's picture as a blob, which counts as an upload
// under way until the caller ends that.
func (l *Library) remake(ctx context.Context, m *store.Media, spec media.Spec) (made media.Made, info blob.Info, err error) {
	in, err := l.source(ctx, m.Blob)
	if err != nil {
		return made, info, err
	}
	defer in.Close()
	return l.remakeFile(ctx, in.File, l.fileArgs(m), spec)
}

// remakeFile is remake of a file that is no blob.
func (l *Library) remakeFile(ctx context.Context, in *os.File, is media.FileArgs, spec media.Spec) (made media.Made, info blob.Info, err error) {
	out, err := l.variants.cache.Create()
	if err != nil {
		return made, info, err
	}
	defer out.Close()
	defer out.Discard()
	result, err := l.variants.pool.Do(ctx, worker.Job{Kind: media.MakeJob, In: in, Out: out.File, Args: media.MakeArgs{File: is, Spec: spec}, Time: time.Duration(l.variants.options.Timeout)})
	if err != nil {
		return made, info, err
	}
	if err := json.Unmarshal(result, &made); err != nil || made.MIME != formats[spec.Format].MIME || int64(made.Width)*int64(made.Height) > l.maxPixels() || made.Width < 1 || made.Height < 1 {
		return made, info, fmt.Errorf("library: a worker's answer makes no sense: %+v, %w", made, err)
	}
	if _, err := out.Seek(0, io.SeekStart); err != nil {
		return made, info, err
	}
	key := l.intakes.begin(0)
	if info, err = l.blobs.Put(ctx, key, out); err != nil {
		l.intakes.end(key)
	}
	return made, info, err
}

// local is a blob as a file.
type local struct {
	*os.File
	io.Closer
}

// Close closes the file and what it belongs to.
func (f local) Close() error { return f.Closer.Close() }

// sourceSilence is how long a store may give nothing of a blob that is copied: a server far
// away may be there, and say nothing more.
var sourceSilence = time.Minute

// source opens a blob as a file, a copy when the store keeps none.
func (l *Library) source(ctx context.Context, key string) (_ local, err error) {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	silent := time.AfterFunc(sourceSilence, stop)
	defer silent.Stop()
	defer func() {
		if err != nil && reading.Err() != nil && ctx.Err() == nil {
			err = fmt.Errorf("%w: nothing came of %s for %v", blob.ErrUnavailable, key, sourceSilence)
		}
	}()
	r, err := l.blobs.Open(reading, key, 0, -1)
	if err != nil {
		return local{}, err
	}
	if here, ok := r.(blob.Filer); ok {
		f, _, _ := here.File()
		return local{f, r}, nil
	}
	defer r.Close()
	spool, err := l.variants.cache.Create()
	if err != nil {
		return local{}, err
	}
	spool.Discard() // its name; the file lives as long as it is open
	if _, err := io.Copy(spool, heard{r, func() { silent.Reset(sourceSilence) }}); err != nil {
		spool.Close()
		return local{}, err
	}
	return local{spool.File, spool.File}, nil
}
