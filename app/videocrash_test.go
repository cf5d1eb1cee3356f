package app_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/apptest/corpus"
	"picora/app/config"
	"picora/store"
)

// longWork are settings with which corpus's larger.mp4 keeps a worker busy for a while
// after it plays.
const longWork = "[video]\nladder = [144, 240, 360]\npreset = \"slow\"\npriority = \"normal\"\n"

// longWorkFiles is how many files there are when all is made: the film itself, three
// sizes, a sound, poster, storyboard, preview and MP4.
const longWorkFiles = 9

// longFilm is a film that takes a while.
func longFilm(t *testing.T) []byte {
	t.Helper()
	c := corpus.Get("larger.mp4")
	c.Name, c.Args = "long.mp4", slices.Clone(c.Args)
	for i, a := range c.Args {
		c.Args[i] = strings.NewReplacer("d=5", "d=8").Replace(a)
	}
	c.Args = append(c.Args, "-g", "400", "-bf", "0") // too far apart for a copy
	return c.Bytes(t)
}

// longProcess is a server with a film that plays while more of it is being made.
func longProcess(t *testing.T) (p *apptest.Process, id, config string) {
	t.Helper()
	config = filepath.Join(t.TempDir(), "picora.toml")
	if err := os.WriteFile(config, []byte(longWork), 0o600); err != nil {
		t.Fatal(err)
	}
	p = apptest.Serve(t, filepath.Join(t.TempDir(), "data"), "--config", config)
	p.NewUser("owner@example.org")
	p.Key = p.NewKey("owner@example.org")
	id = takenFilm(t, p.Picora, "long.mp4", longFilm(t))
	for end := time.Now().Add(5 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		v := tell(t, p.Picora, id)
		if v.Status == "ready" && v.Progress != nil && len(busy(p.Pid())) > 0 {
			return p, id, config
		}
		if v.Status == "ready" && v.Progress == nil || v.Status == "error" || time.Now().After(end) {
			t.Fatalf("it never was half-made: %+v", v)
		}
	}
}

// soakOnly skips what an ordinary run has no time for.
func soakOnly(t *testing.T) {
	t.Helper()
	if os.Getenv("PICORA_SOAK") == "" {
		t.Skip("only make soak-videos has the time for this")
	}
}

// busy are the workers of a server, warm ones included.
func busy(pid int) (pids []int) {
	for _, child := range family(pid)[1:] {
		if b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", child)); strings.Contains(string(b), "worker") {
			pids = append(pids, child)
		}
	}
	return pids
}

var piece = regexp.MustCompile(`(?m)^[^#\n]*-0\.m4s`)

// pieces are the addresses of the first piece of each size that there is: another file has
// another.
func pieces(t *testing.T, p *apptest.Picora, id string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, r := range tell(t, p, id).Renditions {
		list := p.Do("GET", "/video/"+id+"/"+r.Name+"/media.m3u8", nil)
		if all[r.Name] = string(piece.Find(list.Body)); list.Status != 200 || all[r.Name] == "" {
			t.Errorf("%s: %d %s", r.Name, list.Status, list.Body)
		}
	}
	return all
}

// goesOn waits for the end of a film that was interrupted: what was there is the same
// file, and there is nothing but what there should be.
func goesOn(t *testing.T, p *apptest.Process, id string, before map[string]string) {
	t.Helper()
	if v := tell(t, p.Picora, id); v.Status != "ready" {
		t.Errorf("after the start it does not play: %+v", v)
	}
	v := over(t, p.Picora, id, 5*time.Minute)
	if v.Status != "ready" || v.Note != nil || len(v.Renditions) != 3 {
		t.Errorf("it ends as %+v", v)
	}
	now := pieces(t, p.Picora, id)
	for name, address := range before {
		if now[name] != address {
			t.Errorf("%s was made again: %q, then %q", name, address, now[name])
		}
	}
	for end := time.Now().Add(2 * time.Minute); len(p.Blobs()) != longWorkFiles; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("there are %d files, not %d: %v", len(p.Blobs()), longWorkFiles, p.Blobs())
		}
	}
	if left := scratch(t, p.Data); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if out, err := p.Control().Recount(context.Background(), ""); err != nil || len(out.Repaired) > 0 {
		t.Errorf("a recount: %+v, %v", out, err)
	}
}

func TestAKilledServerGoesOnWithItsVideos(t *testing.T) {
	p, id, config := longProcess(t)
	before := pieces(t, p.Picora, id)
	workers := busy(p.Pid())
	p.Signal(syscall.SIGKILL)
	p.Wait(time.Minute)
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if !slices.ContainsFunc(workers, alive) {
			break
		}
		if time.Now().After(end) {
			t.Fatal("workers outlive their server")
		}
	}
	again := apptest.Serve(t, p.Data, "--config", config)
	again.Key = p.Key
	goesOn(t, again, id, before)
	again.Terminate()
}

// alive reports whether there is such a process, and it is no zombie.
func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(b), ") Z ")
}

func TestAServerThatStopsLosesNothingOfItsVideos(t *testing.T) {
	soakOnly(t)
	p, id, config := longProcess(t)
	before := pieces(t, p.Picora, id)
	begin := time.Now()
	p.Terminate()
	if took := time.Since(begin); took > time.Minute {
		t.Errorf("the stop took %v", took)
	} else {
		t.Logf("the stop took %v", took)
	}
	again := apptest.Serve(t, p.Data, "--config", config)
	again.Key = p.Key
	goesOn(t, again, id, before)
	again.Terminate()
}

func TestAVideoThatIsDeletedStopsAtOnce(t *testing.T) {
	soakOnly(t)
	p, id, _ := longProcess(t)
	cpu := func() (sum int64) { return worked(busy(p.Pid())) }
	begin := time.Now()
	if r := p.Do("DELETE", "/v1/videos/"+id, nil); r.Status != 200 {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	for last := int64(-1); ; {
		now := cpu()
		if now == last {
			break
		}
		if last = now; time.Since(begin) > time.Minute {
			t.Fatal("the worker goes on")
		}
		time.Sleep(200 * time.Millisecond)
	}
	t.Logf("no work is done %v after the deletion", time.Since(begin))
	emptied(t, p.Picora)
	if left := scratch(t, p.Data); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if r := p.Do("GET", "/v1/videos/"+id, nil); r.Status != 404 {
		t.Errorf("it is still there: %d", r.Status)
	}
	p.Terminate()
}

// worked is how much processor time processes used, in ticks.
func worked(pids []int) (ticks int64) {
	for _, pid := range pids {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)) // it may have ended
		if _, after, found := strings.Cut(string(b), ") "); found {
			f := strings.Fields(after)
			var user, system int64
			fmt.Sscan(f[11], &user)
			fmt.Sscan(f[12], &system)
			ticks += user + system
		}
	}
	return ticks
}

// longServer is longProcess in this process, whose clock tests move.
func longServer(t *testing.T, edit ...func(*config.Config)) (p *apptest.Picora, m store.Media) {
	t.Helper()
	p = apptest.StartWithWorkers(t, append(edit, func(c *config.Config) {
		c.Video.Ladder, c.Video.Preset = []int{144, 240, 360}, "slow"
	})...)
	id := takenFilm(t, p, "long.mp4", longFilm(t))
	for end := time.Now().Add(5 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		m, err := p.App.Store().Media(context.Background(), id)
		if err != nil {
			t.Fatal(err)
		}
		if m.Film.State == store.FilmPlayable && p.App.Library().FilmProgress(id) > 0 {
			return p, m
		}
		if m.Film.State == store.FilmReady || m.Film.State == store.FilmFailed || time.Now().After(end) {
			t.Fatalf("it never was half-made: %+v", m.Film)
		}
	}
}

// readyAfter moves the clock on until the video is ready, and compares what there is.
func readyAfter(t *testing.T, p *apptest.Picora, before store.Media) {
	t.Helper()
	for end := time.Now().Add(5 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		m, err := p.App.Store().Media(context.Background(), before.ID)
		if err != nil {
			t.Fatal(err)
		}
		if m.Film.State == store.FilmReady {
			kept(t, &before, &m)
			if m.Film.Note != "" {
				t.Errorf("the note is %q", m.Film.Note)
			}
			leaves(t, p, len(m.Blobs()))
			return
		}
		if m.Film.State == store.FilmFailed || time.Now().After(end) {
			t.Fatalf("it ends as %+v; the job is %s", m.Film, jobTold(p, &m))
		}
		if j, err := p.App.Store().JobOf(context.Background(), m.User, m.ID); err == nil && j.State == store.JobWaiting {
			p.Advance(time.Minute)
		}
	}
}

func TestAKilledWorkerIsReplaced(t *testing.T) {
	p, m := longServer(t)
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if told := jobTold(p, &m); strings.Contains(told, "failed") {
			break
		} else if strings.Contains(told, "State:done") || time.Now().After(end) {
			t.Fatalf("nobody noticed: %s", told)
		}
		for _, pid := range busy(os.Getpid()) { // between two steps there is none but for pictures
			syscall.Kill(pid, syscall.SIGKILL) // it may have ended
		}
	}
	readyAfter(t, p, m)
}
