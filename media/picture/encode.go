package picture

import (
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"

	"picora/media"
	"picora/media/av"
	"picora/media/jpeg"
	"picora/media/webp"
)

// mimes are the formats that are written.
var mimes = map[string]string{
	"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp", "avif": "image/avif", "gif": "image/gif",
}

// quality is the one asked for, or the contract's.
func quality(s media.Spec) int {
	if s.Quality == 0 {
		return 85
	}
	return s.Quality
}

// encode writes a still.
func encode(out io.Writer, m *image.NRGBA, s media.Spec) error {
	if err := fits(m, s); err != nil {
		return err
	}
	switch s.Format {
	case "jpeg":
		return jpeg.Encode(out, m, jpeg.Options{Quality: quality(s)})
	case "png":
		e := png.Encoder{CompressionLevel: png.DefaultCompression}
		if s.Fast {
			e.CompressionLevel = png.BestSpeed
		}
		return e.Encode(out, m)
	case "webp":
		return webp.Encode(out, m, webpOptions(s))
	case "avif":
		return av.EncodeAVIF(out, m, avifQuality(quality(s)), avifSpeed)
	default:
		g, err := av.NewGIF(out, m.Rect.Dx(), m.Rect.Dy(), 1)
		if err != nil {
			return err
		}
		return errors.Join(g.Add(m, 0), g.Close())
	}
}

// fits refuses a picture that is too long for the format.
func fits(m *image.NRGBA, s media.Spec) error {
	most := 65535
	switch s.Format {
	case "jpeg":
		most = 65500 // libjpeg's limit
	case "webp":
		most = webp.MaxSide
	}
	if side := max(m.Rect.Dx(), m.Rect.Dy()); side > most {
		return media.Unsupported(fmt.Sprintf("the picture is too long: this format has %d pixels to a side at most", most))
	}
	return nil
}

func webpOptions(s media.Spec) webp.Options {
	o := webp.Options{Quality: quality(s), Method: 4}
	if s.Fast {
		o.Method = 2
	}
	return o
}

// avifQuality is libaom's quality, of 100, for a picture that looks like a WebP of quality q. At the same number
// libaom's would be a third larger, and better than anybody asked for. Fitted to photos of two cameras and a drawing by
// SSIM; for q of 75 and more the AVIF then looks the same and is up to 30 % smaller.
func avifQuality(q int) int { return q - min(16, max(0, (q-40)*3/7), 100-q) }

// avifSpeed is libaom's, of 0 to 10. Only a queue waits for an AVIF.
const avifSpeed = 8
