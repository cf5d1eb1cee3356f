package av

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"runtime"

	"github.com/asticode/go-astiav"
)

// x264Args say how pictures are encoded.
type x264Args struct {
	width, height int
	base          astiav.Rational // of the frames' times
	rate          float64         // pictures a second, about
	quality       float64         // CRF
	maxBits       int64           // a second; 0: no limit
	preset        string
	threads       int     // 0: as many as there are processors
	gop           float64 // seconds between key frames at most
	encoder       string  // FFmpeg's name; empty: libx264
}

// usualEncoder is the one that is always there.
const usualEncoder = "libx264"

// openX264 opens an encoder of H.264 as every device plays it: 8 bit 4:2:0, BT.709, closed
// groups of pictures. Where there is no encoder of that name, it is libx264. Frames of type I
// become key frames.
func openX264(a x264Args) (e *astiav.CodecContext, name string, err error) {
	name = cmp.Or(a.encoder, usualEncoder)
	codec := astiav.FindEncoderByName(name)
	if codec == nil {
		name = usualEncoder
		codec = astiav.FindEncoderByName(name)
	}
	e = astiav.AllocCodecContext(codec)
	e.SetWidth(a.width)
	e.SetHeight(a.height)
	e.SetPixelFormat(astiav.PixelFormatYuv420P)
	e.SetTimeBase(a.base)
	rate := min(max(a.rate, 1), 1000)
	e.SetFramerate(astiav.NewRational(int(math.Round(rate*1000)), 1000))
	e.SetSampleAspectRatio(astiav.NewRational(1, 1))
	e.SetColorRange(astiav.ColorRangeMpeg)
	e.SetColorPrimaries(astiav.ColorPrimariesBt709)
	e.SetColorTransferCharacteristic(astiav.ColorTransferCharacteristicBt709)
	e.SetColorSpace(astiav.ColorSpaceBt709)
	e.SetGopSize(max(1, int(math.Ceil(rate*a.gop))))
	e.SetFlags(astiav.NewCodecContextFlags(astiav.CodecContextFlagGlobalHeader, astiav.CodecContextFlagClosedGop, lengths))
	threads := cmp.Or(a.threads, runtime.NumCPU())
	pairs := []string{"preset", cmp.Or(a.preset, "veryfast"), "profile", "high", "forced-idr", "1",
		"crf", fmt.Sprintf("%.2f", a.quality), "threads", fmt.Sprint(threads)}
	if a.maxBits > 0 {
		e.SetRateControlMaxRate(a.maxBits)
		e.SetRateControlBufferSize(int(min(2*a.maxBits, math.MaxInt32)))
	}
	if a.preset == "ultrafast" && name == usualEncoder {
		// Which looks at no picture ahead, and so has spent what the cap allows when the first
		// picture of a segment comes: one in which every block is blurred.
		pairs = append(pairs, "rc-lookahead", "10")
	}
	options, err := dictionary(pairs...)
	if err != nil {
		e.Free()
		return nil, "", err
	}
	defer options.Free()
	if err := errors.Join(e.Open(codec, options), allUsed(options)); err != nil {
		e.Free()
		return nil, "", fmt.Errorf("av: x264: %w", err)
	}
	return e, name, nil
}

// encode gives a frame, or nil for the end, to an encoder, and the packets that come out to take.
func encode(e *astiav.CodecContext, f *astiav.Frame, p *astiav.Packet, take func(*astiav.Packet) error) error {
	if err := e.SendFrame(f); err != nil {
		return fmt.Errorf("av: encode: %w", err)
	}
	for {
		err := e.ReceivePacket(p)
		if errors.Is(err, astiav.ErrEagain) || errors.Is(err, astiav.ErrEof) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("av: encode: %w", err)
		}
		err = take(p)
		p.Unref()
		if err != nil {
			return err
		}
	}
}
