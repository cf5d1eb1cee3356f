package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"

	"picora/store/blob"
)

// Put implements blob.Store. What fits into one part is one request; the rest goes in
// parts, of which the bucket shows nothing before they are all there.
func (s *Store) Put(ctx context.Context, key string, r io.Reader) (blob.Info, error) {
	if err := check(ctx, key); err != nil {
		return blob.Info{}, err
	}
	end, err := s.begin(ctx, key)
	if err != nil {
		return blob.Info{}, err
	}
	defer end()
	buffer, err := s.buffer(ctx)
	if err != nil {
		return blob.Info{}, err
	}
	defer s.done(buffer)
	n, err := blob.ReadFull(ctx, r, buffer)
	if err == io.EOF {
		_, err := s.client.PutObject(ctx, s.o.Bucket, s.name(key), bytes.NewReader(buffer[:n]), int64(n), "", "", s.options())
		if err != nil {
			return blob.Info{}, s.undo(ctx, key, explain(ctx, "put "+key, err))
		}
		return blob.Info{Key: key, Size: int64(n), Modified: time.Now().UTC()}, nil
	}
	if err != nil {
		return blob.Info{}, fmt.Errorf("s3: put %s: read: %w", key, err)
	}
	size, err := s.putParts(ctx, key, buffer, r)
	if err != nil {
		return blob.Info{}, err
	}
	return blob.Info{Key: key, Size: size, Modified: time.Now().UTC()}, nil
}

// undo deletes an object whose upload failed: the service may have it all the same, when
// its answer was lost.
func (s *Store) undo(ctx context.Context, key string, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if !errors.Is(err, blob.ErrExists) {
		s.Delete(ctx, key)
	}
	return err
}

// putParts sends the full buffer and what follows it in r, part by part.
func (s *Store) putParts(ctx context.Context, key string, buffer []byte, r io.Reader) (size int64, err error) {
	id, err := s.client.NewMultipartUpload(ctx, s.o.Bucket, s.name(key), s.options())
	if err != nil {
		return 0, explain(ctx, "put "+key, err)
	}
	done := false
	defer func() { // also when r panics
		if done {
			return
		}
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		s.client.AbortMultipartUpload(late, s.o.Bucket, s.name(key), id)
	}()
	var parts []minio.CompletePart
	for n, more := len(buffer), true; n > 0; {
		if len(parts) == maxParts {
			return 0, fmt.Errorf("%w: s3: put %s: more than %d parts of %d bytes", blob.ErrNoSpace, key, maxParts, partSize)
		}
		part, err := s.client.PutObjectPart(ctx, s.o.Bucket, s.name(key), id, len(parts)+1, bytes.NewReader(buffer[:n]), int64(n), minio.PutObjectPartOptions{SSE: s.sse})
		if err != nil {
			return 0, explain(ctx, "put "+key, err)
		}
		parts = append(parts, minio.CompletePart{PartNumber: part.PartNumber, ETag: part.ETag, ChecksumCRC32C: part.ChecksumCRC32C})
		size += int64(n)
		if n = 0; more {
			n, err = blob.ReadFull(ctx, r, buffer)
			if more = err == nil; err != nil && err != io.EOF {
				return 0, fmt.Errorf("s3: put %s: read: %w", key, err)
			}
		}
	}
	if _, err := s.client.CompleteMultipartUpload(ctx, s.o.Bucket, s.name(key), id, parts, s.options()); err != nil {
		return 0, s.undo(ctx, key, explain(ctx, "put "+key, err))
	}
	done = true
	return size, nil
}

// PutFile implements blob.Store.
func (s *Store) PutFile(ctx context.Context, key, path string) (blob.Info, error) {
	if err := check(ctx, key); err != nil {
		return blob.Info{}, err
	}
	f, err := os.Open(path)
	if err != nil {
		return blob.Info{}, fmt.Errorf("s3: put %s: %w", key, err)
	}
	defer f.Close()
	return s.Put(ctx, key, f)
}

// begin keeps others from storing the same key, until the function that it returns.
func (s *Store) begin(ctx context.Context, key string) (end func(), err error) {
	s.mu.Lock()
	if s.puts[key] {
		s.mu.Unlock()
		return nil, fmt.Errorf("%w: %s is being stored", blob.ErrExists, key)
	}
	s.puts[key] = true
	s.mu.Unlock()
	end = func() {
		s.mu.Lock()
		delete(s.puts, key)
		s.mu.Unlock()
	}
	_, err = s.Stat(ctx, key)
	if errors.Is(err, blob.ErrNotFound) {
		return end, nil
	}
	end()
	if err == nil {
		err = fmt.Errorf("%w: %s", blob.ErrExists, key)
	}
	return nil, err
}

// buffers are of partSize. Those that nobody needs for a while are given back.
var buffers = sync.Pool{New: func() any { return new([partSize]byte) }}

// buffer waits until there is memory for a part. The caller is done with it at the end.
func (s *Store) buffer(ctx context.Context) ([]byte, error) {
	select {
	case s.slots <- struct{}{}:
		return buffers.Get().(*[partSize]byte)[:], nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *Store) done(buffer []byte) {
	buffers.Put((*[partSize]byte)(buffer))
	<-s.slots
}

func (s *Store) options() minio.PutObjectOptions {
	return minio.PutObjectOptions{ContentType: "application/octet-stream", ServerSideEncryption: s.sse, StorageClass: s.o.StorageClass, DisableMultipart: true}
}

// Sweep aborts the uploads that a crash left unfinished, and returns how many. Call it
// before the first Put.
func (s *Store) Sweep(ctx context.Context) (n int, err error) {
	for upload := range s.client.ListIncompleteUploads(ctx, s.o.Bucket, s.name(""), true) {
		if upload.Err != nil {
			return n, explain(ctx, "sweep", upload.Err)
		}
		if err := s.client.AbortMultipartUpload(ctx, s.o.Bucket, upload.Key, upload.UploadID); err != nil {
			return n, explain(ctx, "sweep", err)
		}
		n++
	}
	return n, nil
}
