package server

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/link"
)

// crash is a surface that breaks, and one that takes its time.
type crash struct{}

func (crash) Mount(r fiber.Router) {
	r.Post("/crash", func(*fiber.Ctx) error { panic("the handler broke") })
}

// serve starts a server with a header timeout.
func serve(t *testing.T, timeout time.Duration) net.Addr {
	t.Helper()
	s := New(Options{
		Links: link.New("", "", nil), Version: "test", FileRoutes: []string{"/file"}, Surfaces: []Surface{crash{}},
		IsFile:   func(string) bool { return false },
		IsUpload: func(_, path string) bool { return path == "/crash" },
		WriteError: func(c *fiber.Ctx, err error) error {
			status := fiber.StatusInternalServerError
			if e, ok := errors.AsType[*fiber.Error](err); ok {
				status = e.Code
			}
			return c.Status(status).SendString(`"code":"REQUEST_TIMEOUT"`)
		},
	})
	s.app.Server().ReadTimeout = timeout
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(ln) }()
	t.Cleanup(func() {
		if err := s.Stop(time.Minute); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return ln.Addr()
}

func TestAServerThatIsStoppedBeforeItServesEnds(t *testing.T) {
	for range 200 { // before, and while it begins
		s := New(Options{Links: link.New("", "", nil), Version: "test", Surfaces: []Surface{crash{}}})
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- s.Serve(ln) }()
		if err := s.Stop(time.Minute); err != nil {
			t.Error(err)
		}
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(time.Minute):
			t.Fatal("it goes on")
		}
	}
}

// answers sends a request and reads all statuses until the server closes.
func answers(t *testing.T, addr net.Addr, request string) (all []*http.Response, bodies []string) {
	t.Helper()
	c, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	io.WriteString(c, request)
	br := bufio.NewReader(c)
	for {
		r, err := http.ReadResponse(br, nil)
		if err != nil {
			if ne, timeout := err.(net.Error); timeout && ne.Timeout() {
				t.Fatalf("%.40q: the server neither answers nor closes", request)
			}
			return all, bodies
		}
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		all, bodies = append(all, r), append(bodies, string(b))
	}
}

func TestARequestThatTakesTooLongToArriveIsCut(t *testing.T) {
	addr := serve(t, 2*time.Second)
	for name, request := range map[string]string{
		"half a header":     "GET /health HTTP/1.1\r\nHost: a\r\nX-A: ",
		"half a JSON body":  "POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n{",
		"half a large body": "POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n" + strings.Repeat("x", 20000),
	} {
		start := time.Now()
		all, bodies := answers(t, addr, request)
		if took := time.Since(start); took < 1900*time.Millisecond || took > 30*time.Second {
			t.Errorf("%s: cut after %s", name, took)
		}
		if len(all) != 1 {
			t.Errorf("%s: %d answers", name, len(all))
			continue
		}
		if all[0].StatusCode != http.StatusRequestTimeout || !strings.Contains(bodies[0], `"code":"REQUEST_TIMEOUT"`) || !all[0].Close {
			t.Errorf("%s: %d %s", name, all[0].StatusCode, bodies[0])
		}
	}
	if all, _ := answers(t, addr, ""); len(all) > 1 {
		t.Errorf("a connection that says nothing: %d answers", len(all))
	}
}

func TestAPanicEndsOneRequestOnly(t *testing.T) {
	addr := serve(t, time.Minute)
	all, bodies := answers(t, addr, "POST /crash HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /health HTTP/1.1\r\nHost: a\r\n\r\n")
	if len(all) != 1 || all[0].StatusCode != http.StatusInternalServerError || !all[0].Close || all[0].Header.Get("X-Request-Id") == "" {
		t.Fatalf("answers to a panic: %v %q", all, bodies)
	}
	if strings.Contains(bodies[0], "broke") || strings.Contains(bodies[0], "goroutine") {
		t.Errorf("the panic went out: %q", bodies[0])
	}
	all, _ = answers(t, addr, "GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	if len(all) != 1 || all[0].StatusCode != http.StatusOK {
		t.Fatalf("after a panic: %v", all)
	}
}
