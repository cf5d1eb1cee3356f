//go:build bench

package bench_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/disintegration/imaging"
	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
	"golang.org/x/sys/unix"

	"picora/media"
	"picora/media/worker"
)

// "make bench-images" prints the numbers of pictures, each beside libvips, which is
// imgproxy's engine and made the same picture in the same minute.

// photo is a JPEG like a camera's, of a quarter to a third of a byte a pixel: shapes of
// all sizes, a gradient, some text, and grain.
func photo(w, h int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 9))
	m := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	clouds := func(plane []byte, stride, w, h, octaves int, middle, slope float64) {
		sum := make([]float32, w*h)
		for o, side := 0, max(w, h)/2; o < octaves; o, side = o+1, max(1, side/3) {
			gw := w/side + 2
			grid := make([]float32, gw*(h/side+2))
			for i := range grid {
				grid[i] = float32(r.Float64()-0.5) * 150 / float32(int(1)<<o)
			}
			for y := range h {
				gy, fy := y/side, float32(y%side)/float32(side)
				for x := range w {
					gx, fx := x/side, float32(x%side)/float32(side)
					g := grid[gy*gw+gx:]
					top, low := g[0]+(g[1]-g[0])*fx, g[gw]+(g[gw+1]-g[gw])*fx
					sum[y*w+x] += top + (low-top)*fy
				}
			}
		}
		for y := range h {
			base := float32(middle + slope*(float64(y)/float64(h)-0.5))
			for x := range w {
				plane[y*stride+x] = uint8(min(max(base+sum[y*w+x], 0), 255))
			}
		}
	}
	clouds(m.Y, m.YStride, w, h, 7, 120, 80)
	clouds(m.Cb, m.CStride, (w+1)/2, (h+1)/2, 4, 128, 40)
	clouds(m.Cr, m.CStride, (w+1)/2, (h+1)/2, 4, 128, -40)
	const zoom = 5
	text := image.NewGray(image.Rect(0, 0, 300, 16))
	d := font.Drawer{Dst: text, Src: image.White, Face: basicfont.Face7x13, Dot: fixed.P(2, 12)}
	d.DrawString("The quick brown fox, 1234567890")
	for n := range 12 {
		x0, y0 := r.IntN(max(1, w-w/4)), h*n/12
		for y := range min(16*zoom, h-y0) {
			for x := range min(300*zoom, w-x0) {
				if text.GrayAt(x/zoom, y/zoom) == (color.Gray{255}) {
					m.Y[(y0+y)*m.YStride+x0+x] = uint8(250 * (n % 2))
				}
			}
		}
	}
	for i := range m.Y { // grain
		bits := r.Uint32()
		g := int(bits&31+bits>>5&31+bits>>10&31)/3 - 15
		m.Y[i] = uint8(min(max(int(m.Y[i])+g, 0), 255))
	}
	var b bytes.Buffer
	jpeg.Encode(&b, m, &jpeg.Options{Quality: 90}) // memory does not fail
	return b.Bytes()
}

// save writes a file for one test.
func save(t *testing.T, data []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "photo.jpg")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// vips is the built peer.
func vips(t *testing.T) string {
	t.Helper()
	flags := strings.Fields(run(t, "pkg-config", "--cflags", "--libs", "vips"))
	bin := filepath.Join(t.TempDir(), "vips")
	run(t, append([]string{"gcc", "-O2", "-o", bin, "testdata/vips.c"}, flags...)...)
	return bin
}

// beside has the peer make a picture for some seconds.
func beside(t *testing.T, bin, file string, width int, suffix string, seconds int) (perSecond, cpu, rss float64) {
	t.Helper()
	out := run(t, bin, file, strconv.Itoa(width), suffix, strconv.Itoa(seconds))
	if _, err := fmt.Sscan(out, &perSecond, &cpu, &rss); err != nil {
		t.Fatal(out, err)
	}
	return perSecond, cpu, rss
}

// workers are a pool of children of ./picora.
func workers(t *testing.T, n int) *worker.Pool {
	t.Helper()
	bin, err := filepath.Abs("../../picora")
	if err != nil {
		t.Fatal(err)
	}
	p := worker.New(worker.Options{Program: bin, Workers: n, Queue: 100, Jobs: 1 << 20})
	t.Cleanup(p.Close)
	return p
}

// makes has a worker make a picture of a JPEG.
func makes(t *testing.T, p *worker.Pool, file string, s media.Spec) []byte {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	args := media.MakeArgs{File: media.FileArgs{MIME: "image/jpeg", Orientation: 1, MaxPixels: 1 << 30}, Spec: s}
	if _, err := p.Do(context.Background(), worker.Job{Kind: media.MakeJob, In: in, Out: out, Args: args}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(out.Name())
	return b
}

// childrenOf are the processes that a process started.
func childrenOf(t *testing.T, pid int) (pids []int) {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil || len(lists) == 0 {
		t.Fatal("no list of children in /proc", err)
	}
	for _, list := range lists {
		b, _ := os.ReadFile(list) // a thread may have ended
		for _, word := range strings.Fields(string(b)) {
			n, _ := strconv.Atoi(word)
			pids = append(pids, n)
		}
	}
	return pids
}

// used is the processor time of the children of this process, in milliseconds.
func used(t *testing.T) (ms float64) {
	t.Helper()
	for _, pid := range childrenOf(t, os.Getpid()) {
		var ts unix.Timespec
		if err := unix.ClockGettime(int32(^pid<<3|2), &ts); err != nil { // clock_getcpuclockid(3)
			t.Fatal(err)
		}
		ms += float64(ts.Nano()) / 1e6
	}
	return ms
}

// middle is the median.
func middle(s []float64) float64 {
	s = slices.Sorted(slices.Values(s))
	return s[len(s)/2]
}

func TestImagesReduceLargeJPEGs(t *testing.T) {
	peer := vips(t)
	spec := media.Spec{Width: 400, Format: "jpeg", Quality: 80}
	for _, size := range []image.Point{{4032, 3024}, {6000, 4000}} {
		data := photo(size.X, size.Y, 1)
		file := save(t, data)
		name := fmt.Sprintf("%d MP, %.1f MB", size.X*size.Y/1e6, float64(len(data))/1e6)

		fresh := workers(t, 1)
		makes(t, fresh, file, spec)
		pid := childrenOf(t, os.Getpid())[0]
		_, _, peak := beside(t, peer, file, 400, ".jpg[Q=80,strip]", 0)
		t.Logf("%s: memory of a fresh worker: peak %.0f MB (target <= 80 for 24 MP), of libvips %.0f; afterwards %.0f MB, of which %.0f files and %.0f its own",
			name, memory(t, pid, "VmHWM"), peak, memory(t, pid, "VmRSS"), memory(t, pid, "RssFile"), memory(t, pid, "RssAnon"))
		fresh.Close()

		p := workers(t, 1)
		makes(t, p, file, spec)
		var ours, theirs, ratios []float64
		for range 7 {
			const jobs = 15
			before := used(t)
			for range jobs {
				makes(t, p, file, spec)
			}
			mine := (used(t) - before) / jobs
			_, cpu, _ := beside(t, peer, file, 400, ".jpg[Q=80,strip]", 2)
			ours, theirs, ratios = append(ours, mine), append(theirs, cpu), append(ratios, mine/cpu)
		}
		t.Logf("%s -> 400 px JPEG: %.1f ms of processor time, the whole worker; libvips in process %.1f ms; ratio %.2f (target <= 1.0)",
			name, middle(ours), middle(theirs), middle(ratios))

		whole, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		spec := spec
		spec.Format = "png"
		got, err := png.Decode(bytes.NewReader(makes(t, p, file, spec)))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: SSIM to Lanczos on the whole picture: %.4f (target >= 0.99)", name, ssim(got, imaging.Resize(whole, 400, 0, imaging.Lanczos)))
		p.Close()
	}
}

// ssim is the mean structural similarity of two pictures' brightness (Wang et al.
// 2004), over windows of 8 x 8 pixels, 4 apart.
func ssim(a, b image.Image) float64 {
	p, q := imaging.Grayscale(a), imaging.Grayscale(b)
	var total, n float64
	for y := 0; y+8 <= p.Rect.Dy(); y += 4 {
		for x := 0; x+8 <= p.Rect.Dx(); x += 4 {
			var sa, sb, saa, sbb, sab float64
			for i := range 64 {
				at := (y+i/8)*p.Stride + 4*(x+i%8)
				v, w := float64(p.Pix[at]), float64(q.Pix[at])
				sa, sb, saa, sbb, sab = sa+v, sb+w, saa+v*v, sbb+w*w, sab+v*w
			}
			ma, mb := sa/64, sb/64
			va, vb, cov := saa/64-ma*ma, sbb/64-mb*mb, sab/64-ma*mb
			const c1, c2 = 0.01 * 255 * 0.01 * 255, 0.03 * 255 * 0.03 * 255
			total += (2*ma*mb + c1) * (2*cov + c2) / ((ma*ma + mb*mb + c1) * (va + vb + c2))
			n++
		}
	}
	return total / math.Max(n, 1)
}

// published are the requests a second of imgproxy's own benchmark, on 2 cores.
var published = map[string]float64{"jpeg": 80, "webp": 22, "avif": 13}

// atOnce runs two of a thing and adds what they return.
func atOnce(do func() float64) (sum float64) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range 2 {
		wg.Go(func() {
			n := do()
			mu.Lock()
			defer mu.Unlock()
			sum += n
		})
	}
	wg.Wait()
	return sum
}

// TestImagesOverHTTP makes another picture for each request of two clients. imgproxy's
// figures are brought to this machine so: imgproxy made 80 JPEGs a second, and would
// make as many here as libvips without any server does; the others are in proportion.
func TestImagesOverHTTP(t *testing.T) {
	peer := vips(t)
	data := photo(1632, 1224, 2)
	file := save(t, data)
	t.Logf("the source: 2 MP, %.1f MB", float64(len(data))/1e6)
	p := start(t, t.TempDir(), -1, "PICORA_IMAGES_TRANSFORMS=any")
	url := p.send(t, data)
	pool := workers(t, 2)
	var other atomic.Int64
	const seconds = 4
	loop := func(do func()) float64 {
		n, begin := 0, time.Now()
		for ; time.Since(begin) < seconds*time.Second; n++ {
			do()
		}
		return float64(n) / time.Since(begin).Seconds()
	}
	ask := func(format string) {
		res, err := http.Get(fmt.Sprintf("%s?w=512&h=%d&q=80&fmt=%s", url, 512+other.Add(1), format))
		if err != nil {
			t.Error(err)
			return
		}
		io.Copy(io.Discard, res.Body)
		if res.Body.Close(); res.StatusCode != 200 || res.Header.Get("Content-Type") != "image/"+format {
			t.Error(res.StatusCode, res.Header)
		}
	}
	atOnce(func() float64 { ask("jpeg"); return 0 })
	atOnce(func() float64 { makes(t, pool, file, media.Spec{Width: 64, Format: "jpeg"}); return 0 })
	ours, theirs := map[string][]float64{}, map[string][]float64{}
	for range 3 {
		for format, suffix := range map[string]string{"jpeg": ".jpg[Q=80,strip]", "webp": ".webp[Q=80,effort=4,strip]", "avif": ".avif[Q=65,effort=1,strip]"} {
			do := func() { ask(format) }
			if format == "avif" {
				do = func() { makes(t, pool, file, media.Spec{Width: 512, Format: "avif", Quality: 65}) }
			}
			ours[format] = append(ours[format], atOnce(func() float64 { return loop(do) }))
			theirs[format] = append(theirs[format], atOnce(func() float64 {
				n, _, _ := beside(t, peer, file, 512, suffix, seconds)
				return n
			}))
		}
	}
	for _, format := range []string{"jpeg", "webp", "avif"} {
		how := "through HTTP, 2 clients"
		if format == "avif" {
			how = "by 2 workers (Picora makes AVIF in the background)"
		}
		mine, scaled := middle(ours[format]), published[format]*middle(theirs["jpeg"])/published["jpeg"]
		t.Logf("2 MP JPEG -> 512 px %s, all different, %s: %.1f/s; imgproxy's published %.0f/s are %.1f/s here: ratio %.2f (target >= 1.0); two libvips without a server %.1f/s: ratio %.2f",
			format, how, mine, published[format], scaled, mine/scaled, middle(theirs[format]), mine/middle(theirs[format]))
	}
}

func TestImagesHotAndCold(t *testing.T) {
	metrics := freeAddr(t)
	p := start(t, t.TempDir(), 0, "GOMAXPROCS=1", "PICORA_IMAGES_TRANSFORMS=any", "PICORA_METRICS_LISTEN="+metrics)
	url := p.send(t, photo(4032, 3024, 3))
	hot := url + "?w=400&q=80"
	made := fetch(t, hot)
	plain := p.send(t, made)
	if got := fetch(t, plain); len(got) != len(made) {
		t.Fatalf("the plain file has %d bytes, the made one %d", len(got), len(made))
	}
	t.Logf("a made picture of %d bytes and a plain file of them, requests/s: %s (target >= 0.9)", len(made), inTurn(t, 64, requests, hot, plain))

	jobs := func() int {
		m := regexp.MustCompile(`picora_media_jobs_total\{kind="make",outcome="\w+"\} (\d+)`).FindSubmatch(fetch(t, "http://"+metrics+"/metrics"))
		n, _ := strconv.Atoi(string(m[1]))
		return n
	}
	before := jobs()
	var wg sync.WaitGroup
	var good atomic.Int64
	begin := time.Now()
	for range 1000 {
		wg.Go(func() {
			res, err := http.Get(url + "?w=401")
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			if _, err := io.Copy(io.Discard, res.Body); err == nil && res.StatusCode == 200 {
				good.Add(1)
			}
		})
	}
	wg.Wait()
	t.Logf("1,000 requests at once for a picture not yet made: %d answers in %.2f s, made %d times (target 1)", good.Load(), time.Since(begin).Seconds(), jobs()-before)
}

func TestImagesRoundTrip(t *testing.T) {
	p, file := workers(t, 1), save(t, photo(32, 24, 4))
	spec := media.Spec{Width: 16, Format: "jpeg"}
	var times []float64
	for range 1000 {
		begin := time.Now()
		makes(t, p, file, spec)
		times = append(times, float64(time.Since(begin).Microseconds())/1e3)
	}
	slices.Sort(times)
	t.Logf("a 32 x 24 JPEG to a warm worker and back: median %.2f ms, 99 %% %.2f ms (target <= 3)", times[500], times[990])
}

func TestImagesIdleMemory(t *testing.T) {
	p := start(t, t.TempDir(), -1, "PICORA_IMAGES_TRANSFORMS=any")
	report := func(when string) {
		pids := append([]int{p.Process.Pid}, childrenOf(t, p.Process.Pid)...)
		var rss, pss float64
		var each []string
		for _, pid := range pids {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
			if err != nil {
				t.Fatal(err)
			}
			kb, _ := strconv.Atoi(string(regexp.MustCompile(`Pss: +(\d+)`).FindSubmatch(text)[1]))
			rss, pss = rss+memory(t, pid, "VmRSS"), pss+float64(kb)/1024
			each = append(each, fmt.Sprintf("%.1f (%.1f files, %.1f own)", memory(t, pid, "VmRSS"), memory(t, pid, "RssFile"), memory(t, pid, "RssAnon")))
		}
		t.Logf("idle server and %d workers, %s: %.1f MB RSS (target <= 90), %.1f MB PSS; each %s", len(pids)-1, when, rss, pss, strings.Join(each, ", "))
	}
	warm := func(data []byte) {
		url := p.send(t, data)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() { fetch(t, fmt.Sprintf("%s?w=%d", url, 400+i)) })
		}
		wg.Wait()
		time.Sleep(3 * time.Second)
	}
	warm(photo(200, 150, 5))
	report("after small pictures")
	warm(photo(4032, 3024, 6))
	report("after 12 MP pictures")
	warm(photo(6000, 4000, 7))
	report("after 24 MP pictures")
}
