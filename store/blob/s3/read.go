package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"picora/store/blob"
)

var _ blob.Presigner = (*Store)(nil)

// Open implements blob.Store. A reader whose connection breaks asks for the rest again:
// what a key has never changes.
func (s *Store) Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	if err := check(ctx, key); err != nil {
		return nil, err
	}
	if off < 0 {
		return nil, fmt.Errorf("%w: s3: %d", blob.ErrRange, off)
	}
	if n == 0 || off > math.MaxInt64/2 {
		return s.nothing(ctx, key, off)
	}
	end := int64(-1) // the last byte; -1: the object's
	if n > 0 && n < math.MaxInt64/2 {
		end = off + n - 1
	}
	r := &reader{ctx: ctx, s: s, key: key, at: off, end: end}
	err := r.ask()
	if errors.Is(err, blob.ErrRange) { // S3 knows no empty range
		return s.nothing(ctx, key, off)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// nothing is no bytes from off on, where that is within the blob or at its end.
func (s *Store) nothing(ctx context.Context, key string, off int64) (io.ReadCloser, error) {
	i, err := s.Stat(ctx, key)
	if err != nil {
		return nil, err
	}
	if off > i.Size {
		return nil, fmt.Errorf("%w: s3: %d of %d", blob.ErrRange, off, i.Size)
	}
	return io.NopCloser(strings.NewReader("")), nil
}

// maxAgain is how often a reader asks again without a byte between.
const maxAgain = 5

type reader struct {
	ctx     context.Context
	s       *Store
	key     string
	at, end int64
	body    io.ReadCloser
	left    int64 // bytes of the answer that are to come
	again   int

	line     *line // that the answer comes by; nil: with TLS, or unknown
	straight bool  // what follows on the line is the next that is to be read
}

// ask asks for what has not been read.
func (r *reader) ask() error {
	var o minio.GetObjectOptions
	if r.at > 0 || r.end >= 0 {
		o.Set("Range", byteRange(r.at, r.end))
	}
	body, info, h, err := r.s.client.GetObject(r.withLine(), r.s.o.Bucket, r.s.name(r.key), o)
	if err != nil {
		return explain(r.ctx, "get "+r.key, err)
	}
	r.body, r.left = body, info.Size
	r.sized(h)
	return nil
}

// byteRange is the header that asks for the bytes from one to another, or to the end
// (negative) (RFC 9110, section 14.2).
func byteRange(from, to int64) string {
	if to < 0 {
		return fmt.Sprintf("bytes=%d-", from)
	}
	return fmt.Sprintf("bytes=%d-%d", from, to)
}

func (r *reader) Read(p []byte) (int, error) {
	for {
		if r.body == nil {
			if err := r.wait(); err != nil {
				return 0, err
			}
			if err := r.ask(); err != nil {
				if errors.Is(err, blob.ErrUnavailable) && r.again < maxAgain {
					r.again++
					continue
				}
				return 0, err
			}
		}
		n, err := r.take(p)
		r.at += int64(n)
		if r.left -= int64(n); n > 0 {
			r.again = 0
		}
		if r.left <= 0 && (err == nil || err == io.EOF || n > 0) {
			return n, eofAt(r.left, n, err)
		}
		if err == nil {
			return n, nil
		}
		// The connection broke: go on where it did.
		r.body.Close()
		r.body = nil
		if r.again++; r.again > maxAgain || r.ctx.Err() != nil {
			return n, explain(r.ctx, "get "+r.key, err)
		}
		if n > 0 {
			return n, nil
		}
	}
}

// eofAt is the end of an answer that came whole.
func eofAt(left int64, n int, err error) error {
	if left < 0 {
		return fmt.Errorf("%w: s3: more than was to come", blob.ErrUnavailable)
	}
	if n == 0 || err == io.EOF {
		return io.EOF
	}
	return nil
}

// wait gives the service some time to come back.
func (r *reader) wait() error {
	if r.again == 0 {
		return r.ctx.Err()
	}
	select {
	case <-time.After(time.Duration(r.again*r.again) * 100 * time.Millisecond):
		return nil
	case <-r.ctx.Done():
		return r.ctx.Err()
	}
}

func (r *reader) Close() error {
	if r.body == nil {
		return nil
	}
	return r.body.Close()
}

// Presign implements blob.Presigner. The address names the bucket and the access key, and
// carries the session token if there is one; none opens more than the blob.
func (s *Store) Presign(ctx context.Context, key, mime, saveAs string, life time.Duration) (string, error) {
	if err := check(ctx, key); err != nil {
		return "", err
	}
	say := url.Values{"response-content-type": {mime}}
	if saveAs != "" {
		say.Set("response-content-disposition", saveAs)
	}
	u, err := s.public.PresignedGetObject(ctx, s.o.Bucket, s.name(key), life, say)
	if err != nil {
		return "", explain(ctx, "presign "+key, err)
	}
	return u.String(), nil
}

// List implements blob.Store.
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		if !blob.ValidPrefix(prefix) || !blob.ValidPrefix(after) {
			yield(blob.Info{}, fmt.Errorf("%w: %q, %q", blob.ErrKey, prefix, after))
			return
		}
		if err := ctx.Err(); err != nil {
			yield(blob.Info{}, err)
			return
		}
		start := ""
		if after != "" {
			start = s.name(after)
		}
		inner, stop := context.WithCancel(ctx)
		defer stop()
		for o := range s.client.ListObjectsIter(inner, s.o.Bucket, minio.ListObjectsOptions{Prefix: s.name(prefix), StartAfter: start, Recursive: true}) {
			if o.Err != nil {
				yield(blob.Info{}, explain(ctx, "list", o.Err))
				return
			}
			key := strings.TrimPrefix(o.Key, s.name(""))
			if !blob.ValidKey(key) || key <= after {
				continue
			}
			if !yield(blob.Info{Key: key, Size: o.Size, Modified: o.LastModified.UTC()}, nil) {
				return
			}
		}
	}
}
