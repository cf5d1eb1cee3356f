package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"picora/store/blob"
	"picora/store/blob/blobtest"
)

func options(g *blobtest.S3) Options {
	return Options{Endpoint: g.Addr, Region: "us-east-1", Bucket: g.Bucket, AccessKey: g.Access, SecretKey: g.Secret, PathStyle: true}
}

func open(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	g, n := blobtest.StartS3(t), 0
	blobtest.Run(t, func(t *testing.T) blob.Store {
		n++
		o := options(g)
		o.Prefix = fmt.Sprintf("suite-%d/", n)
		return open(t, o)
	})
}

// content is n bytes that depend on each other's places.
func content(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7 / 3 >> (i % 5))
	}
	return b
}

// unfinished are the uploads in parts that are neither complete nor aborted.
func unfinished(t *testing.T, s *Store) int {
	t.Helper()
	r, err := s.client.ListMultipartUploads(t.Context(), s.o.Bucket, s.o.Prefix, "", "", "", 100)
	if err != nil {
		t.Fatal(err)
	}
	return len(r.Uploads)
}

func TestALargeBodyIsSentInParts(t *testing.T) {
	t.Parallel()
	s := open(t, options(blobtest.StartS3(t)))
	for _, size := range []int{partSize - 1, partSize, partSize + 1, 3*partSize + 5} {
		key, want := blob.NewKey(time.Now()), content(size)
		i, err := s.Put(t.Context(), key, bytes.NewReader(want))
		if err != nil || i.Size != int64(size) {
			t.Fatalf("%d bytes: %+v, %v", size, i, err)
		}
		r, err := s.Open(t.Context(), key, 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		r.Close()
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes come back as %d, %v", size, len(got), err)
		}
	}
	broke := errors.New("the upload broke")
	key := blob.NewKey(time.Now())
	_, err := s.Put(t.Context(), key, io.MultiReader(bytes.NewReader(content(2*partSize+1)), readerFunc(func([]byte) (int, error) { return 0, broke })))
	if !errors.Is(err, broke) {
		t.Errorf("%v", err)
	}
	if _, err := s.Stat(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("%v", err)
	}
	if n := unfinished(t, s); n != 0 {
		t.Errorf("%d uploads are left", n)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func TestAReadGoesOnAfterTheServerWasAway(t *testing.T) {
	t.Parallel()
	g := blobtest.StartS3(t)
	s := open(t, options(g))
	key, want := blob.NewKey(time.Now()), content(20<<20)
	if _, err := s.Put(t.Context(), key, bytes.NewReader(want)); err != nil {
		t.Fatal(err)
	}
	r, err := s.Open(t.Context(), key, 5, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got := make([]byte, 1<<20)
	if _, err := io.ReadFull(r, got); err != nil {
		t.Fatal(err)
	}
	g.Stop()
	g.Start()
	rest, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(append(got, rest...), want[5:]) {
		t.Errorf("%d bytes, %v", len(rest), err)
	}
}

func TestAServerThatIsAwayIsUnavailable(t *testing.T) {
	t.Parallel()
	g := blobtest.StartS3(t)
	s := open(t, options(g))
	stored := blob.NewKey(time.Now())
	if _, err := s.Put(t.Context(), stored, bytes.NewReader([]byte("here"))); err != nil {
		t.Fatal(err)
	}
	g.Stop()
	key := blob.NewKey(time.Now())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := s.Put(ctx, key, bytes.NewReader([]byte("x"))); !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("Put: %v", err)
	}
	if _, err := s.Open(ctx, stored, 0, -1); !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("Open: %v", err)
	}
	g.Start()
	if _, err := s.Put(ctx, key, bytes.NewReader([]byte("x"))); err != nil {
		t.Errorf("Put after its return: %v", err)
	}
	if i, err := s.Stat(ctx, stored); err != nil || i.Size != 4 {
		t.Errorf("%+v %v", i, err)
	}
}

func TestCheckNamesTheSettingThatIsWrong(t *testing.T) {
	g := blobtest.StartS3(t)
	if err := open(t, options(g)).Check(t.Context()); err != nil {
		t.Errorf("all is well, but: %v", err)
	}
	const nobody = "127.0.0.1:1"
	for name, c := range map[string]struct {
		edit func(*Options)
		want string
	}{
		"a wrong key":       {func(o *Options) { o.AccessKey = "nobody" }, "s3.access_key"},
		"a wrong secret":    {func(o *Options) { o.SecretKey = "wrong" }, "s3.secret_key"},
		"a missing bucket":  {func(o *Options) { o.Bucket = "nothing-here" }, "s3.bucket"},
		"nobody is there":   {func(o *Options) { o.Endpoint = nobody }, "s3.endpoint"},
		"TLS where is none": {func(o *Options) { o.TLS = true }, "s3.endpoint"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(g)
			c.edit(&o)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := open(t, o).Check(ctx); err == nil || !bytes.Contains([]byte(err.Error()), []byte(c.want)) {
				t.Errorf("%v does not name %s", err, c.want)
			}
		})
	}
	s := open(t, options(g))
	for o := range s.client.ListObjectsIter(t.Context(), "media", minio.ListObjectsOptions{Recursive: true}) {
		t.Errorf("%s is left", o.Key)
	}
}
