package av

import (
	"cmp"
	"image"
	"io"
	"math"

	"github.com/asticode/go-astiav"

	"picora/media"
	"picora/media/jpeg"
)

// board draws the sheets of a storyboard: a picture every so many seconds, left to right and
// top to bottom.
type board struct {
	film   *Film
	args   media.TrackArgs
	until  float64 // seconds
	out    io.WriterAt
	made   *media.TrackMade
	stills *stills

	sheet *image.NRGBA
	on    int // pictures on the sheet
	last  *astiav.Frame
	at    int64 // bytes written
}

// What a board has where nobody says.
const (
	boardSide     = 160
	boardGrid     = 5
	boardMost     = 1000 // pictures
	boardUsual    = 120
	boardQuality  = 70
	boardShortest = 2.0 // seconds between two
)

func newBoard(f *Film, a media.TrackArgs, s media.Survey, out io.WriterAt, made *media.TrackMade) *board {
	if a.Width <= 0 || a.Height <= 0 {
		a.Width, a.Height = fit(s.Width, s.Height, boardSide)
	}
	a.Width, a.Height = even(min(a.Width, 640)), even(min(a.Height, 640))
	a.Columns, a.Rows = min(cmp.Or(max(a.Columns, 0), boardGrid), 20), min(cmp.Or(max(a.Rows, 0), boardGrid), 20)
	if !(a.Every > 0) {
		a.Every = max(boardShortest, math.Ceil(s.Duration/boardUsual))
	}
	a.Every = max(a.Every, s.Duration/boardMost)
	return &board{film: f, args: a, until: s.Duration, out: out, made: made, stills: newStills(f, s.Interlaced, a.Width, a.Height)}
}

// take implements sink. A picture of a moment is the one that is shown then, so a frame waits
// until the next comes.
func (b *board) take(f *astiav.Frame) error {
	now := math.Inf(1)
	if f != nil {
		now = seconds(f.Pts(), b.film.base)
	}
	for due := b.due(); due < now && due < max(b.until, 0.001) && b.last != nil && b.made.Pictures < boardMost; due = b.due() {
		if err := b.draw(); err != nil {
			return err
		}
	}
	if f == nil {
		return b.finish()
	}
	b.drop()
	b.last = f.Clone()
	return nil
}

// due is when the next picture is shown: the first at the beginning.
func (b *board) due() float64 { return float64(b.made.Pictures) * b.args.Every }

func (b *board) drop() {
	if b.last != nil {
		b.last.Free()
		b.last = nil
	}
}

func (b *board) draw() error {
	m, err := b.stills.draw(b.last)
	if err != nil || m == nil {
		return err
	}
	w, h := b.args.Width, b.args.Height
	if b.sheet == nil {
		b.sheet = image.NewNRGBA(image.Rect(0, 0, w*b.args.Columns, h*b.args.Rows))
	}
	left, top := b.on%b.args.Columns*w, b.on/b.args.Columns*h
	for y := range min(h, m.Rect.Dy()) {
		copy(b.sheet.Pix[(top+y)*b.sheet.Stride+4*left:][:4*w], m.Pix[y*m.Stride:][:m.Stride])
	}
	b.on++
	b.made.Pictures++
	if b.on == b.args.Columns*b.args.Rows {
		return b.write()
	}
	return nil
}

// write writes the sheet, as many rows of it as have pictures.
func (b *board) write() error {
	if b.on == 0 {
		return nil
	}
	w, h := b.args.Width*b.args.Columns, b.args.Height*((b.on+b.args.Columns-1)/b.args.Columns)
	if b.on < b.args.Columns {
		w = b.on * b.args.Width
	}
	for i := 3; i < len(b.sheet.Pix); i += 4 {
		b.sheet.Pix[i] = 0xFF
	}
	part := image.NewNRGBA(image.Rect(0, 0, w, h)) // packed, as the encoder wants it
	for y := range h {
		copy(part.Pix[y*part.Stride:][:part.Stride], b.sheet.Pix[y*b.sheet.Stride:])
	}
	to := io.NewOffsetWriter(b.out, b.at)
	if err := jpeg.Encode(to, part, jpeg.Options{Quality: boardQuality}); err != nil {
		return err
	}
	n, err := to.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	b.made.Sheets = append(b.made.Sheets, n)
	b.at += n
	b.sheet, b.on = nil, 0
	return nil
}

func (b *board) finish() error {
	b.made.Empty = b.made.Pictures == 0
	b.made.Width, b.made.Height, b.made.Encoder = b.args.Width, b.args.Height, "jpeg"
	b.drop()
	return b.write()
}

func (b *board) free() {
	b.drop()
	b.stills.free()
}
