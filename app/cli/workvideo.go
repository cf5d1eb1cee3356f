package cli

import (
	"context"
	"encoding/json"
	"errors"
	"os"

	"picora/media"
	"picora/media/av"
	"picora/media/video"
	"picora/media/worker/child"
)

func lookAtVideo(ctx context.Context, args json.RawMessage, files child.Files, _ func(float64)) (any, error) {
	var a media.VideoArgs
	f, err := videoFile(args, &a, files.In)
	if err != nil {
		return nil, err
	}
	return video.Look(ctx, f, a)
}

func surveyVideo(ctx context.Context, args json.RawMessage, files child.Files, progress func(float64)) (any, error) {
	var a media.VideoArgs
	f, err := videoFile(args, &a, files.In)
	if err != nil {
		return nil, err
	}
	return video.Survey(ctx, f, a, progress)
}

func cleanCaptions(_ context.Context, args json.RawMessage, files child.Files, _ func(float64)) (any, error) {
	var a media.CaptionsArgs
	if files.Out == nil {
		return nil, errors.New("a job with captions needs a file to write")
	}
	f, err := videoFile(args, &a, files.In)
	if err != nil {
		return nil, err
	}
	return nil, video.Captions(f, a, files.Out)
}

func makeTracks(ctx context.Context, args json.RawMessage, files child.Files, progress func(float64)) (any, error) {
	var a media.TracksArgs
	f, err := videoFile(args, &a, files.In)
	if err != nil {
		return nil, err
	}
	outs := make([]av.File, len(files.More))
	for i, o := range files.More {
		outs[i] = o
	}
	return video.Tracks(ctx, f, a, outs, progress)
}

func joinTracks(ctx context.Context, args json.RawMessage, files child.Files, progress func(float64)) (any, error) {
	var a media.JoinArgs
	if files.Out == nil {
		return nil, errors.New("a job that joins tracks needs a file to write")
	}
	f, err := videoFile(args, &a, files.In)
	if err != nil {
		return nil, err
	}
	tracks := []video.File{f}
	if files.Beside != nil {
		sound, err := sized(files.Beside)
		if err != nil {
			return nil, err
		}
		tracks = append(tracks, sound)
	}
	return nil, video.Join(ctx, tracks, a, files.Out, progress)
}

// videoFile is the file of a job, which is read piece by piece.
func videoFile(args json.RawMessage, into any, in *os.File) (video.File, error) {
	if err := json.Unmarshal(args, into); err != nil {
		return video.File{}, err
	}
	if in == nil {
		return video.File{}, errors.New("a job with a video needs a file to read")
	}
	return sized(in)
}

func sized(f *os.File) (video.File, error) {
	info, err := f.Stat()
	if err != nil {
		return video.File{}, err
	}
	return video.File{ReaderAt: f, Size: info.Size()}, nil
}
