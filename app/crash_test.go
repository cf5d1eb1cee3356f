package app_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/store/blob"
)

// picture is one that a server has acknowledged.
type picture struct {
	id, path string
	sum      [32]byte
}

// crowd is what clients know about the pictures on a server that gets killed.
type crowd struct {
	mu      sync.Mutex
	sent    map[[32]byte]bool  // may be there, acknowledged or not
	kept    map[string]picture // acknowledged, so there
	doubt   map[string]picture // of these a deletion was asked, and not acknowledged
	deleted map[string]picture // the deletion was acknowledged, so not there
	serial  atomic.Uint64      // of the picture to send
	base    [][]byte           // pictures to make others from
}

func newCrowd() *crowd {
	c := &crowd{sent: map[[32]byte]bool{}, kept: map[string]picture{}, doubt: map[string]picture{}, deleted: map[string]picture{}}
	for i := range 8 { // 20 to 200 KB
		c.base = append(c.base, apptest.JPEG(260+80*i, 200+60*i, uint64(i)))
	}
	return c
}

// next is a picture that nobody has sent. It differs from others in the first
// quantisation table, which begins at byte 7: encoding each anew would keep the
// processor from the server.
func (c *crowd) next() []byte {
	n := c.serial.Add(1)
	b := bytes.Clone(c.base[n%uint64(len(c.base))])
	for i := range 5 {
		b[7+i] = byte(n>>(7*i)&0x7F) + 1
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent[sha256.Sum256(b)] = true
	return b
}

// client uploads, and deletes each fourth picture, until it is done or the server gone.
func (c *crowd) client(p *apptest.Process, done <-chan struct{}) {
	h := &http.Client{Transport: &http.Transport{}, Timeout: time.Minute}
	defer h.CloseIdleConnections()
	for n := 1; ; n++ {
		select {
		case <-done:
			return
		default:
		}
		data := c.next()
		body, kind := apptest.Form("a.jpg", data)
		var in struct{ Data struct{ ID, URL string } }
		if !request(h, p, "POST", "/v1/images", kind, body, &in) {
			return
		}
		pic := picture{in.Data.ID, "/" + in.Data.ID + ".jpg", sha256.Sum256(data)}
		c.move(pic, nil, c.kept)
		if n%4 != 0 {
			continue
		}
		c.move(pic, c.kept, c.doubt)
		if !request(h, p, "DELETE", "/v1/images/"+pic.id, "", nil, &in) {
			return
		}
		c.move(pic, c.doubt, c.deleted)
	}
}

// reader reads pictures that are there, until it is done or the server gone.
func (c *crowd) reader(t *testing.T, p *apptest.Process, done <-chan struct{}) {
	h := &http.Client{Transport: &http.Transport{}, Timeout: time.Minute}
	defer h.CloseIdleConnections()
	for {
		select {
		case <-done:
			return
		default:
		}
		pic, ok := c.any()
		if !ok {
			time.Sleep(time.Millisecond)
			continue
		}
		res, err := h.Get(p.URL + pic.path)
		if err != nil {
			return
		}
		b, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			return
		}
		if _, kept := c.look(pic.id); kept && (res.StatusCode != 200 || sha256.Sum256(b) != pic.sum) {
			t.Errorf("%s gives %d, %d bytes, while it is there", pic.path, res.StatusCode, len(b))
		}
	}
}

// any is one of the pictures that are there.
func (c *crowd) any() (pic picture, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, pic = range c.kept {
		return pic, true
	}
	return pic, false
}

// look finds a picture that nobody has begun to delete.
func (c *crowd) look(id string) (pic picture, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	pic, ok = c.kept[id]
	return pic, ok
}

func (c *crowd) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.kept)
}

func (c *crowd) move(p picture, from, to map[string]picture) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(from, p.id)
	to[p.id] = p
}

// request sends a request and reports whether the whole answer came and is good.
func request(h *http.Client, p *apptest.Process, method, path, kind string, body []byte, out any) bool {
	req, err := http.NewRequest(method, p.URL+path, bytes.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Authorization", "Bearer "+p.Key)
	req.Header.Set("Content-Type", kind)
	res, err := h.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return err == nil && res.StatusCode < 300 && json.Unmarshal(b, out) == nil
}

// start starts a server and waits until its first sweep is over, which moves the
// mark.
func start(t *testing.T, data, key string, args ...string) *apptest.Process {
	t.Helper()
	mark := filepath.Join(data, "settled")
	before, _ := os.ReadFile(mark) // the first time there is none
	p := apptest.Serve(t, data, args...)
	p.Key = key
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(2 * time.Millisecond) {
		if now, err := os.ReadFile(mark); err == nil && !bytes.Equal(now, before) {
			return p
		}
		if time.Now().After(deadline) {
			t.Fatal("the sweep after the start does not end")
		}
	}
}

// check compares everything that the server has with what the clients know.
func (c *crowd) check(t *testing.T, p *apptest.Process) {
	t.Helper()
	n := c.records(t, p)
	// The trash is emptied after the sweep, while requests are answered.
	var files []string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if files = p.Blobs(); len(files) == n {
			return
		}
	}
	t.Errorf("there are %d records and %d files", n, len(files))
}

// records is check of the records and their bytes. It says how many there are.
func (c *crowd) records(t *testing.T, p *apptest.Process) int {
	t.Helper()
	listed, total := list(t, p)
	if total != len(listed) {
		t.Errorf("total is %d, and the list has %d", total, len(listed))
	}
	// What quotas are measured by was counted in the records' transactions.
	var bytes int64
	for _, i := range listed {
		bytes += i.SizeBytes
	}
	var used struct {
		Images struct{ StorageUsed, TotalCount int64 }
	}
	p.Do("GET", "/v1/user/me/usage", nil).Data(t, &used)
	if used.Images.StorageUsed != bytes || used.Images.TotalCount != int64(len(listed)) {
		t.Errorf("counted are %+v, there are %d pictures of %d bytes", used.Images, len(listed), bytes)
	}
	if out, err := p.Control().Recount(t.Context(), ""); err != nil || len(out.Repaired) > 0 {
		t.Errorf("a recount after the crash: %+v, %v", out, err)
	}
	times := map[string]int{}
	for _, i := range listed {
		times[i.ID]++
		sum := c.fetch(t, p, i)
		if pic, known := c.kept[i.ID]; known && sum != pic.sum {
			t.Errorf("%s is another picture than the one that was sent", i.ID)
		}
		delete(c.doubt, i.ID)
		c.kept[i.ID] = picture{i.ID, "/" + i.ID + ".jpg", sum}
	}
	for id := range c.kept {
		if times[id] != 1 {
			t.Errorf("%s was acknowledged, and is in the list %d times", id, times[id])
		}
	}
	for id, pic := range c.doubt { // it is not in the list, so it must be gone for good
		delete(c.doubt, id)
		c.deleted[id] = pic
	}
	for id, pic := range c.deleted {
		if r := p.Do("GET", pic.path, nil); times[id] != 0 || r.Status != 404 {
			t.Errorf("%s was deleted; it is in the list %d times, and its link gives %d", id, times[id], r.Status)
		}
	}
	return len(listed)
}

// fetch downloads a picture, which must be one that was sent, and whole.
func (c *crowd) fetch(t *testing.T, p *apptest.Process, i apptest.Image) [32]byte {
	t.Helper()
	r := p.Do("GET", i.URL, nil, "Authorization", "")
	sum := sha256.Sum256(r.Body)
	if r.Status != 200 || int64(len(r.Body)) != i.SizeBytes || !c.sent[sum] {
		t.Errorf("%s gives %d and %d bytes of %d; sent as such: %v", i.URL, r.Status, len(r.Body), i.SizeBytes, c.sent[sum])
	}
	return sum
}

// list pages through all records.
func list(t *testing.T, p *apptest.Process) (all []apptest.Image, total int) {
	t.Helper()
	for cursor := ""; ; {
		var page struct {
			Items      []apptest.Image
			NextCursor *string
			Total      int
		}
		p.Do("GET", "/v1/images?limit=50&cursor="+cursor, nil).Data(t, &page)
		all, total = append(all, page.Items...), page.Total
		if page.NextCursor == nil {
			return all, total
		}
		cursor = *page.NextCursor
	}
}

func TestKilledServersKeepWhatTheyAcknowledged(t *testing.T) {
	const rounds, clients = 6, 8
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data, "")
	p.NewUser("owner@example.org")
	key := p.NewKey("owner@example.org")
	p.Key = key
	c := newCrowd()
	little := func() bool { return len(c.kept) < 3*clients || len(c.deleted) == 0 }
	for round := 0; round < rounds || little() && round < 10*rounds; round++ { // a busy machine gets more rounds
		var wg sync.WaitGroup
		for range clients {
			wg.Go(func() { c.client(p, nil) })
		}
		wait := time.Duration(30+random.IntN(700)) * time.Millisecond
		time.Sleep(wait)
		p.Signal(syscall.SIGKILL)
		p.Wait(time.Minute)
		wg.Wait()
		parts, err := filepath.Glob(filepath.Join(data, "tmp", "*"))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("round %d: killed after %s with %d uploads under way; %d pictures acknowledged, %d deleted", round, wait, len(parts), len(c.kept), len(c.deleted))

		if round%2 == 1 { // a start may be killed, too
			again := apptest.Spawn(t, data)
			time.Sleep(time.Duration(random.IntN(60)) * time.Millisecond)
			again.Signal(syscall.SIGKILL)
			again.Wait(time.Minute)
		}
		p = start(t, data, key)
		c.check(t, p)
		if t.Failed() {
			return
		}
	}
	if little() {
		t.Errorf("only %d pictures were kept and %d deleted: this shows little", len(c.kept), len(c.deleted))
	}
	p.Terminate()
}

// owned starts a server with an account, a key and some pictures.
func owned(t *testing.T, pictures int) *apptest.Process {
	t.Helper()
	p := start(t, filepath.Join(t.TempDir(), "data"), "")
	p.NewUser("owner@example.org")
	p.Key = p.NewKey("owner@example.org")
	for i := range pictures {
		p.Add("a.jpg", apptest.JPEG(60, 40, uint64(i)))
	}
	return p
}

// orphan puts a blob without a record among the others.
func orphan(t *testing.T, data string) string {
	t.Helper()
	key := blob.NewKey(time.Now())
	path := filepath.Join(data, "blobs", key[:4], key[4:6], key)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("orphan"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAStartAfterACrashRemovesOrphans(t *testing.T) {
	p := owned(t, 3)
	p.Signal(syscall.SIGKILL)
	p.Wait(time.Minute)
	path := orphan(t, p.Data)
	p = start(t, p.Data, p.Key)
	if files := p.Blobs(); len(files) != 3 || slices.Contains(files, path) {
		t.Errorf("there are %d files, not 3: %v", len(files), files)
	}
	p.Terminate()
}

func TestALostMarkDeletesNothing(t *testing.T) {
	p := owned(t, 3)
	p.Terminate()
	orphan(t, p.Data)
	for _, lose := range []func(string) error{os.Remove, func(mark string) error { return os.WriteFile(mark, []byte("???\n"), 0o600) }} {
		if err := lose(filepath.Join(p.Data, "settled")); err != nil {
			t.Fatal(err)
		}
		p = start(t, p.Data, p.Key)
		if files := p.Blobs(); len(files) != 4 {
			t.Errorf("there are %d files, not 4", len(files))
		}
		p.Terminate()
	}
}

func TestAnOlderDatabaseDeletesNoNewerPictures(t *testing.T) {
	p := owned(t, 2)
	p.Terminate()
	db := filepath.Join(p.Data, "picora.db")
	old, err := os.ReadFile(db)
	if err != nil {
		t.Fatal(err)
	}
	p = start(t, p.Data, p.Key)
	for i := range 3 {
		p.Add("b.jpg", apptest.JPEG(60, 40, uint64(100+i)))
	}
	p.Terminate()
	if err := os.WriteFile(db, old, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // nor does the start after that
		p = start(t, p.Data, p.Key)
		if _, total := list(t, p); total != 2 {
			t.Errorf("the older database has %d records, not 2", total)
		}
		if files := p.Blobs(); len(files) != 5 {
			t.Errorf("there are %d files, not 5", len(files))
		}
		p.Add("c.jpg", apptest.JPEG(60, 40, 1)) // a duplicate
		p.Terminate()
	}
}
