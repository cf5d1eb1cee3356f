package corpus

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"picora/media/hls"
)

// reference is a film that ffmpeg made, as an engine should.
func reference(t *testing.T, c Case, more ...string) Film {
	t.Helper()
	dir := t.TempDir()
	tracked := func(name string, args ...string) Track {
		path := filepath.Join(dir, name+".mp4")
		if _, err := ffmpeg(append(join([]string{"-i", c.File(t)}, args, []string{"-movflags", "frag_keyframe+empty_moov+default_base_moof+negative_cts_offsets", "-f", "mp4"}), path)...); err != nil {
			t.Fatal(err)
		}
		return index(t, name, path)
	}
	var f Film
	for _, height := range []string{"90", "60"} {
		r := tracked(height, join([]string{"-an", "-vf", "scale=-2:" + height + ",setsar=1", "-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-profile:v", "high", "-bf", "0", "-g", "50", "-keyint_min", "50", "-sc_threshold", "0"}, more)...)
		p, err := Probe(r.Path)
		if err != nil {
			t.Fatal(err)
		}
		r.Width, r.Height, r.Rate, r.Codecs = p.Streams[0].Width, p.Streams[0].Height, c.Rate, "avc1.6400"+string("0123456789abcdef"[p.Streams[0].Level/16])+string("0123456789abcdef"[p.Streams[0].Level%16])
		f.Rungs = append(f.Rungs, r)
	}
	s := tracked("sound", "-vn", "-c:a", "aac", "-ac", "2", "-frag_duration", "2000000")
	s.Codecs, s.Channels = "mp4a.40.2", 2
	f.Sounds, f.Duration = []Track{s}, c.Seconds
	f.MP4 = filepath.Join(dir, "all.mp4")
	if _, err := ffmpeg("-i", c.File(t), "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-movflags", "faststart", f.MP4); err != nil {
		t.Fatal(err)
	}
	return f
}

// index makes the fragments of a file segments.
func index(t *testing.T, name, path string) Track {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Probe(path)
	if err != nil {
		t.Fatal(err)
	}
	var x hls.Index
	var out []byte
	begins := []int64{}
	for rest := b; len(rest) >= 8; {
		box := rest[:binary.BigEndian.Uint32(rest)]
		rest = rest[len(box):]
		kind := string(box[4:8])
		if kind == "mfra" || kind == "sidx" {
			continue
		}
		switch kind {
		case "ftyp", "moov":
			x.Init += int64(len(box))
		case "moof":
			begins = append(begins, int64(len(out)))
			x.Segments = append(x.Segments, hls.Segment{})
			fallthrough
		default:
			x.Segments[len(x.Segments)-1].Size += int64(len(box))
		}
		out = append(out, box...)
	}
	peak, total := 0.0, 0.0
	for n := range x.Segments {
		from, to := earliest(p.Packets, begins[n], begins[n]+x.Segments[n].Size), Ends(p.Packets)
		if n+1 < len(begins) {
			to = earliest(p.Packets, begins[n+1], int64(len(out)))
		}
		x.Segments[n].Duration = to - from
		peak = max(peak, float64(x.Segments[n].Size)*8/(to-from))
		total += float64(x.Segments[n].Size) * 8
	}
	if err := os.WriteFile(path, hls.AppendIndex(out, x), 0o600); err != nil {
		t.Fatal(err)
	}
	return Track{Name: name, Path: path, Peak: int64(peak) + 1, Average: int64(total / x.Duration())}
}

func TestAGoodFilmHasNoProblems(t *testing.T) {
	c := Get("raw.avi")
	if all := Problems(t, c, reference(t, c)); len(all) > 0 {
		t.Error(strings.Join(all, "\n"))
	}
}

// TestWhatIsWrongIsFound proves of each check that it can fail.
func TestWhatIsWrongIsFound(t *testing.T) {
	c := Get("raw.avi")
	good := reference(t, c)
	dir := t.TempDir()
	again := func(name string, args ...string) string {
		path := filepath.Join(dir, name)
		if _, err := ffmpeg(append(args, path)...); err != nil {
			t.Fatal(err)
		}
		return path
	}
	clone := func() Film {
		f := good
		f.Rungs, f.Sounds = slices.Clone(good.Rungs), slices.Clone(good.Sounds)
		return f
	}
	fragments := []string{"-movflags", "frag_keyframe+empty_moov+default_base_moof", "-f", "mp4"}
	like := func(name string, old Track, args ...string) Track { // the same said of other files
		n := index(t, old.Name, again(name, append(args, fragments...)...))
		old.Path = n.Path
		return old
	}
	source := []string{"-i", c.File(t)}
	Get("silent.mp4").File(t)
	Get("behind.mp4").File(t)
	encode := []string{"-an", "-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-profile:v", "high", "-bf", "0", "-g", "50", "-keyint_min", "50", "-sc_threshold", "0"}
	for name, d := range map[string]struct {
		words string
		seen  bool // or heard, rather than said
		film  func(*Film)
	}{
		"no pictures":                  {"no pictures", false, func(f *Film) { f.Rungs = nil }},
		"a wrong duration":             {"said to last", false, func(f *Film) { f.Duration = 5.2 }},
		"a wrong size":                 {"said to be", false, func(f *Film) { f.Rungs[0].Width += 2 }},
		"a wrong profile":              {"profile", false, func(f *Film) { f.Rungs[0].Codecs = "avc1.4d000b" }},
		"a wrong level":                {"level", false, func(f *Film) { f.Rungs[0].Codecs = "avc1.640033" }},
		"a wrong rate":                 {"pictures a second", false, func(f *Film) { f.Rungs[0].Rate = 50 }},
		"too little bandwidth":         {"bits a second, more", false, func(f *Film) { f.Rungs[0].Peak /= 2 }},
		"a wrong average":              {"on average", false, func(f *Film) { f.Sounds[0].Average *= 2 }},
		"a sound that is none":         {"said to be", false, func(f *Film) { f.Sounds[0].Path = f.Rungs[0].Path }},
		"a sound too many":             {"2 sounds", false, func(f *Film) { f.Sounds = append(f.Sounds, f.Sounds[0]) }},
		"a language that is not there": {"sound 0", false, func(f *Film) { f.Sounds[0].Lang = "fr" }},
		"captions from nowhere":        {"captions", false, func(f *Film) { f.Captions = []string{good.MP4} }},
		"sizes that change elsewhere": {"begin at", false, func(f *Film) {
			f.Rungs[1] = like("other-gop.mp4", f.Rungs[1], join(source, encode, []string{"-vf", "scale=-2:60,setsar=1", "-g", "40", "-keyint_min", "40"})...)
		}},
		"a picture that ends early": {"end", false, func(f *Film) {
			f.Rungs[0] = like("short.mp4", f.Rungs[0], join(source, encode, []string{"-t", "4.5"})...)
		}},
		"pictures that come late": {"late", true, func(f *Film) {
			f.Rungs[0] = like("late.mp4", f.Rungs[0], join(source, encode, []string{"-vf", "tpad=start=3:start_mode=clone"})...)
		}},
		"sound that comes late": {"later than the pictures", true, func(f *Film) {
			f.Sounds[0] = like("late-sound.mp4", f.Sounds[0], join(source, []string{"-vn", "-af", "adelay=60:all=1", "-c:a", "aac", "-frag_duration", "2000000"})...)
		}},
		"a picture upside down": {"SSIM", true, func(f *Film) {
			f.Rungs[0] = like("flipped.mp4", f.Rungs[0], join(source, encode, []string{"-vf", "vflip"})...)
		}},
		"other colours": {"colours", true, func(f *Film) {
			f.Rungs[0] = like("hue.mp4", f.Rungs[0], join(source, encode, []string{"-vf", "hue=h=60"})...)
		}},
		"a segment that begins between key frames": {"key frame", false, func(f *Film) { f.Rungs[0].Path = moved(t, dir, f.Rungs[0].Path) }},
		"an index that is not there":               {"index", false, func(f *Film) { f.Rungs[0].Path = Get("silent.mp4").File(t) }},
		"an MP4 with its tables behind":            {"boxes", true, func(f *Film) { f.MP4 = Get("behind.mp4").File(t) }},
		"an MP4 whose sound is late": {"MP4", true, func(f *Film) {
			f.MP4 = again("late-all.mp4", "-i", good.MP4, "-itsoffset", "0.08", "-i", good.MP4, "-map", "0:v", "-map", "1:a", "-c", "copy", "-movflags", "faststart")
		}},
		"an MP4 without sound": {"it has h264", true, func(f *Film) {
			f.MP4 = again("mute.mp4", "-i", good.MP4, "-an", "-c", "copy", "-movflags", "faststart")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := clone()
			d.film(&f)
			all := declared(c, f)
			if d.seen {
				f.Rungs = f.Rungs[:1]
				all = compared(t, c, f)
			}
			if !slices.ContainsFunc(all, func(p string) bool { return strings.Contains(p, d.words) }) {
				t.Errorf("%q is not in %q", d.words, all)
			}
		})
	}
}

// moved is a track whose index has the first segment end between two pictures.
func moved(t *testing.T, dir, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Probe(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	x, err := hls.ReadIndex(file, int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	cut := int64(p.Packets[10].Pos) - x.Init
	x.Segments[1].Size += x.Segments[0].Size - cut
	x.Segments[0].Size = cut
	all := x.Init
	for _, s := range x.Segments {
		all += s.Size
	}
	out := filepath.Join(dir, "moved.mp4")
	if err := os.WriteFile(out, hls.AppendIndex(b[:all:all], x), 0o600); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSSIMTellsPicturesApart(t *testing.T) {
	a := make([]byte, 3*64*64)
	for i := range a {
		a[i] = byte(i * i >> 5)
	}
	b := slices.Clone(a)
	for i := range b {
		b[i] ^= byte(i&1) << 5
	}
	if s := SSIM(a, a, 64, 64); math.Abs(s-1) > 1e-9 {
		t.Errorf("a picture beside itself: %f", s)
	}
	if s := SSIM(a, b, 64, 64); s > 0.95 || s < 0 {
		t.Errorf("a picture beside one with noise: %f", s)
	}
	if off := ColourOff(a, make([]byte, len(a))); off < 50 {
		t.Errorf("beside black: %f", off)
	}
}

func TestEveryCaseHasItsName(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range All() {
		if seen[c.Name] {
			t.Errorf("%s is there twice", c.Name)
		}
		seen[c.Name] = true
	}
	if len(Some()) < 30 || len(seen) < 90 {
		t.Errorf("%d cases, %d in an ordinary run", len(seen), len(Some()))
	}
}

func TestHostileFilesAreMade(t *testing.T) {
	all := Hostiles(t, "http://127.0.0.1:1")
	if len(all) < 70 {
		t.Errorf("%d files", len(all))
	}
	for _, h := range all {
		if len(h.Data) == 0 || len(h.Data) > 16<<20 {
			t.Errorf("%s has %d bytes", h.Name, len(h.Data))
		}
	}
}
