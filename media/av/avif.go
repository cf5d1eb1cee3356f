package av

import (
	"errors"
	"fmt"
	"image"
	"io"

	"github.com/asticode/go-astiav"
)

// EncodeAVIF writes a picture as AVIF: 8 bits, 4:2:0, sRGB with BT.601 at full range; alpha, where some of it is not
// opaque, as an auxiliary item. Quality is 1 to 100, speed 0 (slow) to 8 (libaom's cpu-used). It takes one thread.
func EncodeAVIF(w io.Writer, m *image.NRGBA, quality, speed int) error {
	if m.Rect.Empty() {
		return errors.New("av: an empty picture")
	}
	out, err := create("avif")
	if err != nil {
		return err
	}
	defer out.close()
	planes := []astiav.PixelFormat{astiav.PixelFormatYuv420P}
	if !m.Opaque() {
		planes = append(planes, astiav.PixelFormatGray8)
	}
	packets := make([]*astiav.Packet, len(planes))
	for i, format := range planes {
		var err error
		if packets[i], err = out.item(m, format, quality, speed); err != nil {
			return err
		}
		defer packets[i].Free()
	}
	if err := out.format.WriteHeader(nil); err != nil {
		return fmt.Errorf("av: avif: %w", err)
	}
	for i, p := range packets {
		p.SetStreamIndex(i)
		if err := out.format.WriteInterleavedFrame(p); err != nil {
			return fmt.Errorf("av: avif: %w", err)
		}
	}
	if err := out.format.WriteTrailer(); err != nil {
		return fmt.Errorf("av: avif: %w", err)
	}
	return out.drain(w)
}

// item adds a stream, and encodes its one frame. Free the packet.
func (o *output) item(m *image.NRGBA, format astiav.PixelFormat, quality, speed int) (*astiav.Packet, error) {
	codec := astiav.FindEncoderByName("libaom-av1")
	e := astiav.AllocCodecContext(codec)
	defer e.Free()
	e.SetWidth(m.Rect.Dx())
	e.SetHeight(m.Rect.Dy())
	e.SetPixelFormat(format)
	e.SetTimeBase(astiav.NewRational(1, 1))
	e.SetColorRange(astiav.ColorRangeJpeg)
	if format != astiav.PixelFormatGray8 {
		e.SetColorPrimaries(astiav.ColorPrimariesBt709)
		e.SetColorTransferCharacteristic(astiav.ColorTransferCharacteristicIec6196621)
		e.SetColorSpace(astiav.ColorSpaceSmpte170M)
	}
	e.SetFlags(astiav.NewCodecContextFlags(astiav.CodecContextFlagGlobalHeader))
	crf := (100 - quality) * 63 / 100 // libaom's quantizer index, 0 to 63, as libavif's command maps it
	options, err := dictionary("still-picture", "1", "usage", "allintra", "crf", fmt.Sprint(crf), "b", "0",
		"cpu-used", fmt.Sprint(speed), "threads", "1", "row-mt", "0")
	if err != nil {
		return nil, err
	}
	defer options.Free()
	if err := e.Open(codec, options); err != nil {
		return nil, fmt.Errorf("av: libaom: %w", err)
	}
	if err := allUsed(options); err != nil {
		return nil, err
	}
	if err := o.format.NewStream(nil).CodecParameters().FromCodecContext(e); err != nil {
		return nil, fmt.Errorf("av: avif: %w", err)
	}
	f, err := frame(m, format)
	if err != nil {
		return nil, err
	}
	defer f.Free()
	p := astiav.AllocPacket()
	err = errors.Join(e.SendFrame(f), e.SendFrame(nil), e.ReceivePacket(p))
	if err != nil {
		p.Free()
		return nil, fmt.Errorf("av: libaom: %w", err)
	}
	return p, nil
}
