package webp

/*
#include <webp/encode.h>
#include <webp/mux.h>

static int picora_config(WebPConfig *c, int lossless, int quality, int method) {
  if (!WebPConfigInit(c)) return 0;
  c->lossless = lossless;
  c->quality = quality;
  c->method = method;
  return WebPValidateConfig(c);
}

// picora_encode encodes a still into out, to be cleared with WebPMemoryWriterClear.
static int picora_encode(const uint8_t *rgba, int w, int h, int stride, const WebPConfig *c, WebPMemoryWriter *out) {
  WebPPicture p;
  WebPMemoryWriterInit(out);
  if (!WebPPictureInit(&p)) return 0;
  p.width = w;
  p.height = h;
  p.use_argb = c->lossless;
  p.writer = WebPMemoryWrite;
  p.custom_ptr = out;
  int ok = WebPPictureImportRGBA(&p, rgba, stride) && WebPEncode(c, &p);
  WebPPictureFree(&p);
  return ok;
}

static WebPAnimEncoder *picora_encoder(int w, int h, int loops) {
  WebPAnimEncoderOptions o;
  if (!WebPAnimEncoderOptionsInit(&o)) return NULL;
  o.anim_params.loop_count = loops;
  return WebPAnimEncoderNew(w, h, &o);
}

// picora_add adds a frame that is shown from at on, in milliseconds.
static int picora_add(WebPAnimEncoder *enc, const uint8_t *rgba, int w, int h, int stride, const WebPConfig *c, int at) {
  WebPPicture p;
  if (!WebPPictureInit(&p)) return 0;
  p.width = w;
  p.height = h;
  p.use_argb = 1;
  int ok = WebPPictureImportRGBA(&p, rgba, stride) && WebPAnimEncoderAdd(enc, &p, at, c);
  WebPPictureFree(&p);
  return ok;
}

static int picora_finish(WebPAnimEncoder *enc, int at, WebPData *out) {
  return WebPAnimEncoderAdd(enc, NULL, at, NULL) && WebPAnimEncoderAssemble(enc, out);
}
*/
import "C"

import (
	"errors"
	"image"
	"io"
	"time"
	"unsafe"
)

// MaxSide is the largest width or height of a WebP, in pixels (RFC 9649, 1).
const MaxSide = 16383

// Options are how a picture is encoded.
type Options struct {
	Quality  int  // 0 to 100; with Lossless it is effort
	Lossless bool // pixels come back as they are
	Method   int  // 0, quick, to 6, small
}

var errEncode = errors.New("webp: encoding failed")

func (o Options) config() (c C.WebPConfig, err error) {
	lossless := C.int(0)
	if o.Lossless {
		lossless = 1
	}
	if C.picora_config(&c, lossless, C.int(o.Quality), C.int(o.Method)) == 0 {
		return c, errors.New("webp: options out of range")
	}
	return c, nil
}

// Encode writes m as a still WebP without a profile. Transparency is kept exactly,
// colours under what is wholly transparent are not.
func Encode(w io.Writer, m *image.NRGBA, o Options) error {
	c, err := o.config()
	if err != nil {
		return err
	}
	if m.Rect.Empty() || m.Rect.Dx() > MaxSide || m.Rect.Dy() > MaxSide {
		return errors.New("webp: no WebP has such a size")
	}
	var out C.WebPMemoryWriter
	defer C.WebPMemoryWriterClear(&out)
	if C.picora_encode((*C.uint8_t)(&m.Pix[0]), C.int(m.Rect.Dx()), C.int(m.Rect.Dy()), C.int(m.Stride), &c, &out) == 0 {
		return errEncode
	}
	_, err = w.Write(unsafe.Slice((*byte)(out.mem), int(out.size)))
	return err
}

// Encoder makes an animation of frames that come one at a time. It keeps a few
// frames, and everything that is encoded, until Close.
type Encoder struct {
	enc    *C.WebPAnimEncoder
	config C.WebPConfig
	w, h   int
	at     time.Duration // when the next frame begins
}

// NewEncoder starts an animation of w x h pixels that runs loops times, for ever
// if 0. Close it.
func NewEncoder(w, h, loops int, o Options) (*Encoder, error) {
	c, err := o.config()
	if err != nil {
		return nil, err
	}
	e := &Encoder{config: c, w: w, h: h}
	if e.enc = C.picora_encoder(C.int(w), C.int(h), C.int(loops)); e.enc == nil {
		return nil, errors.New("webp: no animation has such a size")
	}
	return e, nil
}

// Add adds a frame, which must have the animation's size, and says how long it is
// shown, to the millisecond.
func (e *Encoder) Add(m *image.NRGBA, d time.Duration) error {
	if m.Rect.Dx() != e.w || m.Rect.Dy() != e.h {
		return errors.New("webp: a frame of another size")
	}
	if C.picora_add(e.enc, (*C.uint8_t)(&m.Pix[0]), C.int(e.w), C.int(e.h), C.int(m.Stride), &e.config, e.ms()) == 0 {
		return errEncode
	}
	e.at += d
	return nil
}

func (e *Encoder) ms() C.int { return C.int(e.at.Milliseconds()) }

// Finish writes the animation.
func (e *Encoder) Finish(w io.Writer) error {
	var out C.WebPData
	if C.picora_finish(e.enc, e.ms(), &out) == 0 {
		return errEncode
	}
	defer C.WebPFree(unsafe.Pointer(out.bytes))
	_, err := w.Write(unsafe.Slice((*byte)(out.bytes), int(out.size)))
	return err
}

// Close frees what the encoder holds.
func (e *Encoder) Close() { C.WebPAnimEncoderDelete(e.enc) }
