package strip

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"testing"
)

var aPlan = Plan{{Off: 3, Len: 4}, {Data: []byte("inline")}, {Off: 7, Len: 1}, {Off: 20, Len: 6}, {Data: []byte("x")}}

func TestSection(t *testing.T) {
	file := []byte("abcdefghijklmnopqrstuvwxyz")
	all := deliver(t, file, aPlan)
	if string(all) != "defginlinehuvwxyzx" {
		t.Fatalf("delivered %q", all)
	}
	for off := range len(all) + 2 {
		for n := range len(all) + 2 {
			from, to := min(off, len(all)), min(off+n, len(all))
			got := deliver(t, file, append(Plan{}, aPlan.Section(int64(off), int64(n))...))
			if !bytes.Equal(got, all[from:to]) {
				t.Errorf("Section(%d, %d) = %q, want %q", off, n, got, all[from:to])
			}
		}
	}
	if got := aPlan.Section(2, math.MaxInt64).Size(); got != aPlan.Size()-2 {
		t.Errorf("an open section has %d bytes", got)
	}
	if got := aPlan.Section(-1, 5); got != nil {
		t.Errorf("Section(-1, 5) = %v", got)
	}
}

func TestMarshal(t *testing.T) {
	for _, p := range []Plan{nil, aPlan, {{Off: 1 << 62, Len: 1<<62 - 1}}, {{Data: []byte{0}}}} {
		got, err := Unmarshal(p.Marshal())
		if err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("%v came back as %v, %v", p, got, err)
		}
	}
}

// TestUnmarshalStored has plans as they were stored before runs of zeros had a
// form of their own.
func TestUnmarshalStored(t *testing.T) {
	for stored, want := range map[string]Plan{
		"\x05\x08\x03\x0dinline\x02\x00\x0c\x0c\x03x":      aPlan,
		"\x01\x15\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00": {{Data: make([]byte, 10)}},
		"\x02\x80\x80\x04\x07\x05\x00\x01":                 {{Off: 7, Len: 32768}, {Data: []byte{0, 1}}},
	} {
		if got, err := Unmarshal([]byte(stored)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is %v, %v, want %v", stored, got, err, want)
		}
	}
}

func TestZeros(t *testing.T) {
	var b builder
	for _, n := range []int64{3, 8, int64(len(zeros)) + 5, 0} {
		if err := errors.Join(b.zero(n), b.put([]byte("x"))); err != nil {
			t.Fatal(err)
		}
	}
	plan, err := b.finish(0)
	if err != nil || len(plan.Marshal()) > 30 {
		t.Errorf("%d bytes, %v", len(plan.Marshal()), err)
	}
	back, err := Unmarshal(plan.Marshal())
	want := slicesJoin(make([]byte, 3), []byte("x"), make([]byte, 8), []byte("x"), make([]byte, len(zeros)+5), []byte("xx"))
	if err != nil || !bytes.Equal(deliver(t, nil, back), want) || !bytes.Equal(deliver(t, nil, plan), want) {
		t.Errorf("the zeros do not come back: %v", err)
	}
	if got := deliver(t, nil, back.Section(10, 70_000)); !bytes.Equal(got, want[10:min(len(want), 70_010)]) {
		t.Error("a section of zeros is wrong")
	}
	if !blank(zeros[:]) {
		t.Error("the zeros have been written to")
	}
}

func TestUnmarshalDamaged(t *testing.T) {
	good := aPlan.Marshal()
	for n := 1; n < len(good); n++ {
		if p, err := Unmarshal(good[:n]); err == nil {
			t.Errorf("cut at %d: %v", n, p)
		}
	}
	tooMany := make(Plan, maxPieces+1)
	for i := range tooMany {
		tooMany[i] = Piece{Data: []byte{1}}
	}
	for name, b := range map[string][]byte{
		"rubbish behind": append(bytes.Clone(good), 0),
		"no pieces":      {0},
		"empty piece":    {1, 0, 0},
		"empty data":     {1, 1},
		"no zeros":       {1, 1, 0},
		"too many zeros": {1, 1, 0x81, 0x80, 0x04},
		"overflow":       Plan{{Off: 5, Len: math.MaxInt64 - 4}}.Marshal(),
		"large number":   {1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0},
		"descending":     Plan{{Off: 9, Len: 1}, {Off: 3, Len: 1}}.Marshal(),
		"too many":       tooMany.Marshal(),
	} {
		if p, err := Unmarshal(b); err == nil {
			t.Errorf("%s: %v", name, p)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(aPlan.Marshal())
	f.Add(Plan{{Data: zeros[:]}, {Off: 1, Len: 1}}.Marshal())
	f.Add([]byte{1, 3, 'x', 'y'})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Unmarshal(b)
		if err != nil {
			return
		}
		var end int64
		for _, piece := range p {
			switch {
			case piece.Data != nil && len(piece.Data) == 0, piece.Data == nil && piece.Len <= 0:
				t.Fatalf("empty piece %+v", piece)
			case piece.Data == nil && (piece.Off < end || piece.Off+piece.Len < piece.Off):
				t.Fatalf("piece %+v in front of %d", piece, end)
			case piece.Data == nil:
				end = piece.Off + piece.Len
			}
		}
		again, err := Unmarshal(p.Marshal())
		if err != nil || !reflect.DeepEqual(again, p) {
			t.Fatalf("%v came back as %v, %v", p, again, err)
		}
	})
}
