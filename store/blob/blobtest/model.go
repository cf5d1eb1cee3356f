package blobtest

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"picora/store/blob"
)

// testModel calls everything in a random order and compares with a map.
func testModel(t *testing.T, s blob.Store) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	m := model{Store: s, held: make(map[string][]byte), rand: rand.New(rand.NewPCG(seed, 0))}
	for range 40 {
		m.keys = append(m.keys, blob.NewKey(epoch.Add(time.Duration(m.rand.Int64N(int64(60*24*time.Hour))))))
	}
	for range 600 {
		key := m.keys[m.rand.IntN(len(m.keys))]
		switch m.rand.IntN(8) {
		case 0, 1, 2:
			m.put(t, key)
		case 3, 4:
			m.delete(t, key)
		case 5, 6:
			m.open(t, key)
		case 7:
			m.list(t, key)
		}
		if t.Failed() {
			return
		}
	}
}

type model struct {
	blob.Store
	keys []string // all that may be used
	held map[string][]byte
	rand *rand.Rand
}

func (m *model) put(t *testing.T, key string) {
	b := content(m.rand.Uint64(), m.rand.IntN(50_000))
	_, err := m.Put(t.Context(), key, bytes.NewReader(b))
	if _, there := m.held[key]; there {
		if !errors.Is(err, blob.ErrExists) {
			t.Errorf("Put of a stored key gives %v", err)
		}
		return
	}
	if err != nil {
		t.Errorf("Put: %v", err)
	}
	m.held[key] = b
}

func (m *model) delete(t *testing.T, key string) {
	if err := m.Delete(t.Context(), key); err != nil {
		t.Errorf("Delete: %v", err)
	}
	delete(m.held, key)
}

func (m *model) open(t *testing.T, key string) {
	b, there := m.held[key]
	if !there {
		wantNothing(t, m, key)
		return
	}
	off := m.rand.IntN(len(b) + 1)
	n := m.rand.IntN(60_000)
	got, err := read(t.Context(), m, key, int64(off), int64(n))
	if err != nil || !bytes.Equal(got, b[off:min(off+n, len(b))]) {
		t.Errorf("Open(%d, %d) of %d bytes gives %d bytes and %v", off, n, len(b), len(got), err)
	}
	wantContent(t, m, key, b)
}

func (m *model) list(t *testing.T, after string) {
	want := slices.Sorted(maps.Keys(m.held))
	want = slices.DeleteFunc(want, func(key string) bool { return key <= after })
	if got := keys(t, m.List(t.Context(), "", after)); !slices.Equal(got, want) {
		t.Errorf("List after %s gives %q, want %q", after, got, want)
	}
}
