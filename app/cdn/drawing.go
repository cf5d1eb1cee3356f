package cdn

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"picora/media"
)

// drawn is a picture that stands for audio files without one.
type drawn struct {
	svg  []byte
	etag string
}

// drawings are the pictures by type of file.
var drawings = map[string]drawn{
	media.MP3.MIME:  draw("MP3", "#e0574f", "#8f2f5b"),
	media.M4A.MIME:  draw("M4A", "#3f8ae0", "#2b4a9b"),
	media.WAV.MIME:  draw("WAV", "#6a7a8c", "#39465a"),
	media.FLAC.MIME: draw("FLAC", "#2fa58a", "#1c5f66"),
	media.Ogg.MIME:  draw("OGG", "#d98b2b", "#8a4a1f"),
}

// drawing is the picture for files of the type.
func drawing(mime string) (svg []byte, etag string) {
	d, known := drawings[mime]
	if !known {
		d = drawings[media.WAV.MIME]
	}
	return d.svg, d.etag
}

// draw draws some bars of sound and the name of the format on two colours.
func draw(name, top, bottom string) drawn {
	var bars strings.Builder
	for i, h := range []int{36, 84, 132, 76, 180, 120, 212, 148, 88, 164, 104, 52, 28} {
		fmt.Fprintf(&bars, `<rect x="%d" y="%d" width="14" height="%d" rx="7"/>`, 86+27*i, 226-h/2, h)
	}
	svg := []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 512 512" width="512" height="512" role="img" aria-label="` + name + `">` +
		`<defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="` + top + `"/><stop offset="1" stop-color="` + bottom + `"/></linearGradient></defs>` +
		`<rect width="512" height="512" fill="url(#g)"/><g fill="#fff" fill-opacity=".92">` + bars.String() + `</g>` +
		`<text x="256" y="432" fill="#fff" font-family="system-ui, sans-serif" font-size="64" font-weight="600" letter-spacing="4" text-anchor="middle">` + name + `</text></svg>` + "\n")
	sum := sha256.Sum256(svg)
	return drawn{svg, `"` + hex.EncodeToString(sum[:16]) + `"`}
}
