package picture

import (
	"context"
	"fmt"
	"image"
	"image/color"

	"github.com/bbrks/go-blurhash"
	"github.com/disintegration/imaging"
	"github.com/galdor/go-thumbhash"

	"picora/media"
)

// LookAt tells how the file's first picture looks before it is loaded. Its errors are
// those of Make.
func LookAt(ctx context.Context, src Source, max Limits) (media.Look, error) {
	m, err := render(ctx, src, media.Spec{Width: 100, Height: 100, Format: "png"}, max)
	if err != nil {
		return media.Look{}, err
	}
	look := media.Look{ThumbHash: thumbhash.EncodeImage(m), Colour: dominant(m), Alpha: !m.Opaque()}
	flatten(m, color.NRGBA{255, 255, 255, 255}) // BlurHash knows no transparency
	x, y := 4, 3
	if m.Rect.Dy() > m.Rect.Dx() {
		x, y = 3, 4
	}
	look.BlurHash, err = blurhash.Encode(x, y, imaging.Fit(m, 32, 32, imaging.Box))
	if err != nil {
		return media.Look{}, fmt.Errorf("picture: blurhash: %w", err)
	}
	return look, nil
}

// dominant is the mean colour of the most frequent kind of colour, where a kind is one
// of 512 equal parts of RGB; "#000000" for what is wholly transparent.
func dominant(m *image.NRGBA) string {
	var kinds [512][4]uint64 // sums by alpha of red, green, blue; and of alpha
	most := 0
	for y := range m.Rect.Dy() {
		row := m.Pix[y*m.Stride:][:4*m.Rect.Dx()]
		for ; len(row) > 0; row = row[4:] {
			k := int(row[0]>>5)<<6 | int(row[1]>>5)<<3 | int(row[2]>>5)
			a := uint64(row[3])
			for i := range 3 {
				kinds[k][i] += uint64(row[i]) * a
			}
			if kinds[k][3] += a; kinds[k][3] > kinds[most][3] {
				most = k
			}
		}
	}
	c := kinds[most]
	n := max(c[3], 1)
	return fmt.Sprintf("#%02x%02x%02x", (c[0]+n/2)/n, (c[1]+n/2)/n, (c[2]+n/2)/n)
}
