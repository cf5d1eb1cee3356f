package blobtest

import (
	"crypto/rand"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// S3 is an S3 server (versitygw) over a folder, with one empty bucket. It can be stopped and
// started again at the same address.
type S3 struct {
	Addr           string // host:port, without TLS
	Bucket         string
	Access, Secret string
	Folder         string // of the bucket's objects

	t         testing.TB
	program   []string // and what comes before its flags
	flags     []string
	top, meta string
	cmd       *exec.Cmd
	ended     chan struct{} // closed when it has
}

// StartS3 starts an S3 server that ends with the test. Flags are more of the program's.
func StartS3(t testing.TB, flags ...string) *S3 {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	return StartS3At(t, ln.Addr().String(), nil, flags...)
}

// StartS3At is StartS3 at an address, with a command that starts the program, such as one
// that does it in another network namespace.
func StartS3At(t testing.TB, addr string, by []string, flags ...string) *S3 {
	t.Helper()
	program := os.Getenv("VERSITYGW")
	if program == "" {
		t.Fatal("VERSITYGW is not set: make test sets it to the S3 server that it installs")
	}
	s := &S3{
		// Another test's server may have a port that was this one's: it must not take it for itself.
		Addr: addr, Bucket: "media", Access: "picora-" + rand.Text()[:8], Secret: "picora-secret",
		t: t, program: append(by, program), flags: flags, top: t.TempDir(), meta: t.TempDir(),
	}
	s.Folder = filepath.Join(s.top, s.Bucket)
	if err := os.Mkdir(s.Folder, 0o755); err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(s.Stop)
	return s
}

// Start starts the server again, and waits until it answers.
func (s *S3) Start() {
	s.t.Helper()
	s.begin()
	client := http.Client{Timeout: 10 * time.Second}
	for end := time.Now().Add(3 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if r, err := client.Get("http://" + s.Addr + "/"); err == nil {
			r.Body.Close()
			if strings.HasPrefix(r.Header.Get("Server"), "VERSITYGW") { // not somebody else, who got the port
				return
			}
		}
		if time.Now().After(end) {
			s.t.Fatal("the S3 server does not answer")
		}
		select {
		case <-s.ended: // somebody else has the port for a moment: connections have ports, too
			s.begin()
		default:
		}
	}
}

func (s *S3) begin() {
	s.t.Helper()
	args := slices.Concat(s.program, []string{"--port", s.Addr, "--access", s.Access, "--secret", s.Secret, "--quiet"},
		s.flags, []string{"posix", "--sidecar", s.meta, s.top})
	s.cmd = exec.Command(args[0], args[1:]...)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	cmd, ended := s.cmd, make(chan struct{})
	s.ended = ended
	go func() {
		cmd.Wait()
		close(ended)
	}()
}

// Stop ends the server at once.
func (s *S3) Stop() {
	s.cmd.Process.Kill()
	<-s.ended
}
