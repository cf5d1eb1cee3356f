package av

// What go-astiav 0.39 does not give of pictures: how they are to be turned, what their colours mean, and how they are
// marked when that has been changed.

/*
#cgo pkg-config: libavformat libavcodec libavutil
#include <libavcodec/avcodec.h>
#include <libavutil/dovi_meta.h>
#include <libavutil/frame.h>
#include <libavutil/mastering_display_metadata.h>

static const void *side(const AVCodecParameters *p, enum AVPacketSideDataType type, size_t least) {
	const AVPacketSideData *d = av_packet_side_data_get(p->coded_side_data, p->nb_coded_side_data, type);
	return d && d->size >= least ? d->data : NULL;
}

// peak is how bright the brightest is, in cd/m2; 0: unknown.
static double peak(const AVContentLightMetadata *c, const AVMasteringDisplayMetadata *m) {
	if (c && c->MaxCLL > 0) return c->MaxCLL;
	return m && m->has_luminance ? av_q2d(m->max_luminance) : 0;
}

static double peak_of_stream(const AVCodecParameters *p) {
	return peak(side(p, AV_PKT_DATA_CONTENT_LIGHT_LEVEL, sizeof(AVContentLightMetadata)),
		side(p, AV_PKT_DATA_MASTERING_DISPLAY_METADATA, sizeof(AVMasteringDisplayMetadata)));
}

static double peak_of_frame(const AVFrame *f) {
	const AVFrameSideData *c = av_frame_get_side_data(f, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL);
	const AVFrameSideData *m = av_frame_get_side_data(f, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA);
	return peak(c && c->size >= sizeof(AVContentLightMetadata) ? (void *)c->data : NULL,
		m && m->size >= sizeof(AVMasteringDisplayMetadata) ? (void *)m->data : NULL);
}

static int dolby(const AVCodecParameters *p) { // the profile; -1: it is none
	const AVDOVIDecoderConfigurationRecord *d = side(p, AV_PKT_DATA_DOVI_CONF, sizeof(*d));
	return d ? d->dv_profile : -1;
}

static int locked(const AVCodecParameters *p) {
	return side(p, AV_PKT_DATA_ENCRYPTION_INIT_INFO, 0) || side(p, AV_PKT_DATA_ENCRYPTION_INFO, 0) ||
		p->codec_tag == MKTAG('e','n','c','v') || p->codec_tag == MKTAG('d','r','m','i');
}

static int changes(const AVPacket *p) {
	return av_packet_get_side_data(p, AV_PKT_DATA_NEW_EXTRADATA, NULL) || av_packet_get_side_data(p, AV_PKT_DATA_PARAM_CHANGE, NULL);
}

// ordinary says that a frame is what all screens show, and forgets what was said before.
static void ordinary(AVFrame *f, int rgb) {
	f->color_primaries = AVCOL_PRI_BT709;
	f->color_trc = AVCOL_TRC_BT709;
	f->colorspace = rgb ? AVCOL_SPC_RGB : AVCOL_SPC_BT709;
	f->color_range = rgb ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
	f->flags &= ~(AV_FRAME_FLAG_INTERLACED | AV_FRAME_FLAG_TOP_FIELD_FIRST);
	while (f->nb_side_data > 0) av_frame_remove_side_data(f, f->side_data[0]->type);
}
*/
import "C"

import (
	"sync"
	"unsafe"

	"github.com/asticode/go-astiav"

	"picora/media/tone"
)

// seen is what is known of a film's pictures before one is decoded.
type seen struct {
	turn     turn
	rate     float64 // pictures a second, see Film.step; 0: unknown
	peak     float64 // cd/m²; 0: unknown
	order    fieldOrder
	declared colours
	dolby    int  // the profile of Dolby Vision; -1: it is none
	locked   bool // encrypted
	tables   struct {
		sync.Mutex
		made map[tone.Source]*astiav.Frame
	}
}

// fieldOrder is what a file says of half pictures.
type fieldOrder int

const (
	fieldsUnknown fieldOrder = iota
	fieldsNone               // progressive
	fieldsSaid               // interlaced
)

// see fills in what is known; chains ask from other goroutines than that which reads the file.
func (f *Film) see() {
	p := f.video.CodecParameters()
	c := parametersC(p)
	s := &f.seen
	if m := (*[9]int32)(C.side(c, C.AV_PKT_DATA_DISPLAYMATRIX, 36)); m != nil {
		s.turn = turnOf(*m)
	}
	switch c.field_order {
	case C.AV_FIELD_UNKNOWN:
		s.order = fieldsUnknown
	case C.AV_FIELD_PROGRESSIVE:
		s.order = fieldsNone
	default:
		s.order = fieldsSaid
	}
	if r := fraction(f.in.format.GuessFrameRate(f.video, nil)); r[1] > 0 {
		s.rate = float64(r[0]) / float64(r[1])
	}
	s.peak = float64(C.peak_of_stream(c))
	s.dolby, s.locked = int(C.dolby(c)), C.locked(c) != 0
	s.declared = parametersOf(p).colours
}

// forget frees the tables.
func (s *seen) forget() {
	for _, t := range s.tables.made {
		t.Free()
	}
}

// meaning settles what the numbers of a frame mean; what nobody says follows the custom of players.
func (s *seen) meaning(f *astiav.Frame) colours {
	now := factsOf(f)
	k := now.colours.or(s.declared)
	if now.rgb {
		k.full, k.matrix = true, C.AVCOL_SPC_RGB
	}
	if k.matrix == C.AVCOL_SPC_UNSPECIFIED || k.matrix == C.AVCOL_SPC_RGB && !now.rgb {
		k.matrix = C.AVCOL_SPC_SMPTE170M
		switch {
		case k.primaries == C.AVCOL_PRI_BT2020:
			k.matrix = C.AVCOL_SPC_BT2020_NCL
		case f.Width() >= 1280 || f.Height() > 576:
			k.matrix = C.AVCOL_SPC_BT709
		}
	}
	return k
}

// matrixName is what FFmpeg's scaler calls the matrix.
func (c colours) matrixName() string {
	switch c.matrix {
	case C.AVCOL_SPC_BT709:
		return "bt709"
	case C.AVCOL_SPC_FCC:
		return "fcc"
	case C.AVCOL_SPC_SMPTE240M:
		return "smpte240m"
	case C.AVCOL_SPC_BT2020_NCL, C.AVCOL_SPC_BT2020_CL:
		return "bt2020"
	}
	return "smpte170m"
}

// strange says whether the numbers are of a kind that is not converted: no matrix that the scaler has.
func (c colours) strange() bool {
	switch c.matrix {
	case C.AVCOL_SPC_YCGCO, C.AVCOL_SPC_ICTCP, C.AVCOL_SPC_SMPTE2085, C.AVCOL_SPC_CHROMA_DERIVED_NCL, C.AVCOL_SPC_CHROMA_DERIVED_CL,
		C.AVCOL_SPC_IPT_C2, C.AVCOL_SPC_YCGCO_RE, C.AVCOL_SPC_YCGCO_RO:
		return true
	}
	return false
}

// hdr is "pq", "hlg" or empty.
func (c colours) hdr() string {
	switch c.transfer {
	case C.AVCOL_TRC_SMPTE2084:
		return "pq"
	case C.AVCOL_TRC_ARIB_STD_B67:
		return "hlg"
	}
	return ""
}

// source is what package tone makes ordinary colours of.
func (c colours) source() (s tone.Source) {
	switch c.hdr() {
	case "pq":
		s.Transfer = tone.PQ
	case "hlg":
		s.Transfer = tone.HLG
	}
	switch {
	case c.primaries == C.AVCOL_PRI_BT2020, s.Transfer != tone.SDR && c.primaries == C.AVCOL_PRI_UNSPECIFIED:
		s.Gamut = tone.BT2020
	case c.primaries == C.AVCOL_PRI_SMPTE432, c.primaries == C.AVCOL_PRI_SMPTE431:
		s.Gamut = tone.P3
	}
	return s
}

// ordinary says whether the colours are near enough to those of ordinary screens: the primaries of BT.601 are.
func (c colours) ordinary() bool { return c.source() == tone.Source{} }

// peakOf is how bright the brightest of the film is, by what came with a frame, or by the file's head.
func (s *seen) peakOf(f *astiav.Frame) float64 {
	if p := float64(C.peak_of_frame(frameC(f))); p > 0 {
		return p
	}
	return s.peak
}

// ordinary marks a frame as BT.709, or as RGB.
func ordinary(f *astiav.Frame, rgb bool) {
	n := C.int(0)
	if rgb {
		n = 1
	}
	C.ordinary(frameC(f), n)
}

// changesParameters says whether new parameters of the pictures come with a packet.
func changesParameters(p *astiav.Packet) bool { return C.changes(packetC(p)) != 0 }

func durationOf(f *astiav.Frame) int64 { return int64(frameC(f).duration) }

// hald makes a picture of a table of colours, side pixels wide and high, for FFmpeg's haldclut. Its planes are called
// green, blue and red, but up to FFmpeg 7.1 that filter reads them as red, green and blue (update_clut_planar), so that is
// how they are filled. A test sees when that changes.
func hald(table []uint16, side int) (*astiav.Frame, error) {
	f := astiav.AllocFrame()
	f.SetWidth(side)
	f.SetHeight(side)
	f.SetPixelFormat(astiav.PixelFormatGbrp10Le)
	f.SetColorRange(astiav.ColorRangeJpeg)
	f.SetColorSpace(astiav.ColorSpaceRgb)
	if err := f.AllocBuffer(0); err != nil {
		f.Free()
		return nil, err
	}
	c := frameC(f)
	for i := range 3 {
		stride := int(c.linesize[i]) / 2
		plane := unsafe.Slice((*uint16)(unsafe.Pointer(c.data[i])), stride*side)
		for y := range side {
			for x := range side {
				v := uint32(table[3*(y*side+x)+i])
				plane[y*stride+x] = uint16((v*1023 + 32767) / 65535)
			}
		}
	}
	return f, nil
}
