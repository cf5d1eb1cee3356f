package video

import (
	"fmt"
	"testing"

	"picora/media"
)

func TestSizesThatAreTooLargeTogetherAreMadeOneAfterTheOther(t *testing.T) {
	size := func(h int) media.TrackArgs {
		return media.TrackArgs{Kind: media.PictureTrack, Width: h * 16 / 9, Height: h}
	}
	sound, own := media.TrackArgs{Kind: media.SoundTrack}, media.TrackArgs{Kind: media.PictureTrack}
	copied := media.TrackArgs{Kind: media.PictureTrack, Copy: true, Width: 3840, Height: 2160}
	for _, c := range []struct {
		name string
		outs []media.TrackArgs
		want string
	}{
		{"nothing", nil, "[[]]"},
		{"four sizes of a 1080p film", []media.TrackArgs{size(360), size(1080), sound, size(720), size(480)}, "[[2 1 3 4 0]]"},
		{"1440p and all below", []media.TrackArgs{size(1440), size(1080), size(720), size(480), size(360)}, "[[0 1 2 3 4]]"},
		{"2160p and all below", []media.TrackArgs{sound, size(360), size(480), size(720), size(1080), size(1440), size(2160)}, "[[0 6 4] [5 3 2 1]]"},
		{"one that is larger than may be together", []media.TrackArgs{size(4320), size(360)}, "[[0] [1]]"},
		{"the film's own size", []media.TrackArgs{own, size(1440)}, "[[0] [1]]"},
		{"what is copied needs nothing", []media.TrackArgs{copied, size(2160)}, "[[0 1]]"},
	} {
		args := media.TracksArgs{Outputs: c.outs}
		args.Survey.Width, args.Survey.Height = 3840, 2160
		if got := fmt.Sprint(split(args)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
