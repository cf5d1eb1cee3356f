// Package webp decodes and encodes WebP pictures and animations with libwebp. It
// belongs in the worker: what it reads are foreign bytes in C.
//
// The container is described in RFC 9649.
package webp

/*
#cgo LDFLAGS: -lwebpmux -lwebpdemux -lwebp -lm -lpthread
#include <webp/decode.h>
#include <webp/demux.h>

// picora_header reads what the container says. It returns 0 for what is no whole
// WebP. The profile, if any, has icc_size bytes from icc on.
static int picora_header(const uint8_t *data, size_t n, uint32_t *w, uint32_t *h, uint32_t *flags,
                         uint32_t *frames, uint32_t *loops, size_t *icc, size_t *icc_size) {
  WebPData d = {data, n};
  WebPDemuxer *dmux = WebPDemux(&d);
  if (dmux == NULL) return 0;
  *w = WebPDemuxGetI(dmux, WEBP_FF_CANVAS_WIDTH);
  *h = WebPDemuxGetI(dmux, WEBP_FF_CANVAS_HEIGHT);
  *flags = WebPDemuxGetI(dmux, WEBP_FF_FORMAT_FLAGS);
  *frames = WebPDemuxGetI(dmux, WEBP_FF_FRAME_COUNT);
  *loops = WebPDemuxGetI(dmux, WEBP_FF_LOOP_COUNT);
  WebPChunkIterator it;
  if (WebPDemuxGetChunk(dmux, "ICCP", 1, &it)) {
    *icc = it.chunk.bytes - data;
    *icc_size = it.chunk.size;
    WebPDemuxReleaseChunkIterator(&it);
  }
  WebPDemuxDelete(dmux);
  return 1;
}

// picora_decode writes a still, scaled to w x h, to dst.
static int picora_decode(const uint8_t *data, size_t n, uint8_t *dst, int w, int h) {
  WebPDecoderConfig c;
  if (!WebPInitDecoderConfig(&c) || WebPGetFeatures(data, n, &c.input) != VP8_STATUS_OK) return 0;
  c.options.use_scaling = c.input.width != w || c.input.height != h; // it rounds where there is alpha
  c.options.scaled_width = w;
  c.options.scaled_height = h;
  c.output.colorspace = MODE_RGBA;
  c.output.is_external_memory = 1;
  c.output.u.RGBA.rgba = dst;
  c.output.u.RGBA.stride = 4 * w;
  c.output.u.RGBA.size = (size_t)4 * w * h;
  return WebPDecode(data, n, &c) == VP8_STATUS_OK;
}
*/
import "C"

import (
	"fmt"
	"image"

	"picora/media"
	"picora/media/wall"
)

// Header is what a WebP says of itself.
type Header struct {
	Width, Height int  // pixels of the canvas
	Alpha         bool // some of it may be transparent
	Animated      bool
	Frames        int // 1 for a still
	Loops         int // how often an animation runs; 0 is for ever
	ICC           []byte
}

// maxICC bounds a profile; those of printing presses have two or three megabytes.
const maxICC = 4 << 20

var errDamaged = media.Corrupt("the WebP is cut off or damaged and cannot be decoded")

// ReadHeader walks a WebP's chunks, without decoding a picture. A file that is cut
// off is media.ErrCorrupt.
func ReadHeader(data []byte) (Header, error) {
	if len(data) == 0 {
		return Header{}, errDamaged
	}
	var w, h, flags, frames, loops C.uint32_t
	var icc, size C.size_t
	if C.picora_header((*C.uint8_t)(&data[0]), C.size_t(len(data)), &w, &h, &flags, &frames, &loops, &icc, &size) == 0 || frames == 0 {
		return Header{}, errDamaged
	}
	head := Header{
		Width: int(w), Height: int(h), Alpha: flags&C.ALPHA_FLAG != 0, Animated: flags&C.ANIMATION_FLAG != 0,
		Frames: int(frames), Loops: int(loops),
	}
	if size <= maxICC {
		head.ICC = data[icc : icc+size]
	}
	return head, nil
}

// Decode decodes a still WebP at w x h pixels, no more than it has; libwebp averages
// the pixels while it decodes, so that a smaller picture takes less memory. The size
// is the caller's to check, with ReadHeader, before this takes the memory.
func Decode(data []byte, w, h int) (*image.NRGBA, error) {
	if len(data) == 0 {
		return nil, errDamaged
	}
	if err := wall.Room(4 * w * h); err != nil {
		return nil, fmt.Errorf("webp: %w", err)
	}
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	if C.picora_decode((*C.uint8_t)(&data[0]), C.size_t(len(data)), (*C.uint8_t)(&m.Pix[0]), C.int(w), C.int(h)) == 0 {
		return nil, errDamaged
	}
	return m, nil
}
