// Package apptest starts a real Picora on a temporary folder and a loopback port,
// for tests. Only tests import it.
package apptest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"picora/app"
	"picora/app/auth"
	"picora/app/config"
	"picora/app/control"
	"picora/app/dashboard"
)

// StartPage is the start page of these Picoras.
const StartPage = "<title>start</title>"

// Picora is a running server with one account and one key of all rights.
type Picora struct {
	URL  string // http://127.0.0.1:port
	Data string
	User string // id
	Key  string

	App    *app.App
	ahead  *atomic.Int64 // of the real clock, in nanoseconds
	stood  *atomic.Int64 // when the clock was stopped, Unix nanoseconds; 0: it runs
	worker string
	t      testing.TB
	cfg    config.Config
	stop   func()
}

func init() { slog.SetLogLoggerLevel(slog.LevelError) } // tests print faults, not requests

// noWorker is a program that does no media work: most tests need none, and do not
// wait for the program to be built.
const noWorker = "/bin/false"

// Start starts a Picora that stops with the test, without workers for media. Edit
// may change its settings.
func Start(t testing.TB, edit ...func(*config.Config)) *Picora {
	t.Helper()
	return start(t, noWorker, edit)
}

// StartWithWorkers starts a Picora that does media work.
func StartWithWorkers(t testing.TB, edit ...func(*config.Config)) *Picora {
	t.Helper()
	return start(t, Binary(t), edit)
}

func start(t testing.TB, worker string, edit []func(*config.Config)) *Picora {
	t.Helper()
	cfg := config.Default()
	cfg.Server.Data = t.TempDir()
	cfg.Server.Listen = "127.0.0.1:0"
	cfg.Server.ShutdownTimeout = config.Duration(time.Minute)
	cfg.Blobs.MinFreeBytes = 0
	cfg.Metrics.Listen = "127.0.0.1:0"
	cfg.Video.Priority = "normal" // else work starves where other tests keep the machine busy
	cfg.Limits.Enabled = false    // tests send more than people; those of the limits turn them on
	for _, e := range edit {
		e(&cfg)
	}
	p := &Picora{Data: cfg.Server.Data, worker: worker, t: t, cfg: cfg, ahead: new(atomic.Int64), stood: new(atomic.Int64)}
	p.start()
	t.Cleanup(func() { p.Stop() })
	p.User = p.NewUser("owner@example.org")
	p.Key = p.NewKey("owner@example.org")
	return p
}

func (p *Picora) start() {
	p.t.Helper()
	a, err := app.New(context.Background(), p.cfg, app.Program{Pages: dashboard.Files{Dashboard: fstest.MapFS{"index.html": {Data: []byte(StartPage)}}, Guide: fstest.MapFS{}}, Version: "test", Worker: p.worker})
	if err == nil {
		err = a.Listen()
	}
	if err != nil {
		p.t.Fatalf("start: %v", err)
	}
	a.Store().Now = func() time.Time {
		now := time.Now()
		if at := p.stood.Load(); at != 0 {
			now = time.Unix(0, at)
		}
		return now.Add(time.Duration(p.ahead.Load())).UTC().Truncate(time.Millisecond)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	p.App, p.URL = a, "http://"+a.Addr().String()
	p.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			p.t.Errorf("run: %v", err)
		}
		if err := a.Close(); err != nil {
			p.t.Errorf("close: %v", err)
		}
	})
}

// Stop stops the server as a signal would.
func (p *Picora) Stop() {
	http.DefaultClient.CloseIdleConnections()
	p.stop()
}

// Restart stops the server and starts it again on the same folder.
func (p *Picora) Restart() {
	p.t.Helper()
	p.Stop()
	p.start()
}

// Control is the socket of the command line.
func (p *Picora) Control() *control.Client {
	p.t.Helper()
	c, running := control.Dial(p.Data)
	if !running {
		p.t.Fatal("the control socket does not answer")
	}
	return c
}

// NewUser makes an account without limits and returns its id.
func (p *Picora) NewUser(email string) string {
	p.t.Helper()
	return p.newUser(control.NewUser{Email: email, Unlimited: true})
}

// NewUserOn makes an account with that plan and returns its id.
func (p *Picora) NewUserOn(plan, email string) string {
	p.t.Helper()
	return p.newUser(control.NewUser{Email: email, Plan: plan})
}

func (p *Picora) newUser(in control.NewUser) string {
	p.t.Helper()
	u, err := p.Control().AddUser(context.Background(), in)
	if err != nil {
		p.t.Fatal(err)
	}
	return u.ID
}

// NewKey makes a key with the scopes, all when there are none.
func (p *Picora) NewKey(email string, scopes ...string) string {
	p.t.Helper()
	k, err := p.Control().AddKey(context.Background(), control.NewKey{Email: email, Name: "test", Scopes: scopes})
	if err != nil {
		p.t.Fatal(err)
	}
	return k.Plain
}

// Advance sets the clock of the records, sessions and keys ahead, or back.
func (p *Picora) Advance(d time.Duration) { p.ahead.Add(int64(d)) }

// StopClock lets that clock stand still, at a whole second, until Advance moves it.
func (p *Picora) StopClock() (at time.Time) {
	at = time.Now().UTC().Truncate(time.Second)
	p.stood.Store(at.UnixNano())
	return at
}

// SignIn starts a session of the account, as if its person had just shown who they are.
func (p *Picora) SignIn(email string) auth.Signed {
	p.t.Helper()
	ctx := context.Background()
	u, err := p.App.Store().UserByEmail(ctx, email)
	if err != nil {
		p.t.Fatal(err)
	}
	s, err := p.App.Auth().SignIn(ctx, u, "password", auth.Device{Address: "127.0.0.1", Agent: "apptest"})
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

// Admin makes an administrator and returns an access token of theirs.
func (p *Picora) Admin(email string) string {
	p.t.Helper()
	if _, err := p.Control().AddUser(context.Background(), control.NewUser{Email: email, Admin: true}); err != nil {
		p.t.Fatal(err)
	}
	return p.SignIn(email).Access
}

// Response is an answer, read whole.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Data decodes the envelope's data into v.
func (r Response) Data(t testing.TB, v any) {
	t.Helper()
	var e struct {
		Success bool
		Data    json.RawMessage
	}
	if err := json.Unmarshal(r.Body, &e); err != nil || !e.Success {
		t.Fatalf("no success: %d %s", r.Status, r.Body)
	}
	if err := json.Unmarshal(e.Data, v); err != nil {
		t.Fatalf("data: %v in %s", err, r.Body)
	}
}

// Code is the error code in the envelope, empty when there is none.
func (r Response) Code() string {
	var e struct{ Code string }
	json.Unmarshal(r.Body, &e) // not JSON: no code
	return e.Code
}

// Do sends a request with the key. Path may be a whole URL; headers are name and
// value in turn, and Authorization with an empty value sends none.
func (p *Picora) Do(method, path string, body io.Reader, headers ...string) Response {
	p.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = p.URL + path
	}
	req, err := http.NewRequest(method, path, body)
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+p.Key)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			req.Header.Del(headers[i])
		}
	}
	res, err := http.DefaultTransport.RoundTrip(req) // follows no redirect
	if err != nil {
		p.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatalf("%s %s: %v", method, path, err)
	}
	return Response{res.StatusCode, res.Header, b}
}

// JSON sends v as a JSON body; a string is sent as it is.
func (p *Picora) JSON(method, path string, v any, headers ...string) Response {
	p.t.Helper()
	b, isText := v.(string)
	if !isText {
		j, err := json.Marshal(v)
		if err != nil {
			p.t.Fatal(err)
		}
		b = string(j)
	}
	return p.Do(method, path, strings.NewReader(b), append([]string{"Content-Type", "application/json"}, headers...)...)
}

// Image is the wire's image, as far as tests read it.
type Image struct {
	ID, URL, Filename, MIMEType string
	Title                       *string
	SizeBytes                   int64
	Width, Height               *int
	Tags                        []string
	IsPublic                    bool
	CreatedAt, UpdatedAt        string
}

// Form makes a multipart body with the fields, name and value in turn, before the
// file.
func Form(name string, data []byte, fields ...string) (body []byte, contentType string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(fields); i += 2 {
		w.WriteField(fields[i], fields[i+1])
	}
	f, _ := w.CreateFormFile("file", name) // a bytes.Buffer does not fail
	f.Write(data)
	w.Close()
	return b.Bytes(), w.FormDataContentType()
}

// Upload sends a picture with form fields, name and value in turn.
func (p *Picora) Upload(name string, data []byte, fields ...string) Response {
	p.t.Helper()
	body, contentType := Form(name, data, fields...)
	return p.Do("POST", "/v1/images", bytes.NewReader(body), "Content-Type", contentType)
}

// Add uploads a picture that must be taken.
func (p *Picora) Add(name string, data []byte, fields ...string) (i Image) {
	p.t.Helper()
	r := p.Upload(name, data, fields...)
	if r.Status != http.StatusCreated && r.Status != http.StatusOK {
		p.t.Fatalf("upload of %s: %d %s", name, r.Status, r.Body)
	}
	r.Data(p.t, &i)
	return i
}

// Blobs lists the files under the data folder's blobs and tmp.
func (p *Picora) Blobs() (files []string) {
	p.t.Helper()
	for _, pattern := range []string{"blobs/*/*/*", "tmp/*"} {
		m, err := filepath.Glob(filepath.Join(p.Data, pattern))
		if err != nil {
			p.t.Fatal(err)
		}
		files = append(files, m...)
	}
	return files
}

// Metric reads one of the server's metrics, by its name and labels as Prometheus
// writes them; 0 when there is none.
func (p *Picora) Metric(t testing.TB, name string) (value float64) {
	t.Helper()
	r := p.Do("GET", "http://"+p.App.MetricsAddr().String()+"/metrics", nil)
	for line := range strings.Lines(string(r.Body)) {
		if v, found := strings.CutPrefix(line, name+" "); found {
			value, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
			if err != nil {
				t.Fatal(err)
			}
			return value
		}
	}
	return 0
}
