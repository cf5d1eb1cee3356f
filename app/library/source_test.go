package library

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"picora/app/config"
	"picora/store/blob"
	"picora/store/cache"
)

// falling is a store far away that falls silent behind the first bytes of a blob.
type falling struct{ blob.Store }

func (falling) Open(ctx context.Context, _ string, _, _ int64) (io.ReadCloser, error) {
	r, w := io.Pipe()
	context.AfterFunc(ctx, func() { w.CloseWithError(ctx.Err()) })
	go w.Write([]byte("the beginning"))
	return r, nil
}

func TestACopyOfABlobEndsWhenItsStoreFallsSilent(t *testing.T) {
	defer func(d time.Duration) { sourceSilence = d }(sourceSilence)
	sourceSilence = 100 * time.Millisecond
	c, err := cache.Open(t.TempDir(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	l := New(nil, falling{}, config.Upload{}, 0)
	l.variants = &variants{cache: c}
	if _, err := l.source(t.Context(), "key"); !errors.Is(err, blob.ErrUnavailable) {
		t.Error(err)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := l.source(gone, "key"); !errors.Is(err, context.Canceled) || errors.Is(err, blob.ErrUnavailable) {
		t.Error(err)
	}
}
