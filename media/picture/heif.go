package picture

import (
	"bytes"
	"image"
	"image/draw"

	"picora/media"
	"picora/media/strip"
)

// aperture is the part of a file's picture that is shown; empty: all of it. Only HEIF
// has such a thing, and FFmpeg gives the whole picture.
func aperture(src Source, max Limits) (image.Rectangle, error) {
	if src.Type != media.AVIF && src.Type != media.HEIC && src.Type != media.HEIF {
		return image.Rectangle{}, nil
	}
	rep, err := strip.Walk(bytes.NewReader(src.Data), src.Type, strip.Limits{MaxPixels: max.Pixels})
	if err != nil {
		return image.Rectangle{}, err
	}
	return rep.Aperture, nil
}

// cut is the part of m, with its origin at zero.
func cut(m image.Image, part image.Rectangle) image.Image {
	if part.Empty() || part == m.Bounds() || !part.In(m.Bounds()) {
		return m
	}
	var out draw.Image = image.NewNRGBA(image.Rectangle{Max: part.Size()})
	if _, deep := m.(*image.NRGBA64); deep {
		out = image.NewNRGBA64(image.Rectangle{Max: part.Size()})
	}
	draw.Draw(out, out.Bounds(), m, part.Min, draw.Src)
	return out
}
