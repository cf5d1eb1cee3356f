// Package picture makes pictures of pictures: it decodes a file of any type that is
// taken, brings it into sRGB, turns, crops and resizes it, and encodes the result. It
// keeps animations where they can be kept. It belongs in the worker.
//
// Everything happens in the coordinates of the file as stored, on as few pixels as
// will do, and only the finished small picture is turned as it is shown.
package picture

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"picora/media"
)

// Source is a file to make something of.
type Source struct {
	Data        []byte // the whole file; Map gives it without reading
	Type        media.Type
	Orientation int // 1 to 8 as in EXIF, as strip.Walk reports it; 0 is 1

	Mark []byte // the PNG of a watermark that is a picture
}

// Limits are what a file may ask for; 0 is no limit.
type Limits struct {
	Pixels int64 // of one picture
	Frames int   // of an animation
	Work   int64 // pixels of all frames of an animation together
}

// Map maps a file of at least one byte into memory, for Source. The file must not
// become shorter until release is called.
func Map(f *os.File) (data []byte, release func() error, err error) {
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if info.Size() == 0 {
		return nil, nil, media.Corrupt("the file is empty")
	}
	data, err = unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, fmt.Errorf("picture: map: %w", err)
	}
	return data, func() error { return unix.Munmap(data) }, nil
}

// Make writes to out what spec makes of src. Errors that are the file's fault are
// media.ErrCorrupt, media.ErrUnsupported or media.ErrTooManyPixels and carry a
// media.Reason; something may have been written then.
//
// Without a box, or with one side of it only, and with Inside and Outside nothing is
// enlarged.
func Make(ctx context.Context, src Source, spec media.Spec, max Limits, out io.Writer) (media.Made, error) {
	if err := check(spec); err != nil {
		return media.Made{}, err
	}
	make := still
	if moves(src, spec) {
		make = animate
	}
	made, err := make(ctx, src, spec, max, out)
	made.MIME = mimes[spec.Format]
	return made, err
}

// check refuses what no caller should ask for.
func check(s media.Spec) error {
	fits := map[media.Fit]bool{"": true, media.Cover: true, media.Contain: true, media.Fill: true, media.Inside: true, media.Outside: true}
	switch _, _, err := background(s); {
	case err != nil:
		return err
	case s.Width < 0 || s.Width > media.MaxSide || s.Height < 0 || s.Height > media.MaxSide:
		return errors.New("picture: a side out of range")
	case !fits[s.Fit]:
		return fmt.Errorf("picture: fit %q", s.Fit)
	case mimes[s.Format] == "":
		return fmt.Errorf("picture: format %q", s.Format)
	case s.Quality < 0 || s.Quality > 100:
		return errors.New("picture: quality out of range")
	case s.Blur != 0 && !(s.Blur >= 0.3 && s.Blur <= 100):
		return errors.New("picture: blur out of range")
	case s.Rotate != 0 && s.Rotate != 90 && s.Rotate != 180 && s.Rotate != 270:
		return errors.New("picture: rotation out of range")
	case s.Mark != nil:
		return s.Mark.Check()
	}
	return nil
}

// still makes one picture of the first that the file has.
func still(ctx context.Context, src Source, spec media.Spec, max Limits, out io.Writer) (media.Made, error) {
	m, err := render(ctx, src, spec, max)
	if err != nil {
		return media.Made{}, err
	}
	made := media.Made{Width: m.Rect.Dx(), Height: m.Rect.Dy(), Frames: 1}
	return made, encode(out, m, spec)
}

// render decodes the file's first picture and does everything but encode it.
func render(ctx context.Context, src Source, spec media.Spec, max Limits) (*image.NRGBA, error) {
	var l layout
	p, err := decode(src, max, func(full image.Point) float64 {
		l = plan(full, src.Orientation, spec)
		return l.scale()
	})
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.aim(p, spec)
	m, err := l.draw(ctx, p, spec)
	if err != nil {
		return nil, err
	}
	k := marker{mark: spec.Mark, file: src.Mark}
	return m, k.lay(ctx, m, max)
}
