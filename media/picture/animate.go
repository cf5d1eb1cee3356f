package picture

import (
	"context"
	"io"

	"picora/media"
	"picora/media/webp"
)

// moves tells whether the file may move and the result can.
func moves(src Source, s media.Spec) bool {
	switch {
	case s.Still || s.Format != "gif" && s.Format != "webp":
		return false
	case src.Type == media.WebP:
		h, err := webp.ReadHeader(src.Data)
		return err == nil && h.Animated
	}
	return src.Type == media.GIF || src.Type == media.PNG
}

// animate makes an animation, with a frame or two of it in memory. When there is only
// one frame it makes a still.
func animate(ctx context.Context, src Source, spec media.Spec, max Limits, out io.Writer) (made media.Made, err error) {
	var l layout
	v := movie{out: out, spec: spec}
	mark := marker{mark: spec.Mark, file: src.Mark}
	defer v.close()
	if src.Type == media.WebP {
		h, err := webp.ReadHeader(src.Data)
		if err != nil {
			return made, err
		}
		if err := max.checkFrames(h.Frames, h.Width, h.Height); err != nil {
			return made, err // at once, where it can be known
		}
		v.loops = h.Loops
	}
	for p, err := range frames(src, max) {
		if err != nil {
			return made, err
		}
		size := p.image.Bounds().Size()
		if v.frames == 0 {
			l = plan(size, src.Orientation, spec)
			l.aim(p, spec)
		}
		if size != l.full {
			return made, media.Corrupt("the animation is damaged: its frames differ in size")
		}
		if err := max.checkFrames(v.frames+1, size.X, size.Y); err != nil {
			return made, err
		}
		m, err := l.draw(ctx, p, spec)
		if err == nil {
			err = mark.lay(ctx, m, max)
		}
		if err != nil {
			return made, err
		}
		if err := v.add(m, p.duration); err != nil {
			return made, err
		}
	}
	if v.frames == 0 {
		return made, errEmpty
	}
	err = v.finish()
	return media.Made{Width: v.first.Rect.Dx(), Height: v.first.Rect.Dy(), Frames: v.frames, Duration: v.length}, err
}
