// Package video does the worker's work with video files: what they are, and the tracks,
// pictures and captions that are made of them. Nothing of a file is in memory but
// the piece at hand.
package video

import (
	"context"
	"fmt"
	"io"

	"picora/media"
	"picora/media/av"
	"picora/media/captions"
)

// A File is one to read, of so many bytes.
type File struct {
	io.ReaderAt
	Size int64
}

// open opens the film.
func open(f File, args media.VideoArgs) (*av.Film, error) {
	t, known := media.TypeOf(args.MIME)
	if !known {
		return nil, fmt.Errorf("video: %q is no video", args.MIME)
	}
	return av.OpenFilm(f, f.Size, av.Limits{Pixels: args.MaxPixels, Type: t})
}

// Tracks makes what args ask for, each in its file, from one decoding of f.
func Tracks(ctx context.Context, f File, args media.TracksArgs, outs []av.File, progress func(float64)) (media.TracksMade, error) {
	film, err := told(f, args.Video)
	if err != nil {
		return media.TracksMade{}, err
	}
	defer film.Close()
	return film.Tracks(ctx, args, outs, progress)
}

// Join writes tracks of pictures and of sound, as Tracks wrote them, to out as one MP4 with
// its tables in front.
func Join(ctx context.Context, tracks []File, args media.JoinArgs, out av.File, progress func(float64)) error {
	var parts []av.Part
	for _, f := range tracks {
		parts = append(parts, av.Part{ReaderAt: f.ReaderAt, Size: f.Size})
	}
	return av.Join(ctx, parts, args.MaxSeconds, out, progress)
}

// maxCaptions is how large an uploaded file of captions may be, in bytes.
const maxCaptions = 4 << 20

// Captions writes an uploaded file of captions to out as WebVTT.
func Captions(f File, args media.CaptionsArgs, out io.Writer) error {
	if f.Size > maxCaptions {
		return media.Unsupported(fmt.Sprintf("the file of captions has %d bytes; the limit is %d", f.Size, maxCaptions))
	}
	b := make([]byte, f.Size)
	if _, err := f.ReadAt(b, 0); err != nil && err != io.EOF {
		return err
	}
	list, err := captions.Parse(b, args.MaxCues)
	if err != nil {
		return err
	}
	return captions.Write(out, list)
}
