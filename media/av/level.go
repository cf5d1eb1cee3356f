package av

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/asticode/go-astiav"
)

// File is where an MP4 is written: it is read once more to put its tables in front.
type File interface {
	io.ReaderAt
	io.WriterAt
}

// Level is how a sound is to be changed.
type Level struct {
	As   As
	Gain float64 // dB
	Peak float64 // dBTP that are not exceeded; 0 and above nothing is limited
}

// Encode writes the sound after l into an empty file as AAC-LC of so many bits a second in MP4, tables first, without tags.
func (s *Sound) Encode(ctx context.Context, l Level, bitRate int, out File, progress func(float64)) error {
	var w *aacFile
	var g *soundGraph
	defer func() { w.free(); g.free() }()
	_, err := s.play(ctx, l.As, progress, func(f *astiav.Frame) (err error) {
		if g == nil {
			if g, err = newSoundGraph(l.filters(f.SampleRate())+"aformat=sample_fmts=fltp,asetnsamples=n=1024:p=0", f); err != nil {
				return err
			}
			if w, err = newAAC(out, f, bitRate); err != nil {
				return err
			}
		}
		return g.pass(f, w.encode)
	})
	if err != nil {
		return err
	}
	if err := g.pass(nil, w.encode); err != nil {
		return err
	}
	return w.finish()
}

// filters describes what happens to the sound, as the beginning of a chain. Peaks between samples are seen and limited at
// four times the rate.
func (l Level) filters(rate int) (f string) {
	if l.Gain != 0 {
		f = fmt.Sprintf("volume=volume=%.3fdB:precision=double,", l.Gain)
	}
	if l.Peak < 0 {
		f += fmt.Sprintf("aresample=%d,alimiter=level=0:latency=1:attack=5:release=80:limit=%.6f,aresample=%d,", 4*rate, math.Pow(10, l.Peak/20), rate)
	}
	return f
}

// aacFile is an MP4 that is written.
type aacFile struct {
	format        *astiav.FormatContext
	writer, again *astiav.IOContext
	encoder       *astiav.CodecContext
	packet        *astiav.Packet
}

// newAAC begins a file for sound like f.
func newAAC(out File, f *astiav.Frame, bitRate int) (w *aacFile, err error) {
	w = &aacFile{packet: astiav.AllocPacket()}
	defer func() {
		if err != nil {
			w.free()
			w = nil
		}
	}()
	if w.format, err = astiav.AllocOutputFormatContext(nil, "mp4", ""); err != nil {
		return w, err
	}
	c := &cursor{f: out}
	if w.writer, err = astiav.AllocIOContext(64<<10, true, nil, c.seek, c.write); err != nil {
		return w, err
	}
	w.format.SetPb(w.writer)
	r := &cursor{f: out}
	if w.again, err = astiav.AllocIOContext(64<<10, false, r.read, r.seek, nil); err != nil {
		return w, err
	}
	reopenWith(w.format, w.again)
	return w, w.begin(f, bitRate)
}

func (w *aacFile) begin(f *astiav.Frame, bitRate int) error {
	codec := astiav.FindEncoderByName("aac")
	w.encoder = astiav.AllocCodecContext(codec)
	w.encoder.SetSampleFormat(astiav.SampleFormatFltp)
	w.encoder.SetSampleRate(f.SampleRate())
	w.encoder.SetChannelLayout(f.ChannelLayout())
	w.encoder.SetTimeBase(astiav.NewRational(1, f.SampleRate()))
	w.encoder.SetBitRate(int64(bitRate))
	w.encoder.SetFlags(astiav.NewCodecContextFlags(astiav.CodecContextFlagGlobalHeader, astiav.CodecContextFlagBitexact))
	if err := w.encoder.Open(codec, nil); err != nil {
		return fmt.Errorf("av: aac: %w", err)
	}
	s := w.format.NewStream(nil)
	s.SetTimeBase(w.encoder.TimeBase())
	if err := s.CodecParameters().FromCodecContext(w.encoder); err != nil {
		return fmt.Errorf("av: aac: %w", err)
	}
	options, err := dictionary("movflags", "+faststart", "fflags", "+bitexact")
	if err != nil {
		return err
	}
	defer options.Free()
	if err := w.format.WriteHeader(options); err != nil {
		return fmt.Errorf("av: mp4: %w", err)
	}
	return allUsed(options)
}

// encode takes a frame, or nil for the end.
func (w *aacFile) encode(f *astiav.Frame) error {
	if err := w.encoder.SendFrame(f); err != nil {
		return fmt.Errorf("av: aac: %w", err)
	}
	for {
		err := w.encoder.ReceivePacket(w.packet)
		if errors.Is(err, astiav.ErrEagain) || errors.Is(err, astiav.ErrEof) {
			return nil
		}
		if err == nil {
			w.packet.SetStreamIndex(0)
			w.packet.RescaleTs(w.encoder.TimeBase(), w.format.Streams()[0].TimeBase())
			err = w.format.WriteInterleavedFrame(w.packet)
		}
		if err != nil {
			return fmt.Errorf("av: mp4: %w", err)
		}
	}
}

func (w *aacFile) finish() error {
	if err := w.encode(nil); err != nil {
		return err
	}
	if err := w.format.WriteTrailer(); err != nil {
		return fmt.Errorf("av: mp4: %w", err)
	}
	w.writer.Flush()
	return nil
}

func (w *aacFile) free() {
	if w == nil {
		return
	}
	w.packet.Free()
	if w.encoder != nil {
		w.encoder.Free()
	}
	if w.format != nil {
		w.format.Free()
	}
	for _, c := range []*astiav.IOContext{w.writer, w.again} {
		if c != nil {
			c.Free()
		}
	}
}

// cursor is a place in a file that FFmpeg reads or writes.
type cursor struct {
	f       File
	at, end int64
	err     error // of the file, when it was written
}

func (c *cursor) write(b []byte) (int, error) {
	n, err := c.f.WriteAt(b, c.at)
	c.at += int64(n)
	c.end = max(c.end, c.at)
	if err != nil && c.err == nil {
		c.err = err
	}
	return n, err
}

func (c *cursor) read(b []byte) (int, error) {
	n, err := c.f.ReadAt(b, c.at)
	c.at += int64(n)
	if n > 0 {
		return n, nil
	}
	return 0, err
}

func (c *cursor) seek(offset int64, whence int) (int64, error) {
	const sizeOnly, force = 0x10000, 0x20000 // AVSEEK_SIZE, AVSEEK_FORCE
	switch whence &^ force {
	case io.SeekStart:
		c.at = offset
	case io.SeekCurrent:
		c.at += offset
	case sizeOnly:
		return c.end, nil
	default:
		return 0, astiav.ErrUnknown
	}
	return c.at, nil
}
