package kvtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"picora/store/kv"
)

var errAbort = errors.New("abort")

// testModel runs random transactions against the database and a map. KVTEST_SEED
// repeats a run.
func testModel(t *testing.T, db kv.DB) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("KVTEST_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	t.Logf("KVTEST_SEED=%d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	model := map[string]string{}
	for i := range 60 {
		opSeed := rnd.Uint64()
		var next map[string]string
		err := db.Update(context.Background(), func(tx kv.Tx) error {
			next = maps.Clone(model) // afresh: this may be called again
			return history(rand.New(rand.NewPCG(opSeed, 1)), tx, next)
		})
		if err == nil {
			model = next
		} else if !errors.Is(err, errAbort) {
			t.Fatalf("transaction %d: %v", i, err)
		}
		view(t, db, func(r kv.Reader) error { return compare(rnd, r, model) })
		if t.Failed() {
			return
		}
	}
}

// history writes at random to tx and model, comparing them on the way, and
// sometimes fails at the end.
func history(rnd *rand.Rand, tx kv.Tx, model map[string]string) error {
	deletes := rnd.IntN(100)
	for range rnd.IntN(300) {
		key := randomKey(rnd)
		if rnd.IntN(100) < deletes {
			delete(model, key)
			if err := tx.Delete([]byte(key)); err != nil {
				return err
			}
			continue
		}
		value := string(bytes.Repeat([]byte{byte(rnd.Uint32())}, rnd.IntN(1500)))
		model[key] = value
		if err := tx.Put([]byte(key), []byte(value)); err != nil {
			return err
		}
	}
	if rnd.IntN(4) == 0 {
		if err := purge(rnd, tx, model); err != nil {
			return err
		}
	}
	if err := compare(rnd, tx, model); err != nil {
		return err
	}
	if rnd.IntN(5) == 0 {
		return errAbort
	}
	return nil
}

// purge deletes a random range while it scans it.
func purge(rnd *rand.Rand, tx kv.Tx, model map[string]string) error {
	in := randomRange(rnd)
	for e, err := range tx.Scan(in) {
		if err != nil {
			return err
		}
		if err := tx.Delete(e.Key); err != nil {
			return err
		}
	}
	maps.DeleteFunc(model, func(k, _ string) bool { return in.Contains([]byte(k)) })
	return nil
}

// compare reads a few random keys and ranges.
func compare(rnd *rand.Rand, r kv.Reader, model map[string]string) error {
	for range 10 {
		key := randomKey(rnd)
		if want, ok := model[key]; ok {
			if err := wantValue(r, key, want); err != nil {
				return err
			}
		} else if err := wantMissing(r, key); err != nil {
			return err
		}
	}
	sorted := slices.Sorted(maps.Keys(model))
	for _, in := range []kv.Range{{}, {Reverse: true}, randomRange(rnd), randomRange(rnd), randomRange(rnd)} {
		want := slices.DeleteFunc(slices.Clone(sorted), func(k string) bool { return !in.Contains([]byte(k)) })
		if err := wantScan(r, in, want); err != nil {
			return err
		}
	}
	for e, err := range r.Scan(randomRange(rnd)) {
		if err != nil || string(e.Value) != model[string(e.Key)] {
			return fmt.Errorf("scan yields a wrong value for %q: %w", e.Key, err)
		}
	}
	return nil
}

// randomKey returns one of about 1,500 keys of different lengths.
func randomKey(rnd *rand.Rand) string {
	n := rnd.IntN(1500)
	return fmt.Sprintf("%d/%0*d", n%7, 1+n%40, n)
}

func randomRange(rnd *rand.Rand) kv.Range {
	bound := func() []byte {
		switch rnd.IntN(4) {
		case 0:
			return nil
		case 1:
			return []byte{byte('0' + rnd.IntN(8))}
		}
		return []byte(randomKey(rnd))
	}
	return kv.Range{From: bound(), To: bound(), Reverse: rnd.IntN(2) == 0}
}
