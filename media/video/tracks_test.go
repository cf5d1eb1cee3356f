package video_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"picora/media"
	"picora/media/av"
	"picora/media/video"
)

func near(a, b, by float64) bool { return math.Abs(a-b) <= by }

// survey is what another job would have counted.
func survey(seconds, rate float64) media.TracksArgs {
	return media.TracksArgs{Survey: media.Survey{Video: media.Video{Duration: seconds, FrameRate: rate}}}
}

// checkPictures compares a picture track with what it should be.
func checkPictures(t *testing.T, m madeTrack, seconds, every float64) {
	t.Helper()
	s := m.probe.Streams[0]
	if len(m.probe.Streams) != 1 || s.CodecName != "h264" || s.PixFmt != "yuv420p" || s.Width != m.Width || s.Height != m.Height {
		t.Errorf("%+v", m.probe.Streams)
	}
	if m.Encoder != "copy" && (s.ColorSpace != "bt709" || m.Codecs[:7] != "avc1.64" || s.ProfileName != "High" || int(hex(m.Codecs[9:])) != s.Level) {
		t.Errorf("%s, %s %s %d", m.Codecs, s.ColorSpace, s.ProfileName, s.Level)
	}
	if at := number(t, s.Start); at != 0 {
		t.Errorf("it begins at %v", at)
	}
	if end := number(t, m.probe.Format.Duration); !near(end, seconds, 0.1) || !near(m.index.Duration(), seconds, 0.1) {
		t.Errorf("%v s, %v by its index, want %v", end, m.index.Duration(), seconds)
	}
	keys, at := m.probe.keys(t), 0.0
	for i, g := range m.index.Segments {
		if !slices.ContainsFunc(keys, func(k float64) bool { return near(k, at, 0.002) }) {
			t.Errorf("segment %d begins at %v without a key frame: %v", i, at, keys)
		}
		if every > 0 && i < len(m.index.Segments)-1 && !near(g.Duration, every, 0.06) {
			t.Errorf("segment %d lasts %v", i, g.Duration)
		}
		at += g.Duration
	}
	if m.Average <= 0 || m.Bandwidth < m.Average {
		t.Errorf("bandwidth %d, average %d", m.Bandwidth, m.Average)
	}
}

func hex(s string) (n int64) {
	for _, c := range s {
		n = n*16 + int64(strings.IndexRune("0123456789abcdef", c))
	}
	return n
}

func checkSound(t *testing.T, m madeTrack, seconds float64, channels int) {
	t.Helper()
	s := m.probe.Streams[0]
	if len(m.probe.Streams) != 1 || s.CodecName != "aac" || s.ProfileName != "LC" || s.Channels != channels || m.Codecs != "mp4a.40.2" {
		t.Errorf("%+v, %s", m.probe.Streams, m.Codecs)
	}
	if at := number(t, s.Start); !near(at, 0, 0.03) {
		t.Errorf("it begins at %v", at)
	}
	if end := m.probe.ends(t); !near(end, seconds, 0.1) || !near(m.index.Duration(), seconds, 0.1) {
		t.Errorf("%v s, %v by its index, want %v", end, m.index.Duration(), seconds)
	}
}

func TestTracksOfOneDecoding(t *testing.T) {
	path := film(t, "a.mp4", join(pictures("640x360", 30, 5), tone(5), small, []string{"-bf", "2", "-c:a", "aac"})...)
	made, tracks := tracksOf(t, path, survey(5, 30), rung(320, 180), rung(640, 360), sound(1), rung(426, 240))
	if !near(made.Duration, 5, 0.05) || made.Note != "" {
		t.Errorf("%v s, %q", made.Duration, made.Note)
	}
	for i, size := range [][2]int{{320, 180}, {640, 360}, {}, {426, 240}} {
		if i == 2 {
			checkSound(t, tracks[i], 5, 1)
			continue
		}
		checkPictures(t, tracks[i], 5, 2)
		m := tracks[i]
		if m.Width != size[0] || m.Height != size[1] || m.FrameRate != 30 || m.Encoder != "libx264" || len(m.probe.Packets) != 150 {
			t.Errorf("%+v, %d pictures", m.TrackMade, len(m.probe.Packets))
		}
		if m.probe.Format.Tags["encoder"] != "" {
			t.Error(m.probe.Format.Tags)
		}
	}
	if tracks[0].Average >= tracks[1].Average {
		t.Errorf("the small one takes %d, the large one %d", tracks[0].Average, tracks[1].Average)
	}
}

// TestSourcesOfAllKinds makes one rung and all sounds of each.
func TestSourcesOfAllKinds(t *testing.T) {
	for _, c := range []struct {
		name    string
		file    string
		args    []string
		seconds float64
		rate    float64
		sound   float64 // seconds; 0: there is none
		max     float64 // pictures a second
	}{
		{"no sound", "a.mp4", join(pictures("320x180", 25, 3), small), 3, 25, 0, 0},
		{"one picture", "a.mp4", join(pictures("320x180", 25, 0.04), small), 0.04, 25, 0, 0},
		{"sound longer than the pictures, which stay", "a.mp4", join(pictures("320x180", 25, 2), tone(5), small), 5, 25, 5, 0},
		{"one picture with a long sound", "a.mp4", join(pictures("320x180", 25, 0.04), tone(5), small), 5, 25, 5, 0},
		{"pictures that stand still", "a.mkv", join(pictures("320x180", 25, 7), small, []string{"-vf", "select='not(between(t,0.9,5.1))'", "-vsync", "vfr"}), 7, 25, 0, 0},
		{"sound shorter than the pictures is filled up", "a.mp4", join(pictures("320x180", 25, 5), tone(2), small), 5, 25, 5, 0},
		{"NTSC with times in milliseconds", "a.mkv", join(pictures("320x180", 30000./1001, 5), tone(5), small, []string{"-bf", "3"}), 5, 29.97, 5, 0},
		{"a transport stream that begins at 1.4 s", "a.ts", join(pictures("320x180", 25, 4), tone(4), small, []string{"-bf", "2"}), 4, 25, 4, 0},
		{"60 pictures a second made 30", "a.mp4", join(pictures("320x180", 60, 3), small), 3, 60, 0, 30},
		{"AVI without times", "a.avi", join(pictures("320x180", 25, 3), tone(3), []string{"-c:v", "mpeg4", "-c:a", "mp3"}), 3, 25, 3, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := film(t, c.file, c.args...)
			r := rung(320, 180)
			r.MaxRate = c.max
			outs := []media.TrackArgs{r}
			if c.sound > 0 {
				outs = append(outs, sound(1))
			}
			made, tracks := tracksOf(t, path, survey(max(c.seconds, 0), c.rate), outs...)
			if made.Note != "" {
				t.Errorf("%q", made.Note)
			}
			checkPictures(t, tracks[0], c.seconds, 2)
			want := c.rate
			if c.max > 0 {
				want = c.max
			}
			if !near(tracks[0].FrameRate, want, 0.35) { // ffmpeg leaves one out of its AVI
				t.Errorf("%v pictures a second, want %v", tracks[0].FrameRate, want)
			}
			if c.sound > 0 {
				checkSound(t, tracks[1], c.sound, 1)
			}
		})
	}
}

func TestASoundThatNobodyCanHearIsNoReasonToSeeNothing(t *testing.T) {
	path := film(t, "a.mkv", join(pictures("160x90", 25, 2), tone(2), small, []string{"-c:a", "truehd", "-strict", "-2", "-ar", "48000"})...)
	_, tracks := tracksOf(t, path, survey(2, 25), rung(160, 90), sound(1))
	checkPictures(t, tracks[0], 2, 2)
	if !tracks[1].Empty {
		t.Errorf("%+v", tracks[1].TrackMade)
	}
}

func TestSixChannelsBecomeTwo(t *testing.T) {
	path := film(t, "a.mkv", join(pictures("160x90", 25, 2), []string{"-f", "lavfi", "-i",
		"aevalsrc=0|0|0.5*sin(2000*t)|0|0|0:c=5.1:d=2"}, small, []string{"-c:a", "ac3"})...)
	_, tracks := tracksOf(t, path, survey(2, 25), sound(1))
	checkSound(t, tracks[0], 2, 2)
	out := run(t, "ffmpeg", "-v", "info", "-i", tracks[0].path, "-af", "astats=measure_overall=RMS_level:measure_perchannel=none", "-f", "null", "-")
	if i := strings.Index(out, "RMS level dB: "); i < 0 {
		t.Fatal(out)
	} else if n := number(t, strings.Fields(out[i+14:])[0]); !near(n, -12, 2) { // the voice, in both
		t.Errorf("%v dB", n)
	}
}

func TestADamagedFileGivesWhatCanBeSaved(t *testing.T) {
	path := film(t, "a.mkv", join(pictures("320x180", 25, 8), tone(8), small, []string{"-g", "25"})...)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "cut.mkv")
	if err := os.WriteFile(cut, b[:len(b)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	is := surveyed(t, opened(t, cut))
	made, tracks := tracksOf(t, cut, media.TracksArgs{Survey: is}, rung(320, 180), sound(1))
	if made.Duration < 2 || made.Duration > 6 || !near(made.Duration, is.Duration, 0.1) || is.Note == "" {
		t.Errorf("%v s, %q, %+v", made.Duration, made.Note, is)
	}
	// A file that has lost its end since it was counted.
	if made, _ := tracksOf(t, cut, survey(8, 25), sound(1)); !strings.HasPrefix(made.Note, "The file is damaged: ") {
		t.Errorf("%q", made.Note)
	}
	checkPictures(t, tracks[0], made.Duration, 2)

	for i := len(b) / 3; i < len(b)/3+60_000 && i < len(b)*2/3; i += 97 { // noise in the middle
		b[i] ^= 0x5A
	}
	noisy := filepath.Join(t.TempDir(), "noisy.mkv")
	if err := os.WriteFile(noisy, b, 0o600); err != nil {
		t.Fatal(err)
	}
	made, tracks = tracksOf(t, noisy, survey(8, 25), rung(320, 180))
	if !near(made.Duration, 8, 0.5) {
		t.Errorf("%v s", made.Duration)
	}
	checkPictures(t, tracks[0], made.Duration, 0)
}

func TestWhatIsNoVideoIsRefused(t *testing.T) {
	for name, path := range map[string]string{
		"sound alone": film(t, "a.mp4", tone(1)...),
		"a playlist":  write(t, "a.mkv", "#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"),
		"nothing":     write(t, "a.mp4", ""),
	} {
		_, _, err := tryTracks(t, path, survey(1, 25), rung(320, 180))
		if !errors.Is(err, media.ErrUnsupported) && !errors.Is(err, media.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCancelled(t *testing.T) {
	path := film(t, "a.mp4", join(pictures("640x360", 30, 5), tone(5), small)...)
	ctx, cancel := context.WithCancel(context.Background())
	args := survey(5, 30)
	args.Segment, args.Video.MIME, args.Outputs = 2, "video/mp4", []media.TrackArgs{rung(640, 360), sound(1)}
	_, err := video.Tracks(ctx, opened(t, path), args, []av.File{output(t), &stopping{output(t), cancel}}, func(float64) {})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// stopping is a file that ends the job as soon as something is written to it.
type stopping struct {
	*os.File
	stop func()
}

func (s *stopping) WriteAt(b []byte, at int64) (int, error) {
	s.stop()
	return s.File.WriteAt(b, at)
}

func TestADiskThatIsFullIsSaid(t *testing.T) {
	path := film(t, "a.mp4", join(pictures("320x180", 25, 3), tone(3), small)...)
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	kinds := []media.TrackArgs{
		rung(320, 180), sound(1), {Kind: media.PosterOut, Width: 320, Height: 180}, {Kind: media.PreviewOut, Width: 160, Height: 90, Quality: 28, MaxBits: 300_000, Length: 2},
		{Kind: media.BoardOut, Width: 160, Height: 90, Columns: 2, Rows: 2, Every: 1}, {Kind: media.PictureTrack, Copy: true},
	}
	for i, kind := range kinds {
		outs := make([]av.File, len(kinds))
		for n := range outs {
			outs[n] = output(t)
		}
		outs[i] = full
		args := survey(3, 25)
		args.Segment, args.Video.MIME, args.Outputs = 2, "video/mp4", kinds
		args.Survey.Width, args.Survey.Height = 320, 180
		if _, err := video.Tracks(context.Background(), opened(t, path), args, outs, func(float64) {}); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%+v: %v", kind, err)
		}
	}
	_, made := tracksOf(t, path, survey(3, 25), rung(320, 180), sound(1))
	var parts []video.File
	for _, m := range made {
		info, err := m.file.Stat()
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, video.File{ReaderAt: m.file, Size: info.Size()})
	}
	if err := video.Join(context.Background(), parts, media.JoinArgs{MaxSeconds: 100}, full, quiet); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("all in one: %v", err)
	}
}

// TestSegmentsBeginWithPicturesOfTheFilm has rates that do not divide by a segment's
// length: no picture is shown twice for that.
func TestSegmentsBeginWithPicturesOfTheFilm(t *testing.T) {
	for rate, want := range map[float64]int{30000. / 1001: 210, 24000. / 1001: 168, 25: 175} {
		path := film(t, "a.mp4", join(pictures("160x90", rate, 7), small)...)
		_, tracks := tracksOf(t, path, survey(7, rate), rung(160, 90))
		if m := tracks[0]; abs(len(m.probe.Packets)-want) > 1 || len(m.index.Segments) != 4 || !near(m.FrameRate, rate, 0.01) {
			t.Errorf("%g a second: %d pictures in %d segments, %g a second", rate, len(m.probe.Packets), len(m.index.Segments), m.FrameRate)
		}
	}
}

func abs(n int) int { return max(n, -n) }

// TestCopiedPicturesThatBeginLater has sound before there are pictures: the copy is cut
// where the other sizes are.
func TestCopiedPicturesThatBeginLater(t *testing.T) {
	path := film(t, "a.mkv", join([]string{"-itsoffset", "0.7"}, pictures("320x180", 25, 9), tone(9), small, []string{"-g", "50", "-sc_threshold", "0"})...)
	args := survey(9.7, 25)
	args.Survey.Copy = true
	_, tracks := tracksOf(t, path, args, media.TrackArgs{Kind: media.PictureTrack, Copy: true}, rung(160, 90), sound(1))
	copied, made := tracks[0].index.Segments, tracks[1].index.Segments
	if len(copied) != len(made) || len(copied) < 3 {
		t.Fatalf("%d segments are copied, %d made", len(copied), len(made))
	}
	for i := range copied {
		if !near(copied[i].Duration, made[i].Duration, 0.05) {
			t.Errorf("segment %d lasts %v s where it is copied, %v s where it is made", i, copied[i].Duration, made[i].Duration)
		}
	}
	if !near(tracks[0].index.Duration(), 9.7, 0.1) {
		t.Errorf("the copy lasts %v s", tracks[0].index.Duration())
	}
}
