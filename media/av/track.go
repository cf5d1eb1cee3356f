package av

import (
	"cmp"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/asticode/go-astiav"

	"picora/media"
	"picora/media/hls"
)

// track is a file of one stream that is written: CMAF (ISO/IEC 23000-19), one fragment for
// each segment, then the index. Of the file, one segment is in memory.
type track struct {
	format  *astiav.FormatContext
	writer  *astiav.IOContext
	to      cursor
	base    astiav.Rational // of the packets that are written
	index   hls.Index
	packets int64
	held    *astiav.Packet // the last one, until it is known when the next is due
	holds   bool
	waits   bool  // there are packets that are not flushed
	from    int64 // when the segment at hand begins
	end     int64 // when all that was written ends
	last    int64 // the last packet's dts, in the file's time base
	mark    *mark
}

// mark is how far an output has come, in microseconds of the film.
type mark struct{ at atomic.Int64 }

// newTrack begins a file for packets of a time base; fill describes them.
func newTrack(out File, base astiav.Rational, m *mark, fill func(*astiav.CodecParameters) error) (t *track, err error) {
	t = &track{to: cursor{f: out}, base: base, mark: m, last: noTime, held: astiav.AllocPacket()}
	defer func() {
		if err != nil {
			t.free()
			t = nil
		}
	}()
	if t.format, err = astiav.AllocOutputFormatContext(nil, "mp4", ""); err != nil {
		return t, fmt.Errorf("av: mp4: %w", err)
	}
	if t.writer, err = astiav.AllocIOContext(64<<10, true, nil, nil, t.to.write); err != nil {
		return t, fmt.Errorf("av: mp4: %w", err)
	}
	t.format.SetPb(t.writer)
	s := t.format.NewStream(nil)
	s.SetTimeBase(base)
	if err := fill(s.CodecParameters()); err != nil {
		return t, fmt.Errorf("av: mp4: %w", err)
	}
	s.CodecParameters().SetCodecTag(0)
	// The moov is written with the first segment, when it is known where the stream begins;
	// what an AAC encoder puts in front is then left out by an edit list.
	options, err := dictionary("movflags", "+default_base_moof+delay_moov+frag_custom+skip_trailer", "fflags", "+bitexact")
	if err != nil {
		return t, err
	}
	defer options.Free()
	if err := t.format.WriteHeader(options); err != nil {
		return t, t.failed(err)
	}
	return t, allUsed(options)
}

func (t *track) free() {
	if t == nil {
		return
	}
	t.held.Free()
	if t.format != nil {
		t.format.Free()
	}
	if t.writer != nil {
		t.writer.Free()
	}
}

// failed prefers what the file says to what FFmpeg makes of it.
func (t *track) failed(err error) error {
	return fmt.Errorf("av: mp4: %w", cmp.Or(t.to.err, err))
}

// write writes a packet, which it takes over. With first, it is the first of a segment.
func (t *track) write(p *astiav.Packet, first bool) error {
	at := p.Pts()
	t.end = max(t.end, at+max(p.Duration(), 0))
	t.packets++
	t.mark.at.Store(rescale(at, t.base, micro))
	p.SetStreamIndex(0)
	p.RescaleTs(t.base, t.format.Streams()[0].TimeBase())
	if t.last != noTime && p.Dts() <= t.last {
		p.SetDts(t.last + 1)
		p.SetPts(max(p.Pts(), p.Dts()))
	}
	if t.holds { // the muxer believes durations, and where pictures vary encoders do not know them
		t.held.SetDuration(p.Dts() - t.last)
		if err := t.release(); err != nil {
			return err
		}
	}
	if first && t.waits {
		if err := t.cut(at); err != nil {
			return err
		}
	}
	t.last, t.holds = p.Dts(), true
	t.held.MoveRef(p)
	return nil
}

// release writes the packet that is held.
func (t *track) release() error {
	if !t.holds {
		return nil
	}
	t.holds = false
	err := t.format.WriteFrame(t.held)
	t.held.Unref()
	if err != nil {
		return t.failed(err)
	}
	t.waits = true
	return nil
}

// cut ends the segment at hand. The next begins at that time.
func (t *track) cut(at int64) error {
	if err := t.flush(); err != nil {
		return err
	}
	if t.index.Init == 0 { // the first flush writes the moov alone
		t.index.Init = t.to.at
		if err := t.flush(); err != nil {
			return err
		}
	}
	before := t.index.Init
	for _, s := range t.index.Segments {
		before += s.Size
	}
	t.index.Segments = append(t.index.Segments, hls.Segment{
		Size:     t.to.at - before,
		Duration: seconds(max(0, at-max(t.from, 0)), t.base),
	})
	t.from, t.waits = at, false
	return nil
}

func (t *track) flush() error {
	if err := t.format.WriteFrame(nil); err != nil {
		return t.failed(err)
	}
	t.writer.Flush()
	if t.to.err != nil {
		return t.failed(t.to.err)
	}
	return nil
}

// finish writes what is left and the index, and says what was made.
func (t *track) finish(made *media.TrackMade) error {
	if err := t.release(); err != nil {
		return err
	}
	if t.waits {
		if err := t.cut(t.end); err != nil {
			return err
		}
	}
	if err := t.format.WriteTrailer(); err != nil {
		return t.failed(err)
	}
	t.writer.Flush()
	if t.to.err != nil {
		return t.failed(t.to.err)
	}
	sum := t.index.Init
	for _, s := range t.index.Segments {
		sum += s.Size
	}
	if sum != t.to.at {
		return fmt.Errorf("av: mp4: %d bytes were written, the segments have %d", t.to.at, sum)
	}
	if _, err := t.to.write(hls.AppendIndex(nil, t.index)); err != nil {
		return t.failed(err)
	}
	made.Bandwidth, made.Average = t.index.Rates()
	return nil
}

// codecs is how RFC 6381 names H.264 of those parameter sets, be they in an avcC or as
// a stream has them (Annex B).
func codecs(extra []byte) (string, error) {
	if len(extra) >= 4 && extra[0] == 1 {
		return fmt.Sprintf("avc1.%x", extra[1:4]), nil
	}
	for i := 0; i+6 < len(extra); i++ {
		if extra[i] == 0 && extra[i+1] == 0 && extra[i+2] == 1 && extra[i+3]&31 == 7 {
			return fmt.Sprintf("avc1.%x", extra[i+4:i+7]), nil
		}
	}
	return "", errors.New("av: no parameter sets of H.264")
}
