package api_test

import (
	"os"
	"testing"

	"picora/app/apptest"
	"picora/app/config"
)

func TestTheStorageIsTried(t *testing.T) {
	p := start(t)
	admin := p.Admin("root@example.org")
	const path = "/v1/admin/storage-check"
	var r struct {
		OK     bool
		Folder string
		Steps  []struct {
			Name, Problem string
			OK            bool
			Milliseconds  float64
		}
		Bytes, FreeBytes, TotalBytes, MinFreeBytes int64
	}
	p.Play(t, scenario{As: admin, Method: "POST", URL: path, Status: 200}).Data(t, &r)
	if !r.OK || len(r.Steps) != 3 || r.Bytes != 1<<20 || r.FreeBytes <= 0 || r.TotalBytes < r.FreeBytes {
		t.Errorf("%+v", r)
	}
	for i, name := range []string{"write", "read", "delete"} {
		if s := r.Steps[i]; s.Name != name || !s.OK || s.Problem != "" || s.Milliseconds < 0 {
			t.Errorf("%+v", s)
		}
	}
	if fi, err := os.Stat(r.Folder); err != nil || !fi.IsDir() {
		t.Errorf("the folder is %q: %v", r.Folder, err)
	}
	if n := len(p.Blobs()); n != 0 {
		t.Errorf("%d files are left", n)
	}
	p.Run(t,
		scenario{Name: "not for others", As: p.SignIn("owner@example.org").Access, Method: "POST", URL: path, Status: 403, Code: "FORBIDDEN"},
		scenario{Name: "not without an account", As: apptest.Nobody, Method: "POST", URL: path, Status: 401, Code: "UNAUTHORIZED"},
	)
}

func TestADiskWithoutRoomIsNotWell(t *testing.T) {
	p := apptest.Start(t, func(c *config.Config) { c.Blobs.MinFreeBytes = 1 << 60 })
	p.Play(t, scenario{As: p.Admin("root@example.org"), Method: "POST", URL: "/v1/admin/storage-check", Status: 200, Has: []string{`"ok":false`, `"name":"delete","ok":true`}})
}

func TestTheServerTellsWhereItThinksItIs(t *testing.T) {
	const path = "/v1/admin/address"
	ask := func(p *apptest.Picora, admin string, headers ...string) (r struct {
		API, Media, BaseURL, MediaURL, Client, Peer string
		Forwarded, Trusted                          bool
	}) {
		t.Helper()
		p.Do("GET", path, nil, append([]string{"Authorization", "Bearer " + admin}, headers...)...).Data(t, &r)
		return r
	}
	p := apptest.Start(t)
	admin := p.Admin("root@example.org")
	if r := ask(p, admin); r.API != p.URL || r.Media != p.URL || r.BaseURL != "" || r.Forwarded || r.Trusted || r.Client != "127.0.0.1" || r.Peer != "127.0.0.1" {
		t.Errorf("called directly: %+v", r)
	}
	proxy := []string{"X-Forwarded-For", "203.0.113.7", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "pics.example.org"}
	if r := ask(p, admin, proxy...); r.API != p.URL || !r.Forwarded || r.Trusted || r.Client != "127.0.0.1" {
		t.Errorf("behind a proxy that is not trusted: %+v", r)
	}
	p = apptest.Start(t, func(c *config.Config) { c.Server.TrustedProxies = []string{"127.0.0.0/8"} })
	if r := ask(p, p.Admin("root@example.org"), proxy...); r.API != "https://pics.example.org" || !r.Forwarded || !r.Trusted || r.Client != "203.0.113.7" || r.Peer != "127.0.0.1" {
		t.Errorf("behind one that is: %+v", r)
	}
	p = apptest.Start(t, func(c *config.Config) { c.Server.BaseURL = "https://pics.example.org" })
	if r := ask(p, p.Admin("root@example.org")); r.API != "https://pics.example.org" || r.BaseURL != "https://pics.example.org" {
		t.Errorf("with base_url: %+v", r)
	}
}
