package app_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/media"
	"picora/media/worker"
)

// seeds are sound pictures of every format, by name.
func seeds(t *testing.T, pool *worker.Pool) map[string][]byte {
	t.Helper()
	control := func(number string) []byte { // of a frame of 16 x 16
		return chunkPNG("fcTL", number+"\x00\x00\x00\x10\x00\x00\x00\x10"+string(make([]byte, 9))+"\x01\x00\x0a\x00\x00")
	}
	apng := gray(16, chunkPNG("acTL", "\x00\x00\x00\x02\x00\x00\x00\x00"), control("\x00\x00\x00\x00"))
	apng = insert(apng, len(apng)-12, control("\x00\x00\x00\x01"), chunkPNG("fdAT", "\x00\x00\x00\x02"+string(zeros(1))))
	all := map[string][]byte{
		"a.jpg": apptest.JPEG(90, 70, 1), "scans.jpg": scans(64, 5), "cmyk.jpg": fixture(t, "picture/testdata/cmyk.jpg"),
		"a.png": apptest.PNG(60, 50, 2), "gray.png": gray(100), "a.gif": apptest.GIF(40, 30, 6, 3), "frames.gif": frames(50, 20),
		"a.bmp": encoded(t, "bmp", drawing(60, 40)), "a.tiff": encoded(t, "tiff", drawing(60, 41)), "a.ico": encoded(t, "ico", drawing(32, 32)),
		"a.apng": apng,
		"a.svg":  []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><defs><g id="a"><path d="M0 0L9 9"/></g></defs><use href="#a" style="fill:red"/></svg>`),
	}
	for from, to := range map[string]media.Spec{"a.png": {Format: "webp"}, "a.gif": {Format: "webp"}, "a.bmp": {Format: "avif"}} {
		b, err := made(t, pool, all[from], to)
		if err != nil {
			t.Fatal(from, err)
		}
		all["of-"+from+"."+to.Format] = b
	}
	for _, pattern := range []string{"av/testdata/*.avif", "av/testdata/*.heic", "strip/testdata/*.avif", "strip/testdata/*.heic"} {
		files, err := filepath.Glob(filepath.Join("..", "media", pattern))
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			all[filepath.Base(filepath.Dir(filepath.Dir(f)))+"-"+filepath.Base(f)] = b
		}
	}
	return all
}

// made is what a worker makes of a file.
func made(t *testing.T, pool *worker.Pool, file []byte, spec media.Spec) ([]byte, error) {
	t.Helper()
	kind, err := media.Sniff(file)
	if err != nil {
		return nil, err
	}
	return does(t, pool, worker.Job{Kind: media.MakeJob, Args: media.MakeArgs{File: media.FileArgs{MIME: kind.MIME}, Spec: spec}}, file)
}

// does has a worker do a job with a file, and returns what it wrote.
func does(t *testing.T, pool *worker.Pool, job worker.Job, file []byte) ([]byte, error) {
	t.Helper()
	in, err := scratchFile(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	out, err := scratchFile(nil)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	job.In, job.Out = in, out
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := pool.Do(ctx, job); err != nil {
		return nil, err
	}
	return io.ReadAll(io.NewSectionReader(out, 0, 1<<30))
}

// scratchFile is an open file without a name.
func scratchFile(content []byte) (*os.File, error) {
	f, err := os.CreateTemp("", "")
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name()) // it may be left if this fails
	_, err = f.Write(content)
	return f, err
}

// mutant is a file with some damage: other bits, other bytes, a piece that is missing,
// twice there, or of zeros, or a length that is something else.
func mutant(r *rand.Rand, file []byte) []byte {
	b := bytes.Clone(file)
	for range 1 + r.IntN(5) {
		if len(b) < 16 {
			break
		}
		at := r.IntN(len(b) - 8)
		if r.IntN(3) == 0 { // headers are where it hurts
			at = r.IntN(min(len(b)-8, 200))
		}
		n := min(1+r.IntN(64), len(b)-at)
		switch r.IntN(8) {
		case 0, 1, 2:
			b[at] ^= 1 << r.IntN(8)
		case 3:
			b[at] = byte(r.Uint32())
		case 4:
			b = slices.Delete(b, at, at+n)
		case 5:
			b = slices.Insert(b, at, b[at:at+n]...)
		case 6:
			clear(b[at : at+n])
		case 7:
			copy(b[at:], [][]byte{{0xFF, 0xFF, 0xFF, 0xFF}, {0x7F, 0xFF, 0xFF, 0xFF}, {0, 0, 0, 0}, {0, 0, 0x40, 0}}[r.IntN(4)])
		}
	}
	if r.IntN(2) == 0 {
		mend(b)
	}
	return b
}

// mend makes the checksums of a PNG right, or else nearly all damage ends there.
func mend(b []byte) {
	if !bytes.HasPrefix(b, []byte("\x89PNG")) {
		return
	}
	for at := 8; at+12 <= len(b); {
		n := int(binary.BigEndian.Uint32(b[at:]))
		if n > len(b)-at-12 {
			return
		}
		binary.BigEndian.PutUint32(b[at+8+n:], crc32.ChecksumIEEE(b[at+4:at+8+n]))
		at += 12 + n
	}
}

// TestSoak sends damaged pictures, PICORA_SOAK of them; "make soak-images" sends ten
// thousand. Half go to a server as uploads, half right to workers, past every check
// that comes before them.
func TestSoak(t *testing.T) {
	many := 400
	if n, err := strconv.Atoi(os.Getenv("PICORA_SOAK")); err == nil {
		many = n
	}
	pool := worker.New(worker.Options{Program: apptest.Binary(t), Queue: many})
	defer pool.Close()
	good := seeds(t, pool)
	names := slices.Sorted(maps.Keys(good))

	var mu sync.Mutex
	outcomes := map[string]map[string]int{}
	count := func(name, outcome string) {
		mu.Lock()
		defer mu.Unlock()
		kind := name[len(name)-len(filepath.Ext(name)):]
		if outcomes[kind] == nil {
			outcomes[kind] = map[string]int{}
		}
		outcomes[kind][outcome]++
	}
	each := func(do func(name string, file []byte)) {
		var next atomic.Int64
		var wg sync.WaitGroup
		for range runtime.NumCPU() {
			wg.Go(func() {
				for {
					n := next.Add(1)
					if n > int64(many/2) {
						return
					}
					name := names[int(n)%len(names)]
					do(name, mutant(rand.New(rand.NewPCG(uint64(n), 7)), good[name]))
				}
			})
		}
		wg.Wait()
	}

	p := owned(t, 0)
	begin := time.Now()
	most := watched(p, func() {
		each(func(name string, file []byte) {
			r := p.Upload(name, file)
			count(name, fmt.Sprint(r.Status))
			switch r.Status {
			case 200, 201:
				var i seen
				r.Data(t, &i)
				if thumb := p.Do("GET", i.ThumbnailURL, nil); thumb.Status != 200 && thumb.Status != 404 { // 404: the same file, deleted below
					t.Errorf("%s: its thumbnail: %d %s", name, thumb.Status, thumb.Body)
				}
				p.Do("DELETE", "/v1/images/"+i.ID, nil)
			case 400, 422:
			default:
				t.Errorf("%s: %d %s", name, r.Status, r.Body)
			}
		})
	})
	t.Logf("%d damaged uploads in %.1f s; a process had %d MB at most", many/2, time.Since(begin).Seconds(), most)
	emptied(t, p.Picora)
	unharmed(t, p.Picora)
	if left := scratch(t, p.Data); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	p.Terminate()

	begin = time.Now()
	each(func(name string, file []byte) {
		kind, err := media.Sniff(good[name][:min(len(good[name]), 4096)])
		if err != nil {
			t.Error(name, err)
		}
		if kind == media.SVG || len(file) == 0 {
			return
		}
		args := media.FileArgs{MIME: kind.MIME, MaxPixels: 100_000_000}
		for _, job := range []worker.Job{
			{Kind: media.LookJob, Args: args},
			{Kind: media.MakeJob, Args: media.MakeArgs{File: args, Spec: media.Spec{Width: 40, Format: "webp"}}},
		} {
			_, err := does(t, pool, job, file)
			switch {
			case err == nil:
				count(name, job.Kind+" done")
			case errors.Is(err, worker.ErrCrashed), errors.Is(err, worker.ErrFailed), errors.Is(err, worker.ErrTimeout), errors.Is(err, worker.ErrMemory):
				count(name, job.Kind+" failed")
				t.Logf("%s: %v", name, err)
				if dir := os.Getenv("PICORA_SOAK_KEEP"); dir != "" {
					os.WriteFile(filepath.Join(dir, fmt.Sprint(time.Now().UnixNano(), "-", name)), file, 0o600)
				}
				if errors.Is(err, worker.ErrCrashed) {
					t.Errorf("%s ended a worker", name)
				}
			default:
				count(name, job.Kind+" refused")
			}
		}
	})
	t.Logf("%d damaged files looked at and made by workers in %.1f s", many/2, time.Since(begin).Seconds())
	for _, kind := range slices.Sorted(maps.Keys(outcomes)) {
		t.Logf("%s: %v", kind, outcomes[kind])
	}
}
