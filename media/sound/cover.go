package sound

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"picora/media"
	"picora/media/picture"
	"picora/media/strip"
	"picora/media/tags"
)

// coverSide is how many pixels a side of a cover has at the most.
const coverSide = 1000

// cover writes the first of the pictures that can be read, as a new JPEG. One that nobody should have put
// there is refused: an address, a drawing that may be a program, a picture of too many pixels. A broken one is left out.
func cover(ctx context.Context, list []tags.Cover, maxPixels int64, out io.Writer) (bool, error) {
	for _, c := range list {
		made, err := redraw(ctx, c, maxPixels)
		switch {
		case ctx.Err() != nil:
			return false, ctx.Err()
		case errors.Is(err, errBroken):
			continue
		case err != nil:
			return false, err
		}
		_, err = out.Write(made)
		return err == nil, err
	}
	return false, nil
}

var errBroken = errors.New("sound: the picture cannot be read")

func redraw(ctx context.Context, c tags.Cover, maxPixels int64) ([]byte, error) {
	if c.MIME == "-->" {
		return nil, media.Unsupported("the cover in the file is a link, which is not followed: put the picture itself into the file, or remove it")
	}
	t, err := media.Sniff(c.Data)
	if t == media.SVG || strings.HasPrefix(strings.ToLower(c.MIME), "image/svg") {
		return nil, media.Unsupported("the cover in the file is an SVG: use a JPEG or PNG, or remove it")
	}
	if err != nil {
		return nil, errBroken
	}
	report, err := strip.Walk(bytes.NewReader(c.Data), t, strip.Limits{MaxPixels: maxPixels})
	if err == nil {
		src := picture.Source{Data: c.Data, Type: t, Orientation: report.Orientation}
		spec := media.Spec{Width: coverSide, Height: coverSide, Fit: media.Inside, Format: "jpeg", Quality: 85}
		var b bytes.Buffer
		if _, err = picture.Make(ctx, src, spec, picture.Limits{Pixels: maxPixels, Frames: 1000, Work: 1 << 30}, &b); err == nil {
			return b.Bytes(), nil
		}
	}
	if errors.Is(err, media.ErrTooManyPixels) {
		return nil, media.Unsupported("the cover in the file is too large: " + media.Reason(err))
	}
	return nil, errBroken
}
