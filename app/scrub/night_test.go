package scrub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"picora/app/config"
	"picora/app/library"
	"picora/store"
	"picora/store/blob"
	"picora/store/blob/blobtest"
	"picora/store/blob/disk"
	"picora/store/blob/s3"
	"picora/store/kv/memkv"
)

// open makes a Scrub of files in b.
func open(t *testing.T, b blob.Store, c config.Scrub) (*Scrub, *library.Library) {
	t.Helper()
	s, err := store.Open(t.Context(), memkv.New(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	lib := library.New(s, b, config.Default().Upload, 0)
	x, err := New(t.Context(), s, b, lib, c)
	if err != nil {
		t.Fatal(err)
	}
	return x, lib
}

// add takes a picture.
func add(t *testing.T, lib *library.Library, seed int) store.Media {
	t.Helper()
	i := image.NewGray(image.Rect(0, 0, 64, 64))
	for n := range i.Pix {
		i.SetGray(n%64, n/64, color.Gray{uint8(n * (seed + 3) >> 3)})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, i); err != nil {
		t.Fatal(err)
	}
	m, fresh, err := lib.Add(t.Context(), library.Upload{User: strings.Repeat("u", store.IDLen), Kind: store.Image, Filename: fmt.Sprint(seed, ".png"), Body: &b})
	if err != nil || !fresh {
		t.Fatal(fresh, err)
	}
	return m
}

// night does a night's run.
func night(t *testing.T, x *Scrub) *Run {
	t.Helper()
	x.night(t.Context())
	x.run(t.Context(), x.state.Run)
	if x.state.Run != nil || x.state.Last.Error != "" {
		t.Fatalf("%+v", x.state)
	}
	return x.state.Last
}

func counts(t *testing.T, x *Scrub) store.Findings {
	t.Helper()
	_, _, found, err := x.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestNightsReadAllFilesInTheirTime(t *testing.T) {
	data := t.TempDir()
	d, err := disk.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	x, lib := open(t, d, config.Scrub{Hour: 4, ReadDays: 4})
	x.least = 1
	const many = 12
	var all []store.Media
	for n := range many {
		all = append(all, add(t, lib, n))
	}
	drawing := `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>`
	svg, _, err := lib.Add(t.Context(), library.Upload{User: all[0].User, Kind: store.Image, Filename: "a.svg", Body: strings.NewReader(drawing)})
	if err != nil {
		t.Fatal(err)
	}
	flip := func(key string) {
		t.Helper()
		name := filepath.Join(data, "blobs", key[:4], key[4:6], key)
		b, err := os.ReadFile(name)
		if err == nil {
			b[len(b)/2] ^= 1
			err = errors.Join(os.Remove(name), os.WriteFile(name, b, 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	r := night(t, x)
	if r.Files != many+1 || r.Read < 2 || r.Read > many/2 {
		t.Errorf("a night of four: %+v", r)
	}
	if k, err := x.store.KeptBlob(t.Context(), svg.Blob); err != nil || len(k.Hash) != 32 || k.Upload {
		t.Errorf("what is new was not read: %+v, %v", k, err)
	}
	flip(all[many-2].Blob) // later nights come to it
	flip(svg.Blob)
	read, nights := r.Read, 1
	for ; x.state.Cycle.Done.IsZero(); nights++ {
		if nights > 6 {
			t.Fatalf("not all is read in %d nights: %+v", nights, x.state)
		}
		// What is known of earlier nights survives a restart.
		if x, err = New(t.Context(), x.store, d, lib, x.config); err != nil {
			t.Fatal(err)
		}
		x.least = 1
		read += night(t, x).Read
	}
	if nights < 4 || read < many+1 || read > many+6 {
		t.Errorf("%d nights read %d files", nights, read)
	}
	if f := counts(t, x); f.Corrupt != 2 || f.All() != 2 {
		t.Errorf("%+v", f)
	}
	x.config.ReadDays = 0
	flip(all[many-2].Blob) // as it was
	if r := night(t, x); r.Read != 0 || counts(t, x).Corrupt != 1 {
		t.Errorf("one that is right again: %+v, %+v", r, counts(t, x))
	}
}

func TestManyOrphansAreNotPutIntoTheBinByANight(t *testing.T) {
	d, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	x, lib := open(t, d, config.Scrub{Hour: -1, ReadDays: 30})
	for n := range 5 {
		add(t, lib, n)
	}
	var keys []string
	for range suspectFew + 1 {
		keys = append(keys, blob.NewKey(time.Now()))
		if _, err := d.Put(t.Context(), keys[len(keys)-1], strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
	}
	if r := night(t, x); !r.Held || counts(t, x).Orphans != len(keys) || counts(t, x).Binned != 0 {
		t.Errorf("%+v, %+v", r, counts(t, x))
	}
	if _, err := x.Start(t.Context(), Command, true); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Start(t.Context(), Command, true); err == nil {
		t.Error("two runs at a time")
	}
	x.run(t.Context(), x.state.Run)
	if f := counts(t, x); f.Binned != len(keys) || x.state.Last.Held {
		t.Errorf("%+v, %+v", f, x.state.Last)
	}
	// One gets a record: it is nobody's no more.
	m := add(t, lib, 9)
	if _, err := x.store.MendMedia(t.Context(), m.ID, func(m *store.Media) error { m.Source = keys[0]; return nil }); err != nil {
		t.Fatal(err)
	}
	x.store.Now = func() time.Time { return time.Now().Add(Kept + time.Hour) }
	r := night(t, x)
	if f := counts(t, x); int(r.Deleted) != len(keys)-1 || f.Orphans != len(keys)-1 {
		t.Errorf("%+v, %+v", r, f)
	}
	if _, err := lib.EmptyTrash(t.Context()); err != nil {
		t.Fatal(err)
	}
	left := 0
	for _, key := range keys {
		if _, err := d.Stat(t.Context(), key); err == nil {
			left++
		}
	}
	if f := counts(t, x); left != 1 || f.Orphans != 0 {
		t.Errorf("%d are left: %+v", left, f)
	}
}

func TestABucketThatIsAwayIsWaitedFor(t *testing.T) {
	g := blobtest.StartS3(t)
	b, err := s3.New(s3.Options{Endpoint: g.Addr, Region: "us-east-1", Bucket: g.Bucket, AccessKey: g.Access, SecretKey: g.Secret, PathStyle: true})
	if err != nil {
		t.Fatal(err)
	}
	x, lib := open(t, b, config.Scrub{Hour: -1})
	x.again = time.Millisecond
	m := add(t, lib, 1)
	add(t, lib, 2)
	if err := b.Delete(t.Context(), m.Blob); err != nil {
		t.Fatal(err)
	}
	g.Stop()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { x.Work(ctx); close(done) }()
	if _, err := x.Start(ctx, Command, false); err != nil {
		t.Fatal(err)
	}
	until := func(what string, is func(State, store.Findings) bool) {
		t.Helper()
		for end := time.Now().Add(5 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
			s, _, found, err := x.Status(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if is(s, found) {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%s: %+v, %+v", what, s, found)
			}
		}
	}
	until("it waits", func(s State, found store.Findings) bool {
		if s.Run == nil || found.All() != 0 {
			t.Fatalf("a bucket that is away is taken for an empty one: %+v, %+v", s.Last, found)
		}
		return s.Run.Waits > 0
	})
	g.Start()
	until("it goes on", func(s State, found store.Findings) bool {
		return s.Last != nil && s.Last.Error == "" && found.Missing == 1 && found.All() == 1
	})
	stop()
	<-done
}

func TestNightsBeginAtTheirHour(t *testing.T) {
	x := &Scrub{config: config.Scrub{Hour: 4}}
	at := func(s string) time.Time {
		t.Helper()
		when, err := time.ParseInLocation(time.DateTime, s, time.Local)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for _, c := range []struct{ last, now, want string }{
		{"2026-01-30 04:00:00", "2026-01-31 03:59:59", "2026-01-31 04:00:00"},
		{"2026-01-31 04:00:00", "2026-01-31 04:00:00", "2026-02-01 04:00:00"},
		{"2026-01-28 04:00:00", "2026-01-31 12:00:00", "2026-01-31 12:10:00"}, // it was off
		{"2026-01-28 04:00:00", "2026-01-31 03:55:00", "2026-01-31 04:00:00"},
	} {
		x.state.Night = at(c.last)
		if got := x.due(at(c.now)); !got.Equal(at(c.want)) {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
