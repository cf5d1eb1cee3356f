package memkv

import (
	"bytes"
	"iter"

	"picora/store/kv"
)

// tx is a transaction of either kind on a tree of its own.
type tx struct {
	tree     *tree
	writable bool
	over     bool
	hooks    []func()
}

// reader hides the writing half of a tx, so that a View cannot reach it.
type reader struct{ kv.Reader }

func (t *tx) end() { t.over = true }

func (t *tx) Get(key []byte) ([]byte, error) {
	if t.over {
		return nil, kv.ErrClosed
	}
	e, ok := t.tree.Get(kv.Entry{Key: key})
	if !ok {
		return nil, kv.ErrNotFound
	}
	return e.Value, nil
}

func (t *tx) Scan(r kv.Range) iter.Seq2[kv.Entry, error] {
	return func(yield func(kv.Entry, error) bool) {
		if t.over {
			yield(kv.Entry{}, kv.ErrClosed)
			return
		}
		source := t.tree
		if t.writable {
			source = t.tree.Copy() // the caller may write while it walks
		}
		visit := func(e kv.Entry) bool {
			return r.Contains(e.Key) && yield(e, nil)
		}
		switch {
		case !r.Reverse:
			source.Ascend(kv.Entry{Key: r.From}, visit)
		case len(r.To) == 0:
			source.Reverse(visit)
		default:
			source.Descend(kv.Entry{Key: r.To}, func(e kv.Entry) bool {
				return bytes.Equal(e.Key, r.To) || visit(e) // To itself is outside
			})
		}
	}
}

func (t *tx) Put(key, value []byte) error {
	if t.over {
		return kv.ErrClosed
	}
	if err := kv.CheckPut(key, value); err != nil {
		return err
	}
	t.tree.Set(kv.Entry{Key: bytes.Clone(key), Value: append([]byte{}, value...)})
	return nil
}

func (t *tx) Delete(key []byte) error {
	if t.over {
		return kv.ErrClosed
	}
	t.tree.Delete(kv.Entry{Key: key})
	return nil
}

func (t *tx) OnCommit(fn func()) { t.hooks = append(t.hooks, fn) }
