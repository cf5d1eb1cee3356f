package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/config"
	"picora/media/svg"
)

// picgo is PicGo with its configuration for one server and one key.
type picgo struct {
	config string
	script string
}

// newPicgo configures PicGo as the guide says (contract 21).
func newPicgo(t *testing.T, url, key string) *picgo {
	t.Helper()
	header, err := json.Marshal(map[string]string{"Authorization": "Bearer " + key})
	if err != nil {
		t.Fatal(err)
	}
	return configured(t, map[string]any{
		"picBed": map[string]any{
			"uploader": "web-uploader", "current": "web-uploader",
			"web-uploader": map[string]string{"url": url + "/v1/images", "paramName": "file", "jsonPath": "data.url", "customHeader": string(header)},
		},
		"picgoPlugins": map[string]bool{"picgo-plugin-web-uploader": true},
	})
}

// configured is PicGo with these settings. It finds its plugins beside them.
func configured(t *testing.T, config map[string]any) *picgo {
	t.Helper()
	installed, err := filepath.Abs("testdata/picgo")
	if err != nil {
		t.Fatal(err)
	}
	modules := filepath.Join(installed, "node_modules")
	if _, err := os.Stat(filepath.Join(modules, "picgo")); err != nil {
		t.Fatal("PicGo is not installed: run make test, which installs it (npm ci in app/testdata/picgo)")
	}
	dir := t.TempDir()
	config["settings"] = map[string]any{"logPath": filepath.Join(dir, "picgo.log")}
	settings, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	plugins, err := os.ReadFile(filepath.Join(installed, "package.json"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "package.json"), plugins, 0o600)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "config.json"), settings, 0o600)
	}
	if err == nil {
		err = os.Symlink(modules, filepath.Join(dir, "node_modules"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return &picgo{filepath.Join(dir, "config.json"), filepath.Join(installed, "upload.js")}
}

// result is what came of an upload: addresses, and what PicGo told its user.
type result struct {
	URLs  []string
	Error string
	Told  []struct{ Title, Body string }
}

func (p *picgo) upload(t *testing.T, files ...string) (r result) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", append([]string{p.script, p.config}, files...)...)
	cmd.Dir = filepath.Dir(p.config)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir} // no proxy, nobody's settings
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &r); err != nil {
		t.Fatalf("PicGo printed no result: %v\n%s", err, out)
	}
	t.Logf("PicGo said:\n%s", out)
	return r
}

func TestPicGoUploadsAndItsLinksWork(t *testing.T) {
	p := apptest.Start(t)
	drawing := []byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="20" height="10" onload="alert(1)"><script>alert(2)</script><rect width="20" height="10" fill="#0a0"/></svg>`)
	clean, err := svg.Sanitize(bytes.NewReader(drawing))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(clean, []byte("alert")) {
		t.Fatalf("the drawing was not sanitised: %s", clean)
	}
	files := []struct {
		name       string
		sent, back []byte
		mime       string
	}{
		{"photo.jpg", apptest.JPEG(640, 480, 1), nil, "image/jpeg"},
		{"截图 2026-01-01.png", apptest.PNG(320, 200, 2), nil, "image/png"},
		{"drawing.svg", drawing, clean, "image/svg+xml"},
		{"canonical.svg", clean, nil, "image/svg+xml"},
	}
	dir := t.TempDir()
	var paths []string
	for _, f := range files {
		paths = append(paths, filepath.Join(dir, f.name))
		if err := os.WriteFile(paths[len(paths)-1], f.sent, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := newPicgo(t, p.URL, p.Key).upload(t, paths...)
	if len(r.URLs) != len(files) || r.Error != "" || len(r.Told) > 0 {
		t.Fatalf("PicGo gave %+v", r)
	}
	for i, f := range files {
		want := f.back
		if want == nil {
			want = f.sent
		}
		if !strings.HasPrefix(r.URLs[i], p.URL+"/") {
			t.Errorf("%s: the link is %q", f.name, r.URLs[i])
			continue
		}
		got := p.Do("GET", r.URLs[i], nil, "Authorization", "")
		if got.Status != 200 || got.Header.Get("Content-Type") != f.mime || !bytes.Equal(got.Body, want) {
			t.Errorf("%s: %s gives %d, %s, %d bytes; want %s, %d bytes", f.name, r.URLs[i], got.Status, got.Header.Get("Content-Type"), len(got.Body), f.mime, len(want))
		}
	}
	var list struct{ Images []apptest.Image }
	p.Do("GET", "/v1/images", nil).Data(t, &list)
	var names []string
	for _, i := range list.Images {
		names = append(names, i.Filename)
	}
	slices.Reverse(names) // the list is newest first
	if want := []string{"photo.jpg", "截图 2026-01-01.png", "drawing.svg", "canonical.svg"}; !slices.Equal(names, want) {
		t.Errorf("the files are named %q, want %q", names, want)
	}

	again := newPicgo(t, p.URL, p.Key).upload(t, paths...)
	if !slices.Equal(again.URLs, r.URLs) {
		t.Errorf("the same files again gave %q, not %q", again.URLs, r.URLs)
	}
}

// The settings that the API gives for PicGo work as they are, with the key put in.
func TestPicGoTakesTheSettingsThatTheAPIGives(t *testing.T) {
	p := apptest.Start(t)
	bearer := "Bearer " + p.SignIn("owner@example.org").Access
	var made struct{ ID, Key string }
	p.JSON("POST", "/v1/api-keys", map[string]string{"name": "PicGo"}, "Authorization", bearer).Data(t, &made)
	var tools struct {
		Files []struct{ Tool, Content string }
	}
	p.Do("GET", "/v1/api-keys/"+made.ID+"/tool-configs", nil, "Authorization", bearer).Data(t, &tools)
	for _, f := range tools.Files {
		if f.Tool != "picgo" {
			continue
		}
		var config map[string]any
		if err := json.Unmarshal([]byte(strings.ReplaceAll(f.Content, "YOUR_API_KEY", made.Key)), &config); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "photo.jpg")
		if err := os.WriteFile(path, apptest.JPEG(640, 480, 7), 0o600); err != nil {
			t.Fatal(err)
		}
		r := configured(t, config).upload(t, path)
		if len(r.URLs) != 1 || r.Error != "" || len(r.Told) > 0 {
			t.Fatalf("PicGo gave %+v", r)
		}
		if got := p.Do("GET", r.URLs[0], nil, "Authorization", ""); got.Status != 200 || !bytes.Equal(got.Body, apptest.JPEG(640, 480, 7)) {
			t.Errorf("%s gives %d, %d bytes", r.URLs[0], got.Status, len(got.Body))
		}
		return
	}
	t.Error("there is nothing for PicGo")
}

// What PicGo sends for sixty pictures goes through with the limits on.
func TestPicGoSendsABatchWithinTheLimits(t *testing.T) {
	p := apptest.Start(t, func(c *config.Config) { c.Limits.Enabled = true })
	dir := t.TempDir()
	var paths []string
	for i := range 60 {
		path := filepath.Join(dir, fmt.Sprintf("%02d.png", i))
		if err := os.WriteFile(path, apptest.PNG(8, 8, uint64(i)), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	r := newPicgo(t, p.URL, p.Key).upload(t, paths...)
	if len(r.URLs) != 60 || r.Error != "" || slices.Contains(r.URLs, "") {
		t.Errorf("PicGo gave %d links: %+v", len(r.URLs), r)
	}
}

func TestPicGoTellsOfAKeyThatIsRefused(t *testing.T) {
	p := apptest.Start(t)
	path := filepath.Join(t.TempDir(), "photo.jpg")
	if err := os.WriteFile(path, apptest.JPEG(640, 480, 1), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]string{
		"unknown":                 "sk_live_00000000000000000000000000000000",
		"of another form":         "secret",
		"without the right to it": p.NewKey("owner@example.org", "read"),
	} {
		r := newPicgo(t, p.URL, key).upload(t, path)
		if len(r.URLs) > 0 && r.URLs[0] != "" {
			t.Errorf("a key that is %s gave the link %q", name, r.URLs[0])
		}
		if len(r.Told) != 1 || !strings.Contains(r.Told[0].Body, `"statusCode":40`) || !strings.Contains(r.Told[0].Body, "API key") {
			t.Errorf("a key that is %s: PicGo told its user %q", name, r.Told)
		}
	}
	if n := len(p.Blobs()); n != 0 {
		t.Errorf("%d files were kept", n)
	}
}
