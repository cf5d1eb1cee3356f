package video_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"picora/media"
	"picora/media/av"
	"picora/media/hls"
	"picora/media/video"
)

// filmed makes a file with the ffmpeg command.
func filmed(t testing.TB, name string, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	run(t, append(append([]string{"ffmpeg", "-v", "error", "-y"}, args...), path)...)
	return path
}

// pictures and beep are inputs of so many seconds.
func pictures(size string, rate, seconds float64) []string {
	return []string{"-f", "lavfi", "-i", fmt.Sprintf("testsrc2=s=%s:r=%v:d=%v", size, rate, seconds)}
}

func beep(seconds float64) []string {
	return []string{"-f", "lavfi", "-i", fmt.Sprintf("sine=frequency=440:duration=%v", seconds)}
}

// quick are the options of an encoder that is quick.
var quick = []string{"-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"}

func join(lists ...[]string) (all []string) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// opened is a file to read.
func opened(t testing.TB, path string) video.File {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return video.File{ReaderAt: f, Size: info.Size()}
}

// output is a new file to write.
func output(t testing.TB) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// a made track: what was said of it, and its file.
type madeTrack struct {
	media.TrackMade
	file  *os.File
	path  string // without the index, as players get it
	index hls.Index
	probe probe
}

// rung asks for a picture track.
func rung(w, h int) media.TrackArgs {
	return media.TrackArgs{Kind: media.PictureTrack, Width: w, Height: h, Quality: 30, MaxBits: 1_000_000}
}

func sound(stream int) media.TrackArgs {
	return media.TrackArgs{Kind: media.SoundTrack, Stream: stream, Bits: 96_000}
}

// tracksOf makes tracks of a file; the survey is ffprobe's.
func tracksOf(t testing.TB, path string, args media.TracksArgs, outs ...media.TrackArgs) (media.TracksMade, []madeTrack) {
	t.Helper()
	made, tracks, err := tryTracks(t, path, args, outs...)
	if err != nil {
		t.Fatal(err)
	}
	return made, tracks
}

func tryTracks(t testing.TB, path string, args media.TracksArgs, outs ...media.TrackArgs) (media.TracksMade, []madeTrack, error) {
	t.Helper()
	args.Outputs = outs
	if args.Segment == 0 {
		args.Segment = 2
	}
	args.Preset = "superfast"
	args.Video.MIME = map[string]string{".mp4": "video/mp4", ".mov": "video/quicktime", ".mkv": "video/x-matroska", ".ts": "video/mp2t", ".avi": "video/x-msvideo"}[filepath.Ext(path)]
	var files []av.File
	var tracks []madeTrack
	for range outs {
		f := output(t)
		files, tracks = append(files, f), append(tracks, madeTrack{file: f})
	}
	made, err := video.Tracks(context.Background(), opened(t, path), args, files, func(p float64) {
		if p < 0 || p > 1 {
			t.Errorf("progress %v", p)
		}
	})
	if err != nil {
		return made, nil, err
	}
	for i := range tracks {
		tracks[i].TrackMade = made.Outputs[i]
		if k := outs[i].Kind; (k == media.PictureTrack || k == media.SoundTrack) && !made.Outputs[i].Empty {
			tracks[i].look(t)
		}
	}
	return made, tracks, nil
}

// look reads a track's index, and what ffprobe says of the rest.
func (m *madeTrack) look(t testing.TB) {
	t.Helper()
	info, err := m.file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if m.index, err = hls.ReadIndex(m.file, info.Size()); err != nil {
		t.Fatal(err)
	}
	size := m.index.Init
	for _, s := range m.index.Segments {
		size += s.Size
	}
	m.path = m.file.Name() + ".mp4"
	bare, err := os.Create(m.path)
	if err != nil {
		t.Fatal(err)
	}
	defer bare.Close()
	if _, err := io.Copy(bare, io.NewSectionReader(m.file, 0, size)); err != nil {
		t.Fatal(err)
	}
	m.probe = probed(t, m.path)
}

// probe is what ffprobe tells.
type probe struct {
	Format struct {
		Duration string            `json:"duration"`
		Start    string            `json:"start_time"`
		Tags     map[string]string `json:"tags"`
	} `json:"format"`
	Streams []struct {
		Codec, Kind, Profile string
		CodecName            string `json:"codec_name"`
		CodecType            string `json:"codec_type"`
		ProfileName          string `json:"profile"`
		Level                int    `json:"level"`
		Width, Height        int
		Channels             int
		SampleRate           string `json:"sample_rate"`
		Start                string `json:"start_time"`
		Duration             string `json:"duration"`
		PixFmt               string `json:"pix_fmt"`
		ColorSpace           string `json:"color_space"`
		Tags                 map[string]string
	} `json:"streams"`
	Packets []struct {
		Pts      string `json:"pts_time"`
		Dts      string `json:"dts_time"`
		Duration string `json:"duration_time"`
		Flags    string `json:"flags"`
	} `json:"packets"`
}

func probed(t testing.TB, path string) (p probe) {
	t.Helper()
	out := run(t, "ffprobe", "-v", "error", "-show_format", "-show_streams", "-show_packets", "-of", "json", path)
	if err := json.Unmarshal([]byte(out), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func number(t testing.TB, s string) float64 {
	t.Helper()
	if s == "" {
		return 0
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// ends is when the last packet ends, and starts when the first is shown.
func (p probe) ends(t testing.TB) (end float64) {
	for _, k := range p.Packets {
		end = max(end, number(t, k.Pts)+number(t, k.Duration))
	}
	return end
}

// keys are the times of key frames.
func (p probe) keys(t testing.TB) (list []float64) {
	for _, k := range p.Packets {
		if strings.HasPrefix(k.Flags, "K") {
			list = append(list, number(t, k.Pts))
		}
	}
	return list
}
