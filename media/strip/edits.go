package strip

import (
	"bytes"
	"cmp"
	"slices"
)

// edits are what is overwritten in a file in which nothing may move.
type edits struct{ list []edit }

// edit overwrites the n bytes at off: with data, or with zeros when it is nil.
type edit struct {
	off, n int64
	data   []byte
}

// write overwrites what is at off with data.
func (e *edits) write(off int64, data []byte) {
	e.list = append(e.list, edit{off, int64(len(data)), data})
}

// erase overwrites n bytes with zeros. Less than one is none.
func (e *edits) erase(off, n int64) {
	if n > 0 {
		e.list = append(e.list, edit{off: off, n: n})
	}
}

// clear overwrites with zeros what is known to be old, if it has to be.
func (e *edits) clear(off int64, old []byte) {
	if !blank(old) {
		e.erase(off, int64(len(old)))
	}
}

// free makes a box one that has nothing to say.
func (e *edits) free(x box) {
	if x.kind != "free" {
		e.write(x.off+4, []byte("free"))
	}
	e.clear(x.at, x.b)
}

// apply writes the plan of the first end bytes of the file.
func (e *edits) apply(b *builder, end int64) error {
	slices.SortStableFunc(e.list, func(a, b edit) int { return cmp.Compare(a.off, b.off) })
	var at int64
	for _, x := range e.list {
		from := max(x.off, at)
		to := min(x.off+x.n, end)
		if from >= to {
			continue
		}
		if err := b.keep(at, from-at); err != nil {
			return err
		}
		var err error
		if x.data != nil {
			err = b.put(x.data[from-x.off : to-x.off])
		} else {
			err = b.zero(to - from)
		}
		if err != nil {
			return err
		}
		at = to
	}
	return b.keep(at, end-at)
}

// merge sorts ranges and joins those that overlap or touch.
func merge(s []span) []span {
	slices.SortFunc(s, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	out := s[:0]
	for _, x := range s {
		if n := len(out) - 1; n >= 0 && x.from <= out[n].to {
			out[n].to = max(out[n].to, x.to)
		} else {
			out = append(out, x)
		}
	}
	return out
}

// blank says whether there are only zeros in b.
func blank(b []byte) bool {
	for len(b) > 0 {
		n := min(len(b), len(zeros))
		if !bytes.Equal(b[:n], zeros[:n]) {
			return false
		}
		b = b[n:]
	}
	return true
}
