// Package probe tells what a file is: its true type, its size as shown, its length, its
// streams, its colours, when and with what it was made. It belongs into the worker.
package probe

import (
	"bytes"
	"errors"
	"strings"

	"picora/media"
	"picora/media/av"
	"picora/media/strip"
	"picora/media/svg"
)

// Probe tells what the file in data is; pictures of more than maxPixels are refused, 0
// is no limit. Errors that are the file's fault are media.ErrCorrupt,
// media.ErrUnsupported or media.ErrTooManyPixels and carry a media.Reason.
func Probe(data []byte, maxPixels int64) (media.Facts, error) {
	t, err := media.Sniff(data[:min(len(data), 4<<10)])
	switch {
	case errors.Is(err, media.ErrUnsupported):
		return sound(data, maxPixels, err)
	case err != nil:
		return media.Facts{}, err
	case t == media.SVG:
		return drawing(data)
	}
	return picture(data, t, maxPixels)
}

func drawing(data []byte) (f media.Facts, err error) {
	clean, err := svg.Sanitize(bytes.NewReader(data))
	if err != nil {
		return f, err
	}
	f.MIME, f.Frames, f.Alpha = media.SVG.MIME, 1, true
	f.Width, f.Height = svg.Size(clean)
	return f, nil
}

// picture joins what the container says with what FFmpeg finds in the stream.
func picture(data []byte, t media.Type, maxPixels int64) (f media.Facts, err error) {
	rep, err := strip.Walk(bytes.NewReader(data), t, strip.Limits{MaxPixels: maxPixels})
	if err != nil {
		return f, err
	}
	f = media.Facts{
		MIME: t.MIME, Width: rep.Width, Height: rep.Height, Frames: rep.Frames, Duration: rep.Duration,
		Depth: 8, Taken: rep.Taken, Camera: rep.Camera,
	}
	if rep.Orientation >= 5 {
		f.Width, f.Height = rep.Height, rep.Width
	}
	if rep.Lat != nil && rep.Long != nil {
		f.GPS = []float64{*rep.Lat, *rep.Long}
	}
	if t == media.WebP { // FFmpeg has no part in it: 8 bits of sRGB, or of its profile
		return f, profile(&f, data, t, nil)
	}
	in, err := av.Open(bytes.NewReader(data), int64(len(data)), av.Limits{Pixels: maxPixels})
	if err != nil {
		return f, err
	}
	defer in.Close()
	info, err := in.Info()
	if err != nil {
		return f, err
	}
	for _, s := range info.Streams {
		if s.Kind == "video" {
			if s.Depth > 0 {
				f.Depth = s.Depth
			}
			f.Alpha = f.Alpha || transparent(s.PixelFormat)
			if f.Colour == "" && s.Primaries != "unknown" && s.Primaries != "" {
				f.Colour = s.Primaries
			}
		}
	}
	return f, profile(&f, data, t, info.ICC)
}

// transparent tells from FFmpeg's name of a pixel format whether it has alpha.
func transparent(format string) bool {
	for _, mark := range []string{"rgba", "bgra", "argb", "abgr", "ya8", "ya16", "yuva", "gbrap", "pal8"} {
		if strings.HasPrefix(format, mark) {
			return true
		}
	}
	return false
}

// mimes are the types of containers that are no pictures, by FFmpeg's name.
var mimes = map[string]string{
	"mov": "video/mp4", "matroska": "video/x-matroska", "avi": "video/x-msvideo", "mpegts": "video/mp2t", "mpeg": "video/mpeg", "flv": "video/x-flv",
	"asf": "video/x-ms-wmv", "ogg": "audio/ogg", "mp3": "audio/mpeg", "wav": "audio/wav", "w64": "audio/x-w64", "aiff": "audio/aiff",
	"caf": "audio/x-caf", "flac": "audio/flac", "aac": "audio/aac", "ac3": "audio/ac3", "eac3": "audio/eac3", "amr": "audio/amr",
}

// sound probes what is no picture, and returns the error err when it is neither sound
// nor video.
func sound(data []byte, maxPixels int64, err error) (f media.Facts, _ error) {
	in, openErr := av.Open(bytes.NewReader(data), int64(len(data)), av.Limits{Pixels: maxPixels})
	if openErr != nil {
		return f, err
	}
	defer in.Close()
	info, infoErr := in.Info()
	if infoErr != nil || mimes[info.Container] == "" || len(info.Streams) == 0 {
		return f, err
	}
	f = media.Facts{
		MIME: mimes[info.Container], Duration: info.Duration, BitRate: info.BitRate,
		Title: info.Tags["title"], Artist: info.Tags["artist"], Album: info.Tags["album"],
	}
	film := false
	for _, s := range info.Streams {
		out := media.Stream{
			Kind: s.Kind, Codec: s.Codec, Profile: s.Profile, Language: s.Language, Width: s.Width, Height: s.Height,
			Channels: s.Channels, SampleRate: s.SampleRate, BitRate: s.BitRate, Cover: s.Attached,
		}
		if s.Rotation%180 != 0 {
			out.Width, out.Height = s.Height, s.Width
		}
		if s.FrameRate[1] > 0 && !s.Attached {
			out.FrameRate = float64(s.FrameRate[0]) / float64(s.FrameRate[1])
		}
		if s.Kind == "video" && !s.Attached && !film {
			film = true
			f.Width, f.Height, f.Depth, f.Colour = out.Width, out.Height, s.Depth, s.Primaries
		}
		f.Streams = append(f.Streams, out)
	}
	if !film {
		f.MIME = strings.Replace(f.MIME, "video/", "audio/", 1)
	}
	return f, nil
}
