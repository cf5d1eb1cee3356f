package video_test

import (
	"slices"
	"strings"
	"testing"
)

// flashes makes a file in which a white picture and a beep come at the same times, once a
// second from 0.5 s on; of the copies, each stream is shifted by more options.
func flashes(t *testing.T, name string, more ...string) string {
	t.Helper()
	return film(t, name, join([]string{"-f", "lavfi", "-i", "color=black:s=160x90:r=25:d=6,drawbox=c=white:t=fill:enable='between(mod(t,1),0.5,0.62)'",
		"-f", "lavfi", "-i", "sine=frequency=1000:duration=6,volume='if(between(mod(t,1),0.5,0.62),1,0)':eval=frame"}, small, more)...)
}

// begins are the seconds at which something begins in a track: light, or a sound.
func begins(t *testing.T, m madeTrack) (list []float64) {
	t.Helper()
	filter, key := []string{"-vf", "blackdetect=d=0.1:pix_th=0.2,metadata=print:file=-"}, "lavfi.black_end="
	if m.Encoder == "aac" {
		filter, key = []string{"-af", "silencedetect=n=-30dB:d=0.1,ametadata=print:file=-"}, "lavfi.silence_end="
	}
	out := run(t, "ffmpeg", join([]string{"-v", "error", "-copyts", "-i", m.path}, filter, []string{"-f", "null", "-"})...)
	for _, line := range strings.Split(out, "\n") {
		if v, ok := strings.CutPrefix(line, key); ok {
			list = append(list, number(t, v))
		}
	}
	return list
}

func TestPicturesAndSoundStayTogether(t *testing.T) {
	for _, c := range []struct {
		name, file string
		more       []string
	}{
		{"as they are", "a.mp4", nil},
		{"in Matroska with Opus", "a.mkv", []string{"-c:a", "libopus"}},
		{"in a transport stream with MP2", "a.ts", []string{"-c:a", "mp2"}},
		{"cut by an edit list", "a.mp4", []string{"-ss", "0.3", "-output_ts_offset", "0"}},
		{"with B-pictures and without an edit list", "a.mp4", []string{"-bf", "3", "-use_editlist", "0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := flashes(t, c.file, c.more...)
			_, tracks := tracksOf(t, path, survey(6, 25), rung(160, 90), sound(1))
			light, beep := begins(t, tracks[0]), begins(t, tracks[1])
			// What the file itself has: some of them are not quite together.
			source := madeTrack{path: path}
			light0 := begins(t, source)
			source.Encoder = "aac"
			beep0 := begins(t, source)
			if len(light) < 5 || len(light) != len(light0) || len(beep) != len(beep0) {
				t.Fatal(light, light0, beep, beep0)
			}
			by := light[1] - light0[1]
			for i := range light {
				if !near(light[i]-light0[i], by, 0.021) {
					t.Errorf("light at %.3f, %.3f in the file", light[i], light0[i])
				}
			}
			for i := range beep {
				if !near(beep[i]-beep0[i], by, 0.03) {
					t.Errorf("sound at %.3f, %.3f in the file, where light is %.3f earlier", beep[i], beep0[i], -by)
				}
			}
		})
	}
}

func TestSoundThatComesLateOrPausesStaysInStep(t *testing.T) {
	whole := flashes(t, "whole.mkv", "-c:a", "pcm_s16le")
	for name, args := range map[string][]string{
		"late":   {"-af", "atrim=start=2.2"},
		"pauses": {"-af", "aselect='lt(t,1.7)+gt(t,3.9)'"},
	} {
		t.Run(name, func(t *testing.T) {
			path := film(t, "a.mkv", join([]string{"-copyts", "-i", whole, "-c:v", "copy"}, args, []string{"-c:a", "pcm_s16le"})...)
			_, tracks := tracksOf(t, path, survey(6, 25), rung(160, 90), sound(1))
			checkSound(t, tracks[1], 6, 1)
			light, beep := begins(t, tracks[0]), begins(t, tracks[1])
			if len(beep) < 3 {
				t.Fatal(light, beep)
			}
			for _, b := range beep {
				if !slices.ContainsFunc(light, func(l float64) bool { return near(l, b, 0.04) }) {
					t.Errorf("a sound at %.3f, light at %v", b, light)
				}
			}
		})
	}
}
