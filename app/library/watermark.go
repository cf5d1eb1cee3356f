package library

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"picora/app/fault"
	"picora/media"
	"picora/media/letters"
	"picora/store"
)

// Limits of watermarks, in entries, characters and pixels.
const (
	maxWatermarks    = 50
	maxWatermarkName = 100
	maxWatermarkText = 100
	watermarkSide    = 1024 // of the copy that is kept of a picture
)

// WatermarkChange is what is to be different about a watermark; nil leaves a thing
// alone. The values are those of media.Mark.
type WatermarkChange struct {
	Name, Text, Colour, Image, Place *string
	Scale, Margin, Opacity           *float64
	Tiled                            *bool
	Rotate                           *int
}

// AddWatermark makes a watermark of the user's: of a picture of theirs, or of a text.
func (l *Library) AddWatermark(ctx context.Context, user string, picture bool, c WatermarkChange) (store.Watermark, error) {
	w := store.Watermark{User: user, Place: "bottom-right", Margin: 0.03, Opacity: 0.5}
	switch {
	case c.Name == nil:
		return w, fault.New(fault.Invalid, "A watermark needs a name.")
	case picture && c.Image == nil:
		return w, fault.New(fault.Invalid, "A watermark that is a picture needs an imageId, the id of one of your pictures.")
	case !picture && c.Text == nil:
		return w, fault.New(fault.Invalid, "A watermark that is a text needs a text.")
	case picture:
		w.Scale, w.Image, w.Blob = 0.2, *c.Image, "to be made"
	default:
		w.Scale, w.Text, w.Colour = 0.05, *c.Text, "ffffff"
	}
	if err := c.apply(&w); err != nil {
		return w, err
	}
	return l.withPicture(ctx, user, c, func(blob string) (store.Watermark, error) {
		w.Blob = blob
		w, err := l.store.CreateWatermark(ctx, w, maxWatermarks)
		if errors.Is(err, store.ErrFull) {
			err = fault.New(fault.Invalid, "An account has at most %d watermarks: delete one first.", maxWatermarks)
		}
		return w, err
	})
}

// EditWatermark applies the change to the user's watermark.
func (l *Library) EditWatermark(ctx context.Context, user, id string, c WatermarkChange) (store.Watermark, error) {
	w, err := l.store.Watermark(ctx, user, id)
	if err == nil {
		err = c.apply(&w) // before a picture is made for nothing
	}
	if err != nil {
		return w, err
	}
	w, err = l.withPicture(ctx, user, c, func(blob string) (store.Watermark, error) {
		return l.store.UpdateWatermark(ctx, user, id, func(w *store.Watermark) error {
			if blob != "" {
				w.Blob = blob
			}
			return c.apply(w)
		})
	})
	l.signalTrash()
	return w, err
}

// Watermark finds a watermark of the user's; store.ErrNotFound when it is not theirs.
func (l *Library) Watermark(ctx context.Context, user, id string) (store.Watermark, error) {
	return l.store.Watermark(ctx, user, id)
}

// Watermarks lists the user's watermarks, newest first.
func (l *Library) Watermarks(ctx context.Context, user string) ([]store.Watermark, error) {
	return l.store.Watermarks(ctx, user)
}

// RemoveWatermark ends a watermark of the user's. Nothing is made with it when it
// returns.
func (l *Library) RemoveWatermark(ctx context.Context, user, id string) error {
	err := l.store.DeleteWatermark(ctx, user, id)
	l.signalTrash()
	return err
}

// Mark is what a watermark lays over a picture.
func Mark(w *store.Watermark) *media.Mark {
	return &media.Mark{
		Text: w.Text, Colour: w.Colour, Picture: w.Blob, Scale: w.Scale, Place: w.Place,
		Margin: w.Margin, Opacity: w.Opacity, Tiled: w.Tiled, Rotate: w.Rotate,
	}
}

var errNoImage = fault.New(fault.Invalid, "imageId: you have no picture with this id.")

// withPicture calls write with the key of a copy of the picture that the change
// names, empty when it names none. When write fails, nothing is kept.
func (l *Library) withPicture(ctx context.Context, user string, c WatermarkChange, write func(blob string) (store.Watermark, error)) (store.Watermark, error) {
	if c.Image == nil {
		return write("")
	}
	m, err := l.Own(ctx, user, *c.Image)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return store.Watermark{}, errNoImage
	case err != nil:
		return store.Watermark{}, err
	case m.MIME == media.SVG.MIME:
		return store.Watermark{}, fault.New(fault.Invalid, "imageId: an SVG is a drawing, not pixels. Take a PNG of it.")
	case l.variants == nil:
		return store.Watermark{}, fault.New(fault.Invalid, "imageId: this server does not make pictures of pictures.")
	}
	if err := l.Room(ctx, 0); err != nil {
		return store.Watermark{}, err
	}
	spec := media.Spec{Width: watermarkSide, Height: watermarkSide, Format: "png", Still: true}
	_, blob, err := l.remake(ctx, &m, spec)
	if err != nil {
		return store.Watermark{}, undecoded(err)
	}
	defer l.intakes.end(blob.Key)
	w, err := write(blob.Key)
	if err != nil {
		err = l.discard(ctx, &store.Media{Blob: blob.Key}, err)
	}
	return w, err
}

// apply checks the change and writes it into w, all but its picture.
func (c *WatermarkChange) apply(w *store.Watermark) error {
	switch picture := w.Blob != ""; {
	case picture && (c.Text != nil || c.Colour != nil):
		return fault.New(fault.Invalid, "text and color belong to a watermark that is a text; this one is a picture.")
	case !picture && c.Image != nil:
		return fault.New(fault.Invalid, "imageId belongs to a watermark that is a picture; this one is a text.")
	case picture && c.Image != nil && !store.ValidID(*c.Image, store.ImageIDLen):
		return errNoImage
	}
	set(&w.Name, c.Name)
	set(&w.Text, c.Text)
	set(&w.Colour, c.Colour)
	set(&w.Image, c.Image)
	set(&w.Place, c.Place)
	set(&w.Scale, c.Scale)
	set(&w.Margin, c.Margin)
	set(&w.Opacity, c.Opacity)
	set(&w.Tiled, c.Tiled)
	set(&w.Rotate, c.Rotate)
	w.Name, w.Text = strings.TrimSpace(w.Name), strings.TrimSpace(w.Text)
	w.Colour = strings.ToLower(strings.TrimPrefix(w.Colour, "#"))
	if !visible(w.Name, maxWatermarkName) {
		return fault.New(fault.Invalid, "The name of a watermark has 1 to %d visible characters.", maxWatermarkName)
	}
	if w.Blob == "" {
		if !visible(w.Text, maxWatermarkText) {
			return fault.New(fault.Invalid, "The text of a watermark has 1 to %d visible characters.", maxWatermarkText)
		}
		if r, lacks := letters.Lacks(w.Text); lacks {
			return fault.New(fault.Invalid, "The font of this server, with Latin, Greek and Cyrillic letters, has no %q. Make a picture of the text, and a watermark of that.", r)
		}
	}
	if err := Mark(w).Check(); err != nil {
		return fault.New(fault.Invalid, "%v.", err)
	}
	return nil
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// visible reports whether s has 1 to most characters, none of which controls anything.
func visible(s string, most int) bool {
	return s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= most && !strings.ContainsFunc(s, unicode.IsControl)
}
