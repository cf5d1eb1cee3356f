package av

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"
)

// heads are those of an element of so many bytes, with each number of bytes for them.
func heads(id uint32, long int) (list [][]byte) {
	name := bytes.TrimLeft(binary.BigEndian.AppendUint32(nil, id), "\x00")
	for width := 1; width <= 8; width++ {
		if long >= 1<<(7*width)-1 {
			continue
		}
		b := binary.BigEndian.AppendUint64(nil, uint64(long))[8-width:]
		b[0] |= 1 << (8 - width)
		list = append(list, append(bytes.Clone(name), b...))
	}
	return list
}

func TestTooManyTagsMeanNothing(t *testing.T) {
	content := bytes.Repeat([]byte("x"), mostTags+1)
	few := append(heads(matroskaTags, 10)[0], content[:10]...)
	cluster := append(heads(0x1F43B675, 50)[3], content[:50]...)
	for i, head := range heads(matroskaTags, len(content)) {
		inside := bytes.Join([][]byte{few, head, content, cluster}, nil)
		file := bytes.Join([][]byte{heads(ebmlHead, 4)[0], []byte("webm"), heads(matroskaSegment, len(inside))[0], inside}, nil)
		if i%2 == 1 { // a stream does not know how long it is
			file = bytes.Replace(file, heads(matroskaSegment, len(inside))[0], []byte("\x18\x53\x80\x67\xFF"), 1)
		}
		r, cut := matroska(bytes.NewReader(file), int64(len(file)))
		got, err := io.ReadAll(io.NewSectionReader(r, 0, int64(len(file))))
		if cut || err != nil || len(got) != len(file) {
			t.Fatalf("head %d: cut %v, %d bytes of %d, %v", i, cut, len(got), len(file), err)
		}
		at := int64(bytes.Index(file, head))
		if id, _, long, ok := element(bytes.NewReader(got), at-int64(len(few))); !ok || id != matroskaTags || long != 10 {
			t.Errorf("head %d: a few tags become %x of %d bytes", i, id, long)
		}
		id, from, long, ok := element(bytes.NewReader(append(make([]byte, 0), got...)), at)
		if !ok || id != ebmlVoid || from+long != at+int64(len(head)+len(content)) {
			t.Errorf("head %d: it becomes %x of %d bytes from %d on, want %d", i, id, long, from, at+int64(len(head)+len(content)))
		}
		if id, _, _, ok := element(bytes.NewReader(got), from+long); !ok || id != 0x1F43B675 {
			t.Errorf("head %d: behind it is %x", i, id)
		}
		if _, cut := matroska(bytes.NewReader(file), int64(len(file)-20)); cut != (i%2 == 0) {
			t.Errorf("head %d: nobody sees that the end is missing", i)
		}
	}
}

func FuzzMatroska(f *testing.F) {
	f.Add(append(heads(ebmlHead, 4)[0], "webm\x18\x53\x80\x67\x85\x12\x54\xC3\x67\x80"...))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, _ := matroska(bytes.NewReader(b), int64(len(b)))
		if got, err := io.ReadAll(io.NewSectionReader(r, 0, int64(len(b)))); err != nil || len(got) != len(b) {
			t.Errorf("%d bytes of %d: %v", len(got), len(b), err)
		}
	})
}
