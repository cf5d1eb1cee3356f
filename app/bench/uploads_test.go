//go:build bench

package bench_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// "make bench-uploads" prints what uploads in pieces cost, beside a plain upload of the same
// bytes and beside tusd, and what reading through Picora from a bucket costs, beside
// reading from the bucket.

const (
	uploadSize = int64(2) << 30
	pieceSize  = int64(16) << 20
)

// hugeFilm is a film of size bytes: a second of pictures, and a box that players skip.
// Different seeds give different files.
func hugeFilm(t *testing.T, small []byte, size int64, seed uint64) io.Reader {
	t.Helper()
	rest := size - int64(len(small))
	head := binary.BigEndian.AppendUint32(bytes.Clone(small), uint32(rest))
	head = append(head, "free"...)
	noise := make([]byte, 1<<20)
	r := rand.New(rand.NewPCG(seed, 3))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	return io.MultiReader(bytes.NewReader(head), io.LimitReader(&endless{b: noise}, rest-8))
}

// line is a connection that requests are written to by hand, so that the client costs
// little, and the same for all.
type line struct {
	t    *testing.T
	host string
	key  string
	conn net.Conn
	out  *bufio.Writer
	in   *bufio.Reader
	buf  []byte
}

func dial(t *testing.T, url, key string) *line {
	t.Helper()
	host := strings.TrimPrefix(url, "http://")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &line{t, host, key, conn, bufio.NewWriterSize(conn, 256<<10), bufio.NewReader(conn), make([]byte, 256<<10)}
}

// send sends a request with size bytes of the body, and returns the answer's header and body.
func (l *line) send(method, path string, body io.Reader, size int64, status int, headers ...string) (http.Header, []byte) {
	l.t.Helper()
	fmt.Fprintf(l.out, "%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n", method, path, l.host, l.key, size)
	for i := 0; i < len(headers); i += 2 {
		fmt.Fprintf(l.out, "%s: %s\r\n", headers[i], headers[i+1])
	}
	l.out.WriteString("\r\n")
	if body != nil {
		if _, err := io.CopyBuffer(struct{ io.Writer }{l.out}, struct{ io.Reader }{io.LimitReader(body, size)}, l.buf); err != nil {
			l.t.Fatal(err)
		}
	}
	if err := l.out.Flush(); err != nil {
		l.t.Fatal(err)
	}
	res, err := http.ReadResponse(l.in, &http.Request{Method: method})
	if err != nil {
		l.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status {
		l.t.Fatalf("%s %s: %d %v %s", method, path, res.StatusCode, err, b)
	}
	return res.Header, b
}

// multipart sends a film as a form, and returns its id and how long that took.
func sendForm(l *line, film io.Reader) (id string, took time.Duration) {
	l.t.Helper()
	var head bytes.Buffer
	w := multipart.NewWriter(&head)
	w.CreateFormFile("file", "film.mp4")
	tail := "\r\n--" + w.Boundary() + "--\r\n"
	size := int64(head.Len()) + uploadSize + int64(len(tail))
	begin := time.Now()
	_, b := l.send("POST", "/v1/videos", io.MultiReader(&head, film, strings.NewReader(tail)), size, http.StatusAccepted, "Content-Type", w.FormDataContentType())
	took = time.Since(begin)
	var e struct{ Data struct{ ID string } }
	if err := json.Unmarshal(b, &e); err != nil || e.Data.ID == "" {
		l.t.Fatalf("%s", b)
	}
	return e.Data.ID, took
}

// sendPieces sends a film by tus, and returns what the last answer says and how long that
// took.
func sendPieces(l *line, path string, film io.Reader) (last http.Header, took time.Duration) {
	l.t.Helper()
	begin := time.Now()
	meta := "filename " + base64.StdEncoding.EncodeToString([]byte("film.mp4")) + ",filetype " + base64.StdEncoding.EncodeToString([]byte("video/mp4"))
	h, _ := l.send("POST", path, nil, 0, http.StatusCreated, "Tus-Resumable", "1.0.0", "Upload-Length", strconv.FormatInt(uploadSize, 10), "Upload-Metadata", meta)
	at := h.Get("Location")
	_, at, _ = strings.Cut(strings.TrimPrefix(at, "http://"), "/")
	for off := int64(0); off < uploadSize; off += pieceSize {
		last, _ = l.send("PATCH", "/"+at, film, min(pieceSize, uploadSize-off), http.StatusNoContent,
			"Tus-Resumable", "1.0.0", "Content-Type", "application/offset+octet-stream", "Upload-Offset", strconv.FormatInt(off, 10))
	}
	return last, time.Since(begin)
}

// median is the middle of the rates, in MB a second.
func median(rates []float64) float64 {
	s := slices.Sorted(slices.Values(rates))
	return s[len(s)/2]
}

func rate(n int64, took time.Duration) float64 { return float64(n) / 1e6 / took.Seconds() }

// calm waits until what was written before is on the disk, so that nobody pays for others.
func calm() {
	unix.Sync()
	time.Sleep(time.Second)
}

func TestUploadsInPieces(t *testing.T) {
	const rounds = 5
	clip, err := os.ReadFile(tinyClip(t))
	if err != nil {
		t.Fatal(err)
	}
	base := t.TempDir() // of all three
	p := start(t, filepath.Join(base, "picora"), -1)
	dir := filepath.Join(base, "tusd")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	addr := freeAddr(t)
	host, port, _ := net.SplitHostPort(addr)
	tusd := exec.Command(os.Getenv("TUSD"), "-host", host, "-port", port, "-upload-dir", dir, "-base-path", "/files/")
	if err := tusd.Start(); err != nil {
		t.Fatalf("tusd (TUSD is %q): %v", os.Getenv("TUSD"), err)
	}
	defer func() { tusd.Process.Kill(); tusd.Wait() }()
	waitFor(t, "http://"+addr+"/")

	remove := func(id string) {
		t.Helper()
		dial(t, p.url, p.key).send("DELETE", "/v1/videos/"+id, nil, 0, http.StatusOK)
		for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			files, _ := filepath.Glob(filepath.Join(p.data, "blobs", "*", "*", "*"))
			if len(files) == 0 {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("left are %v", files)
			}
		}
	}
	var plain, pieces, theirs, same []float64
	var idle, peak float64
	for n := range rounds {
		seed := uint64(10 * n)
		calm()
		id, took := sendForm(dial(t, p.url, p.key), hugeFilm(t, clip, uploadSize, seed))
		plain = append(plain, rate(uploadSize, took))
		remove(id)

		calm()
		idle = memory(t, p.Process.Pid, "VmRSS")
		os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.Process.Pid), []byte("5"), 0) // forget the peak
		last, took := sendPieces(dial(t, p.url, p.key), "/v1/uploads", hugeFilm(t, clip, uploadSize, seed+1))
		pieces = append(pieces, rate(uploadSize, took))
		peak = max(peak, memory(t, p.Process.Pid, "VmHWM")-idle)
		remove(last.Get("Picora-Media-Id"))

		calm()
		begin := time.Now()
		_, took = sendPieces(dial(t, "http://"+addr, ""), "/files/", hugeFilm(t, clip, uploadSize, seed+2))
		theirs = append(theirs, rate(uploadSize, took))
		files, _ := filepath.Glob(filepath.Join(dir, "*"))
		for _, name := range files {
			settle(t, name)
		}
		same = append(same, rate(uploadSize, time.Since(begin)))
		for _, name := range files {
			os.Remove(name)
		}
		t.Logf("round %d: plain %.0f, in pieces %.0f, tusd %.0f, with a sum and on its disk %.0f MB/s", n+1, plain[n], pieces[n], theirs[n], same[n])
	}
	ours := median(pieces)
	t.Logf("2 GiB in 16 MiB pieces, median of %d: %.0f MB/s; as a plain upload %.0f MB/s, ratio %.2f (target >= 0.85)", rounds, ours, median(plain), ours/median(plain))
	t.Logf("tusd, which neither hashes nor waits for the disk: %.0f MB/s, ratio %.2f (target >= 1.0); until its file has a SHA-256 and is on the disk, as ours: %.0f MB/s, ratio %.2f",
		median(theirs), ours/median(theirs), median(same), ours/median(same))
	t.Logf("peak RSS %.1f MB above idle, which is %.1f MB (target <= 64)", peak, idle)
}

// settle does with a file what Picora does while it arrives: it sums its bytes, and waits
// until they are on the disk.
func settle(t *testing.T, name string) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.CopyBuffer(sha256.New(), struct{ io.Reader }{f}, make([]byte, 256<<10)); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
}

// tinyClip is a film of a second.
func tinyClip(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tiny.mp4")
	command(t, "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=64x36:r=5:d=1", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "+faststart", path)
	return path
}
