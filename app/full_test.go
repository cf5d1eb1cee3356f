package app_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
)

// full restarts a server with more room wanted on the disk than there is.
func full(t *testing.T, p *apptest.Process) *apptest.Process {
	t.Helper()
	p.Terminate()
	config := filepath.Join(t.TempDir(), "picora.toml")
	if err := os.WriteFile(config, []byte("[blobs]\nmin_free_bytes = 1_000_000_000_000_000_000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	again := apptest.Serve(t, p.Data, "--config", config)
	again.Key = p.Key
	return again
}

func TestAFullDiskRefusesUploadsBeforeTheirBodies(t *testing.T) {
	p := full(t, owned(t, 1))
	for name, header := range map[string]string{
		"sized":                 "Content-Length: 40000000\r\n",
		"chunked":               "Transfer-Encoding: chunked\r\n",
		"sized and expecting":   "Content-Length: 40000000\r\nExpect: 100-continue\r\n",
		"chunked and expecting": "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n",
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(time.Minute))
		fmt.Fprintf(conn, "POST /v1/images HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: multipart/form-data; boundary=b\r\n%s\r\n", p.Key, header)
		if !strings.Contains(header, "Expect") {
			part := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\r\n\xFF\xD8\xFF" + strings.Repeat("x", 16<<10) // the framework asks for 8 KiB first
			if strings.Contains(header, "chunked") {
				part = fmt.Sprintf("%x\r\n%s\r\n", len(part), part)
			}
			io.WriteString(conn, part)
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%s: no answer: %v", name, err)
			continue
		}
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var e struct{ Code, Error string }
		if json.Unmarshal(b, &e); res.StatusCode != 507 || e.Code != "STORAGE_FULL" || !strings.Contains(e.Error, "disk") {
			t.Errorf("%s: answered %d %q", name, res.StatusCode, b)
		}
	}
	if r := p.Upload("a.jpg", apptest.JPEG(60, 40, 9)); r.Status != 507 || r.Code() != "STORAGE_FULL" {
		t.Errorf("a whole upload: answered %d %s", r.Status, r.Body)
	}
	if n := len(p.Blobs()); n != 1 {
		t.Errorf("there are %d files, not 1", n)
	}
}

func TestAFullDiskHindersNothingButUploads(t *testing.T) {
	p := full(t, owned(t, 2))
	all, total := list(t, p)
	if total != 2 || len(all) != 2 {
		t.Fatalf("the list has %d of %d", len(all), total)
	}
	if r := p.Do("GET", all[0].URL, nil); r.Status != 200 {
		t.Errorf("a picture gives %d", r.Status)
	}
	r := p.JSON("PATCH", "/v1/images/"+all[0].ID, map[string]any{"title": "still here"})
	var changed apptest.Image
	if r.Data(t, &changed); changed.Title == nil || *changed.Title != "still here" {
		t.Errorf("the edit gave %s", r.Body)
	}
	if r := p.Do("DELETE", "/v1/images/"+all[1].ID, nil); r.Status != 200 {
		t.Errorf("the deletion gave %d %s", r.Status, r.Body)
	}
	for deadline := time.Now().Add(time.Minute); len(p.Blobs()) != 1; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the deletion freed no room")
		}
	}
	if _, total := list(t, p); total != 1 {
		t.Errorf("the list has %d", total)
	}
	p.Terminate()
}
