package video_test

import (
	"fmt"
	"math"
	"testing"

	"picora/media"
)

func near(a, b, by float64) bool { return math.Abs(a-b) <= by }

func TestFirst(t *testing.T) {
	path := film(t, "a.mp4", join(pictures("640x360", 30, 5), tone(5), small, []string{"-bf", "2", "-c:a", "aac"})...)
	made, tracks := tracksOf(t, path, media.TracksArgs{Survey: media.Survey{Video: media.Video{Duration: 5, FrameRate: 30}}}, rung(640, 360), rung(320, 180), sound(1))
	fmt.Printf("%+v\n", made)
	for _, k := range tracks {
		fmt.Printf("%+v\n%v %v %v\n", k.index, k.probe.Format, k.probe.keys(t)[:min(5, len(k.probe.keys(t)))], k.probe.ends(t))
		fmt.Printf("%+v\n", k.probe.Streams)
		fmt.Printf("%+v\n", k.probe.Packets[:3])
		fmt.Println(run(t, "cp", k.path, "/tmp/t-v1/"+k.Codecs+fmt.Sprint(k.Width)+".mp4"))
	}
}
