//go:build proxies

package app_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/config"
)

// "make check-proxies" runs nginx and Caddy with what the guide says, in front of a server.

// snippet is the block of code under a heading of the guide's page on proxies.
func snippet(t *testing.T, heading string) string {
	t.Helper()
	page, err := os.ReadFile("../web/guide/proxy.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "\n## "+heading+"\n\n```\n")
	code, _, ended := strings.Cut(rest, "\n```\n")
	if !found || !ended {
		t.Fatalf("the guide has no snippet for %s", heading)
	}
	return code
}

func certificate(t *testing.T, dir string) (pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"pics.example.org"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return pool
}

func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	return port
}

// silentWAV is n seconds of silence after a click, 44.1 kHz, stereo, 16 bits.
func silentWAV(n int) []byte {
	size := n * 44100 * 4
	b := append(make([]byte, 0, size+44), "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(size+36))
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00\x44\xac\x00\x00\x10\xb1\x02\x00\x04\x00\x10\x00data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(size))
	b = append(b, make([]byte, size)...)
	rand.Read(b[44:1044]) // each is another
	return b
}

func TestProxies(t *testing.T) {
	for _, proxy := range []struct {
		name string
		run  func(dir, port string) *exec.Cmd
	}{
		{"nginx", func(dir, port string) *exec.Cmd {
			server := strings.Replace(snippet(t, "nginx"), "listen 443 ssl;", fmt.Sprintf("listen 127.0.0.1:%s ssl;\n\tssl_certificate cert.pem;\n\tssl_certificate_key key.pem;", port), 1)
			conf := fmt.Sprintf("daemon off;\npid nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\nclient_body_temp_path body;\nproxy_temp_path proxy;\nfastcgi_temp_path f;\nuwsgi_temp_path u;\nscgi_temp_path s;\n%s\n}\n", server)
			write(t, filepath.Join(dir, "nginx.conf"), conf)
			return exec.Command("nginx", "-p", dir, "-c", filepath.Join(dir, "nginx.conf"))
		}},
		{"Caddy", func(dir, port string) *exec.Cmd {
			site := strings.Replace(snippet(t, "Caddy"), "pics.example.org {", fmt.Sprintf("pics.example.org:%s {\n\tbind 127.0.0.1\n\ttls %s/cert.pem %[2]s/key.pem", port, dir), 1)
			write(t, filepath.Join(dir, "Caddyfile"), "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"+site+"\n")
			return exec.Command("caddy", "run", "--config", filepath.Join(dir, "Caddyfile"), "--adapter", "caddyfile")
		}},
	} {
		t.Run(proxy.name, func(t *testing.T) {
			p := apptest.StartWithWorkers(t, func(c *config.Config) { c.Server.TrustedProxies = []string{"127.0.0.1"} })
			dir, port := t.TempDir(), freePort(t)
			pool := certificate(t, dir)
			cmd := proxy.run(dir, port)
			for _, name := range []string{"nginx.conf", "Caddyfile"} {
				if b, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
					write(t, filepath.Join(dir, name), strings.ReplaceAll(string(b), "127.0.0.1:3102", strings.TrimPrefix(p.URL, "http://")))
				}
			}
			var said bytes.Buffer
			cmd.Stderr, cmd.Env = &said, append(os.Environ(), "HOME="+dir)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { cmd.Process.Signal(syscall.SIGTERM); cmd.Wait() })
			client := &http.Client{Transport: &http.Transport{
				TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true,
				DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
					return new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:"+port)
				},
			}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			through(t, p, client, "https://pics.example.org:"+port)
			if t.Failed() {
				t.Log(said.String())
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// through does through a proxy what a small body, a large one, one in pieces, a reader of
// a part and somebody who lies about his address do.
func through(t *testing.T, p *apptest.Picora, client *http.Client, base string) {
	do := func(method, url string, body io.Reader, want int, headers ...string) apptest.Response {
		t.Helper()
		r, err := http.NewRequest(method, url, body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+p.Key)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		res, err := client.Do(r)
		if err != nil {
			t.Fatalf("%s %s: %v", method, url, err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != want {
			t.Fatalf("%s %s: %d, %d expected: %v %.300s", method, url, res.StatusCode, want, err, b)
		}
		return apptest.Response{Status: res.StatusCode, Header: res.Header, Body: b}
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if res, err := client.Get(base + "/health"); err == nil {
			res.Body.Close()
			break
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}

	picture := encoded(t, "png", drawing(64, 48))
	body, kind := apptest.Form("p.png", picture)
	var i apptest.Image
	do("POST", base+"/v1/images", bytes.NewReader(body), 201, "Content-Type", kind).Data(t, &i)
	if !strings.HasPrefix(i.URL, base+"/") {
		t.Errorf("the link is %s, not under %s", i.URL, base)
	}
	if r := do("GET", i.URL, nil, 206, "Range", "bytes=10-19"); !bytes.Equal(r.Body, picture[10:20]) {
		t.Errorf("a part: %x", r.Body)
	}
	if r := do("HEAD", i.URL, nil, 200); r.Header.Get("Content-Length") != fmt.Sprint(len(picture)) {
		t.Errorf("HEAD: %v", r.Header)
	}

	sound := silentWAV(650) // some 115 MB: more than proxies take unasked
	body, kind = apptest.Form("s.wav", sound)
	do("POST", base+"/v1/audio", bytes.NewReader(body), 201, "Content-Type", kind)

	film := append([]byte(nil), sound[:8<<20]...)
	begun := do("POST", base+"/v1/uploads", nil, 201, "Tus-Resumable", "1.0.0", "Upload-Length", fmt.Sprint(len(film)),
		"Upload-Metadata", "filename "+base64.StdEncoding.EncodeToString([]byte("t.wav"))).Header.Get("Location")
	if !strings.HasPrefix(begun, base+"/v1/uploads/") {
		t.Fatalf("an upload in pieces is at %s", begun)
	}
	do("PATCH", begun, bytes.NewReader(film[:5<<20]), 204, "Tus-Resumable", "1.0.0", "Upload-Offset", "0", "Content-Type", "application/offset+octet-stream")
	if r := do("HEAD", begun, nil, 200, "Tus-Resumable", "1.0.0"); r.Header.Get("Upload-Offset") != fmt.Sprint(5<<20) {
		t.Errorf("after a piece: %v", r.Header)
	}
	do("DELETE", begun, nil, 204, "Tus-Resumable", "1.0.0")

	body, kind = apptest.Form("q.png", encoded(t, "png", drawing(48, 64)))
	do("POST", base+"/v1/images", bytes.NewReader(body), 201, "Content-Type", kind,
		"X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "http", "X-Forwarded-For", "192.0.2.1").Data(t, &i)
	if !strings.HasPrefix(i.URL, base+"/") {
		t.Errorf("what a client says of itself is believed: %s", i.URL)
	}
}
