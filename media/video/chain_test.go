package video_test

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"picora/media"
)

// one makes one picture track of a file, as large as the file shows it unless a size is given.
func one(t testing.TB, path string, want ...int) (media.Survey, madeTrack) {
	t.Helper()
	s := surveyed(t, load(t, path))
	a := media.TrackArgs{Kind: media.PictureTrack, Quality: 10}
	if len(want) == 2 {
		a.Width, a.Height = want[0], want[1]
	}
	_, tracks := make1(t, path, s, a)
	return s, tracks[0]
}

// make1 makes tracks of a file after a survey.
func make1(t testing.TB, path string, s media.Survey, outs ...media.TrackArgs) (media.TracksMade, []madeTrack) {
	t.Helper()
	return tracksOf(t, path, media.TracksArgs{Survey: s}, outs...)
}

var allSSIM = regexp.MustCompile(`All:([0-9.]+)`)

// alike is the SSIM of two films, the second after a filter, which is given the size of the first.
func alike(t testing.TB, a, b, filter string) float64 {
	t.Helper()
	out := run(t, "ffmpeg", "-v", "info", "-nostdin", "-i", a, "-i", b, "-lavfi",
		"[0:v]setpts=PTS-STARTPTS,format=yuv420p[a];[1:v]"+filter+",setpts=PTS-STARTPTS,format=yuv420p[b];[a][b]ssim", "-f", "null", "-")
	m := allSSIM.FindStringSubmatch(out)
	if m == nil {
		t.Fatal(out)
	}
	f, _ := strconv.ParseFloat(m[1], 64)
	return f
}

func TestPicturesAreMadeAsTheyAreShown(t *testing.T) {
	bars2 := "-f lavfi -i testsrc2=s=320x180:r=25:d=1 "
	for _, c := range []struct {
		name, words string
		w, h        int
		filter      string // what ffmpeg would do
		least       float64
	}{
		{"10 bit.mkv", bars2 + "-pix_fmt yuv420p10 -c:v libx265 -preset ultrafast -x265-params log-level=none:crf=8", 320, 180, "null", 0.98},
		{"4:4:4.mp4", bars2 + "-c:v libx264 -pix_fmt yuv444p -qp 5 -preset ultrafast", 320, 180, "null", 0.98},
		{"4:2:2 of ProRes.mov", bars2 + "-c:v prores_ks", 320, 180, "null", 0.97},
		{"full range.mp4", bars2 + "-c:v libx264 -pix_fmt yuvj420p -qp 5 -preset ultrafast", 320, 180, "scale=in_range=pc:out_range=tv", 0.98},
		{"odd.mkv", "-f lavfi -i testsrc2=s=320x180:r=25:d=1,scale=321:181 -c:v ffv1 -pix_fmt yuv420p", 320, 180, "crop=320:180:0:0", 0.98},
		{"anamorphic.mp4", "-f lavfi -i testsrc2=s=360x288:r=25:d=1,setsar=16/11 -qp 5 " + quickly, 524, 288, "scale=524:288:flags=bicubic", 0.97},
		{"narrow.mp4", "-f lavfi -i testsrc2=s=360x240:r=25:d=1,setsar=8/9 -qp 5 " + quickly, 320, 240, "scale=320:240:flags=bicubic", 0.97},
		{"rgb.avi", bars2 + "-c:v rawvideo -pix_fmt bgr24", 320, 180, "scale=out_color_matrix=bt709:out_range=tv", 0.97},
		{"gray.mkv", bars2 + "-c:v ffv1 -pix_fmt gray", 320, 180, "null", 0.95},
		{"palette.mov", "-f lavfi -i testsrc2=s=320x180:r=5:d=1 -c:v png -pix_fmt pal8", 320, 180, "scale=out_color_matrix=bt709:out_range=tv", 0.95},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := clip(t, strings.NewReplacer(" ", "", ":", "").Replace(c.name), c.words)
			_, m := one(t, path)
			if m.Width != c.w || m.Height != c.h {
				t.Errorf("%d x %d", m.Width, m.Height)
			}
			filter := c.filter
			if c.name != "rgb.avi" && c.name != "palette.mov" { // what is small and says nothing is BT.601
				filter += ",scale=in_color_matrix=bt601:out_color_matrix=bt709"
			}
			if got := alike(t, m.path, path, filter); got < c.least {
				t.Errorf("SSIM %v", got)
			}
		})
	}
}

func TestTurnedPicturesStandUpright(t *testing.T) {
	plain := clip(t, "a.mp4", "-f lavfi -i testsrc2=s=320x180:r=25:d=1 -colorspace bt709 -qp 5 "+quickly)
	for degrees, filter := range map[int]string{0: "null", 90: "transpose=clock", 180: "hflip,vflip", 270: "transpose=cclock"} {
		path := plain
		if degrees > 0 {
			path = turned(t, plain, degrees)
		}
		_, m := one(t, path)
		if got := alike(t, m.path, plain, filter); got < 0.98 {
			t.Errorf("turned by %d: SSIM %v, %d x %d", degrees, got, m.Width, m.Height)
		}
		if degrees == 90 { // as phones do it, and as the command does it by itself
			if got := alike(t, m.path, path, "null"); got < 0.98 {
				t.Errorf("the command turns it elsewhere: SSIM %v", got)
			}
		}
	}
}

func TestInterlacedPicturesBecomeWhole(t *testing.T) {
	const scroll = "-f lavfi -i testsrc2=s=720x576:r=50:d=2,boxblur=2,crop=360:288:x=n*2:y=n "
	for name, words := range map[string]string{
		"said.mp4":   "-vf tinterlace=interleave_top,fieldorder=tff -c:v libx264 -flags +ildct -x264-params tff=1 -pix_fmt yuv420p -qp 5 -preset ultrafast",
		"bottom.ts":  "-vf tinterlace=interleave_bottom,fieldorder=bff -c:v mpeg2video -flags +ilme+ildct -q:v 2 -top 0",
		"unsaid.avi": "-vf tinterlace=interleave_top,setfield=prog -c:v mpeg4 -q:v 2",
	} {
		s, m := one(t, clip(t, name, scroll+words))
		if !s.Interlaced {
			t.Errorf("%s is not seen to be interlaced", name)
		}
		whole := clip(t, "whole.mp4", scroll+"-vf fps=25 -qp 5 "+quickly)
		combed := clip(t, "combed.mp4", scroll+"-vf tinterlace=interleave_top -qp 5 "+quickly)
		got, before := alike(t, m.path, whole, "null"), alike(t, combed, whole, "null")
		t.Logf("%s: SSIM %v, of the combed pictures %v", name, got, before)
		if n := len(m.probe.Packets); n < 48 || n > 51 {
			t.Errorf("%s: %d pictures", name, n)
		}
		if got < before+0.005 {
			t.Errorf("%s: SSIM %v, of the combed pictures %v", name, got, before)
		}
	}
}

func TestRatesAreLimited(t *testing.T) {
	for _, c := range []struct {
		rate, most float64
		want       int
	}{{50, 30, 50}, {60, 30, 60}, {24, 30, 48}} {
		path := clip(t, "a.mkv", fmt.Sprintf("-f lavfi -i testsrc2=s=160x90:r=%v:d=2 ", c.rate)+quickly)
		s := surveyed(t, load(t, path))
		_, tracks := make1(t, path, s, media.TrackArgs{Kind: media.PictureTrack, Quality: 30, Width: 160, Height: 90, MaxRate: c.most})
		if n := len(tracks[0].probe.Packets); n < c.want-1 || n > c.want+1 {
			t.Errorf("%v a second, at most %v: %d in two seconds, want %d", c.rate, c.most, n, c.want)
		}
		if !near(tracks[0].index.Duration(), 2, 0.06) {
			t.Errorf("%v a second, at most %v: %v s", c.rate, c.most, tracks[0].index.Duration())
		}
	}
}

func TestVariableRatesKeepTheirTimes(t *testing.T) {
	path := clip(t, "a.mkv", "-f lavfi -i testsrc2=s=160x90:r=50:d=4 -vf select='if(lt(t,1),not(mod(n,2)),not(mod(n,7)))' -vsync vfr "+quickly)
	_, m := one(t, path)
	want := probed(t, path)
	if len(m.probe.Packets) != len(want.Packets) {
		t.Fatalf("%d pictures of %d", len(m.probe.Packets), len(want.Packets))
	}
	a, b := times(t, m.probe), times(t, want)
	for i := range a {
		if math.Abs(a[i]-b[i]) > 0.002 {
			t.Fatalf("picture %d is at %v, want %v", i, a[i], b[i])
		}
	}
}

func TestPicturesThatStandAreRepeatedAtTheBoundaries(t *testing.T) {
	stands := clip(t, "stands.mkv", "-f lavfi -i testsrc2=s=160x90:r=10:d=12 -vf select='lt(t,1)+gt(t,11)' -vsync vfr -g 1000 "+quickly)
	alone := clip(t, "alone.mp4", "-f lavfi -i testsrc2=s=160x90:r=10:d=0.1 -f lavfi -i sine=d=9 -g 1000 "+quickly+aac64)
	for path, want := range map[string][2]float64{stands: {6, 12}, alone: {4, 9}} {
		_, m := one(t, path)
		if n := len(m.index.Segments); float64(n) < want[0]-1 || float64(n) > want[0]+1 {
			t.Errorf("%s: %v", path, m.index)
		}
		for _, s := range m.index.Segments {
			if s.Duration > 3.1 {
				t.Errorf("%s: a segment of %v s", path, s.Duration)
			}
		}
		if d := m.index.Duration(); want[1]-d > 2.6 || d > want[1]+0.6 {
			t.Errorf("%s: %v s", path, d)
		}
	}
}

func times(t testing.TB, p probe) (list []float64) {
	for _, k := range p.Packets {
		list = append(list, number(t, k.Pts))
	}
	slices.Sort(list) // they come in the order of decoding
	return list
}
