package strip

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
)

// maxPieces bounds a plan, and with it the record that keeps it and the work
// of serving it. A picture needs about ten pieces.
const maxPieces = 4096

// MaxEncoded is the most that Marshal makes of a plan by Walk.
const MaxEncoded = 16 << 10

// A Piece is a part of what is delivered: Data itself, which is not to be changed,
// when it is not nil, else the Len bytes at Off of the original.
type Piece struct {
	Off, Len int64
	Data     []byte
}

// size is the number of bytes that the piece delivers.
func (p Piece) size() int64 {
	if p.Data != nil {
		return int64(len(p.Data))
	}
	return p.Len
}

// A Plan lists the pieces that make up the delivered file, in order. The
// ranges of a plan made by Walk ascend and do not overlap. A nil Plan in a
// Report means the original as it is.
type Plan []Piece

// Size is the number of bytes that the plan delivers.
func (p Plan) Size() int64 {
	var n int64
	for _, piece := range p {
		n += piece.size()
	}
	return n
}

// Section returns the pieces that deliver the bytes [off, off+n) of what p
// delivers, cut off at its end: what an HTTP range needs. Inline data is
// shared with p, not copied.
func (p Plan) Section(off, n int64) Plan {
	if off < 0 || n <= 0 {
		return nil
	}
	end := p.Size()
	if n < end-off {
		end = off + n
	}
	var out Plan
	var at int64
	for _, piece := range p {
		size := piece.size()
		from, to := max(off, at), min(end, at+size)
		if from < to {
			out = append(out, piece.cut(from-at, to-at))
		}
		at += size
	}
	return out
}

// cut returns the bytes [from, to) of the piece.
func (p Piece) cut(from, to int64) Piece {
	if p.Data != nil {
		return Piece{Data: p.Data[from:to]}
	}
	return Piece{Off: p.Off + from, Len: to - from}
}

// zeros is what every run of zeros in a plan shares. A long run is several pieces.
var zeros [64 << 10]byte

// zeroed says whether data is such a run, which is kept by its length alone.
// Below eight zeros nothing is gained.
func zeroed(data []byte) bool {
	return len(data) >= 8 && len(data) <= len(zeros) && bytes.Equal(data, zeros[:len(data)])
}

// Marshal writes the plan for keeping in a record: the number of pieces, then
// for each a varint that is its length doubled, plus one for inline data; then
// the data, or the distance of the range from the end of the one before. Inline
// data of length 0 stands for a run of zeros, whose length follows. A nil plan
// is no bytes at all.
func (p Plan) Marshal() []byte {
	if p == nil {
		return nil
	}
	out := binary.AppendUvarint(nil, uint64(len(p)))
	var end int64
	for _, piece := range p {
		if zeroed(piece.Data) {
			out = binary.AppendUvarint(append(out, 1), uint64(len(piece.Data)))
			continue
		}
		if piece.Data != nil {
			out = binary.AppendUvarint(out, uint64(len(piece.Data))<<1|1)
			out = append(out, piece.Data...)
			continue
		}
		out = binary.AppendUvarint(out, uint64(piece.Len)<<1)
		out = binary.AppendUvarint(out, uint64(piece.Off-end))
		end = piece.Off + piece.Len
	}
	return out
}

// errPlan is what Unmarshal says of bytes that Marshal did not write.
var errPlan = errors.New("strip: damaged plan")

// Unmarshal reads what Marshal wrote. It takes only plans that Walk could have
// made: not empty, no empty piece, ranges ascending, no number beyond int64.
func Unmarshal(b []byte) (Plan, error) {
	if len(b) == 0 {
		return nil, nil
	}
	count, b, err := uvarint(b)
	if err != nil || count == 0 || count > maxPieces {
		return nil, errPlan
	}
	plan := make(Plan, 0, count)
	var end int64
	for range count {
		var piece Piece
		if piece, b, err = readPiece(b, end); err != nil {
			return nil, err
		}
		if piece.Data == nil {
			end = piece.Off + piece.Len
		}
		plan = append(plan, piece)
	}
	if len(b) != 0 {
		return nil, errPlan
	}
	return plan, nil
}

// readPiece reads one piece, whose range may start at end or later, and
// returns it and the bytes after it.
func readPiece(b []byte, end int64) (Piece, []byte, error) {
	tag, b, err := uvarint(b)
	if err == nil && tag == 1 {
		return readZeros(b)
	}
	size := tag >> 1
	if err != nil || size == 0 {
		return Piece{}, nil, errPlan
	}
	if tag&1 == 1 {
		if size > int64(len(b)) {
			return Piece{}, nil, errPlan
		}
		return Piece{Data: append([]byte{}, b[:size]...)}, b[size:], nil
	}
	gap, b, err := uvarint(b)
	if err != nil || gap > math.MaxInt64-end || size > math.MaxInt64-end-gap {
		return Piece{}, nil, errPlan
	}
	return Piece{Off: end + gap, Len: size}, b, nil
}

// readZeros reads the length of a run of zeros.
func readZeros(b []byte) (Piece, []byte, error) {
	n, b, err := uvarint(b)
	if err != nil || n == 0 || n > int64(len(zeros)) {
		return Piece{}, nil, errPlan
	}
	return Piece{Data: zeros[:n:n]}, b, nil
}

// uvarint reads a number that fits an int64 and returns the bytes after it.
func uvarint(b []byte) (int64, []byte, error) {
	v, n := binary.Uvarint(b)
	if n <= 0 || v > math.MaxInt64 {
		return 0, nil, errPlan
	}
	return int64(v), b[n:], nil
}
