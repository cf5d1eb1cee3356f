// Package strip walks a picture's file front to back, without decoding a pixel
// or holding more than a few KiB of it, checks that it is whole, and finds out
// which of its bytes may be delivered to the public: the picture, its colours
// and its orientation, but no EXIF, GPS, XMP, IPTC, comments, thumbnails, hidden
// second pictures or bytes after the end.
//
// The answer is a Plan: ranges of the original, a few inline bytes, and zeros in
// files in which nothing may move. So the original stays as it was sent, nothing
// is stored twice, and stripping is lossless. What is delivered is itself clean:
// walking it delivers the same bytes.
//
// A TIFF is only checked: it is never delivered as it is.
package strip

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"strings"
	"time"

	"picora/media"
)

// Limits are what Walk refuses to go beyond.
type Limits struct {
	MaxPixels int64 // width x height; 0 means no limit
}

// A Report is what Walk found.
type Report struct {
	Width, Height int // before Orientation is applied; of an icon, its largest picture
	Orientation   int // 1 to 8 as in EXIF; 1 when the file says nothing
	Frames        int // 1 for a still picture
	// Aperture is the part of the coded picture that Width and Height are of; empty
	// when that is all of it. HEIF alone has it.
	Aperture image.Rectangle
	ICC      bool // a colour profile is in the file

	// Of an animation: how long it takes once, as browsers play it, and how
	// often it plays, 0 for ever. Both are 0 for a still picture.
	Duration time.Duration
	Loops    int

	Facts // what EXIF tells; of the whole file, so not for everybody

	Size int64 // bytes read
	Plan Plan  // what to deliver; nil when it is the whole file as it is
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
	case media.AVIF, media.HEIC, media.HEIF:
		err = (&heif{walker: w}).walk(t)
	case media.BMP:
		err = (&bmp{walker: w}).walk()
	case media.ICO:
		err = (&ico{walker: w}).walk()
	case media.TIFF:
		err = (&tiff{walker: w}).walk()
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
	if w.rep.Frames == 1 {
		w.rep.Duration, w.rep.Loops = 0, 0
	}
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
	if width > math.MaxInt32 || height > math.MaxInt32 {
		return media.Corrupt("the picture is damaged: its width or height is impossible")
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

// lasts adds the time that a frame is shown. Browsers take their time with
// frames that ask for next to none.
func (w *walker) lasts(d time.Duration) {
	if d <= 10*time.Millisecond {
		d = 100 * time.Millisecond
	}
	w.rep.Duration += d
}

// name is how the type is called in sentences.
func name(t media.Type) string {
	switch t {
	case media.WebP:
		return "WebP"
	case media.JPEG:
		return "JPEG"
	}
	return strings.ToUpper(t.Ext)
}
