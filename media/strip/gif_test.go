package strip

import (
	"bytes"
	"image"
	"image/color"
	stdgif "image/gif"
	"testing"

	"picora/media"
)

// gifExt makes an extension of sub-blocks.
func gifExt(label byte, blocks ...string) []byte {
	out := []byte{gifExtension, label}
	for _, b := range blocks {
		out = append(append(out, byte(len(b))), b...)
	}
	return append(out, 0)
}

// gifWith inserts extensions behind the header of an animation, and again in
// front of its trailer.
func gifWith(t testing.TB, ext []byte) []byte {
	b := gifFile(t, 3)
	at := bytes.Index(b, []byte("\x21\xFF\x0BNETSCAPE2.0"))
	end := len(b) - 1
	return slicesJoin(b[:at], ext, b[at:end], ext, b[end:])
}

func TestGIFMetadata(t *testing.T) {
	for name, ext := range map[string][]byte{
		"comment":       gifExt(0xFE, secret, secret),
		"plain text":    gifExt(0x01, "position....", secret),
		"XMP":           gifExt(gifApp, "XMP DataXMP", secret),
		"application":   gifExt(gifApp, "MYSOFTWARE1", secret),
		"no name":       gifExt(gifApp),
		"unknown":       gifExt(0x42, secret),
		"empty loop":    gifExt(gifApp, "NETSCAPE2.0", secret),
		"long control":  gifExt(gifControl, "\x00\x00\x00\x00"+secret),
		"more control":  gifExt(gifControl, "\x00\x00\x00\x00", secret),
		"short control": gifExt(gifControl, "\x00", secret),
		"more loop":     gifExt(gifApp, "NETSCAPE2.0", "\x02"+secret, "\x01\x05\x00"),
	} {
		t.Run(name, func(t *testing.T) {
			ext := slicesJoin(ext, gifExt(0xFE, secret))
			rep, out := gone(t, media.GIF, gifWith(t, ext)) // the standard library is stricter than browsers
			if rep.Width != 12 || rep.Height != 9 || rep.Frames != 3 {
				t.Errorf("report %+v", rep)
			}
			sameFrames(t, gifFile(t, 3), out)
		})
	}
	stripped(t, media.GIF, append(gifFile(t, 1), "*/alert('"+secret+"')"...))
}

func sameFrames(t *testing.T, a, b []byte) {
	t.Helper()
	ga, err := stdgif.DecodeAll(bytes.NewReader(a))
	if err != nil {
		t.Fatal(err)
	}
	gb, err := stdgif.DecodeAll(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if len(ga.Image) != len(gb.Image) || ga.LoopCount != gb.LoopCount && gb.LoopCount != 5 {
		t.Fatalf("%d frames looping %d times, want %d and %d", len(gb.Image), gb.LoopCount, len(ga.Image), ga.LoopCount)
	}
	for i := range ga.Image {
		if !bytes.Equal(ga.Image[i].Pix, gb.Image[i].Pix) || ga.Delay[i] != gb.Delay[i] {
			t.Errorf("frame %d differs", i)
		}
	}
}

func TestGIFKept(t *testing.T) {
	for name, file := range map[string][]byte{
		"still":     gifFile(t, 1),
		"animation": gifFile(t, 3),
		"ICC":       gifWith(t, gifExt(gifApp, "ICCRGBG1012", iccText, iccText)),
		"ANIMEXTS":  gifWith(t, gifExt(gifApp, "ANIMEXTS1.0", "\x01\x00\x00")),
	} {
		if rep, _ := walk(t, media.GIF, file); rep.Plan != nil {
			t.Errorf("%s: plan %v of %d, want the file as it is", name, rep.Plan, len(file))
		}
	}
}

// TestGIFLenient has what browsers show although it is wrong.
func TestGIFLenient(t *testing.T) {
	whole := gifFile(t, 3)
	body := whole[:len(whole)-1]
	for name, file := range map[string][]byte{
		"no trailer":    body,
		"rubbish":       slicesJoin(body, []byte("\x00\x00"+secret)),
		"other rubbish": slicesJoin(body, []byte(secret)),
	} {
		rep, out := walk(t, media.GIF, file)
		if !bytes.Equal(out, whole) || rep.Frames != 3 {
			t.Errorf("%s: %q", name, out)
		}
	}
	small := bytes.Clone(whole)
	copy(small[6:], []byte{0, 0, 0, 0})
	if rep, _ := walk(t, media.GIF, small); rep.Width != 12 || rep.Height != 9 {
		t.Errorf("no screen: %d x %d, want that of the frame", rep.Width, rep.Height)
	}
}

func TestGIFRefused(t *testing.T) {
	plain := gifFile(t, 1)
	image := bytes.LastIndex(plain, []byte("\x2C\x00\x00\x00\x00\x0C\x00\x09"))
	huge := bytes.Clone(plain)
	copy(huge[image+1:], "\xFF\xFF\xFF\xFF")
	screen := bytes.Clone(plain)
	copy(screen[6:], "\xFF\xFF\xFF\xFF")
	nothing := slicesJoin(plain[:6], make([]byte, 4), plain[10:image+5], make([]byte, 4), plain[image+9:])
	for _, c := range []struct {
		name  string
		file  []byte
		kind  error
		words string
	}{
		{"empty", nil, media.ErrCorrupt, "cut off"},
		{"not one", []byte("GIF88a.............."), media.ErrCorrupt, "signature"},
		{"no picture", slicesJoin(plain[:image], []byte{gifTrailer}), media.ErrCorrupt, "no picture"},
		{"rubbish first", slicesJoin(plain[:image], []byte(secret)), media.ErrCorrupt, "no picture"},
		{"far frame", huge, media.ErrTooManyPixels, "megapixels"},
		{"large screen", screen, media.ErrTooManyPixels, "65535 x 65535"},
		{"no size at all", nothing, media.ErrCorrupt, "zero"},
		{"too many frames", slicesJoin(plain[:image], bytes.Repeat([]byte("\x2C\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x00"), maxFrames+1)), media.ErrUnsupported, "frames"},
		{"too many blocks", gifWith(t, bytes.Repeat(slicesJoin(gifExt(0xFE, "x"), gifExt(gifControl, "\x00\x00\x00\x00")), maxPieces)), media.ErrCorrupt, "too many metadata"},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, media.GIF, c.file, c.kind, c.words) })
	}
}

func TestGIFCut(t *testing.T) {
	cutEverywhere(t, media.GIF, gifFile(t, 3), true)
}

// TestGIFLocalTable has a colour table of the frame's own.
func TestGIFLocalTable(t *testing.T) {
	var b bytes.Buffer
	m := image.NewPaletted(image.Rect(0, 0, 5, 5), color.Palette{color.Black, color.White, color.Transparent})
	if err := stdgif.EncodeAll(&b, &stdgif.GIF{Image: []*image.Paletted{m}, Delay: []int{0}}); err != nil {
		t.Fatal(err)
	}
	if rep, _ := walk(t, media.GIF, b.Bytes()); rep.Plan != nil || rep.Width != 5 {
		t.Errorf("%+v", rep)
	}
}
