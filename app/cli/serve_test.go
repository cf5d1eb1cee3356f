package cli_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"picora/app/apptest"
)

// serve starts a server with an account and a key.
func serve(t *testing.T, args ...string) *apptest.Process {
	t.Helper()
	p := apptest.Serve(t, filepath.Join(t.TempDir(), "data"), args...)
	p.NewUser("owner@example.org")
	p.Key = p.NewKey("owner@example.org")
	return p
}

func TestOnlyTheOwnerMayReadTheData(t *testing.T) {
	p := serve(t)
	p.Add("a.jpg", apptest.JPEG(40, 30, 1))
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) { // written a moment behind the start
		if _, err := os.Stat(filepath.Join(p.Data, "settled")); err == nil {
			break
		}
	}
	for name, want := range map[string]os.FileMode{
		"": 0o700 | os.ModeDir, "picora.sock": 0o600 | os.ModeSocket, "picora.db": 0o600,
		"settled": 0o600, "blobs": 0o700 | os.ModeDir, "tmp": 0o700 | os.ModeDir,
	} {
		fi, err := os.Stat(filepath.Join(p.Data, name))
		if err != nil {
			t.Error(err)
		} else if fi.Mode() != want {
			t.Errorf("the data folder's %q has mode %s, not %s", name, fi.Mode(), want)
		}
	}
	for _, b := range p.Blobs() {
		if fi, err := os.Stat(b); err != nil || fi.Mode() != 0o600 {
			t.Errorf("%s: mode %v, %v", b, fi.Mode(), err)
		}
	}
}

func TestTwoServersCannotShareADataFolder(t *testing.T) {
	p := serve(t)
	start := time.Now()
	second := apptest.Spawn(t, p.Data)
	if status := second.Wait(time.Minute); status != 1 {
		t.Errorf("the second ended with %d", status)
	}
	contains(t, "the second", second.Stderr(), "picora: "+p.Data+": another Picora is using this data folder\n")
	if n := strings.Count(second.Stderr(), "\n"); n != 1 {
		t.Errorf("the second said %d lines: %s", n, second.Stderr())
	}
	if took := time.Since(start); took > 50*time.Second {
		t.Errorf("that took %s", took)
	}
	p.Add("a.jpg", apptest.JPEG(40, 30, 1)) // the first goes on
	run(t, p.Data, "", 0, "key", "list")    // and its socket is still there
}

func TestAPortInUseIsSaidClearly(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	data := t.TempDir()
	for _, arg := range []string{"--listen", "--config"} {
		value, setting := ln.Addr().String(), "server.listen"
		if arg == "--config" {
			value, setting = filepath.Join(t.TempDir(), "picora.toml"), "metrics.listen"
			if err := os.WriteFile(value, []byte("[metrics]\nlisten = \""+ln.Addr().String()+"\"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		p := apptest.Spawn(t, data, arg, value)
		if status := p.Wait(time.Minute); status != 1 {
			t.Errorf("%s: ended with %d", setting, status)
		}
		contains(t, "the error", p.Stderr(), "picora: "+setting, ln.Addr().String(), "address already in use")
		if n := strings.Count(p.Stderr(), "\n"); n != 1 {
			t.Errorf("%s: it said %d lines: %s", setting, n, p.Stderr())
		}
	}
	p := apptest.Serve(t, data) // nothing of it is left in the way
	p.Terminate()
}

func TestATooLongDataPathIsSaidClearly(t *testing.T) {
	base := t.TempDir()
	longest := filepath.Join(base, strings.Repeat("x", 107-len(base)-len("/")-len("/picora.sock")))
	p := apptest.Serve(t, longest)
	p.Terminate()

	p = apptest.Spawn(t, longest+"x")
	if status := p.Wait(time.Minute); status != 1 {
		t.Errorf("ended with %d", status)
	}
	contains(t, "the error", p.Stderr(), longest+"x/picora.sock", "107 characters")
	if n := strings.Count(p.Stderr(), "\n"); n != 1 {
		t.Errorf("it said %d lines: %s", n, p.Stderr())
	}
	run(t, longest+"x", "", 0, "user", "add", "amy@example.org") // the database itself is fine
}

func TestARevokedKeyStopsWorkingAtOnce(t *testing.T) {
	p := serve(t)
	key := strings.TrimSpace(run(t, p.Data, "", 0, "key", "add", "--user", "owner@example.org", "--name", "x").Stdout)
	if r := p.Do("GET", "/v1/images", nil, "Authorization", "Bearer "+key); r.Status != 200 {
		t.Fatalf("the new key gives %d %s", r.Status, r.Body)
	}
	run(t, p.Data, "", 0, "key", "revoke", key[:12])
	r := p.Do("GET", "/v1/images", nil, "Authorization", "Bearer "+key)
	if r.Status != 401 || r.Code() != "API_KEY_REVOKED" {
		t.Errorf("the revoked key gives %d %s", r.Status, r.Body)
	}
	if r := p.Do("GET", "/v1/images", nil); r.Status != 200 {
		t.Errorf("the other key gives %d", r.Status)
	}
}

func TestAKilledServersSocketIsNoObstacle(t *testing.T) {
	p := serve(t)
	p.Signal(syscall.SIGKILL)
	p.Wait(time.Minute)
	if _, err := os.Stat(filepath.Join(p.Data, "picora.sock")); err != nil {
		t.Fatal("the killed server left no socket, so this test shows nothing:", err)
	}
	o := run(t, p.Data, "", 0, "key", "add", "--user", "owner@example.org", "--name", "after")
	if !plainKey.MatchString(o.Stdout) {
		t.Errorf("key add printed %q", o.Stdout)
	}
	again := apptest.Serve(t, p.Data)
	again.Key = strings.TrimSpace(o.Stdout)
	if r := again.Do("GET", "/v1/images", nil); r.Status != 200 {
		t.Errorf("the key gives %d", r.Status)
	}
	run(t, p.Data, "", 0, "key", "list")
	again.Terminate()
	if _, err := os.Stat(filepath.Join(p.Data, "picora.sock")); err == nil {
		t.Error("a server that stopped left its socket")
	}
}

// upload is a request that is sent piece by piece.
type upload struct {
	net.Conn
	rest []byte
}

// begin sends the header and half of the body, sized or chunked.
func begin(t *testing.T, p *apptest.Process, chunked bool, seed uint64) *upload {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(2 * time.Minute))
	body, kind := apptest.Form("slow.jpg", apptest.JPEG(400, 300, seed))
	size := fmt.Sprintf("Content-Length: %d", len(body))
	half := len(body) / 2
	first, second := body[:half], body[half:]
	if chunked {
		size = "Transfer-Encoding: chunked"
		first = fmt.Appendf(nil, "%x\r\n%s\r\n", len(first), first)
		second = fmt.Appendf(nil, "%x\r\n%s\r\n0\r\n\r\n", len(second), second)
	}
	fmt.Fprintf(conn, "POST /v1/images HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\n%s\r\n\r\n%s", p.Key, kind, size, first)
	return &upload{conn, second}
}

// underWay waits until so many uploads are writing their files.
func underWay(t *testing.T, p *apptest.Process, n int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(2 * time.Millisecond) {
		parts, err := filepath.Glob(filepath.Join(p.Data, "tmp", "*.part"))
		if err != nil {
			t.Fatal(err)
		}
		if len(parts) == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d uploads are under way, not %d", len(parts), n)
		}
	}
}

// refuses waits until the server takes no new connections.
func refuses(t *testing.T, p *apptest.Process) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(2 * time.Millisecond) {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
		if err != nil {
			return
		}
		conn.Close()
		if time.Now().After(deadline) {
			t.Fatal("a server that stops takes new connections")
		}
	}
}

func TestAStopLetsUploadsFinishAndTakesNoNewOnes(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			p := serve(t)
			p.Do("GET", "/v1/images", nil) // leaves an idle connection, which must not hold the stop up
			ups := []*upload{begin(t, p, false, 1), begin(t, p, true, 2)}
			underWay(t, p, 2)
			p.Signal(signal)
			refuses(t, p)
			time.Sleep(300 * time.Millisecond) // clients are slow
			for i, u := range ups {
				if _, err := u.Write(u.rest); err != nil {
					t.Fatal(err)
				}
				res, err := http.ReadResponse(bufio.NewReader(u), nil)
				if err != nil {
					t.Fatal(err)
				}
				if b, _ := io.ReadAll(res.Body); res.StatusCode != 201 {
					t.Errorf("upload %d was answered with %d %s", i, res.StatusCode, b)
				}
			}
			finished := time.Now()
			if status := p.Wait(25 * time.Second); status != 0 {
				t.Errorf("the server ended with %d", status)
			}
			if took := time.Since(finished); took > 20*time.Second {
				t.Errorf("the stop took %s after the last upload", took)
			}
			if n := len(p.Blobs()); n != 2 {
				t.Errorf("there are %d files, not 2", n)
			}
		})
	}
}

func TestKeysCanBeRevokedUntilTheStopIsOver(t *testing.T) {
	p := serve(t)
	u := begin(t, p, false, 1)
	underWay(t, p, 1)
	p.Signal(syscall.SIGTERM)
	refuses(t, p)
	run(t, p.Data, "", 0, "key", "revoke", p.Key[:12])
	if _, err := u.Write(u.rest); err != nil {
		t.Fatal(err)
	}
	if status := p.Wait(25 * time.Second); status != 0 {
		t.Errorf("the server ended with %d", status)
	}
	contains(t, "the list", run(t, p.Data, "", 0, "key", "list").Stdout, "revoked 20")
}

func TestAVariableOfNoSectionIsNamedInTheLog(t *testing.T) {
	cmd := exec.Command(apptest.Binary(t), "serve", "--data", filepath.Join(os.DevNull, "data"))
	cmd.Env = append(os.Environ(), "PICORA_SEVRER_DATA=/d", "PICORA_SERVICE_HOST=10.0.0.1")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Error("the server ended well without a data folder")
	}
	contains(t, "the log", string(out), "level=WARN", "PICORA_SEVRER_DATA")
	if strings.Contains(string(out), "SERVICE_HOST") {
		t.Errorf("the log is about Kubernetes: %s", out)
	}
}

func TestFourThreadsAreUsedUnlessTheEnvironmentSaysHowMany(t *testing.T) {
	config := filepath.Join(t.TempDir(), "picora.toml")
	if err := os.WriteFile(config, []byte("[metrics]\nlisten = \"127.0.0.1:0\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := regexp.MustCompile(`metrics are served" url=(\S+)`)
	for set, want := range map[string]int{"": max(4, runtime.NumCPU()), "3": 3} {
		t.Setenv("GOMAXPROCS", set)
		p := apptest.Serve(t, filepath.Join(t.TempDir(), "data"), "--config", config)
		found := at.FindStringSubmatch(p.Stderr())
		for end := time.Now().Add(time.Minute); found == nil && time.Now().Before(end); time.Sleep(time.Millisecond) {
			found = at.FindStringSubmatch(p.Stderr())
		}
		if found == nil {
			t.Fatalf("the log does not say where the metrics are:\n%s", p.Stderr())
		}
		r := p.Do("GET", found[1], nil)
		contains(t, "GOMAXPROCS="+set, string(r.Body), fmt.Sprintf("\ngo_sched_gomaxprocs_threads %d\n", want))
		p.Terminate()
	}
}

func TestAnUploadThatNeverEndsIsCutAtTheShutdownTimeout(t *testing.T) {
	config := filepath.Join(t.TempDir(), "picora.toml")
	if err := os.WriteFile(config, []byte("[server]\nshutdown_timeout = \"1s\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := serve(t, "--config", config)
	p.Add("kept.jpg", apptest.JPEG(40, 30, 1))
	begin(t, p, false, 2)
	underWay(t, p, 1)
	start := time.Now()
	p.Signal(syscall.SIGTERM)
	status := p.Wait(25 * time.Second)
	if took := time.Since(start); took < 900*time.Millisecond || took > 30*time.Second {
		t.Errorf("the stop took %s", took)
	}
	if status != 1 {
		t.Errorf("the server ended with %d", status)
	}
	contains(t, "the server", p.Stderr(), "still running after 1s and were cut")

	again := apptest.Serve(t, p.Data)
	again.Key = p.Key
	if files := again.Blobs(); len(files) != 1 {
		t.Errorf("after the next start there are %d files, not 1: %v", len(files), files)
	}
	again.Terminate()
}

func TestASecondSignalEndsTheServerAtOnce(t *testing.T) {
	p := serve(t)
	begin(t, p, false, 1)
	underWay(t, p, 1)
	p.Signal(syscall.SIGTERM)
	refuses(t, p)
	p.Signal(syscall.SIGTERM)
	if status := p.Wait(20 * time.Second); status == 0 { // the first alone would wait for 30
		t.Error("the server says that it ended well")
	}
}
