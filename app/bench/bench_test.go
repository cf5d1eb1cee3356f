//go:build bench

// Package bench_test prints Picora's numbers.
package bench_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"picora/app/api"
	"picora/app/apptest"
	"picora/app/auth"
	"picora/app/config"
	"picora/app/library"
	"picora/app/link"
	"picora/app/server"
	"picora/app/settings"
	"picora/app/usage"
	"picora/store"
	"picora/store/blob"
	"picora/store/blob/disk"
	"picora/store/kv"
	"picora/store/kv/boltkv"
)

// These are Picora's numbers. "make bench" prints them, each beside a peer that
// ran in the same minute. None fails on a clock.

// program is the built binary, started on a folder.
type program struct {
	*exec.Cmd
	url, key, data string
}

// start starts ./picora, on the given core when it is not negative.
func start(b *testing.T, data string, core int, env ...string) *program {
	b.Helper()
	bin, err := filepath.Abs("../../picora")
	if err != nil {
		b.Fatal(err)
	}
	p := &program{data: data, url: "http://" + freeAddr(b)}
	args := []string{bin, "serve", "--data", data, "--listen", strings.TrimPrefix(p.url, "http://")}
	p.Cmd = pinned(core, args...)
	p.Env = append(os.Environ(), append([]string{"PICORA_LOG_LEVEL=warn", "PICORA_BLOBS_MIN_FREE_BYTES=0", "PICORA_LIMITS_ENABLED=false"}, env...)...)
	p.Stderr = os.Stderr
	if err := p.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(p.stop)
	waitFor(b, p.url+"/health")
	if p.key = os.Getenv("BENCH_KEY"); p.key == "" {
		email := fmt.Sprintf("bench%d@example.org", time.Now().UnixNano())
		run(b, bin, "user", "add", email, "--unlimited", "--data", data)
		p.key = strings.TrimSpace(run(b, bin, "key", "add", "--user", email, "--name", "bench", "--data", data))
	}
	return p
}

func (p *program) stop() {
	p.Process.Signal(syscall.SIGTERM)
	p.Wait()
}

func pinned(core int, args ...string) *exec.Cmd {
	if core >= 0 {
		args = append([]string{"taskset", "-c", strconv.Itoa(core)}, args...)
	}
	return exec.Command(args[0], args[1:]...)
}

func run(b *testing.T, args ...string) string {
	b.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("%v: %v\n%s", args, err, stderr.String())
	}
	return string(out)
}

func freeAddr(b *testing.T) string {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func waitFor(b *testing.T, url string) {
	b.Helper()
	for range 4000 {
		if res, err := http.Get(url); err == nil {
			res.Body.Close()
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	b.Fatalf("%s does not answer", url)
}

// memory reads a field of /proc/pid/status, in MB.
func memory(b *testing.T, pid int, field string) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	m := regexp.MustCompile(field + `:\s+(\d+) kB`).FindSubmatch(text)
	kb, err := strconv.Atoi(string(m[1]))
	if err != nil {
		b.Fatal(err)
	}
	return float64(kb) / 1024
}

// hugeJPEG is a JPEG of n bytes: a real header and one endless scan. Different
// seeds give different files.
func hugeJPEG(n int64, seed uint64) io.Reader {
	head := apptest.JPEG(64, 64, seed)
	sos := bytes.Index(head, []byte{0xFF, 0xDA})
	sos += 2 + int(binary.BigEndian.Uint16(head[sos+2:]))
	scan := make([]byte, 1<<20)
	r := rand.New(rand.NewPCG(seed, 2))
	for i := range scan {
		scan[i] = byte(r.UintN(255)) // no FF
	}
	return io.MultiReader(bytes.NewReader(head[:sos]), io.LimitReader(&endless{b: scan}, n-int64(sos)-2), bytes.NewReader([]byte{0xFF, 0xD9}))
}

type endless struct {
	b  []byte
	at int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.b[e.at:])
	e.at = (e.at + n) % len(e.b)
	return n, nil
}

// sendHuge streams a form of size bytes over a plain connection, so that the
// client costs little, and returns the time until the answer.
func sendHuge(b *testing.T, url, key string, size int64, seed uint64) time.Duration {
	b.Helper()
	var head bytes.Buffer
	w := multipart.NewWriter(&head)
	w.CreateFormFile("file", "huge.jpg")
	tail := "\r\n--" + w.Boundary() + "--\r\n"
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	begin := time.Now()
	out := bufio.NewWriterSize(conn, 256<<10)
	fmt.Fprintf(out, "POST /v1/images HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
		key, w.FormDataContentType(), int64(head.Len())+size+int64(len(tail)))
	io.Copy(out, &head)
	if _, err := io.CopyBuffer(struct{ io.Writer }{out}, struct{ io.Reader }{hugeJPEG(size, seed)}, make([]byte, 256<<10)); err != nil {
		b.Fatal(err)
	}
	io.WriteString(out, tail)
	if err := out.Flush(); err != nil {
		b.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusCreated {
		b.Fatalf("%d %s", res.StatusCode, body)
	}
	return time.Since(begin)
}

// TestPeerUpload is the peer of TestBenchUpload when it is started as a child: a
// plain net/http handler that writes, hashes and syncs a form's file.
func TestPeerUpload(t *testing.T) {
	addr, dir := os.Getenv("BENCH_PEER_ADDR"), os.Getenv("BENCH_PEER_DIR")
	if addr == "" {
		return // the whole suite runs it too: it is a program, not a test
	}
	http.HandleFunc("POST /v1/images", func(w http.ResponseWriter, r *http.Request) {
		mr, err := r.MultipartReader()
		if err != nil {
			http.Error(w, err.Error(), 400)
			return
		}
		part, err := mr.NextPart()
		if err != nil {
			http.Error(w, err.Error(), 400)
			return
		}
		f, err := os.CreateTemp(dir, "peer")
		if err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		defer f.Close()
		sum := sha256.New()
		if _, err := io.Copy(io.MultiWriter(f, sum), part); err != nil {
			http.Error(w, err.Error(), 400)
			return
		}
		f.Sync()
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, "%x", sum.Sum(nil))
	})
	http.HandleFunc("GET /health", func(http.ResponseWriter, *http.Request) {})
	t.Fatal(http.ListenAndServe(addr, nil))
}

// TestBenchUpload streams 2 GiB into Picora and into the peer, in turn.
func TestBenchUpload(t *testing.T) {
	const gib2, rounds = int64(2) << 30, 3
	p := start(t, t.TempDir(), -1, "PICORA_UPLOAD_MAX_BYTES="+strconv.FormatInt(3<<30, 10))
	peerDir, peerAddr := t.TempDir(), freeAddr(t)
	peer := exec.Command(os.Args[0], "-test.run", "^TestPeerUpload$", "-test.timeout", "1h")
	peer.Env = append(os.Environ(), "BENCH_PEER_ADDR="+peerAddr, "BENCH_PEER_DIR="+peerDir)
	if err := peer.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { peer.Process.Kill(); peer.Wait() }()
	waitFor(t, "http://"+peerAddr+"/health")

	sendHuge(t, p.url, p.key, 16<<20, 1000) // warm
	idle := memory(t, p.Process.Pid, "VmRSS")
	os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.Process.Pid), []byte("5"), 0) // forget the peak
	var ours, theirs []float64
	mbs := func(d time.Duration) float64 { return float64(gib2) / 1e6 / d.Seconds() }
	for n := range rounds {
		ours = append(ours, mbs(sendHuge(t, p.url, p.key, gib2, uint64(n))))
		theirs = append(theirs, mbs(sendHuge(t, "http://"+peerAddr, p.key, gib2, uint64(n))))
		for _, dir := range []string{peerDir} {
			files, _ := filepath.Glob(filepath.Join(dir, "*"))
			for _, f := range files {
				os.Remove(f)
			}
		}
	}
	peak := memory(t, p.Process.Pid, "VmHWM")
	slices.Sort(ours)
	slices.Sort(theirs)
	t.Logf("2 GiB upload, median of %d: Picora %.0f MB/s, net/http handler %.0f MB/s, ratio %.2f (target >= 0.9)", rounds, ours[rounds/2], theirs[rounds/2], ours[rounds/2]/theirs[rounds/2])
	t.Logf("peak RSS %.1f MB, %.1f MB above idle (target <= 64)", peak, peak-idle)
}

// alone lets only one update into the database at a time: one transaction each.
type alone struct {
	kv.DB
	mu sync.Mutex
}

func (a *alone) Update(ctx context.Context, fn func(kv.Tx) error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.DB.Update(ctx, fn)
}

// TestBenchDurableUploads has 64 clients upload 100 KB pictures, with and without
// group commit, to a new server and to one that has a million pictures.
func TestBenchDurableUploads(t *testing.T) {
	slog.SetLogLoggerLevel(slog.LevelWarn)
	if os.Getenv("GOMAXPROCS") == "" { // as picora serve does
		runtime.GOMAXPROCS(max(4, runtime.GOMAXPROCS(0)))
	}
	// All folders stay to the end, and what is empty is last: without a journal, ext4 makes
	// files slowly for five minutes after many were deleted, as builds do.
	base := t.TempDir()
	if !testing.Short() {
		full := million(t)
		t.Run("a million", func(t *testing.T) {
			durableUploads(t, base, func(dir string) { run(t, "cp", filepath.Join(full.data, "picora.db"), dir) })
		})
	}
	t.Run("empty", func(t *testing.T) { durableUploads(t, base, func(string) {}) })
}

func durableUploads(t *testing.T, base string, prepare func(dir string)) {
	const clients, rounds, seconds = 64, 3, 4
	pictures := make([][]byte, 64)
	for i := range pictures {
		pictures[i] = hundredKB(uint64(i))
	}
	var grouped, solo []float64
	var fsyncs string
	for range rounds {
		n, f := uploads(t, base, pictures, clients, seconds*time.Second, prepare, func(db kv.DB) kv.DB { return db })
		grouped, fsyncs = append(grouped, n), f
		n, f = uploads(t, base, pictures, clients, seconds*time.Second, prepare, func(db kv.DB) kv.DB { return &alone{DB: db} })
		solo = append(solo, n)
		t.Logf("grouped: %s; one transaction each: %s", fsyncs, f)
	}
	slices.Sort(grouped)
	slices.Sort(solo)
	t.Logf("64 clients, 100 KB each, durable, median of %d: %.0f uploads/s; one transaction each %.0f/s; ratio %.2f (target >= 2)", rounds, grouped[1], solo[1], grouped[1]/solo[1])
}

func hundredKB(seed uint64) []byte {
	b, _ := io.ReadAll(hugeJPEG(100_000, seed))
	return b
}

// uploads runs a server in this process and returns uploads a second and the
// number of fsyncs each took.
func uploads(t *testing.T, base string, pictures [][]byte, clients int, d time.Duration, prepare func(dir string), wrap func(kv.DB) kv.DB) (float64, string) {
	t.Helper()
	ctx := context.Background()
	dir, err := os.MkdirTemp(base, "")
	if err != nil {
		t.Fatal(err)
	}
	prepare(dir)
	db, err := boltkv.Open(filepath.Join(dir, "picora.db"), boltkv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(ctx, wrap(db), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	blobs, err := disk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer blobs.Close()
	signer, err := auth.NewSigner(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	users, err := auth.New(s, dir)
	if err != nil {
		t.Fatal(err)
	}
	u, err := s.CreateUser(ctx, store.User{Email: "bench@example.org", Plan: "pro_plus", Unlimited: true})
	if err != nil {
		t.Fatal(err)
	}
	key, _, err := users.NewKey(ctx, u.ID, "bench", nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.Limits.Enabled = false
	live, err := settings.Open(ctx, s, cfg.Accounts)
	if err != nil {
		t.Fatal(err)
	}
	quotas, lib := usage.New(s, cfg.Plans), library.New(s, blobs, cfg.Upload, 0)
	lib.UseLimits(quotas)
	rest := api.New(api.Parts{Store: s, Settings: live, Auth: users, Signer: signer, Library: lib, Usage: quotas}, cfg)
	srv := server.New(server.Options{
		Links: link.New("", "", nil), IsFile: func(string) bool { return false }, IsUpload: api.UploadPath, Admit: rest.Admit,
		WriteError: api.WriteError, Surfaces: []server.Surface{rest},
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go srv.Serve(ln)
	defer srv.Stop(5 * time.Second)

	commits, files, cpu := db.Stats().Commits, blobs.Stats(), cpuTime()
	var done atomic.Int64
	var wg sync.WaitGroup
	begin := time.Now()
	for c := range clients {
		wg.Go(func() {
			conn, err := net.Dial("tcp", ln.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			in := bufio.NewReader(conn)
			body, kind := apptest.Form("p.jpg", pictures[c%len(pictures)])
			scan := body[len(body)/2:]
			for n := 0; time.Since(begin) < d; n++ {
				copy(scan, fmt.Sprintf("%016x%016x", c, n)) // another picture
				fmt.Fprintf(conn, "POST /v1/images HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", key, kind, len(body))
				conn.Write(body)
				res, err := http.ReadResponse(in, nil)
				if err != nil {
					t.Error(err)
					return
				}
				io.Copy(io.Discard, res.Body)
				if res.Body.Close(); res.StatusCode != http.StatusCreated {
					t.Errorf("status %d", res.StatusCode)
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	took, n := time.Since(begin), float64(done.Load())
	now := blobs.Stats()
	return n / took.Seconds(), fmt.Sprintf("%.0f/s, %.2f ms CPU with the client's, a file fsync, %.2f folder fsyncs and %.2f commits (two fsyncs each) an upload",
		n/took.Seconds(), (cpuTime()-cpu).Seconds()*1e3/n, float64(now.DirSyncs-files.DirSyncs)/n, float64(db.Stats().Commits-commits)/n)
}

// cpuTime is what this process has used, in user and kernel mode.
func cpuTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestBenchServe compares Picora with nginx, each alone on core 0, wrk on core 1.
func TestBenchServe(t *testing.T) {
	p := start(t, t.TempDir(), 0, "GOMAXPROCS=1")
	small, large := p.upload(t, 20_000), p.upload(t, 50_000_000)

	root := t.TempDir()
	os.Chmod(root, 0o755)
	for name, url := range map[string]string{"small.jpg": small, "large.jpg": large} {
		os.WriteFile(filepath.Join(root, name), fetch(t, url), 0o644)
	}
	nginx := "http://" + startNginx(t, 0, "", "root "+root+";")

	t.Logf("20 KB file, requests/s of Picora and nginx: %s (target >= 1.0)", inTurn(t, 64, requests, small, nginx+"/small.jpg"))
	t.Logf("50 MB file, MiB/s of Picora and nginx: %s (target >= 0.9)", inTurn(t, 8, mebibytes, large, nginx+"/large.jpg"))
}

// inTurn measures two addresses in turn, for a machine that others use, too, is not
// equally fast all the time. It gives both medians, their ratio, and the median of
// the ratios of neighbours.
func inTurn(t *testing.T, clients int, figure *regexp.Regexp, ours, theirs string) string {
	t.Helper()
	const rounds = 9
	var a, b, ratios []float64
	for range rounds {
		x, y := wrk(t, ours, clients, figure), wrk(t, theirs, clients, figure)
		a, b, ratios = append(a, x), append(b, y), append(ratios, x/y)
	}
	for _, s := range [][]float64{a, b, ratios} {
		slices.Sort(s)
	}
	const m = rounds / 2
	return fmt.Sprintf("%.0f, %.0f, ratio %.2f; of neighbours %.2f (%.2f to %.2f)", a[m], b[m], a[m]/b[m], ratios[m], ratios[0], ratios[rounds-1])
}

func (p *program) upload(t *testing.T, size int64) string {
	t.Helper()
	pic, _ := io.ReadAll(hugeJPEG(size, uint64(size)))
	return p.send(t, pic)
}

// send uploads a picture and returns its address.
func (p *program) send(t *testing.T, pic []byte) string {
	t.Helper()
	body, kind := apptest.Form("p.jpg", pic)
	req, _ := http.NewRequest("POST", p.url+"/v1/images", bytes.NewReader(body))
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Authorization", "Bearer "+p.key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var out struct{ Data struct{ URL string } }
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil || out.Data.URL == "" {
		t.Fatalf("upload: %d %v", res.StatusCode, err)
	}
	return out.Data.URL
}

func fetch(t *testing.T, url string) []byte {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// startNginx starts nginx on a core, or with -1 with a worker for each, without an access
// log, as Picora writes none for files. More is what it is told besides of HTTP, and of
// its only server.
func startNginx(t *testing.T, core int, more, server string) string {
	t.Helper()
	dir, addr := t.TempDir(), freeAddr(t)
	conf := filepath.Join(dir, "nginx.conf")
	workers := "1"
	if core < 0 {
		workers = "auto"
	}
	os.WriteFile(conf, fmt.Appendf(nil, `daemon off; worker_processes %[5]s; pid %[1]s/pid; error_log stderr crit; user root;
events { worker_connections 1024; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; types { image/jpeg jpg; }
  client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  %[3]s server { listen %[2]s; %[4]s } }`, dir, addr, more, server, workers), 0o644)
	cmd := pinned(core, "nginx", "-c", conf, "-p", dir)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Signal(syscall.SIGTERM); cmd.Wait() })
	waitFor(t, "http://"+addr+"/")
	return addr
}

// What wrk prints of a second. Of large files it counts the bytes, too, of answers that had
// not ended: a few hundred files in all would be counted by steps of as many as clients.
var (
	requests  = regexp.MustCompile(`Requests/sec:\s+([\d.]+)()`)
	mebibytes = regexp.MustCompile(`Transfer/sec:\s+([\d.]+)([KMG]?)B`)
)

// wrk returns the figure.
func wrk(t *testing.T, url string, clients int, figure *regexp.Regexp) float64 {
	t.Helper()
	out := run(t, "taskset", "-c", "1", "wrk", "-t1", "-c", strconv.Itoa(clients), "-d", "3s", url)
	if strings.Contains(out, "Non-2xx") {
		t.Fatalf("wrk %s:\n%s", url, out)
	}
	m := figure.FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("wrk %s:\n%s", url, out)
	}
	rate, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return rate * map[string]float64{"": 1, "K": 1.0 / 1024, "M": 1, "G": 1024}[m[2]]
}

// TestBenchList fills an account with a million records and times pages of it,
// and the start of the program on that database.
func TestBenchList(t *testing.T) {
	if testing.Short() {
		return
	}
	full := million(t)
	data, bigKey, smallKey := full.data, full.bigKey, full.smallKey
	bin, _ := filepath.Abs("../../picora")
	var starts []float64
	for range 4 { // the first one fills the page cache
		addr := freeAddr(t)
		cmd := exec.Command(bin, "serve", "--data", data, "--listen", addr)
		cmd.Env = append(os.Environ(), "PICORA_LOG_LEVEL=warn", "PICORA_LIMITS_ENABLED=false")
		begin := time.Now()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		waitFor(t, "http://"+addr+"/health")
		starts = append(starts, time.Since(begin).Seconds())
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	}
	info, _ := os.Stat(filepath.Join(data, "picora.db"))
	slices.Sort(starts[1:])
	t.Logf("start with %d records, %d MB database, cached: %.2f s, first %.2f s (target < 1.5)", many+few, info.Size()>>20, starts[2], starts[0])

	os.Setenv("BENCH_KEY", bigKey)
	defer os.Unsetenv("BENCH_KEY")
	p := start(t, data, -1)
	deep := ""
	for n := 0; n < 999_000; n += 50 {
		deep = page(t, p.url, bigKey, deep)
	}
	times := map[string][]float64{}
	for range 2000 {
		for name, q := range map[string][2]string{"depth 0 of 1,000,000": {bigKey, ""}, "depth 999,000 of 1,000,000": {bigKey, deep}, "depth 0 of 1,000": {smallKey, ""}} {
			begin := time.Now()
			page(t, p.url, q[0], q[1])
			times[name] = append(times[name], float64(time.Since(begin).Microseconds()))
		}
	}
	for _, s := range times {
		slices.Sort(s)
	}
	base := times["depth 0 of 1,000"][1000]
	for _, name := range []string{"depth 0 of 1,000,000", "depth 999,000 of 1,000,000"} {
		t.Logf("GET /v1/images?limit=50 at %s: %.0f us, ratio to %.0f us on 1,000 images: %.2f (target <= 1.2)", name, times[name][1000], base, times[name][1000]/base)
	}
}

const many, few = 1_000_000, 1_000

// filled is a data folder with two accounts, of many records and of few.
type filled struct{ data, bigKey, smallKey string }

var theMillion filled

// million fills a folder once for all tests of a run.
func million(t *testing.T) filled {
	t.Helper()
	if theMillion.data == "" {
		dir, err := os.MkdirTemp("", "picora-bench-")
		if err != nil {
			t.Fatal(err)
		}
		theMillion = filled{dir, fill(t, dir, many), fill(t, dir, few)}
	}
	return theMillion
}

func TestMain(m *testing.M) {
	status := m.Run()
	os.RemoveAll(theMillion.data) // nothing when it was not needed
	os.Exit(status)
}

// page reads one page and returns its next cursor.
func page(t *testing.T, url, key, cursor string) string {
	req, _ := http.NewRequest("GET", url+"/v1/images?limit=50&cursor="+cursor, nil)
	req.Header.Set("Authorization", "Bearer "+key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("%d %s %v", res.StatusCode, b, err)
	}
	i := bytes.LastIndex(b, []byte(`"nextCursor":"`))
	if i < 0 {
		return ""
	}
	rest := b[i+len(`"nextCursor":"`):]
	return string(rest[:bytes.IndexByte(rest, '"')])
}

// fill makes an account with n records and returns a key of it.
func fill(t *testing.T, data string, n int) string {
	t.Helper()
	ctx := context.Background()
	db, err := boltkv.Open(filepath.Join(data, "picora.db"), boltkv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(ctx, db, data)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var clock atomic.Int64
	clock.Store(1_600_000_000_000)
	s.Now = func() time.Time { return time.UnixMilli(clock.Add(1000)).UTC() }
	u, err := s.CreateUser(ctx, store.User{Email: fmt.Sprintf("u%d@example.org", n), Plan: "pro_plus", Unlimited: true})
	if err != nil {
		t.Fatal(err)
	}
	users, err := auth.New(s, data)
	if err != nil {
		t.Fatal(err)
	}
	key, _, err := users.NewKey(ctx, u.ID, "bench", nil)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 256 {
		wg.Go(func() {
			for {
				i := next.Add(1)
				if i > int64(n) {
					return
				}
				h := sha256.Sum256(fmt.Append(nil, u.ID, i))
				_, _, err := s.CreateMedia(ctx, store.Media{
					ID: store.NewID(store.ImageIDLen), User: u.ID, Kind: store.Image, MIME: "image/jpeg", Ext: "jpg",
					Filename: fmt.Sprintf("IMG_%07d.jpg", i), Title: "a holiday by the sea", Hash: h[:], Blob: blob.NewKey(time.Now()),
					Size: 3_000_000, BlobSize: 3_000_000, Width: 4032, Height: 3024, Frames: 1, Public: true, Tags: []string{"sea", "2026"},
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d records written in %.0f s, %.0f a second", n, time.Since(begin).Seconds(), float64(n)/time.Since(begin).Seconds())
	return key
}
