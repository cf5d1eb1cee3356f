package cli

import (
	"context"
	"encoding/json"
	"errors"

	"picora/media"
	"picora/media/sound"
	"picora/media/worker/child"
)

func readSound(ctx context.Context, args json.RawMessage, files child.Files, progress func(float64)) (any, error) {
	var a media.SoundArgs
	f, err := soundFile(args, &a, files)
	if err != nil {
		return nil, err
	}
	return sound.Read(ctx, f, a, files.Out, progress)
}

func measureSound(ctx context.Context, args json.RawMessage, files child.Files, progress func(float64)) (any, error) {
	var a media.SoundArgs
	f, err := soundFile(args, &a, files)
	if err != nil {
		return nil, err
	}
	return sound.Measure(ctx, f, a, files.Out, progress)
}

func levelSound(ctx context.Context, args json.RawMessage, files child.Files, progress func(float64)) (any, error) {
	var a media.LevelArgs
	f, err := soundFile(args, &a, files)
	if err != nil {
		return nil, err
	}
	return nil, sound.Level(ctx, f, a, files.Out, progress)
}

// soundFile is the file of a job, which is read piece by piece: it may be larger than the
// worker's memory.
func soundFile(args json.RawMessage, into any, files child.Files) (sound.File, error) {
	if err := json.Unmarshal(args, into); err != nil {
		return sound.File{}, err
	}
	if files.In == nil || files.Out == nil {
		return sound.File{}, errors.New("a job with sound needs a file to read and one to write")
	}
	info, err := files.In.Stat()
	if err != nil {
		return sound.File{}, err
	}
	return sound.File{ReaderAt: files.In, Size: info.Size()}, nil
}
