package webp

/*
#include <webp/demux.h>

static WebPAnimDecoder *picora_animation(const uint8_t *data, size_t n) {
  WebPAnimDecoderOptions o;
  WebPData d = {data, n};
  if (!WebPAnimDecoderOptionsInit(&o)) return NULL;
  o.color_mode = MODE_RGBA;
  return WebPAnimDecoderNew(&d, &o);
}
*/
import "C"

import (
	"image"
	"io"
	"runtime"
	"time"
	"unsafe"
)

// Animation decodes an animated WebP frame by frame, with two canvases in memory.
type Animation struct {
	dec  *C.WebPAnimDecoder
	pin  runtime.Pinner // the decoder keeps a pointer to the file
	w, h int
	at   C.int // milliseconds: when the frame before ended
}

// OpenAnimation starts to decode; Close it. Size and frames are the caller's to
// check, with ReadHeader, before this takes memory.
func OpenAnimation(data []byte) (*Animation, error) {
	head, err := ReadHeader(data)
	if err != nil {
		return nil, err
	}
	a := &Animation{w: head.Width, h: head.Height}
	a.pin.Pin(&data[0])
	if a.dec = C.picora_animation((*C.uint8_t)(&data[0]), C.size_t(len(data))); a.dec == nil {
		a.pin.Unpin()
		return nil, errDamaged
	}
	return a, nil
}

// Next returns the canvas as it is shown next, whole, and for how long. The picture
// is good until the next call. After the last it returns io.EOF.
func (a *Animation) Next() (*image.NRGBA, time.Duration, error) {
	if C.WebPAnimDecoderHasMoreFrames(a.dec) == 0 {
		return nil, 0, io.EOF
	}
	var pix *C.uint8_t
	var end C.int
	if C.WebPAnimDecoderGetNext(a.dec, &pix, &end) == 0 {
		return nil, 0, errDamaged
	}
	length := time.Duration(end-a.at) * time.Millisecond
	a.at = end
	return &image.NRGBA{
		Pix: unsafe.Slice((*byte)(pix), 4*a.w*a.h), Stride: 4 * a.w, Rect: image.Rect(0, 0, a.w, a.h),
	}, length, nil
}

// Close frees what the decoder holds, and the last picture with it.
func (a *Animation) Close() {
	C.WebPAnimDecoderDelete(a.dec)
	a.pin.Unpin()
}
