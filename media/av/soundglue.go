package av

// What go-astiav 0.39 does not give of sound: chapters, the numbers of a packet at once, results of filters, and a
// second look at the file that is written.

/*
#cgo pkg-config: libavformat libavcodec libavutil libavfilter
#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavformat/avformat.h>
#include <libavutil/intreadwrite.h>
#include <libavutil/opt.h>

typedef struct Walked {
	int64_t packets, bytes, ticks, skipped, blanks, dropped;
} Walked;

// walk reads at most n packets, counts those of one stream, and keeps the last. Ticks are of the stream's time base,
// skipped are samples. A packet that says it is longer than can be does not tell how long it is.
static int walk(AVFormatContext *s, AVPacket *p, AVPacket *last, int stream, int n, int64_t longest, Walked *w) {
	while (n-- > 0) {
		int ret = av_read_frame(s, p);
		if (ret < 0) return ret;
		if (p->stream_index == stream) {
			int known = p->duration > 0 && p->duration <= longest;
			w->packets++;
			w->bytes += p->size;
			if (!known) w->blanks++;
			else if (p->flags & AV_PKT_FLAG_DISCARD) w->dropped++; // an edit list leaves it out
			else {
				w->ticks += p->duration;
				size_t size = 0;
				const uint8_t *d = av_packet_get_side_data(p, AV_PKT_DATA_SKIP_SAMPLES, &size);
				if (d && size >= 10) {
					AVRational base = s->streams[stream]->time_base, rate = {1, s->streams[stream]->codecpar->sample_rate};
					int64_t most = rate.den > 0 ? av_rescale_q(p->duration, base, rate) : 0;
					if (AV_RL32(d) < (UINT32_C(1) << 30)) w->skipped += AV_RL32(d);
					if (AV_RL32(d + 4) <= most) w->skipped += AV_RL32(d + 4); // more than that, decoders ignore
				}
			}
			av_packet_unref(last);
			av_packet_move_ref(last, p);
		}
		av_packet_unref(p);
	}
	return 0;
}

static void usual(AVFrame *f) {
	int n = f->ch_layout.nb_channels;
	if (f->ch_layout.order == AV_CHANNEL_ORDER_NATIVE || n <= 0) return;
	av_channel_layout_uninit(&f->ch_layout);
	av_channel_layout_default(&f->ch_layout, n);
}

static const char *entry(AVDictionary *d, const char *key) {
	AVDictionaryEntry *e = av_dict_get(d, key, NULL, 0);
	return e ? e->value : "";
}

static int result(AVFilterGraph *g, const char *filter, const char *option, double *value) {
	AVFilterContext *c = avfilter_graph_get_filter(g, filter);
	return c ? av_opt_get_double(c->priv, option, 0, value) : AVERROR_FILTER_NOT_FOUND;
}

// The muxer opens its file once more, to make room at its beginning. It gets the reader that waits in opaque.
static int again(AVFormatContext *s, AVIOContext **pb, const char *url, int flags, AVDictionary **options) {
	if (flags & AVIO_FLAG_WRITE || !s->opaque) return AVERROR(EPERM);
	*pb = s->opaque;
	return 0;
}

static int leave(AVFormatContext *s, AVIOContext *pb) { return 0; }

static void reopen_with(AVFormatContext *s, AVIOContext *reader) {
	s->opaque = reader;
	s->io_open = again;
	s->io_close2 = leave;
}
*/
import "C"

import (
	"fmt"
	"strings"
	"unsafe"

	"github.com/asticode/go-astiav"
)

func packetC(p *astiav.Packet) *C.AVPacket { return *(**C.AVPacket)(unsafe.Pointer(p)) }

// walked is what was counted of a stream.
type walked struct {
	packets, bytes, ticks, skipped int64
	blanks                         int64 // packets that do not tell how long they are
	dropped                        int64 // packets that are not to be heard
}

// walk reads at most n packets of the file, counts those of a stream, none of which is longer than so many ticks, and
// keeps the last.
func walk(f *astiav.FormatContext, p, last *astiav.Packet, stream, n int, longest int64, w *walked) error {
	var c C.Walked
	ret := C.walk(formatC(f), packetC(p), packetC(last), C.int(stream), C.int(n), C.int64_t(longest), &c)
	w.packets += int64(c.packets)
	w.bytes += int64(c.bytes)
	w.ticks += int64(c.ticks)
	w.skipped += int64(c.skipped)
	w.blanks += int64(c.blanks)
	w.dropped += int64(c.dropped)
	return failed(ret)
}

// chaptersOf returns the first n chapters, as they are written.
func chaptersOf(f *astiav.FormatContext, n int) (list []Chapter) {
	c := formatC(f)
	title := C.CString("title")
	defer C.free(unsafe.Pointer(title))
	for _, ch := range unsafe.Slice(c.chapters, min(int(c.nb_chapters), n)) {
		base := float64(ch.time_base.num) / float64(max(ch.time_base.den, 1))
		list = append(list, Chapter{
			Start: float64(ch.start) * base, End: float64(ch.end) * base,
			Title: bounded(C.entry(ch.metadata, title)),
		})
	}
	return list
}

// bounded copies the first kilobytes of a text.
func bounded(s *C.char) string {
	const most = 4 << 10
	return strings.Clone(C.GoStringN(s, C.int(C.strnlen(s, most))))
}

// frameSize is how many samples a packet has, 0 when that varies.
func frameSize(p *astiav.CodecParameters) int { return int(parametersC(p).frame_size) }

// samplesOf are the interleaved samples of a frame of doubles. They are the frame's.
func samplesOf(f *astiav.Frame) []float64 {
	c := frameC(f)
	if c.format != C.AV_SAMPLE_FMT_DBL || c.nb_samples <= 0 || c.data[0] == nil {
		return nil
	}
	return unsafe.Slice((*float64)(unsafe.Pointer(c.data[0])), int(c.nb_samples)*int(c.ch_layout.nb_channels))
}

// usual gives the channels of a frame the usual places where the file does not say which they have.
func usual(f *astiav.Frame) { C.usual(frameC(f)) }

// result reads what a filter has found out.
func result(g *astiav.FilterGraph, filter, option string) (v float64, err error) {
	c := *(**C.AVFilterGraph)(unsafe.Pointer(g))
	f, o := C.CString(filter), C.CString(option)
	defer C.free(unsafe.Pointer(f))
	defer C.free(unsafe.Pointer(o))
	var d C.double
	if ret := C.result(c, f, o, &d); ret < 0 {
		return 0, fmt.Errorf("av: %s of %s: %w", option, filter, astiav.Error(ret))
	}
	return float64(d), nil
}

// reopenWith has a muxer read its own file through a reader.
func reopenWith(f *astiav.FormatContext, reader *astiav.IOContext) {
	C.reopen_with(formatC(f), *(**C.AVIOContext)(unsafe.Pointer(reader)))
}
