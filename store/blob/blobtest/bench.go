package blobtest

import (
	"bytes"
	"io"
	"testing"
	"time"

	"picora/store/blob"
)

// Bench measures durable puts of 100 KB, alone and 64 at a time, and opening and
// reading them back. Opens as in Run.
func Bench(b *testing.B, open func(b *testing.B) blob.Store) {
	data := content(1, 100_000)
	b.Run("put", func(b *testing.B) {
		s := open(b)
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			benchPut(b, s, blob.NewKey(time.Now()), data)
		}
	})
	b.Run("put 64 at a time", func(b *testing.B) {
		s := open(b)
		b.SetBytes(int64(len(data)))
		var left = make(chan struct{}, 64)
		b.ResetTimer()
		for b.Loop() {
			left <- struct{}{}
			go func() {
				defer func() { <-left }()
				benchPut(b, s, blob.NewKey(time.Now()), data)
			}()
		}
		for range cap(left) {
			left <- struct{}{} // until the last are done
		}
	})
	b.Run("open and read", func(b *testing.B) {
		s := open(b)
		key := blob.NewKey(time.Now())
		benchPut(b, s, key, data)
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			r, err := s.Open(b.Context(), key, 0, -1)
			if err != nil {
				b.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, r); err != nil || n != int64(len(data)) {
				b.Fatal(n, err)
			}
			r.Close()
		}
	})
}

func benchPut(b *testing.B, s blob.Store, key string, data []byte) {
	if _, err := s.Put(b.Context(), key, bytes.NewReader(data)); err != nil {
		b.Error(err)
	}
}
