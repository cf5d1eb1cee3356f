package strip

import "picora/media"

// builder collects the pieces of a plan while the file is walked.
type builder struct {
	pieces Plan
	sealed int // pieces before this index are not grown any more
	least  int // what the pieces take up when encoded, at the least
}

var errTooMany = media.Corrupt("the picture has too many metadata blocks")

// keep delivers n bytes of the original at off.
func (b *builder) keep(off, n int64) error {
	if n == 0 {
		return nil
	}
	if last := len(b.pieces) - 1; last >= b.sealed {
		p := &b.pieces[last]
		if p.Data == nil && p.Off+p.Len == off {
			p.Len += n
			return nil
		}
	}
	return b.add(Piece{Off: off, Len: n})
}

// put delivers data that is not in the original at this place.
func (b *builder) put(data []byte) error { return b.add(Piece{Data: data}) }

func (b *builder) add(p Piece) error {
	if b.least += p.least(); len(b.pieces) >= maxPieces || b.least > MaxEncoded {
		return errTooMany
	}
	b.pieces = append(b.pieces, p)
	return nil
}

// zero delivers n zeros.
func (b *builder) zero(n int64) error {
	for n > 0 {
		part := min(n, int64(len(zeros)))
		if err := b.put(zeros[:part:part]); err != nil {
			return err
		}
		n -= part
	}
	return nil
}

// least is how many bytes of an encoded plan the piece takes up, whatever its
// neighbours are: its data, or two numbers.
func (p Piece) least() int {
	if p.Data != nil && !zeroed(p.Data) {
		return len(p.Data)
	}
	return 2
}

// mark returns the place after the last piece, for insert and rewind;
// what is kept next starts a piece of its own.
func (b *builder) mark() int {
	b.sealed = len(b.pieces)
	return b.sealed
}

// insert puts data at a mark.
func (b *builder) insert(mark int, data []byte) error {
	if err := b.put(data); err != nil {
		return err
	}
	copy(b.pieces[mark+1:], b.pieces[mark:])
	b.pieces[mark] = Piece{Data: data}
	return nil
}

// rewind forgets the pieces after a mark and lets the one before it grow again
// if it could when sealed was noted.
func (b *builder) rewind(mark, sealed int) {
	for _, p := range b.pieces[mark:] {
		b.least -= p.least()
	}
	b.pieces, b.sealed = b.pieces[:mark], sealed
}

// finish returns the plan with its neighbours joined, or nil when it delivers
// the whole file of that size as it is.
func (b *builder) finish(size int64) (Plan, error) {
	var out Plan
	for _, p := range b.pieces {
		if n := len(out) - 1; n >= 0 && out[n].join(p) {
			continue
		}
		out = append(out, p)
	}
	if len(out) == 1 && out[0].Data == nil && out[0].Off == 0 && out[0].Len == size {
		return nil, nil
	}
	if len(out.Marshal()) > MaxEncoded {
		return nil, errTooMany
	}
	return out, nil
}

// join grows p by the piece after it where both are one run of bytes.
func (p *Piece) join(next Piece) bool {
	switch {
	case zeroed(p.Data) || zeroed(next.Data):
		return false // kept by their length, and shared
	case p.Data != nil && next.Data != nil:
		p.Data = append(p.Data, next.Data...)
	case p.Data == nil && next.Data == nil && p.Off+p.Len == next.Off:
		p.Len += next.Len
	default:
		return false
	}
	return true
}
