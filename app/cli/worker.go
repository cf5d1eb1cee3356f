package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"picora/media"
	"picora/media/pdf"
	"picora/media/picture"
	"picora/media/probe"
	"picora/media/prose"
	"picora/media/worker/child"
)

// worker is the command that the server starts for media work; see package worker.
func (e *env) worker() *cobra.Command {
	return &cobra.Command{
		Use:    "worker",
		Short:  "Do media work for the server, which starts this itself",
		Hidden: true,
		Args:   noArgs,
		RunE: func(*cobra.Command, []string) error {
			return child.ServePrepared(map[string]child.Handler{
				media.MakeJob: makePicture, media.LookJob: lookAtPicture, media.ProbeJob: probeFile,
				media.SoundJob: readSound, media.MeasureJob: measureSound, media.LevelJob: levelSound,
				media.VideoJob: lookAtVideo, media.SurveyJob: surveyVideo, media.TracksJob: makeTracks, media.CaptionsJob: cleanCaptions, media.JoinJob: joinTracks,
				media.ProseJob: layOut, media.PDFJob: readPDF, media.PDFPageJob: drawPDF,
			}, map[string]func() error{media.PDFWork: pdf.Prepare})
		},
	}
}

// What an animation may have, beside the pixels of each frame.
const (
	maxFrames = 2000
	maxWork   = 1 << 30 // pixels of all frames together
)

func makePicture(ctx context.Context, args json.RawMessage, files child.Files, _ func(float64)) (any, error) {
	var a media.MakeArgs
	if err := json.Unmarshal(args, &a); err != nil {
		return nil, err
	}
	src, limits, release, err := source(files.In, a.File)
	if err != nil {
		return nil, err
	}
	defer release()
	if files.Beside != nil {
		mark, release, err := picture.Map(files.Beside)
		if err != nil {
			return nil, err
		}
		defer release()
		src.Mark = mark
	}
	return picture.Make(ctx, src, a.Spec, limits, files.Out)
}

func lookAtPicture(ctx context.Context, args json.RawMessage, files child.Files, _ func(float64)) (any, error) {
	var a media.FileArgs
	if err := json.Unmarshal(args, &a); err != nil {
		return nil, err
	}
	src, limits, release, err := source(files.In, a)
	if err != nil {
		return nil, err
	}
	defer release()
	return picture.LookAt(ctx, src, limits)
}

func probeFile(_ context.Context, args json.RawMessage, files child.Files, _ func(float64)) (any, error) {
	var a media.FileArgs
	if err := json.Unmarshal(args, &a); err != nil {
		return nil, err
	}
	data, release, err := picture.Map(files.In)
	if err != nil {
		return nil, err
	}
	defer release()
	return probe.Probe(data, a.MaxPixels)
}

// layOut makes Markdown a page.
func layOut(_ context.Context, args json.RawMessage, files child.Files, _ func(float64)) (any, error) {
	var a media.ProseArgs
	if err := json.Unmarshal(args, &a); err != nil {
		return nil, err
	}
	text, release, err := picture.Map(files.In)
	if err != nil {
		return nil, err
	}
	defer release()
	page, err := prose.Render(text, a.Own)
	if err != nil {
		return nil, media.Unsupported("the document is too intricate to be laid out")
	}
	return nil, json.NewEncoder(files.Out).Encode(page)
}

func readPDF(ctx context.Context, args json.RawMessage, files child.Files, _ func(float64)) (any, error) {
	var a media.PDFArgs
	if err := json.Unmarshal(args, &a); err != nil {
		return nil, err
	}
	return pdf.Read(ctx, files.In, a, files.Out)
}

func drawPDF(ctx context.Context, args json.RawMessage, files child.Files, _ func(float64)) (any, error) {
	var a media.PDFArgs
	if err := json.Unmarshal(args, &a); err != nil {
		return nil, err
	}
	return nil, pdf.Picture(ctx, files.In, a, files.Out)
}

// source is the file of a job in memory.
func source(in *os.File, a media.FileArgs) (picture.Source, picture.Limits, func() error, error) {
	t, known := media.TypeOf(a.MIME)
	if !known || in == nil {
		return picture.Source{}, picture.Limits{}, nil, fmt.Errorf("no picture: %q", a.MIME)
	}
	data, release, err := picture.Map(in)
	if err != nil {
		return picture.Source{}, picture.Limits{}, nil, err
	}
	return picture.Source{Data: data, Type: t, Orientation: a.Orientation}, picture.Limits{Pixels: a.MaxPixels, Frames: maxFrames, Work: maxWork}, release, nil
}
