package app_test

import (
	"crypto/sha256"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"picora/app/apptest"
)

// TestKilledServersLeaveNothingOfAudio kills servers that take audio in and measure it:
// what was acknowledged is there, and what was not has left no blob.
func TestKilledServersLeaveNothingOfAudio(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data, "")
	p.NewUser("owner@example.org")
	p.Key = p.NewKey("owner@example.org")
	key := p.Key
	var mu sync.Mutex
	acknowledged := map[string][32]byte{}
	serial := 0
	next := func() []byte {
		mu.Lock()
		defer mu.Unlock()
		serial++
		return apptest.WAV(0.6, 1, serial)
	}
	for round := 0; round < 3 || len(acknowledged) < 3 && round < 30; round++ { // a busy machine gets more rounds
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				h := &http.Client{Transport: &http.Transport{}, Timeout: time.Minute}
				defer h.CloseIdleConnections()
				for {
					wav := next()
					body, kind := apptest.Form("a.wav", wav)
					var in struct{ Data struct{ URL string } }
					if !request(h, p, "POST", "/v1/audio", kind, body, &in) {
						return
					}
					mu.Lock()
					acknowledged[in.Data.URL[len(p.URL):]] = sha256.Sum256(wav)
					mu.Unlock()
					time.Sleep(250 * time.Millisecond) // each file is measured afterwards, which takes longer than sending it
				}
			})
		}
		time.Sleep(time.Duration(700+random.IntN(1300)) * time.Millisecond)
		p.Signal(syscall.SIGKILL)
		p.Wait(time.Minute)
		wg.Wait()
		p = start(t, data, key)
	}
	if len(acknowledged) < 3 {
		t.Fatalf("only %d files were taken: this shows little", len(acknowledged))
	}
	for path, sum := range acknowledged {
		if r := p.Do("GET", path, nil, "Authorization", ""); r.Status != 200 || sha256.Sum256(r.Body) != sum {
			t.Errorf("%s was acknowledged: %d, %d bytes", path, r.Status, len(r.Body))
		}
	}
	var used struct{ Audio struct{ TotalCount int } }
	p.Do("GET", "/v1/user/me/usage", nil).Data(t, &used)
	if out, err := p.Control().Recount(t.Context(), ""); err != nil || len(out.Repaired) > 0 {
		t.Errorf("a recount after the crash: %+v, %v", out, err)
	}
	// Each record has its file and, once it was measured, a waveform.
	files := 0
	for end := time.Now().Add(15 * time.Minute); files != 2*used.Audio.TotalCount; time.Sleep(50 * time.Millisecond) {
		if files = len(p.Blobs()); time.Now().After(end) {
			t.Fatalf("there are %d records and %d files", used.Audio.TotalCount, files)
		}
	}
	p.Terminate()
}
