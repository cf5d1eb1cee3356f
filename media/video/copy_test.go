package video_test

import (
	"context"
	"slices"
	"testing"

	"picora/media"
	"picora/media/video"
)

func TestPicturesAreCopied(t *testing.T) {
	for name, file := range map[string]string{"MP4": "a.mp4", "Matroska": "a.mkv", "a transport stream": "a.ts"} {
		t.Run(name, func(t *testing.T) {
			// Key frames at 0, 0.8, 1.6 … s.
			path := film(t, file, join(pictures("320x180", 25, 9), tone(9), small, []string{"-bf", "2", "-g", "20", "-sc_threshold", "0"})...)
			args := survey(9, 25)
			args.Survey.Copy = true
			made, tracks := tracksOf(t, path, args, media.TrackArgs{Kind: media.PictureTrack, Copy: true}, rung(160, 90), sound(1))
			if made.Note != "" {
				t.Error(made.Note)
			}
			checkPictures(t, tracks[0], 9, 0)
			checkPictures(t, tracks[1], 9, 0)
			if tracks[0].Encoder != "copy" || tracks[0].Width != 320 || len(tracks[0].probe.Packets) != 225 {
				t.Errorf("%+v", tracks[0].TrackMade)
			}
			for i, want := range []float64{2.4, 2.4, 2.4, 1.8} {
				for _, m := range tracks[:2] {
					if len(m.index.Segments) != 4 || !near(m.index.Segments[i].Duration, want, 0.002) {
						t.Fatalf("%s: %+v", m.Encoder, m.index)
					}
				}
			}
			// Another job, without the copy, finds the same places.
			_, again := tracksOf(t, path, args, rung(96, 54))
			for i, s := range again[0].index.Segments {
				if !near(s.Duration, tracks[0].index.Segments[i].Duration, 0.002) {
					t.Errorf("%+v", again[0].index)
				}
			}
			if a, b := frames(t, path), frames(t, tracks[0].path); !slices.Equal(a, b) {
				t.Error("the pictures are others")
			}
		})
	}
}

// frames are the checksums of all pictures.
func frames(t *testing.T, path string) []string {
	t.Helper()
	out := run(t, "ffmpeg", "-v", "error", "-i", path, "-map", "0:v", "-vsync", "0", "-f", "framehash", "-hash", "crc32", "-")
	var list []string
	for _, l := range lines(out) {
		if l[0] != '#' {
			list = append(list, l[len(l)-8:])
		}
	}
	return list
}

func lines(s string) (list []string) {
	for start, i := 0, 0; i < len(s); i++ {
		if s[i] == '\n' {
			if i > start {
				list = append(list, s[start:i])
			}
			start = i + 1
		}
	}
	return list
}

func TestTracksAreJoined(t *testing.T) {
	path := flashes(t, "a.mp4", "-bf", "2")
	_, tracks := tracksOf(t, path, survey(6, 25), rung(160, 90), sound(1))
	for name, parts := range map[string][]video.File{
		"with sound":    {opened(t, tracks[0].file.Name()), opened(t, tracks[1].file.Name())},
		"without sound": {opened(t, tracks[0].file.Name())},
	} {
		t.Run(name, func(t *testing.T) {
			out := output(t)
			if err := video.Join(context.Background(), parts, media.JoinArgs{MaxSeconds: 60}, out, func(float64) {}); err != nil {
				t.Fatal(err)
			}
			p := probed(t, out.Name())
			if len(p.Streams) != len(parts) || !near(number(t, p.Format.Duration), 6, 0.1) || p.Format.Tags["encoder"] != "" {
				t.Errorf("%+v", p.Format)
			}
			for _, s := range p.Streams {
				if !near(number(t, s.Start), 0, 0.001) || !near(number(t, s.Duration), 6, 0.1) {
					t.Errorf("%+v", s)
				}
			}
			if !slices.Equal(frames(t, out.Name()), frames(t, tracks[0].path)) {
				t.Error("the pictures are others", frames(t, out.Name())[:3], frames(t, tracks[0].path)[:3], len(frames(t, out.Name())), len(frames(t, tracks[0].path)))
			}
			head := make([]byte, 64<<10)
			n, _ := out.ReadAt(head, 0)
			if i, j := slices.Index(boxes(head[:n]), "moov"), slices.Index(boxes(head[:n]), "mdat"); i < 0 || j >= 0 && j < i {
				t.Error("the tables are not in front:", boxes(head[:n]))
			}
			if len(parts) == 2 {
				m := madeTrack{path: out.Name()}
				light := begins(t, m)
				m.Encoder = "aac"
				for i, b := range begins(t, m) {
					if !near(b, light[i], 0.04) {
						t.Errorf("light at %v, sound at %v", light[i], b)
					}
				}
			}
		})
	}
	if video.Join(context.Background(), []video.File{opened(t, tracks[0].file.Name())}, media.JoinArgs{MaxSeconds: 3}, output(t), func(float64) {}) == nil {
		t.Error("a track that is longer than it may be was joined")
	}
}

// boxes are the kinds of a file's first boxes.
func boxes(b []byte) (list []string) {
	for len(b) >= 8 {
		n := int(b[0])<<24 | int(b[1])<<16 | int(b[2])<<8 | int(b[3])
		list = append(list, string(b[4:8]))
		if n < 8 || n > len(b) {
			break
		}
		b = b[n:]
	}
	return list
}
