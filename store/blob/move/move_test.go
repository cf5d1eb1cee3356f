package move

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"picora/store/blob"
	"picora/store/blob/blobtest"
	"picora/store/blob/disk"
)

func folder(t testing.TB) *disk.Store {
	t.Helper()
	s, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestStoreInEveryPhase(t *testing.T) {
	for name, step := range map[string]func(*Store, context.Context) error{
		"copying":  func(*Store, context.Context) error { return nil },
		"switched": (*Store).Switch,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			blobtest.Run(t, func(t *testing.T) blob.Store {
				s := New(folder(t))
				must(t, s.Begin(t.Context(), folder(t)))
				must(t, step(s, t.Context()))
				return s
			})
		})
	}
}

// pass is one that counts what it is told.
func pass(from, to blob.Store) *Pass {
	return &Pass{From: from, To: to, Live: new(atomic.Int64), Done: func(context.Context, string, int, int64) error { return nil }}
}

func put(t testing.TB, s blob.Store, b []byte) (key string) {
	t.Helper()
	key = blob.NewKey(time.Now())
	if _, err := s.Put(t.Context(), key, bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	return key
}

func read(s blob.Store, key string) ([]byte, error) {
	r, err := s.Open(context.Background(), key, 0, -1)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func keys(t testing.TB, s blob.Store) (list []string) {
	t.Helper()
	for i, err := range s.List(t.Context(), "", "") {
		must(t, err)
		list = append(list, i.Key)
	}
	return list
}

// crowd puts, reads and deletes blobs, and knows which there must be.
type crowd struct {
	t    testing.TB
	s    *Store
	mu   sync.Mutex
	have map[string][32]byte
	gone map[string]bool
}

func (c *crowd) work(ctx context.Context, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 1))
	var own []string // what others do not delete
	for ctx.Err() == nil {
		switch n := random.IntN(10); {
		case n < 4 || len(own) == 0:
			b := make([]byte, random.IntN(100_000))
			for i := range b {
				b[i] = byte(random.Uint32())
			}
			key := put(c.t, c.s, b)
			own = append(own, key)
			c.mu.Lock()
			c.have[key] = sha256.Sum256(b)
			c.mu.Unlock()
		case n < 7:
			i := random.IntN(len(own))
			if n == 6 {
				i = len(own) - 1 // one that may be under way
			}
			key := own[i]
			own = append(own[:i], own[i+1:]...)
			if err := c.s.Delete(context.Background(), key); err != nil {
				c.t.Errorf("delete: %v", err)
			}
			c.mu.Lock()
			delete(c.have, key)
			c.gone[key] = true
			c.mu.Unlock()
		default:
			c.check(own[random.IntN(len(own))])
		}
	}
}

func (c *crowd) check(key string) {
	c.mu.Lock()
	want := c.have[key]
	c.mu.Unlock()
	if b, err := read(c.s, key); err != nil || sha256.Sum256(b) != want {
		c.t.Errorf("%s: %d bytes, %v", key, len(b), err)
	}
}

func TestAMoveUnderLoad(t *testing.T) {
	t.Parallel()
	a, b := folder(t), folder(t)
	c := &crowd{t: t, s: New(a), have: map[string][32]byte{}, gone: map[string]bool{}}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var g sync.WaitGroup
	for i := range 4 {
		g.Go(func() { c.work(ctx, uint64(i)) })
	}
	run := func(from, to blob.Store, again bool) {
		t.Helper()
		for {
			copied, failed, first, err := pass(from, to).Run(t.Context())
			if err != nil || failed > 0 {
				t.Fatal(failed, first, err)
			}
			if !again || copied == 0 {
				return
			}
		}
	}
	for !t.Failed() { // some blobs before the first move
		c.mu.Lock()
		n := len(c.gone)
		c.mu.Unlock()
		if n > 50 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	from, to := blob.Store(a), blob.Store(b)
	for round := range 3 {
		must(t, c.s.Begin(t.Context(), to))
		first := pass(from, to)
		first.Stale = to.Delete // of the time before, and deleted since
		if _, failed, _, err := first.Run(t.Context()); failed > 0 || err != nil {
			t.Fatal(failed, err)
		}
		must(t, c.s.Switch(t.Context()))
		if round == 1 { // turned back halfway: those that were put since come back
			must(t, c.s.Settled(t.Context()))
			run(from, to, false)
			must(t, c.s.Back(t.Context()))
			from, to = to, from
		}
		must(t, c.s.Settled(t.Context()))
		run(from, to, true)
		must(t, c.s.End(t.Context()))
		from, to = to, from
	}
	stop()
	g.Wait()
	for key := range c.have {
		c.check(key)
	}
	here := keys(t, c.s)
	if len(here) != len(c.have) {
		t.Errorf("there are %d blobs, %d were put and not deleted", len(here), len(c.have))
	}
	for _, key := range here {
		if c.gone[key] {
			t.Errorf("%s was deleted, and is there", key)
		}
	}
	t.Logf("%d blobs, %d deleted", len(c.have), len(c.gone))
}

// hooked is a store that does something more.
type hooked struct {
	*disk.Store
	put  func(key string) error
	read func(r io.Reader) io.Reader
	free int64
}

func (h *hooked) Put(ctx context.Context, key string, r io.Reader) (blob.Info, error) {
	if h.put != nil {
		if err := h.put(key); err != nil {
			return blob.Info{}, err
		}
	}
	return h.Store.Put(ctx, key, r)
}

func (h *hooked) Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	r, err := h.Store.Open(ctx, key, off, n)
	if err != nil || h.read == nil {
		return r, err
	}
	return struct {
		io.Reader
		io.Closer
	}{h.read(r), r}, nil
}

func (h *hooked) Free(context.Context) (int64, error) {
	if h.free == 0 {
		return math.MaxInt64, nil
	}
	return h.free, nil
}

// flip is other bytes than r has.
func flip(r io.Reader) io.Reader {
	b, _ := io.ReadAll(r)
	if len(b) > 0 {
		b[len(b)/2] ^= 1
	}
	return bytes.NewReader(b)
}

func TestACopyIsCompared(t *testing.T) {
	t.Parallel()
	from, to := folder(t), folder(t)
	want := bytes.Repeat([]byte("picture "), 5000)
	key := put(t, from, want)
	empty := put(t, from, nil)
	torn := bytes.Clone(want)
	torn[77]++
	if _, err := to.Put(t.Context(), key, bytes.NewReader(torn)); err != nil {
		t.Fatal(err)
	}
	p := pass(from, to)
	p.Compare = true
	if n, failed, _, err := p.Run(t.Context()); n != 2 || failed != 0 || err != nil {
		t.Fatal(n, failed, err)
	}
	if got, err := read(to, key); err != nil || !bytes.Equal(got, want) {
		t.Errorf("what was torn was not mended: %d bytes, %v", len(got), err)
	}
	if got, err := read(to, empty); err != nil || len(got) != 0 {
		t.Errorf("the empty one: %d bytes, %v", len(got), err)
	}
	if n, _, _, err := pass(from, to).Run(t.Context()); n != 0 || err != nil {
		t.Errorf("all is there, but %d were copied, %v", n, err)
	}
}

func TestWhatComesBackAsOtherBytesIsNotKept(t *testing.T) {
	t.Parallel()
	from, bad := folder(t), &hooked{Store: folder(t), read: flip}
	key := put(t, from, []byte("some bytes"))
	n, failed, first, err := pass(from, bad).Run(t.Context())
	if n != 0 || failed != 1 || err != nil || first == nil || first.Key != key || !errors.Is(first, errDiffers) {
		t.Errorf("%d %d %v %v", n, failed, first, err)
	}
	if left := keys(t, bad); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
	// One that cannot be read does not keep the others from being copied.
	broken := errors.New("a bad sector")
	source := &hooked{Store: from, read: func(r io.Reader) io.Reader {
		b, _ := io.ReadAll(r)
		if bytes.HasPrefix(b, []byte("some")) {
			return io.MultiReader(bytes.NewReader(b[:4]), readerFunc(func([]byte) (int, error) { return 0, broken }))
		}
		return bytes.NewReader(b)
	}}
	put(t, from, []byte("other bytes"))
	to := folder(t)
	n, failed, first, err = pass(source, to).Run(t.Context())
	if n != 1 || failed != 1 || err != nil || !errors.Is(first, broken) || len(keys(t, to)) != 1 {
		t.Errorf("%d %d %v %v %v", n, failed, first, err, keys(t, to))
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func TestAPassGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	from := folder(t)
	const all = 3*batchBlobs + 5
	for i := range all {
		put(t, from, fmt.Appendf(nil, "blob %d", i))
	}
	var puts atomic.Int64
	to := &hooked{Store: folder(t), put: func(string) error {
		if puts.Add(1) > 2*batchBlobs {
			return fmt.Errorf("%w: away", blob.ErrUnavailable)
		}
		return nil
	}}
	p := pass(from, to)
	p.Compare = true
	done := 0
	p.Done = func(_ context.Context, key string, blobs int, _ int64) error {
		p.After = key
		done += blobs
		return nil
	}
	if n, failed, _, err := p.Run(t.Context()); n != 2*batchBlobs || failed != 0 || !errors.Is(err, blob.ErrUnavailable) || done != n {
		t.Fatal(n, failed, err, done)
	}
	puts.Store(0)
	if n, _, _, err := p.Run(t.Context()); n != all-2*batchBlobs || err != nil || done != all {
		t.Errorf("%d %v, %d done", n, err, done)
	}
	if p.Live.Load() != 0 {
		t.Errorf("%d bytes under way", p.Live.Load())
	}
	to.free = 100
	p = pass(from, to)
	p.Keep = 50
	put(t, from, make([]byte, 60))
	if _, _, _, err := p.Run(t.Context()); !errors.Is(err, blob.ErrNoSpace) {
		t.Errorf("no room: %v", err)
	}
	d, err := Compare(t.Context(), from, to)
	if want := (Difference{Blobs: all + 1, There: all, Missing: 60}); err != nil || d.Blobs != want.Blobs || d.There != want.There || d.Missing != want.Missing || d.Others != 0 {
		t.Errorf("%+v %v", d, err)
	}
}

func TestABlobDeletedWhileItIsCopied(t *testing.T) {
	t.Parallel()
	a := folder(t)
	s := New(a)
	key := put(t, s, []byte("short-lived"))
	b := &hooked{Store: folder(t)}
	must(t, s.Begin(t.Context(), b))
	b.put = func(string) error { return s.Delete(t.Context(), key) }
	if _, failed, _, err := pass(a, b).Run(t.Context()); failed != 0 || err != nil {
		t.Fatal(failed, err)
	}
	if left := keys(t, b); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
}

func TestAPutThatLastsOverTheSwitch(t *testing.T) {
	t.Parallel()
	a, b := folder(t), folder(t)
	s := New(a)
	must(t, s.Begin(t.Context(), b))
	began, finish, key := make(chan struct{}), make(chan struct{}), blob.NewKey(time.Now())
	var g sync.WaitGroup
	g.Go(func() {
		first := true
		_, err := s.Put(t.Context(), key, readerFunc(func(p []byte) (int, error) {
			if !first {
				return 0, io.EOF
			}
			first = false
			close(began)
			<-finish
			return copy(p, "late"), nil
		}))
		if err != nil {
			t.Error(err)
		}
	})
	<-began
	must(t, s.Switch(t.Context()))
	newer := put(t, s, []byte("new"))
	soon, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := s.Settled(soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a put to the source is under way: %v", err)
	}
	close(finish)
	must(t, s.Settled(t.Context()))
	g.Wait()
	for _, k := range []string{key, newer} {
		if _, err := read(s, k); err != nil {
			t.Error(err)
		}
	}
	if _, _, _, err := pass(a, b).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	must(t, s.End(t.Context()))
	if got := keys(t, s); len(got) != 2 {
		t.Errorf("%v", got)
	}
}
