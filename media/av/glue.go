package av

// The one file of C: what go-astiav 0.39 does not give (stream groups, most side data, the colour matrix of a conversion).

/*
#cgo pkg-config: libavformat libavcodec libavutil libswscale
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

// find_info lets the decoders that look for a stream's facts see the limit of pixels.
static int find_info(AVFormatContext *s, const char *max_pixels) {
	unsigned n = s->nb_streams;
	AVDictionary **d = av_calloc(n ? n : 1, sizeof(*d));
	if (!d) return AVERROR(ENOMEM);
	for (unsigned i = 0; i < n; i++) {
		av_dict_set(&d[i], "max_pixels", max_pixels, 0);
		av_dict_set(&d[i], "threads", "1", 0);
	}
	int ret = avformat_find_stream_info(s, d);
	for (unsigned i = 0; i < n; i++) av_dict_free(&d[i]);
	av_free(d);
	return ret;
}

static AVStreamGroupTileGrid *tile_grid(AVStreamGroup *g) {
	return g->type == AV_STREAM_GROUP_PARAMS_TILE_GRID ? g->params.tile_grid : NULL;
}

static int tile_at(AVStreamGroup *g, unsigned i, int *x, int *y) { // the stream's index, or -1
	AVStreamGroupTileGrid *t = g->params.tile_grid;
	if (t->offsets[i].idx >= g->nb_streams) return -1;
	*x = t->offsets[i].horizontal;
	*y = t->offsets[i].vertical;
	return g->streams[t->offsets[i].idx]->index;
}

// convert writes a frame as w x h packed pixels. The conversion is exact in rounding and interpolates chroma in both directions.
static int convert(struct SwsContext **c, AVFrame *f, int matrix, int full, uint8_t *dst, int stride, int w, int h, int format) {
	int flags = SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT;
	*c = sws_getCachedContext(*c, f->width, f->height, f->format, w, h, format, flags, NULL, NULL, NULL);
	if (!*c) return AVERROR(EINVAL);
	const int *k = sws_getCoefficients(matrix);
	sws_setColorspaceDetails(*c, k, full, k, 1, 0, 1 << 16, 1 << 16); // -1 where the formats have no matrix
	uint8_t *d[4] = {dst};
	int strides[4] = {stride};
	int n = sws_scale(*c, (const uint8_t *const *)f->data, f->linesize, 0, f->height, d, strides);
	return n < 0 ? n : n == h ? 0 : AVERROR_EXTERNAL;
}

// fill converts packed pixels into a frame whose format and size are set and whose colours are full range BT.601.
static int fill(AVFrame *f, const uint8_t *src, int stride, int format) {
	struct SwsContext *c = sws_getContext(f->width, f->height, format, f->width, f->height, f->format,
		SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP, NULL, NULL, NULL);
	if (!c) return AVERROR(EINVAL);
	const int *k = sws_getCoefficients(SWS_CS_ITU601);
	sws_setColorspaceDetails(c, k, 1, k, 1, 0, 1 << 16, 1 << 16);
	const uint8_t *s[4] = {src};
	int strides[4] = {stride};
	int n = sws_scale(c, s, strides, 0, f->height, f->data, f->linesize);
	sws_freeContext(c);
	return n < 0 ? n : 0;
}

// FFmpeg's log, of which a damaged film makes a line for each of its samples: the first are
// enough, and whoever writes without end is ended.
static _Atomic int logged;
static void log_some(void *from, int level, const char *format, va_list args) {
	if (level <= av_log_get_level() && logged < 200) {
		logged++;
		av_log_default_callback(from, level, format, args);
	}
}
static void log_little(void) { av_log_set_callback(log_some); }
static void log_again(void) { logged = 0; }
*/
import "C"

import (
	"fmt"
	"math"
	"strconv"
	"unsafe"

	"github.com/asticode/go-astiav"

	"picora/media"
)

func init() { C.log_little() }

// logAgain lets FFmpeg speak of another file.
func logAgain() { C.log_again() }

// Version returns the version of the FFmpeg that is linked in.
func Version() string { return C.GoString(C.av_version_info()) }

// Configuration returns the options that FFmpeg was configured with.
func Configuration() string { return C.GoString(C.avutil_configuration()) }

// colours is how numbers of a picture mean colours, in ITU-T H.273's code points.
type colours struct {
	matrix, primaries, transfer uint32
	full, known                 bool // known: the range is stated
}

func (c colours) or(d colours) colours {
	if c.matrix == C.AVCOL_SPC_UNSPECIFIED {
		c.matrix = d.matrix
	}
	if c.primaries == C.AVCOL_PRI_UNSPECIFIED {
		c.primaries = d.primaries
	}
	if c.transfer == C.AVCOL_TRC_UNSPECIFIED {
		c.transfer = d.transfer
	}
	if !c.known {
		c.full, c.known = d.full, d.known
	}
	return c
}

func (c colours) names() (primaries, transfer, matrix string) {
	return name(C.av_color_primaries_name(c.primaries)), name(C.av_color_transfer_name(c.transfer)), name(C.av_color_space_name(c.matrix))
}

// name leaves out the words that say nothing.
func name(s *C.char) string {
	if n := C.GoString(s); n != "unknown" && n != "reserved" {
		return n
	}
	return ""
}

// FormatContext, CodecParameters and Stream of astiav begin with the C pointer.
func formatC(f *astiav.FormatContext) *C.AVFormatContext {
	return *(**C.AVFormatContext)(unsafe.Pointer(f))
}

func parametersC(p *astiav.CodecParameters) *C.AVCodecParameters {
	return *(**C.AVCodecParameters)(unsafe.Pointer(p))
}

func frameC(f *astiav.Frame) *C.AVFrame { return (*C.AVFrame)(f.UnsafePointer()) }

func failed(ret C.int) error {
	if ret < 0 {
		return astiav.Error(ret)
	}
	return nil
}

// findInfo looks for the facts of the streams.
func findInfo(f *astiav.FormatContext, maxPixels int64) error {
	n := C.CString(strconv.FormatInt(maxPixels, 10))
	defer C.free(unsafe.Pointer(n))
	return failed(C.find_info(formatC(f), n))
}

// parameters are the facts of a stream that astiav does not show.
type parameters struct {
	colours
	profile  string
	depth    int // bits of a sample
	rotation int // degrees clockwise
	icc      []byte
}

func parametersOf(p *astiav.CodecParameters) parameters {
	c := parametersC(p)
	out := parameters{
		colours: colours{c.color_space, c.color_primaries, c.color_trc, c.color_range == C.AVCOL_RANGE_JPEG, c.color_range != C.AVCOL_RANGE_UNSPECIFIED},
		profile: C.GoString(C.avcodec_profile_name(c.codec_id, c.profile)),
		depth:   int(c.bits_per_raw_sample),
	}
	if c.codec_type == C.AVMEDIA_TYPE_VIDEO {
		out.depth = depth(c.format)
	}
	for _, d := range unsafe.Slice(c.coded_side_data, c.nb_coded_side_data) {
		switch {
		case d._type == C.AV_PKT_DATA_ICC_PROFILE && d.size <= maxICC:
			out.icc = C.GoBytes(unsafe.Pointer(d.data), C.int(d.size))
		case d._type == C.AV_PKT_DATA_DISPLAYMATRIX && d.size == 36:
			if a := float64(C.av_display_rotation_get((*C.int32_t)(unsafe.Pointer(d.data)))); !math.IsNaN(a) {
				out.rotation = (int(math.Round(-a)) + 360) % 360
			}
		}
	}
	return out
}

// depth returns how many bits a sample of a pixel format has.
func depth(format C.int) int {
	if d := C.av_pix_fmt_desc_get(int32(format)); d != nil {
		return int(d.comp[0].depth)
	}
	return 0
}

// unspecified says nothing.
var unspecified = colours{matrix: C.AVCOL_SPC_UNSPECIFIED, primaries: C.AVCOL_PRI_UNSPECIFIED, transfer: C.AVCOL_TRC_UNSPECIFIED}

// meaning settles what the numbers of a frame mean. What a container says goes before what the coded picture says
// (ISO/IEC 23008-12, 6.5.5); what nobody says follows the custom of the format.
func (d *decoder) meaning(f *astiav.Frame, now facts) (colours, error) {
	k := d.declared.or(now.colours)
	c := frameC(f)
	switch {
	case now.rgb:
		k.full, k.matrix = true, C.AVCOL_SPC_BT470BG // neither is used
	case now.gray && !k.known:
		k.full = d.context.CodecID() != astiav.CodecIDHevc
	}
	switch k.matrix {
	case C.AVCOL_SPC_UNSPECIFIED, C.AVCOL_SPC_RGB:
		k.matrix = C.AVCOL_SPC_BT470BG // MIAF (ISO/IEC 23000-22, 7.3.6.4) says BT.601, and so it is in small films
		if !d.heif && c.height >= 720 {
			k.matrix = C.AVCOL_SPC_BT709
		}
	case C.AVCOL_SPC_BT709, C.AVCOL_SPC_FCC, C.AVCOL_SPC_BT470BG, C.AVCOL_SPC_SMPTE170M, C.AVCOL_SPC_SMPTE240M, C.AVCOL_SPC_BT2020_NCL:
	default:
		return k, media.Unsupported("the picture's colours are coded in a way that is not supported")
	}
	return k, nil
}

// gridsOf returns the pictures of a HEIF file that are made of tiles; those that FFmpeg cannot place are left out.
func gridsOf(f *astiav.FormatContext) (grids []grid) {
	c := formatC(f)
	for _, g := range unsafe.Slice(c.stream_groups, c.nb_stream_groups) {
		t := C.tile_grid(g)
		if t == nil {
			continue
		}
		out := grid{id: int(g.id), w: int(t.width), h: int(t.height)}
		whole := t.horizontal_offset == 0 && t.vertical_offset == 0
		for i := range t.nb_tiles {
			var x, y C.int
			s := int(C.tile_at(g, i, &x, &y))
			whole = whole && s >= 0
			out.tiles = append(out.tiles, tile{s, int(x), int(y)})
		}
		if whole {
			grids = append(grids, out)
		}
	}
	return grids
}

// facts are those of a decoded frame that astiav does not show.
type facts struct {
	colours
	damaged  bool
	deep     bool // more than 8 bits a sample
	rgb      bool // no matrix is involved
	gray     bool
	duration int64 // in units of the stream's time base
	icc      []byte
}

func factsOf(f *astiav.Frame) facts {
	c := frameC(f)
	out := facts{
		colours:  colours{c.colorspace, c.color_primaries, c.color_trc, c.color_range == C.AVCOL_RANGE_JPEG, c.color_range != C.AVCOL_RANGE_UNSPECIFIED},
		damaged:  c.decode_error_flags != 0 || c.flags&C.AV_FRAME_FLAG_CORRUPT != 0,
		deep:     depth(c.format) > 8,
		duration: int64(c.duration),
	}
	if d := C.av_pix_fmt_desc_get(int32(c.format)); d != nil {
		out.rgb = d.flags&(C.AV_PIX_FMT_FLAG_RGB|C.AV_PIX_FMT_FLAG_PAL) != 0
		out.gray = d.nb_components < 3
	}
	if d := C.av_frame_get_side_data(c, C.AV_FRAME_DATA_ICC_PROFILE); d != nil && d.size <= maxICC {
		out.icc = C.GoBytes(unsafe.Pointer(d.data), C.int(d.size))
	}
	return out
}

// converter turns frames into packed pixels; its zero value is ready.
type converter struct{ c *C.struct_SwsContext }

func (v *converter) free() { C.sws_freeContext(v.c); v.c = nil }

// convert writes f as w x h pixels at dst, whose rows are stride bytes apart.
func (v *converter) convert(f *astiav.Frame, k colours, dst []byte, stride, w, h int, format astiav.PixelFormat) error {
	full := C.int(0)
	if k.full {
		full = 1
	}
	if need := (h-1)*stride + w; w < 1 || h < 1 || len(dst) < need {
		return fmt.Errorf("av: %d bytes are too few for %d x %d pixels", len(dst), w, h)
	}
	return failed(C.convert(&v.c, frameC(f), C.int(k.matrix), full, (*C.uint8_t)(&dst[0]), C.int(stride), C.int(w), C.int(h), C.int(format)))
}

// clip makes a frame smaller at its right and bottom.
func clip(f *astiav.Frame, w, h int) {
	c := frameC(f)
	c.width, c.height = min(c.width, C.int(w)), min(c.height, C.int(h))
}

// fill converts packed pixels into f, full range BT.601.
func fill(f *astiav.Frame, pix []byte, stride int, format astiav.PixelFormat) error {
	return failed(C.fill(frameC(f), (*C.uint8_t)(&pix[0]), C.int(stride), C.int(format)))
}
