package dashboard_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gofiber/fiber/v2"

	"picora/app/dashboard"
	"picora/app/link"
)

const script = "console.log('hello')"

func built(t *testing.T) fstest.MapFS {
	t.Helper()
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := io.WriteString(w, script); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{
		"index.html":          {Data: []byte("<title>index</title>")},
		"reference.html":      {Data: []byte("<title>reference</title>")},
		"assets/a-1.js.gz":    {Data: z.Bytes()},
		"assets/b-2.svg":      {Data: []byte("<svg/>")},
		"assets/secret.pem":   {Data: []byte("no")},
		"assets/deep/c-3.svg": {Data: []byte("<svg/>")},
	}
}

// ask sends a GET to a dashboard of those files, with the headers, name and value in turn.
func ask(t *testing.T, files fs.FS, origin link.Origin, path string, headers ...string) (*http.Response, string) {
	t.Helper()
	return askAll(t, dashboard.Files{Dashboard: files, Guide: os.DirFS("../../web/guide")}, origin, path, headers...)
}

func askGuide(t *testing.T, guide fs.FS, path string) (*http.Response, string) {
	t.Helper()
	return askAll(t, dashboard.Files{Dashboard: fstest.MapFS{}, Guide: guide}, home, path)
}

func askAll(t *testing.T, files dashboard.Files, origin link.Origin, path string, headers ...string) (*http.Response, string) {
	t.Helper()
	return get(t, serve(t, files, origin), path, headers...)
}

func serve(t *testing.T, files dashboard.Files, origin link.Origin) *fiber.App {
	t.Helper()
	d, err := dashboard.New(files)
	if err != nil {
		t.Fatal(err)
	}
	app := fiber.New(fiber.Config{ErrorHandler: dashboard.WriteError(func(c *fiber.Ctx, err error) error {
		status := fiber.StatusInternalServerError
		if fe, ok := errors.AsType[*fiber.Error](err); ok {
			status = fe.Code
		}
		return c.Status(status).JSON(map[string]string{"code": "AS_EVER"})
	})})
	app.Use(func(c *fiber.Ctx) error {
		c.SetUserContext(link.With(context.Background(), origin))
		return c.Next()
	})
	d.Mount(app)
	return app
}

func get(t *testing.T, app *fiber.App, path string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, "http://pics.example.org"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := app.Test(r, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(b)
}

var home = link.Origin{API: "https://pics.example.org", Media: "https://pics.example.org"}

// routePath finds the paths in web/src/routes.ts.
var routePath = regexp.MustCompile(`path: '([^']+)'`)

func TestEveryPageOfTheDashboardIsServed(t *testing.T) {
	src, err := os.ReadFile("../../web/src/routes.ts")
	if err != nil {
		t.Fatal(err)
	}
	inBrowser := []string{}
	for _, m := range routePath.FindAllStringSubmatch(string(src), -1) {
		if m[1] != "/" {
			inBrowser = append(inBrowser, m[1])
		}
	}
	here := dashboard.Paths()[1:]
	slices.Sort(inBrowser)
	slices.Sort(here)
	if len(inBrowser) < 10 || !slices.Equal(here, inBrowser) {
		t.Errorf("the server has %v, web/src/routes.ts %v", here, inBrowser)
	}
	files := built(t)
	for _, path := range []string{"/", "/login", "/login?next=%2Fusage", "/item/aaaaaaaaaaa", "/settings", "/settings/security", "/admin/users/1"} {
		if r, body := ask(t, files, home, path); r.StatusCode != 200 || !strings.Contains(body, "index") || r.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: %d %s", path, r.StatusCode, body)
		}
	}
}

func TestWhatIsNoPageIsSaidToPeopleAndPrograms(t *testing.T) {
	browser := []string{"Accept", "text/html,application/xhtml+xml,*/*;q=0.8"}
	for _, path := range []string{"/nothing", "/login/x", "/settings/a/b", "/guide/nothing", "/guide/..%2fstart.md", "/guide/guide.html", "/assets/c.js"} {
		r, body := ask(t, built(t), home, path, browser...)
		if r.StatusCode != 404 || !strings.Contains(body, "There is no such page here.") || !strings.Contains(body, `href="https://pics.example.org/"`) ||
			!strings.HasPrefix(r.Header.Get("Content-Security-Policy"), "default-src 'none'; style-src 'sha256-") {
			t.Errorf("%s in a browser: %d %v %s", path, r.StatusCode, r.Header, body)
		}
		if r, body := ask(t, built(t), home, path, append(browser, "Accept-Language", "zh-Hans")...); !strings.Contains(body, `lang="zh-CN"`) || !strings.Contains(body, "这里没有这个页面") {
			t.Errorf("%s in Chinese: %d %s", path, r.StatusCode, body)
		}
		for _, accept := range []string{"*/*", "application/json", "image/avif,*/*", ""} {
			if r, body := ask(t, built(t), home, path, "Accept", accept); r.StatusCode != 404 || !strings.Contains(body, "AS_EVER") {
				t.Errorf("%s for Accept %q: %d %s", path, accept, r.StatusCode, body)
			}
		}
	}
	if _, body := ask(t, built(t), home, "/v1/nothing", browser...); !strings.Contains(body, "AS_EVER") {
		t.Errorf("the API in a browser: %s", body)
	}
}

func TestPagesAreStrict(t *testing.T) {
	elsewhere := link.Origin{API: "https://pics.example.org", Media: "https://media.example.org"}
	r, _ := ask(t, built(t), elsewhere, "/login")
	csp := r.Header.Get("Content-Security-Policy")
	for _, want := range []string{
		"default-src 'none'", "script-src 'self';", "style-src 'self';", "img-src 'self' https://media.example.org data: blob:", "connect-src 'self' https://media.example.org;",
		"require-trusted-types-for 'script'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "object-src 'none'",
	} {
		if !strings.Contains(csp, want) {
			t.Errorf("no %q in %s", want, csp)
		}
	}
	if strings.Contains(csp, "unsafe") {
		t.Errorf("the policy is %s", csp)
	}
	if r, _ := ask(t, built(t), home, "/"); strings.Contains(r.Header.Get("Content-Security-Policy"), "https:") {
		t.Errorf("one host, and the policy names another: %s", r.Header.Get("Content-Security-Policy"))
	}
	for _, path := range []string{"/", "/setup?token=secret", "/reference", "/guide", "/guide/errors", "/assets/a-1.js", "/guide/guide.css"} {
		r, _ := ask(t, built(t), home, path)
		if r.StatusCode != 200 || r.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", path, r.StatusCode, r.Header)
		}
		if strings.Contains(r.Header.Get("Content-Type"), "html") {
			if r.Header.Get("Referrer-Policy") != "no-referrer" || !strings.Contains(r.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") ||
				strings.Contains(r.Header.Get("Content-Security-Policy"), "unsafe-eval") || !strings.Contains(r.Header.Get("Content-Security-Policy"), "script-src 'self';") {
				t.Errorf("%s: %v", path, r.Header)
			}
		}
	}
}

func TestPagesAreAskedForAgainButSentOnce(t *testing.T) {
	app := serve(t, dashboard.Files{Dashboard: built(t), Guide: os.DirFS("../../web/guide")}, home)
	for _, path := range []string{"/", "/login", "/reference", "/guide", "/guide/errors", "/guide/guide.js"} {
		r, _ := get(t, app, path)
		tag := r.Header.Get("ETag")
		if tag == "" || r.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %v", path, r.Header)
		}
		if r, body := get(t, app, path, "If-None-Match", tag); r.StatusCode != 304 || body != "" {
			t.Errorf("%s again: %d %s", path, r.StatusCode, body)
		}
		if r, _ := get(t, app, path, "If-None-Match", `"old"`); r.StatusCode != 200 {
			t.Errorf("%s with an old tag: %d", path, r.StatusCode)
		}
	}
}

func TestPagesAreSentCompressed(t *testing.T) {
	for _, path := range []string{"/", "/reference", "/guide/errors", "/guide/guide.css"} {
		_, plain := ask(t, built(t), home, path)
		r, body := ask(t, built(t), home, path, "Accept-Encoding", "gzip, br")
		z, err := gzip.NewReader(strings.NewReader(body))
		if err != nil || r.Header.Get("Content-Encoding") != "gzip" || !strings.Contains(r.Header.Get("Vary"), "Accept-Encoding") {
			t.Errorf("%s: %v %v", path, err, r.Header)
			continue
		}
		if b, err := io.ReadAll(z); err != nil || string(b) != plain || plain == "" {
			t.Errorf("%s: %v, %d bytes, want %d", path, err, len(b), len(plain))
		}
	}
	if r, _ := ask(t, built(t), home, "/guide/clients-keys.webp", "Accept-Encoding", "gzip"); r.StatusCode != 200 || r.Header.Get("Content-Encoding") != "" {
		t.Errorf("a picture: %d %v", r.StatusCode, r.Header)
	}
}

func TestAssets(t *testing.T) {
	r, body := ask(t, built(t), home, "/assets/a-1.js", "Accept-Encoding", "gzip, deflate, br, zstd")
	z, err := gzip.NewReader(strings.NewReader(body))
	if err != nil || r.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("not compressed: %v %v", err, r.Header)
	}
	if plain, err := io.ReadAll(z); err != nil || string(plain) != script {
		t.Errorf("the script is %q, %v", plain, err)
	}
	if h := r.Header; h.Get("Cache-Control") != "public, max-age=31536000, immutable" || h.Get("Vary") != "Accept-Encoding" || h.Get("Content-Type") != "text/javascript; charset=utf-8" {
		t.Errorf("%v", h)
	}
	for _, encoding := range []string{"", "br", "gzip;q=0"} {
		if r, body := ask(t, built(t), home, "/assets/a-1.js", "Accept-Encoding", encoding); body != script || r.Header.Get("Content-Encoding") != "" {
			t.Errorf("for %q: %v %q", encoding, r.Header, body)
		}
	}
	if r, body := ask(t, built(t), home, "/assets/b-2.svg", "Accept-Encoding", "gzip"); body != "<svg/>" || r.Header.Get("Content-Type") != "image/svg+xml" {
		t.Errorf("a file that is not kept compressed: %v %q", r.Header, body)
	}
	for _, name := range []string{"secret.pem", "a-1.js.gz", "..%2findex.html", "deep%2fc-3.svg", "deep/c-3.svg", "nothing.js", "%2e%2e", ".js"} {
		if r, body := ask(t, built(t), home, "/assets/"+name); r.StatusCode != 404 {
			t.Errorf("%s: %d %q", name, r.StatusCode, body)
		}
	}
}

func TestWithoutTheDashboardPagesSaySo(t *testing.T) {
	for _, path := range []string{"/", "/login", "/reference", "/setup?token=secret"} {
		r, body := ask(t, fstest.MapFS{}, home, path)
		if r.StatusCode != 200 || !strings.Contains(body, "without its dashboard") || !strings.Contains(body, "https://pics.example.org/v1") || !strings.Contains(body, "没有管理界面") {
			t.Errorf("%s: %d %s", path, r.StatusCode, body)
		}
	}
	if r, body := ask(t, fstest.MapFS{}, home, "/guide/errors"); r.StatusCode != 200 || !strings.Contains(body, "RATE_LIMITED") {
		t.Errorf("the guide needs the dashboard: %d", r.StatusCode)
	}
}

func TestRobots(t *testing.T) {
	if r, body := ask(t, built(t), home, "/robots.txt"); r.StatusCode != 200 || body != "User-agent: *\nDisallow: /v1/\n" {
		t.Errorf("%d %q", r.StatusCode, body)
	}
}

// Who is signed in gets the page that names the library's files, at "/" alone.
func TestHomeIsForWhoIsSignedIn(t *testing.T) {
	files := built(t)
	for _, withHome := range []bool{false, true} {
		want := "<title>index</title>"
		if withHome {
			want = "<title>home</title>"
			files["home.html"] = &fstest.MapFile{Data: []byte(want)}
		}
		if r, body := ask(t, files, home, "/", "Cookie", "signed_in=1"); body != want || r.Header.Get("Content-Security-Policy") == "" || !strings.Contains(r.Header.Get("Vary"), "Cookie") {
			t.Errorf("with the mark: %q %v", body, r.Header)
		}
		for path, cookie := range map[string]string{"/": "signed_in=", "/login": "signed_in=1"} {
			if _, body := ask(t, files, home, path, "Cookie", cookie); body != "<title>index</title>" {
				t.Errorf("%s with %s: %q", path, cookie, body)
			}
		}
	}
}
