package video_test

import (
	"context"
	"errors"
	"math"
	"os"
	"testing"
	"time"

	"picora/media"
	"picora/media/av"
	"picora/media/video"
)

// FuzzVideo has anything looked at, counted and made small pictures of: no crash, every refusal
// is one of the file, and no number is nonsense.
func FuzzVideo(f *testing.F) {
	dir := f.TempDir()
	put(f, dir+"/a.srt", "1\n00:00:00,010 --> 00:00:00,200\nHi\n")
	const in = "-f lavfi -i testsrc2=s=48x32:r=10:d=0.3 -f lavfi -i sine=r=8000:d=0.3 "
	for name, words := range map[string]string{
		"a.mp4": in + "-i " + dir + "/a.srt -c:s mov_text " + quickly + aac64, "a.mkv": in + "-i " + dir + "/a.srt -c:s srt -c:v libx265 -preset ultrafast -x265-params log-level=none -pix_fmt yuv420p10 -color_trc smpte2084 -c:a flac",
		"a.webm": in + "-c:v libvpx -c:a libvorbis", "a.avi": in + "-c:v mpeg4 -c:a mp2", "a.ts": in + "-c:v mpeg2video -c:a mp2",
		"a.mpg": in + "-c:v mpeg1video -r 25 -c:a mp2 -f mpeg", "a.flv": in + "-c:v flv -ar 11025 -c:a libmp3lame", "a.wmv": in + "-c:v wmv2 -c:a wmav2", "a.ogv": in + "-c:v libtheora -c:a libvorbis",
	} {
		f.Add(bytesOf(f, clip(f, name, words)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		t.Chdir(t.TempDir()) // nothing is to appear
		is, err := media.SniffVideo(b)
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		a := media.VideoArgs{MIME: is.MIME, MaxPixels: 1 << 16, MaxSeconds: 30}
		s, err := video.Survey(ctx, memory(b), a, quiet)
		if err != nil {
			blamed(t, err)
			return
		}
		for _, n := range []float64{s.Duration, s.FrameRate, s.KeyEvery} {
			if math.IsNaN(n) || n < 0 || n > 1e4 {
				t.Fatalf("%+v", s)
			}
		}
		if s.Width < 1 || s.Height < 1 || s.Width > 1<<19 || s.Height > 1<<16 || s.Pictures < 1 || s.BitRate < 0 || s.Peak < 0 {
			t.Fatalf("%+v", s)
		}
		args := media.TracksArgs{Video: a, Survey: s, Segment: 2, Preset: "ultrafast", Threads: 1, Outputs: []media.TrackArgs{
			{Kind: media.PosterOut, Width: 48, Height: 32}, {Kind: media.BoardOut, Width: 16, Height: 16}, {Kind: media.PreviewOut, Width: 48, Height: 32, Length: 1},
			{Kind: media.PictureTrack, Width: 32, Height: 32, Quality: 30},
		}}
		for _, c := range s.Captions {
			args.Outputs = append(args.Outputs, media.TrackArgs{Kind: media.CaptionTrack, Stream: c.Stream})
		}
		var outs []av.File
		for range args.Outputs {
			o, err := os.CreateTemp(t.TempDir(), "")
			if err != nil {
				t.Fatal(err)
			}
			defer o.Close()
			outs = append(outs, o)
		}
		if _, err := video.Tracks(ctx, memory(b), args, outs, quiet); err != nil {
			blamed(t, err)
		}
	})
}

func blamed(t *testing.T, err error) {
	t.Helper()
	for _, kind := range []error{media.ErrCorrupt, media.ErrUnsupported, media.ErrTooManyPixels} {
		if errors.Is(err, kind) && media.Reason(err) != "" {
			return
		}
	}
	t.Fatal(err)
}
