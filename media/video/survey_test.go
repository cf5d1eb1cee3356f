package video_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"picora/media"
	"picora/media/video"
)

func surveyed(t testing.TB, f video.File) media.Survey {
	t.Helper()
	s, err := video.Survey(ctx, f, args(t, f), quiet)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSurveyCounts(t *testing.T) {
	six := "-f lavfi -i testsrc2=s=320x180:r=25:d=6 -f lavfi -i sine=r=48000:d=6 "
	s := surveyed(t, load(t, clip(t, "a.mp4", six+"-c:v libx264 -preset ultrafast -bf 2 -g 50 -sc_threshold 0 -pix_fmt yuv420p "+aac64)))
	if math.Abs(s.Duration-6) > 0.05 || s.Pictures != 150 || math.Abs(s.FrameRate-25) > 0.05 || s.VariableRate || s.KeyEvery != 2 || s.Note != "" || !s.Copy {
		t.Errorf("plain: %+v", s)
	}
	if s.BitRate < 50_000 || s.Peak < s.BitRate/3 || s.Peak > 20*s.BitRate {
		t.Errorf("plain: %d bits a second, at most %d", s.BitRate, s.Peak)
	}
	// Two seconds at 25 pictures a second, then 30 at 10.
	s = surveyed(t, load(t, clip(t, "vfr.mkv", "-f lavfi -i testsrc2=s=320x180:r=50:d=5 -vf select='if(lt(t,2),not(mod(n,2)),not(mod(n,5)))' -vsync vfr "+quickly)))
	if !s.VariableRate || math.Abs(s.Duration-5) > 0.15 || s.Pictures != 80 {
		t.Errorf("variable: %+v", s)
	}
	// A sound that is longer than the pictures.
	s = surveyed(t, load(t, clip(t, "long.mp4", bars+"-f lavfi -i sine=r=48000:d=5 "+quickly+aac64)))
	if math.Abs(s.Duration-5) > 0.1 || math.Abs(s.FrameRate-25) > 0.1 {
		t.Errorf("long sound: %+v", s)
	}
	one := surveyed(t, load(t, clip(t, "one.mp4", bars+"-frames:v 1 "+quickly)))
	if one.Pictures != 1 || one.KeyEvery != 0 || one.Duration <= 0 || one.Duration > 0.1 {
		t.Errorf("one picture: %+v", one)
	}
}

func TestSurveySaysWhatCanBeCopied(t *testing.T) {
	for _, c := range []struct {
		name, words string
		want        bool
	}{
		{"a.mp4", bars + quickly, true},
		{"a.mkv", bars + "-c:v libx264 -preset ultrafast -bf 3 -pix_fmt yuv420p", true},
		{"a.flv", bars + quickly, true},
		{"stream.ts", bars + quickly, false},
		{"hevc.mp4", bars + "-c:v libx265 -preset ultrafast -x265-params log-level=none", false},
		{"ten.mp4", bars + "-c:v libx264 -preset ultrafast -pix_fmt yuv420p10", false},
		{"422.mp4", bars + "-c:v libx264 -preset ultrafast -pix_fmt yuv422p", false},
		{"full.mp4", bars + "-c:v libx264 -preset ultrafast -pix_fmt yuvj420p", false},
		{"sar.mp4", bars + "-vf setsar=16/11 " + quickly, false},
		{"far.mp4", "-f lavfi -i testsrc2=s=160x90:r=10:d=20 -g 1000 -sc_threshold 0 " + quickly, false},
		{"open.mkv", "-f lavfi -i testsrc2=s=160x90:r=25:d=6 -c:v libx264 -preset veryfast -bf 3 -pix_fmt yuv420p -x264-params keyint=25:min-keyint=25:open-gop=1:scenecut=0:bframes=3", false},
		{"fields.mp4", "-f lavfi -i testsrc2=s=360x288:r=50:d=2 -vf tinterlace=interleave_top,fieldorder=tff -c:v libx264 -flags +ildct -x264-params tff=1 -pix_fmt yuv420p -preset ultrafast", false},
	} {
		if s := surveyed(t, load(t, clip(t, c.name, c.words))); s.Copy != c.want {
			t.Errorf("%s: %+v", c.name, s)
		}
	}
	if s := surveyed(t, load(t, turned(t, clip(t, "a.mp4", bars+quickly), 90))); s.Copy {
		t.Error("turned pictures are copied")
	}
}

func TestSurveySaysWhatIsMissing(t *testing.T) {
	for _, name := range []string{"a.mp4", "a.mkv", "a.avi"} {
		words := "-f lavfi -i testsrc2=s=320x180:r=25:d=6 "
		switch name {
		case "a.mp4":
			words += quickly + "-movflags +faststart"
		case "a.mkv":
			words += quickly
		default:
			words += "-c:v mpeg4"
		}
		b, err := os.ReadFile(clip(t, name, words))
		if err != nil {
			t.Fatal(err)
		}
		if s := surveyed(t, memory(b)); s.Note != "" {
			t.Errorf("%s, whole: %q", name, s.Note)
		}
		s := surveyed(t, memory(b[:len(b)/2]))
		if !strings.Contains(s.Note, "could be read") || s.Duration > 4.5 || s.Duration < 1 || s.Copy {
			t.Errorf("%s, half: %v s, %q, %v", name, s.Duration, s.Note, s.Copy)
		}
	}
	fragments(t)
	outlasted(t)
	b, err := os.ReadFile(clip(t, "a.mp4", bars+quickly))
	if err != nil {
		t.Fatal(err)
	}
	a := args(t, memory(b))
	a.MaxSeconds = 1
	if _, err := video.Survey(ctx, memory(b), a, quiet); !strings.Contains(media.Reason(err), "the video is 2 s long; the limit is 1 s") {
		t.Errorf("too long: %v", err)
	}
}

// outlasted has captions that go on when there is nothing more to see: a file that has them
// is not cut off, and half of it is.
func outlasted(t *testing.T) {
	t.Helper()
	words := filepath.Join(t.TempDir(), "a.srt")
	if err := os.WriteFile(words, []byte("1\n00:00:00,500 --> 00:00:59,000\nFirst\n\n2\n00:00:05,000 --> 00:00:58,000\nSecond\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, codec := range map[string]string{"a.mkv": "srt", "a.mp4": "mov_text"} {
		b, err := os.ReadFile(clip(t, name, "-f lavfi -i testsrc2=s=320x180:r=25:d=6 -i "+words+" -map 0 -map 1 "+quickly+"-c:s "+codec))
		if err != nil {
			t.Fatal(err)
		}
		if s := surveyed(t, memory(b)); s.Note != "" || !near(s.Duration, 6, 0.1) {
			t.Errorf("%s: %v s, %q", name, s.Duration, s.Note)
		}
		if name == "a.mp4" {
			continue // its tables are at the end
		}
		if s := surveyed(t, memory(b[:len(b)/2])); !strings.Contains(s.Note, "could be read") || s.Copy {
			t.Errorf("%s, half: %v s, %q", name, s.Duration, s.Note)
		}
	}
}

// fragments cuts an MP4 in pieces of which each has all its pictures in front of all its
// sound: more pictures are left than sound.
func fragments(t *testing.T) {
	t.Helper()
	b, err := os.ReadFile(clip(t, "parts.mp4", "-f lavfi -i testsrc2=s=320x180:r=25:d=6 -f lavfi -i sine=r=48000:d=6 "+quickly+"-g 50 -sc_threshold 0 "+aac64+"-movflags frag_keyframe+empty_moov+default_base_moof"))
	if err != nil {
		t.Fatal(err)
	}
	third := bytes.LastIndex(b, []byte("mdat")) // that of the index behind it
	for name, c := range map[string]struct {
		keep      int
		from, to  float64
		note      string
		unchanged bool
	}{
		"whole":               {len(b), 5.9, 6.2, "", true},
		"in the third piece":  {third + 30_000, 4.2, 5.95, "could be read", false},
		"in its tables":       {bytes.LastIndex(b, []byte("moof")) + 100, 3.9, 4.2, "could be read", false},
		"between two of them": {bytes.LastIndex(b, []byte("moof")) - 4, 3.9, 4.2, "", true},
	} {
		s := surveyed(t, memory(b[:c.keep]))
		if s.Duration < c.from || s.Duration > c.to || c.note == "" != (s.Note == "") || !strings.Contains(s.Note, c.note) || s.Copy != c.unchanged {
			t.Errorf("cut %s: %v s, %q, %v", name, s.Duration, s.Note, s.Copy)
		}
		// Whoever reads the pictures alone comes no further than who reads all.
		a := survey(s.Duration, 25)
		a.Survey.Sounds = s.Sounds
		path := filepath.Join(t.TempDir(), "cut.mp4")
		if err := os.WriteFile(path, b[:c.keep], 0o600); err != nil {
			t.Fatal(err)
		}
		_, both := tracksOf(t, path, a, rung(160, 90), sound(1))
		a.Survey.Sounds = nil
		_, alone := tracksOf(t, path, a, rung(160, 90))
		if x, y := both[0].index.Duration(), alone[0].index.Duration(); x != y || !near(x, s.Duration, 0.1) {
			t.Errorf("cut %s: pictures last %v s with the sound, %v s without, the film %v s", name, x, y, s.Duration)
		}
	}
}
