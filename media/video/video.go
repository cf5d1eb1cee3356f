// Package video does the worker's work with video files: what they are, and the tracks,
// pictures and captions that are made of them. Nothing of a file is in memory but
// the piece at hand.
package video

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

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

// Tracks makes what args ask for, each in its file, from one decoding of f; when the
// sizes are so large together that there is no memory for them, from several.
func Tracks(ctx context.Context, f File, args media.TracksArgs, outs []av.File, progress func(float64)) (media.TracksMade, error) {
	if len(outs) != len(args.Outputs) {
		return media.TracksMade{}, fmt.Errorf("video: %d files for %d outputs", len(outs), len(args.Outputs))
	}
	written := make([]*output, len(outs))
	for i, o := range outs {
		written[i] = &output{File: o}
	}
	made, err := inTurns(ctx, f, args, written, progress)
	return made, orUnwritten(err, written...)
}

// inTurns is Tracks.
func inTurns(ctx context.Context, f File, args media.TracksArgs, outs []*output, progress func(float64)) (media.TracksMade, error) {
	all := media.TracksMade{Outputs: make([]media.TrackMade, len(outs))}
	turns := split(args)
	for n, turn := range turns {
		part := args
		part.Outputs = nil
		var files []av.File
		for _, i := range turn {
			part.Outputs, files = append(part.Outputs, args.Outputs[i]), append(files, outs[i])
		}
		made, err := tracks(ctx, f, part, files, func(p float64) { progress((float64(n) + p) / float64(len(turns))) })
		if err != nil {
			return media.TracksMade{}, err
		}
		for k, i := range turn {
			all.Outputs[i] = made.Outputs[k]
		}
		all.Duration, all.Bad = max(all.Duration, made.Duration), max(all.Bad, made.Bad)
		all.Note = cmp.Or(all.Note, made.Note)
	}
	return all, nil
}

func tracks(ctx context.Context, f File, args media.TracksArgs, outs []av.File, progress func(float64)) (media.TracksMade, error) {
	film, err := told(f, args.Video)
	if err != nil {
		return media.TracksMade{}, err
	}
	defer film.Close()
	return film.Tracks(ctx, args, outs, progress)
}

// atOnce is how many pixels the sizes may have that are made at once: x264 takes some 110 bytes
// for each.
const atOnce = 10 << 20

// split says which outputs are made together, by their places.
func split(args media.TracksArgs) (turns [][]int) {
	turns = [][]int{nil}
	var sizes []int // of pictures that are encoded, the largest first
	pixels := func(i int) int {
		if o := args.Outputs[i]; o.Width > 0 && o.Height > 0 {
			return o.Width * o.Height
		}
		return args.Survey.Width * args.Survey.Height
	}
	for i, o := range args.Outputs {
		if o.Kind == media.PictureTrack && !o.Copy {
			sizes = append(sizes, i)
		} else {
			turns[0] = append(turns[0], i)
		}
	}
	slices.SortStableFunc(sizes, func(a, b int) int { return cmp.Compare(pixels(b), pixels(a)) })
	sums := []int{0}
	for _, i := range sizes {
		n := slices.IndexFunc(sums, func(sum int) bool { return sum == 0 || sum+pixels(i) <= atOnce })
		if n < 0 {
			n = len(turns)
			turns, sums = append(turns, nil), append(sums, 0)
		}
		turns[n] = append(turns[n], i)
		sums[n] += pixels(i)
	}
	return turns
}

// Join writes tracks of pictures and of sound, as Tracks wrote them, to out as one MP4 with
// its tables in front.
func Join(ctx context.Context, tracks []File, args media.JoinArgs, out av.File, progress func(float64)) error {
	var parts []av.Part
	for _, f := range tracks {
		parts = append(parts, av.Part{ReaderAt: f.ReaderAt, Size: f.Size})
	}
	written := &output{File: out}
	return orUnwritten(av.Join(ctx, parts, args.MaxSeconds, written, progress), written)
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
