// Package icc brings pictures into the sRGB colour space, by the ICC profile they
// carry (ICC.1:2022), with Little CMS. It belongs in the worker: profiles are foreign
// bytes in C.
package icc

/*
#cgo LDFLAGS: -llcms2 -lm
#include <lcms2.h>

// in is the layout of the pictures of a colour space, or 0: gray pictures have it
// three times, as the rest of the engine does.
static cmsUInt32Number in(cmsColorSpaceSignature space, int channels, int bytes) {
  cmsUInt32Number samples = BYTES_SH(bytes & 7) | ENDIAN16_SH(bytes == 2);
  if (channels == 4) return space == cmsSigCmykData ? TYPE_CMYK_8 : 0;
  if (space == cmsSigRgbData) return COLORSPACE_SH(PT_RGB) | CHANNELS_SH(3) | EXTRA_SH(1) | samples;
  if (space == cmsSigGrayData) return COLORSPACE_SH(PT_GRAY) | CHANNELS_SH(1) | EXTRA_SH(3) | samples;
  return 0;
}

// neutral tells whether a transform of RGB to sRGB leaves colours as they are, which
// is so for most profiles in the wild: they are sRGB under some name.
static int neutral(cmsHTRANSFORM t) {
  for (int i = 0; i < 5 * 5 * 5; i++) {
    cmsUInt8Number c[4] = {i % 5 * 63, i / 5 % 5 * 63, i / 25 * 63, 255}, out[4];
    cmsDoTransform(t, c, out, 1);
    for (int k = 0; k < 3; k++)
      if (out[k] > c[k] + 1 || out[k] + 1 < c[k]) return 0;
  }
  return 1;
}

// picora_transform returns what brings pictures of a profile into sRGB, or NULL when the
// profile is of no use for them, or changes nothing.
static cmsHTRANSFORM picora_transform(const void *icc, unsigned n, int channels, int bytes) {
  cmsHTRANSFORM t = NULL;
  cmsHPROFILE from = cmsOpenProfileFromMem(icc, n), to = cmsCreate_sRGBProfile();
  if (from == NULL || to == NULL) goto out;
  cmsProfileClassSignature kind = cmsGetDeviceClass(from);
  if (kind != cmsSigInputClass && kind != cmsSigDisplayClass && kind != cmsSigOutputClass && kind != cmsSigColorSpaceClass) goto out;
  cmsUInt32Number layout = in(cmsGetColorSpace(from), channels, bytes);
  if (layout == 0) goto out;
  t = cmsCreateTransform(from, layout, to, TYPE_RGBA_8, INTENT_PERCEPTUAL, cmsFLAGS_BLACKPOINTCOMPENSATION);
  if (t && layout == TYPE_RGBA_8 && neutral(t)) {
    cmsDeleteTransform(t);
    t = NULL;
  }
out:
  if (from) cmsCloseProfile(from);
  if (to) cmsCloseProfile(to);
  return t;
}
*/
import "C"

import (
	"hash/maphash"
	"image"
	"image/draw"
	"sync"
	"unsafe"
)

// maxProfile bounds a profile; those of printing presses have two or three megabytes.
const maxProfile = 4 << 20

// ToSRGB returns m with the colours that its profile gives it, as sRGB of 8 bits with
// straight alpha. An *image.NRGBA is converted in place. The profile may be of RGB or
// gray for it and for an *image.NRGBA64, and of CMYK for an *image.CMYK.
//
// Without a profile, and with one that is damaged or of another kind of picture,
// colours are taken for sRGB, as browsers do: a bad profile loses no picture.
func ToSRGB(profile []byte, m image.Image) *image.NRGBA {
	r := image.Rectangle{Max: m.Bounds().Size()}
	if r.Empty() {
		return image.NewNRGBA(r)
	}
	switch m := m.(type) {
	case *image.NRGBA:
		convert(profile, 3, 1, m.Pix, m.Stride, m)
		return m
	case *image.NRGBA64:
		out := round(m)
		convert(profile, 3, 2, m.Pix, m.Stride, out)
		return out
	case *image.CMYK:
		out := image.NewNRGBA(r)
		draw.Draw(out, r, image.Opaque, image.Point{}, draw.Src)
		if !convert(profile, 4, 1, m.Pix, m.Stride, out) {
			draw.Draw(out, r, m, m.Rect.Min, draw.Src)
		}
		return out
	}
	out := image.NewNRGBA(r)
	draw.Draw(out, r, m, m.Bounds().Min, draw.Src)
	return out
}

// transforms are kept, since one takes 10 ms to make (100 ms for CMYK) and a worker
// sees the same few profiles again and again. A nil one is of no use.
var transforms = struct {
	sync.Mutex
	seed maphash.Seed
	made map[transformKey]C.cmsHTRANSFORM
}{seed: maphash.MakeSeed(), made: map[transformKey]C.cmsHTRANSFORM{}}

type transformKey struct {
	profile         uint64 // its hash
	channels, bytes int
}

// maxTransforms bounds what is kept, at about half a megabyte each.
const maxTransforms = 8

// convert writes the colours of src to out, unless the profile is of no use.
func convert(profile []byte, channels, bytes int, src []byte, stride int, out *image.NRGBA) bool {
	if len(profile) == 0 || len(profile) > maxProfile {
		return false
	}
	transforms.Lock()
	defer transforms.Unlock()
	t := transform(profile, channels, bytes)
	if t == nil {
		return false
	}
	C.cmsDoTransformLineStride(t, unsafe.Pointer(&src[0]), unsafe.Pointer(&out.Pix[0]), C.cmsUInt32Number(out.Rect.Dx()),
		C.cmsUInt32Number(out.Rect.Dy()), C.cmsUInt32Number(stride), C.cmsUInt32Number(out.Stride), 0, 0)
	return true
}

func transform(profile []byte, channels, bytes int) C.cmsHTRANSFORM {
	key := transformKey{maphash.Bytes(transforms.seed, profile), channels, bytes}
	t, ok := transforms.made[key]
	if ok {
		return t
	}
	if len(transforms.made) == maxTransforms {
		for _, old := range transforms.made {
			if old != nil {
				C.cmsDeleteTransform(old)
			}
		}
		clear(transforms.made)
	}
	t = C.picora_transform(unsafe.Pointer(&profile[0]), C.uint(len(profile)), C.int(channels), C.int(bytes))
	transforms.made[key] = t
	return t
}

// round takes 16 bits to 8, to the nearest.
func round(m *image.NRGBA64) *image.NRGBA {
	out := image.NewNRGBA(image.Rectangle{Max: m.Rect.Size()})
	for y := range out.Rect.Dy() {
		row, in := out.Pix[y*out.Stride:][:4*out.Rect.Dx()], m.Pix[y*m.Stride:]
		for i := range row {
			v := uint32(in[2*i])<<8 | uint32(in[2*i+1])
			row[i] = uint8((v*255 + 32767) / 65535)
		}
	}
	return out
}
