package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/gif"
	"image/png"
	"testing"
	"time"

	"picora/media"
	"picora/media/av"
	"picora/media/jpeg"
	"picora/media/webp"
)

// scene is a picture whose corners differ: red top left, green top right, blue bottom
// left, and a gradient. With alpha, the middle is transparent.
func scene(w, h int, alpha bool) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{uint8(60 + 120*x/w), uint8(60 + 120*y/h), 110, 255}
			switch {
			case x < w/3 && y < h/3:
				c = color.NRGBA{230, 20, 30, 255}
			case x >= w-w/3 && y < h/3:
				c = color.NRGBA{20, 190, 40, 255}
			case x < w/3 && y >= h-h/3:
				c = color.NRGBA{30, 40, 220, 255}
			case alpha && x >= w/3 && x < w-w/3 && y >= h/3 && y < h-h/3:
				c = color.NRGBA{}
			}
			m.SetNRGBA(x, y, c)
		}
	}
	return m
}

func bytesOf(t testing.TB, write func(b *bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(t testing.TB, m *image.NRGBA, o jpeg.Options) Source {
	return Source{Type: media.JPEG, Data: bytesOf(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, m, o) })}
}

func pngOf(t testing.TB, m image.Image) Source {
	return Source{Type: media.PNG, Data: bytesOf(t, func(b *bytes.Buffer) error { return png.Encode(b, m) })}
}

func webpOf(t testing.TB, m *image.NRGBA) Source {
	return Source{Type: media.WebP, Data: bytesOf(t, func(b *bytes.Buffer) error {
		return webp.Encode(b, m, webp.Options{Quality: 90, Method: 2})
	})}
}

func avifOf(t testing.TB, m *image.NRGBA) Source {
	return Source{Type: media.AVIF, Data: bytesOf(t, func(b *bytes.Buffer) error {
		return av.EncodeAVIF(b, m, 90, 8)
	})}
}

// paletted is m in the web's 216 colours and none.
func paletted(m image.Image) *image.Paletted {
	p := image.NewPaletted(m.Bounds(), append(color.Palette{color.NRGBA{}}, palette.WebSafe...))
	draw.Draw(p, p.Rect, m, image.Point{}, draw.Src)
	return p
}

// moving is the i-th of n frames: a white square that goes down the diagonal.
func moving(i, n, w, h int) *image.NRGBA {
	m := scene(w, h, false)
	at := image.Pt((w-w/4)*i/n, (h-h/4)*i/n)
	draw.Draw(m, image.Rectangle{at, at.Add(image.Pt(w/4, h/4))}, image.White, image.Point{}, draw.Src)
	return m
}

// gifOf is an animation whose frames but the first are only what changes.
func gifOf(t testing.TB, n, w, h int) Source {
	g := &gif.GIF{Config: image.Config{Width: w, Height: h}}
	for i := range n {
		p := paletted(moving(i, n, w, h))
		if i > 0 {
			p = p.SubImage(image.Rect(0, 0, (w-w/4)*i/n+w/4, (h-h/4)*i/n+h/4)).(*image.Paletted)
		}
		g.Image, g.Delay = append(g.Image, p), append(g.Delay, 5+i)
		g.Disposal = append(g.Disposal, gif.DisposalNone)
	}
	return Source{Type: media.GIF, Data: bytesOf(t, func(b *bytes.Buffer) error { return gif.EncodeAll(b, g) })}
}

func animatedWebP(t testing.TB, n, w, h int) Source {
	return Source{Type: media.WebP, Data: bytesOf(t, func(b *bytes.Buffer) error {
		e, err := webp.NewEncoder(w, h, 2, webp.Options{Quality: 90, Method: 2})
		if err != nil {
			return err
		}
		defer e.Close()
		for i := range n {
			if err := e.Add(moving(i, n, w, h), time.Duration(50+10*i)*time.Millisecond); err != nil {
				return err
			}
		}
		return e.Finish(b)
	})}
}

// chunk is a PNG's.
func chunk(name string, body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	b = append(append(b, name...), body...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// insert puts chunks behind a PNG's header.
func insert(data []byte, chunks ...[]byte) []byte {
	return bytes.Join([][]byte{data[:33], bytes.Join(chunks, nil), data[33:]}, nil)
}

// deflated is the compressed picture data of a PNG.
func deflated(data []byte) []byte {
	var out []byte
	for pos := 8; pos < len(data); {
		n := int(binary.BigEndian.Uint32(data[pos:]))
		if string(data[pos+4:pos+8]) == "IDAT" {
			out = append(out, data[pos+8:pos+8+n]...)
		}
		pos += 12 + n
	}
	return out
}

// apngOf is an animated PNG of whole frames.
func apngOf(t testing.TB, n, w, h int) Source {
	opaque := func(i int) []byte { return pngOf(t, moving(i, n, w, h)).Data }
	number := uint32(0)
	control := func(i int) []byte {
		b := binary.BigEndian.AppendUint32(nil, number)
		number++
		b = binary.BigEndian.AppendUint32(b, uint32(w))
		b = binary.BigEndian.AppendUint32(b, uint32(h))
		b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
		b = binary.BigEndian.AppendUint16(b, uint16(5+i))
		return chunk("fcTL", append(b, 0, 100, 0, 0))
	}
	first := opaque(0)
	out := bytes.Clone(first[:33])
	out = append(out, chunk("acTL", binary.BigEndian.AppendUint64(nil, uint64(n)<<32))...)
	out = append(append(out, control(0)...), chunk("IDAT", deflated(first))...)
	for i := 1; i < n; i++ {
		out = append(out, control(i)...)
		out = append(out, chunk("fdAT", append(binary.BigEndian.AppendUint32(nil, number), deflated(opaque(i))...))...)
		number++
	}
	return Source{Type: media.PNG, Data: append(out, chunk("IEND", nil)...)}
}

// adam7Of is an interlaced PNG of RGB (PNG, third edition, 8.2).
func adam7Of(t testing.TB, m *image.NRGBA) Source {
	raw := bytesOf(t, func(b *bytes.Buffer) error {
		z := zlib.NewWriter(b)
		for _, p := range [7][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}} {
			for y := p[1]; y < m.Rect.Dy(); y += p[3] {
				if p[0] < m.Rect.Dx() {
					z.Write([]byte{0})
				}
				for x := p[0]; x < m.Rect.Dx(); x += p[2] {
					z.Write(m.Pix[y*m.Stride+4*x:][:3])
				}
			}
		}
		return z.Close()
	})
	head := binary.BigEndian.AppendUint32(nil, uint32(m.Rect.Dx()))
	head = append(binary.BigEndian.AppendUint32(head, uint32(m.Rect.Dy())), 8, 2, 0, 0, 1)
	return Source{Type: media.PNG, Data: bytes.Join([][]byte{[]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", head), chunk("IDAT", raw), chunk("IEND", nil)}, nil)}
}

func zlibTo(b *bytes.Buffer, data []byte) error {
	z := zlib.NewWriter(b)
	if _, err := z.Write(data); err != nil {
		return err
	}
	return z.Close()
}
