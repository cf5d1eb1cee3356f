package strip

import (
	"bytes"
	"encoding/binary"
	"testing"

	"picora/media"
)

func TestWebPMetadata(t *testing.T) {
	lossless, lossy := webpLossless[12:], webpLossy[12:]
	alpha := riffChunk("ALPH", []byte{0, 0xFF})
	hidden := riffChunk("HIDE", []byte(secret))
	exif1 := riffChunk("EXIF", exif(binary.LittleEndian, 1))
	xmp := riffChunk("XMP ", []byte("<x:xmpmeta>"+secret))
	icc := riffChunk("ICCP", []byte(iccText))
	for name, file := range map[string][]byte{
		"simple, chunk behind": webpFile(lossless, hidden),
		"simple, EXIF behind":  webpFile(lossy, riffChunk("EXIF", exif(binary.LittleEndian, 6))),
		"after the end":        slicesJoin(webpFile(lossy), []byte(secret)),
		"EXIF":                 webpFile(vp8x(webpEXIF, 1, 1), lossy, exif1),
		"EXIF, no flag":        webpFile(vp8x(0, 1, 1), lossy, riffChunk("EXIF", exif(binary.LittleEndian, 6))),
		"EXIF, long":           webpFile(vp8x(webpEXIF, 1, 1), lossy, riffChunk("EXIF", append(exif(binary.LittleEndian, 6), make([]byte, maxEXIF)...))),
		"XMP":                  webpFile(vp8x(webpXMP, 1, 1), lossless, xmp),
		"all of it":            webpFile(vp8x(webpXMP|webpEXIF|webpICC|webpAlpha, 1, 1), icc, alpha, lossy, exif1, xmp, hidden),
		"in front":             webpFile(vp8x(0xC1, 1, 1), hidden, lossless),
		"second picture":       webpFile(vp8x(0, 1, 1), lossy, riffChunk("VP8 ", []byte(secret))),
		"second header":        webpFile(vp8x(0, 1, 1), riffChunk("VP8X", []byte(secret)), lossy),
		"stray animation":      webpFile(vp8x(0, 1, 1), riffChunk("ANIM", []byte(secret)), riffChunk("ANMF", []byte(secret)), lossy),
		"late ICC":             webpFile(vp8x(0, 1, 1), lossy, riffChunk("ICCP", []byte(secret))),
	} {
		t.Run(name, func(t *testing.T) {
			rep, out := gone(t, media.WebP, file)
			if name != "second header" { // x/image refuses that one
				samePixels(t, file, out)
			}
			if rep.Width != 1 || rep.Height != 1 || rep.Orientation != 1 || rep.Frames != 1 {
				t.Errorf("report %+v", rep)
			}
			if int(binary.LittleEndian.Uint32(out[4:]))+8 != len(out) {
				t.Error("the RIFF size is wrong")
			}
			if bytes.Contains(out, []byte("VP8X")) && out[20]&(webpEXIF|webpXMP|0xC1) != 0 {
				t.Errorf("flags %#x", out[20])
			}
			if bytes.Contains(file, icc) && !bytes.Contains(out, icc) {
				t.Error("the colour profile is gone")
			}
		})
	}
}

func TestWebPOrientation(t *testing.T) {
	for o := uint16(2); o <= 8; o++ {
		for _, data := range [][]byte{exif(binary.LittleEndian, o), append([]byte(exifPrefix), exif(binary.BigEndian, o)...)} {
			file := webpFile(vp8x(webpEXIF|webpXMP, 1, 1), webpLossy[12:], riffChunk("EXIF", data), riffChunk("EXIF", data))
			rep, out := stripped(t, media.WebP, file)
			if rep.Orientation != int(o) || out[20] != webpEXIF || !bytes.Contains(out, riffChunk("EXIF", minimalEXIF(int(o)))) {
				t.Errorf("orientation %d, want %d; %q", rep.Orientation, o, out)
			}
		}
	}
}

func TestWebPAnimation(t *testing.T) {
	frame := anmf(webpLossless[12:])
	anim := riffChunk("ANIM", make([]byte, 6))
	clean := webpFile(vp8x(webpAnimation, 1, 1), anim, frame, anmf(riffChunk("ALPH", []byte{0, 0xFF}), webpLossy[12:]), frame)
	if rep, _ := walk(t, media.WebP, clean); rep.Frames != 3 || rep.Plan != nil {
		t.Errorf("%+v, want three frames and no plan", rep)
	}
	hidden := riffChunk("HIDE", []byte(secret))
	dirty := webpFile(vp8x(webpAnimation|webpEXIF, 1, 1), anim, hidden, frame,
		anmf(hidden, riffChunk("ALPH", []byte{0, 0xFF}), hidden, webpLossy[12:], hidden), webpLossy[12:], frame, riffChunk("EXIF", exif(binary.BigEndian, 6)))
	rep, out := walk(t, media.WebP, dirty)
	if rep.Frames != 3 || rep.Orientation != 6 || bytes.Contains(out, []byte(secret)) {
		t.Errorf("%+v: %q", rep, out)
	}
	if want := slicesJoin(clean[30:], riffChunk("EXIF", minimalEXIF(6))); !bytes.Equal(out[30:], want) {
		t.Errorf("%q, want %q", out[30:], want)
	}
	many := slicesJoin(vp8x(webpAnimation, 1, 1), anim, bytes.Repeat(frame, 2*maxPieces))
	if rep, _ := walk(t, media.WebP, webpFile(many)); rep.Frames != 2*maxPieces || rep.Plan != nil {
		t.Errorf("%d frames, plan of %d", rep.Frames, len(rep.Plan))
	}
}

func TestWebPRefused(t *testing.T) {
	lossy := webpLossy[12:]
	animated := func(chunks ...[]byte) []byte { return webpFile(vp8x(webpAnimation, 1, 1), slicesJoin(chunks...)) }
	large := anmf(lossy)
	large[14] = 9
	for _, c := range []struct {
		name  string
		file  []byte
		kind  error
		words string
	}{
		{"empty", nil, media.ErrCorrupt, "cut off"},
		{"not one", []byte("RIFF\x10\x00\x00\x00WAVE"), media.ErrCorrupt, "signature"},
		{"no picture", webpFile(), media.ErrCorrupt, "no picture"},
		{"no picture, extended", webpFile(vp8x(0, 1, 1)), media.ErrCorrupt, "no picture"},
		{"no frame", animated(), media.ErrCorrupt, "no picture"},
		{"length", []byte("RIFF\xFF\xFF\xFF\xFFWEBP"), media.ErrCorrupt, "impossible"},
		{"short length", []byte("RIFF\x00\x00\x00\x00WEBP"), media.ErrCorrupt, "impossible"},
		{"chunk too long", webpFile([]byte("VP8 \xFF\x00\x00\x00abcd")), media.ErrCorrupt, "does not fit"},
		{"half a chunk", webpFile(lossy, []byte("ICC")), media.ErrCorrupt, "does not fit"},
		{"bad start", webpFile(riffChunk("VP8 ", []byte("0123456789"))), media.ErrCorrupt, "proper start"},
		{"bad lossless start", webpFile(riffChunk("VP8L", []byte("01"))), media.ErrCorrupt, "proper start"},
		{"no width", webpFile(riffChunk("VP8 ", []byte("\x30\x01\x00\x9D\x01\x2A\x00\x00\x01\x00"))), media.ErrCorrupt, "zero"},
		{"header length", webpFile(riffChunk("VP8X", make([]byte, 12)), lossy), media.ErrCorrupt, "wrong length"},
		{"other size", webpFile(vp8x(0, 2, 2), lossy), media.ErrCorrupt, "as large as"},
		{"bomb", webpFile(vp8x(0, 60000, 60000), lossy), media.ErrTooManyPixels, "3600 megapixels"},
		{"hidden bomb", webpFile(riffChunk("VP8L", []byte("\x2F\xFF\xFF\xFF\x0F")), lossy), media.ErrTooManyPixels, "16384 x 16384"},
		{"frame off canvas", animated(large), media.ErrCorrupt, "does not fit the picture"},
		{"frame of other size", animated(anmf(riffChunk("VP8L", []byte("\x2F\xFF\xFF\xFF\x0F")))), media.ErrCorrupt, "does not fit"},
		{"frame without picture", animated(anmf()), media.ErrCorrupt, "no picture"},
		{"short frame", animated(riffChunk("ANMF", make([]byte, 4)), make([]byte, 40)), media.ErrCorrupt, "does not fit"},
		{"too many frames", animated(bytes.Repeat(anmf(lossy), maxFrames+1)), media.ErrUnsupported, "frames"},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, media.WebP, c.file, c.kind, c.words) })
	}
}

func TestWebPCut(t *testing.T) {
	cutEverywhere(t, media.WebP, webpLossless, false)
	cutEverywhere(t, media.WebP, webpLossy, false)
	cutEverywhere(t, media.WebP, webpFile(vp8x(webpAnimation|webpEXIF, 1, 1), anmf(webpLossy[12:]), riffChunk("EXIF", exif(binary.BigEndian, 6))), false)
}
