// Package strip walks a picture's file front to back, without decoding a pixel
// or holding more than a few KiB of it, checks that it is whole, and finds out
// which of its bytes may be delivered to the public: the picture, its colours
// and its orientation, but no EXIF, GPS, XMP, IPTC, comments, thumbnails, hidden
// second pictures or bytes after the end.
//
// The answer is a Plan: ranges of the original and a few inline bytes. So the
// original stays as it was sent, nothing is stored twice, and stripping is
// lossless. What is delivered is itself clean: walking it gives no plan.
package strip

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"picora/media"
)

// Limits are what Walk refuses to go beyond.
type Limits struct {
	MaxPixels int64 // width x height; 0 means no limit
}

// A Report is what Walk found.
type Report struct {
	Width, Height int   // as stored, before Orientation is applied
	Orientation   int   // 1 to 8 as in EXIF; 1 when the file says nothing
	Frames        int   // 1 for a still picture
	Size          int64 // bytes read
	Plan          Plan  // what to deliver; nil when it is the whole file as it is
}

// maxFrames bounds animations; the longest real ones have a few thousand.
const maxFrames = 100_000

// Walk reads r, a file of type t, to its end. It returns an error as soon as
// it knows one, with r unread from there; errors that are the file's fault are
// media.ErrCorrupt, media.ErrUnsupported or media.ErrTooManyPixels and carry a
// media.Reason, errors of r itself are passed on.
func Walk(r io.Reader, t media.Type, max Limits) (*Report, error) {
	w := &walker{
		source: source{br: bufio.NewReaderSize(r, buffer(r))},
		limits: max,
		rep:    Report{Orientation: 1, Frames: 1},
	}
	err := w.walk(t)
	if errors.Is(err, errCut) {
		err = media.Corrupt("the " + name(t) + " is cut off: its end is missing")
	}
	if err != nil {
		return nil, err
	}
	return &w.rep, nil
}

// buffer is how much to read ahead: no more than there is, where r knows. An
// SVG can have thousands of pictures of a few bytes in it.
func buffer(r io.Reader) int {
	if known, ok := r.(interface{ Len() int }); ok {
		return min(known.Len(), bufferSize)
	}
	return bufferSize
}

// walker is the state of one walk.
type walker struct {
	source
	builder
	limits Limits
	rep    Report
}

func (w *walker) walk(t media.Type) error {
	var err error
	switch t {
	case media.JPEG:
		err = (&jpeg{walker: w}).walk()
	case media.PNG:
		err = (&png{walker: w}).walk()
	case media.GIF:
		err = (&gif{walker: w}).walk()
	case media.WebP:
		err = (&webp{walker: w}).walk()
	default:
		return media.Unsupported(fmt.Sprintf("%s files cannot be stripped of metadata", t.MIME))
	}
	if err != nil {
		return err
	}
	if err := w.drain(); err != nil {
		return err
	}
	w.rep.Size = w.pos
	w.rep.Plan, err = w.finish(w.pos)
	return err
}

// size notes the picture's dimensions and holds them to the limit.
func (w *walker) size(width, height int64) error {
	if err := w.check(width, height); err != nil {
		return err
	}
	w.rep.Width, w.rep.Height = int(width), int(height)
	return nil
}

// check refuses dimensions that no picture has or that are above the limit.
func (w *walker) check(width, height int64) error {
	if width <= 0 || height <= 0 {
		return media.Corrupt("the picture is damaged: its width or height is zero")
	}
	if w.limits.MaxPixels > 0 && width*height > w.limits.MaxPixels {
		return media.TooManyPixels(width, height, w.limits.MaxPixels)
	}
	return nil
}

// frame counts one more frame.
func (w *walker) frame(n int) error {
	if n > maxFrames {
		return media.Unsupported(fmt.Sprintf("the animation has more than %d frames", maxFrames))
	}
	w.rep.Frames = n
	return nil
}

// name is how the type is called in sentences.
func name(t media.Type) string {
	switch t {
	case media.JPEG:
		return "JPEG"
	case media.PNG:
		return "PNG"
	case media.GIF:
		return "GIF"
	default:
		return "WebP"
	}
}
