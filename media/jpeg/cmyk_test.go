package jpeg

import (
	"bytes"
	"image"
	"image/color"
	stdjpeg "image/jpeg"
	"testing"
)

// cmyk makes a 16 x 8 JPEG of four components as Adobe's programs do, by hand, since
// nothing here writes one: every block is flat, so all there is to code are the
// differences of their means. The left half is inks 200, 100, 50, 25, the right white.
func cmyk(t testing.TB) []byte {
	t.Helper()
	b := bytes.NewBufferString("\xFF\xD8" + segment(0xEE, "Adobe\x00\x64\x00\x00\x00\x00\x00"))
	table := make([]byte, 65)
	for i := range table[1:] {
		table[i+1] = 8 // so that a coefficient of 1 is one step of brightness
	}
	b.WriteString(segment(0xDB, string(table)))
	frame := "\x08\x00\x08\x00\x10\x04"
	for id := range 4 {
		frame += string([]byte{byte(id + 1), 0x11, 0})
	}
	b.WriteString(segment(0xC0, frame))
	// One code of four bits for each of the categories 0 to 8, and one for "end of block".
	b.WriteString(segment(0xC4, "\x00"+"\x00\x00\x00\x09"+string(make([]byte, 12))+"\x00\x01\x02\x03\x04\x05\x06\x07\x08"))
	b.WriteString(segment(0xC4, "\x10"+"\x01"+string(make([]byte, 15))+"\x00"))
	b.WriteString(segment(0xDA, "\x04\x01\x00\x02\x00\x03\x00\x04\x00\x00\x3F\x00"))
	var bits, n uint
	put := func(v, width uint) {
		for bits, n = bits<<width|v, n+width; n >= 8; n -= 8 {
			c := byte(bits >> (n - 8))
			b.WriteByte(c)
			if c == 0xFF {
				b.WriteByte(0)
			}
		}
	}
	last := [4]int{}
	for _, block := range [2][4]int{{200, 100, 50, 25}, {0, 0, 0, 0}} {
		for i, ink := range block {
			v := 255 - ink - 128 // stored as light
			diff := v - last[i]
			last[i] = v
			category := uint(0)
			for a := max(diff, -diff); a > 0; a >>= 1 {
				category++
			}
			put(category, 4)
			if diff < 0 {
				diff += 1<<category - 1
			}
			put(uint(diff), category)
			put(0, 1) // the rest of the block is zero
		}
	}
	put(0x7F, 7)
	b.WriteString("\xFF\xD9")
	return b.Bytes()
}

func TestCMYKOfAdobe(t *testing.T) {
	data := cmyk(t)
	h, err := ReadHeader(data)
	if err != nil || h.Components != 4 || !h.Adobe {
		t.Fatalf("%+v, %v", h, err)
	}
	for _, eighths := range []int{1, 8} {
		m, err := Decode(data, eighths)
		if err != nil {
			t.Fatal(err)
		}
		left, right := m.At(0, 0), m.At(m.Bounds().Dx()-1, 0)
		if left != (color.CMYK{200, 100, 50, 25}) || right != (color.CMYK{}) {
			t.Errorf("at %d/8: %v and %v", eighths, left, right)
		}
	}
	std, err := stdjpeg.Decode(bytes.NewReader(data))
	if err != nil || std.(*image.CMYK).CMYKAt(0, 0) != (color.CMYK{200, 100, 50, 25}) {
		t.Errorf("image/jpeg reads it as %v, %v", std, err)
	}
}
