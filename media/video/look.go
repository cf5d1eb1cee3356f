package video

import (
	"context"
	"fmt"
	"io"

	"picora/media"
	"picora/media/av"
)

// told opens a file after looking whether it is of the type that the server told.
func told(f File, args media.VideoArgs) (*av.Film, error) {
	head := make([]byte, media.SniffLen)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	t, err := media.SniffVideo(head[:n])
	if err != nil {
		return nil, err
	}
	if t.MIME != args.MIME {
		return nil, fmt.Errorf("video: %s is called %s", t.MIME, args.MIME)
	}
	film, err := open(f, args)
	if err != nil && media.Reason(err) != "" {
		err = better(err, f, t)
	}
	return film, err
}

// better says what is wrong with a file that cannot be opened, where that can be told.
func better(err error, f File, t media.Type) error {
	switch t {
	case media.MP4, media.MOV, media.ThreeGP:
		if !hasTables(f) {
			return media.Corrupt("the end of the file is missing, and with it the list of what is in it (moov); upload it again")
		}
	}
	return err
}

// hasTables says whether an MP4 has the box without which nothing can be read (ISO/IEC
// 14496-12 section 8.2.1).
func hasTables(f File) bool {
	const most = 10_000
	var h [16]byte
	at := int64(0)
	for range most {
		if n, _ := f.ReadAt(h[:], at); n < 8 {
			return false
		}
		size := int64(h[0])<<24 | int64(h[1])<<16 | int64(h[2])<<8 | int64(h[3])
		if size == 1 {
			size = 0
			for _, c := range h[8:] {
				size = size<<8 | int64(c)
			}
		}
		if string(h[4:8]) == "moov" {
			return size <= f.Size-at
		}
		if size < 8 || size > f.Size-at {
			return false
		}
		at += size
	}
	return true
}

// Look tells what a video file says of itself, quickly. Errors that are the file's fault are
// media.ErrCorrupt, media.ErrUnsupported or media.ErrTooManyPixels and carry a
// media.Reason.
func Look(ctx context.Context, f File, args media.VideoArgs) (media.Video, error) {
	film, err := told(f, args)
	if err != nil {
		return media.Video{}, err
	}
	defer film.Close()
	v, err := film.Look(ctx)
	if err != nil {
		return v, err
	}
	v.MIME = args.MIME
	return v, tooLong(v.Duration, args)
}

// tooLong refuses what is longer than may be; a limit of an hour takes what is an hour by its maker's count.
func tooLong(seconds float64, args media.VideoArgs) error {
	if args.MaxSeconds > 0 && seconds > args.MaxSeconds+0.5 {
		return media.TooLong("video", seconds, args.MaxSeconds)
	}
	return nil
}

// Survey counts all of a video file; none of it is decoded but the beginning.
func Survey(ctx context.Context, f File, args media.VideoArgs, progress func(float64)) (media.Survey, error) {
	v, err := Look(ctx, f, media.VideoArgs{MIME: args.MIME, MaxPixels: args.MaxPixels})
	if err != nil {
		return media.Survey{}, err
	}
	film, err := told(f, args)
	if err != nil {
		return media.Survey{}, err
	}
	defer film.Close()
	s, err := film.Survey(ctx, v, progress)
	if err != nil {
		return s, err
	}
	return s, tooLong(s.Duration, args)
}
