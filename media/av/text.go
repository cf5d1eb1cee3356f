package av

import (
	"io"
	"strings"
	"time"

	"github.com/asticode/go-astiav"

	"picora/media"
	"picora/media/captions"
	words "picora/media/tags"
)

// What a track of captions has at most.
const (
	maxCues    = 20_000
	maxCueText = 4 << 20 // bytes, in all
)

// textTrack writes a stream of captions as WebVTT. Its packets are text: nothing is decoded
// by FFmpeg.
type textTrack struct {
	stream *astiav.Stream
	out    io.WriterAt
	made   *media.TrackMade
	list   []captions.Cue
	bytes  int
	open   bool // the last cue does not say when it ends
}

// usualCue is how long a caption is shown that does not say, if no other comes.
const usualCue = 5 * time.Second

// packet implements packetSink.
func (t *textTrack) packet(p *astiav.Packet) error {
	if p == nil {
		return t.finish()
	}
	if p.Pts() == noTime {
		return nil
	}
	base := t.stream.TimeBase()
	from := time.Duration(rescale(p.Pts(), base, micro)) * time.Microsecond
	if t.open {
		last := &t.list[len(t.list)-1]
		last.End = max(last.Start+time.Millisecond, min(last.End, from))
		t.open = false
	}
	b := p.Data()
	if len(b) > 64<<10 || len(t.list) >= maxCues || t.bytes > maxCueText {
		return nil
	}
	text, place := t.text(b)
	to := from + time.Duration(rescale(max(p.Duration(), 0), base, micro))*time.Microsecond
	open := to <= from
	if open {
		to = from + usualCue
	}
	if c, ok := captions.New(from, to, place, text); ok {
		t.list, t.open = append(t.list, c), open
		t.bytes += len(text)
	}
	return nil
}

// text is what a packet says, as WebVTT has it.
func (t *textTrack) text(b []byte) (text, place string) {
	switch t.stream.CodecParameters().CodecID() {
	case astiav.CodecIDMovText:
		return captions.MovText(b), ""
	case astiav.CodecIDAss, astiav.CodecIDSsa:
		return captions.ASS(cleanText(b))
	default:
		text, place = captions.Override(cleanText(b))
		return captions.Markup(text), place
	}
}

// cleanText is a packet's bytes as UTF-8, with one kind of line ends.
func cleanText(b []byte) string {
	return strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "").Replace(words.Legacy(string(b)))
}

func (t *textTrack) finish() error {
	if len(t.list) == 0 {
		t.made.Empty = true
		return nil
	}
	captions.Sort(t.list)
	return captions.Write(io.NewOffsetWriter(t.out, 0), t.list)
}

func (t *textTrack) free() {}
