// Package jpeg decodes and encodes JPEG pictures with libjpeg-turbo, through its
// TurboJPEG API. It belongs in the worker: what it reads are foreign bytes in C.
//
// A picture can be decoded at an eighth, a quarter or half of its size, which costs
// little more than undoing the Huffman codes.
package jpeg

/*
#cgo LDFLAGS: -lturbojpeg
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

enum { WHY = 200 };

// picora_decode writes the picture, scaled to w x h and never larger, to dst.
// It returns 0, or -1 with the reason in why and whether it is only a warning.
static int picora_decode(const unsigned char *src, unsigned long n, unsigned char *dst,
                         int w, int h, int format, char *why, int *warning) {
  tjhandle d = tjInitDecompress();
  if (d == NULL) return -1;
  int err = tjDecompress2(d, src, n, dst, w, w * tjPixelSize[format], h, format, TJFLAG_LIMITSCANS);
  if (err) {
    strncpy(why, tjGetErrorStr2(d), WHY - 1);
    *warning = tjGetErrorCode(d) == TJERR_WARNING;
  }
  tjDestroy(d);
  return err;
}

// picora_encode returns a JPEG of n bytes, to be freed with tjFree, or NULL.
static unsigned char *picora_encode(const unsigned char *src, int w, int stride, int h,
                                    int subsampling, int quality, int flags, unsigned long *n) {
  unsigned char *dst = NULL;
  tjhandle c = tjInitCompress();
  if (c == NULL) return NULL;
  if (tjCompress2(c, src, w, stride, h, TJPF_RGBX, &dst, n, subsampling, quality, flags)) {
    tjFree(dst);
    dst = NULL;
  }
  tjDestroy(c);
  return dst;
}
*/
import "C"

import (
	"errors"
	"fmt"
	"image"
	"io"
	"strings"
	"unsafe"

	"picora/media"
	"picora/media/wall"
)

// Decode decodes a whole JPEG at eighths/8 of its size (1, 2, 4 or 8; sides are
// rounded up). It gives an opaque *image.NRGBA, or an *image.CMYK for a picture of
// four components, with ink and not light in it whatever way the file has it.
//
// Data that is cut off or damaged is media.ErrCorrupt: half a picture is none. The
// size is the caller's to check, with ReadHeader, before this takes the memory.
func Decode(data []byte, eighths int) (image.Image, error) {
	h, err := ReadHeader(data)
	if err != nil {
		return nil, err
	}
	if eighths != 1 && eighths != 2 && eighths != 4 && eighths != 8 {
		return nil, errors.New("jpeg: not a scale of libjpeg-turbo")
	}
	r := image.Rect(0, 0, (h.Width*eighths+7)/8, (h.Height*eighths+7)/8)
	if err := wall.Room(4 * r.Dx() * r.Dy()); err != nil {
		return nil, fmt.Errorf("jpeg: %w", err)
	}
	if h.Components == 4 {
		m := image.NewCMYK(r)
		if err := decode(data, m.Pix, r, C.TJPF_CMYK); err != nil {
			return nil, err
		}
		if h.Adobe {
			for i := range m.Pix { // Adobe's programs store light, not ink
				m.Pix[i] = ^m.Pix[i]
			}
		}
		return m, nil
	}
	m := image.NewNRGBA(r)
	return m, decode(data, m.Pix, r, C.TJPF_RGBA)
}

func decode(data, pix []byte, r image.Rectangle, format C.int) error {
	var why [C.WHY]C.char
	var warning C.int
	bad := C.picora_decode((*C.uchar)(&data[0]), C.ulong(len(data)), (*C.uchar)(&pix[0]),
		C.int(r.Dx()), C.int(r.Dy()), format, &why[0], &warning)
	if bad == 0 {
		return nil
	}
	reason := C.GoString(&why[0])
	if warning != 0 && harmless(reason) {
		return nil
	}
	if strings.Contains(reason, "Premature end") {
		return media.Corrupt("the JPEG is cut off: its end is missing")
	}
	return media.Corrupt("the JPEG is damaged and cannot be decoded")
}

// harmless tells the warnings of libjpeg after which the picture is still whole.
// Cameras write stray bytes between segments, and odd versions into their headers.
func harmless(warning string) bool {
	return strings.Contains(warning, "extraneous bytes before marker") ||
		strings.Contains(warning, "Unknown Adobe color transform") ||
		strings.Contains(warning, "Warning: unknown JFIF revision")
}

// Options are how a picture is encoded.
type Options struct {
	Quality     int // 1 to 100
	Progressive bool
}

// Encode writes m, whose transparency is ignored, as a JPEG without a profile. From
// quality 90 on, colour has the resolution of brightness (4:4:4), else half (4:2:0).
func Encode(w io.Writer, m *image.NRGBA, o Options) error {
	if m.Rect.Empty() {
		return errors.New("jpeg: an empty picture")
	}
	subsampling, flags := C.int(C.TJSAMP_420), C.int(C.TJFLAG_ACCURATEDCT)
	if o.Quality >= 90 {
		subsampling = C.TJSAMP_444
	}
	if o.Progressive {
		flags |= C.TJFLAG_PROGRESSIVE
	}
	var n C.ulong
	out := C.picora_encode((*C.uchar)(&m.Pix[0]), C.int(m.Rect.Dx()), C.int(m.Stride), C.int(m.Rect.Dy()),
		subsampling, C.int(o.Quality), flags, &n)
	if out == nil {
		return errors.New("jpeg: encoding failed")
	}
	defer C.tjFree(out)
	_, err := w.Write(unsafe.Slice((*byte)(out), int(n)))
	return err
}
