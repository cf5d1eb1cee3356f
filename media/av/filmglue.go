package av

// What go-astiav 0.39 does not give of films: a frame's own time and form.

/*
#cgo pkg-config: libavformat libavcodec libavutil
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>
#include <libavutil/mathematics.h>
*/
import "C"

import (
	"unsafe"

	"github.com/asticode/go-astiav"
)

// rescale converts a number of ticks from one time base to another, rounding to the nearest.
func rescale(n int64, from, to astiav.Rational) int64 {
	if from.Den() <= 0 || to.Num() <= 0 || to.Den() <= 0 {
		return 0
	}
	return int64(C.av_rescale_q_rnd(C.int64_t(n),
		C.AVRational{C.int(from.Num()), C.int(from.Den())}, C.AVRational{C.int(to.Num()), C.int(to.Den())},
		C.AV_ROUND_NEAR_INF|C.AV_ROUND_PASS_MINMAX))
}

// timeOf is when a decoded frame is to be shown, by all that is known of it, and how long.
func timeOf(f *astiav.Frame) (at, lasts int64) {
	c := frameC(f)
	return int64(c.best_effort_timestamp), max(0, int64(c.duration))
}

// setDuration says how long a frame is shown.
func setDuration(f *astiav.Frame, n int64) { frameC(f).duration = C.int64_t(n) }

// form is what a filter graph has to know of the pictures that it gets: when it changes, so must the graph.
type form struct {
	width, height, format       int
	matrix, primaries, transfer uint32
	full                        bool
	aspect                      [2]int
	interlaced                  bool
}

func formOf(f *astiav.Frame) form {
	c := frameC(f)
	return form{
		width: int(c.width), height: int(c.height), format: int(c.format),
		matrix: c.colorspace, primaries: c.color_primaries, transfer: c.color_trc,
		full:       c.color_range == C.AVCOL_RANGE_JPEG,
		aspect:     [2]int{int(c.sample_aspect_ratio.num), int(c.sample_aspect_ratio.den)},
		interlaced: c.flags&C.AV_FRAME_FLAG_INTERLACED != 0,
	}
}

// plain takes from a stream's description what is the old container's: its side data, such as
// a rotation, which is none where pictures are copied.
func plain(p *astiav.CodecParameters) {
	c := parametersC(p)
	C.av_packet_side_data_free(&c.coded_side_data, &c.nb_coded_side_data)
}

// lengths has an encoder tell how long each picture is shown, as it was told.
const lengths = astiav.CodecContextFlag(C.AV_CODEC_FLAG_FRAME_DURATION)

// indexed is how many packets of a stream the container's tables have told of until now.
func indexed(s *astiav.Stream) int64 {
	return int64(C.avformat_index_get_entries_count(*(**C.AVStream)(unsafe.Pointer(s))))
}
