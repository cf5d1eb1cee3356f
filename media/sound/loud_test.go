package sound_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"picora/media"
	"picora/media/sound"
)

// meter is what the ffmpeg command says of a file.
func meter(t testing.TB, path string) (lufs, peak float64) {
	t.Helper()
	said := run(t, "ffmpeg", "-hide_banner", "-nostats", "-i", path, "-map", "0:a:0", "-af", "ebur128=peak=true:framelog=verbose", "-f", "null", "-")
	find := func(what string) float64 {
		m := regexp.MustCompile(what).FindAllStringSubmatch(said, -1)
		if m == nil {
			t.Fatalf("no %s in %s", what, said)
		}
		v, err := strconv.ParseFloat(m[len(m)-1][1], 64)
		if err != nil && !strings.Contains(m[len(m)-1][1], "inf") {
			t.Fatal(err)
		}
		return v
	}
	return find(`I: +(-?[\d.]+) LUFS`), find(`Peak: +(-?[\d.]+|-inf) dBFS`)
}

type waveform struct {
	Version, Channels, Bits, Length int
	SampleRate                      int `json:"sample_rate"`
	Each                            int `json:"samples_per_pixel"`
	Data                            []int
}

func measure(t testing.TB, b []byte) (media.Measure, waveform) {
	t.Helper()
	var out bytes.Buffer
	var parts []float64
	m, err := sound.Measure(ctx, file(b), args(t, b), &out, func(d float64) { parts = append(parts, d) })
	if err != nil {
		t.Fatal(err)
	}
	var w waveform
	if err := json.Unmarshal(out.Bytes(), &w); err != nil {
		t.Fatal(err)
	}
	if w.Version != 2 || w.Channels != 1 || w.Bits != 8 || w.Length*2 != len(w.Data) || w.Length > 4000 || w.Each < 1 || out.Len() > media.MaxWaveform {
		t.Errorf("%d bytes, version %d, %d channels, %d bits, %d of %d", out.Len(), w.Version, w.Channels, w.Bits, w.Length, len(w.Data))
	}
	if len(parts) == 0 || parts[len(parts)-1] < 0.9 {
		t.Errorf("progress %v", parts)
	}
	return m, w
}

func TestLoudnessIsFFmpegs(t *testing.T) {
	dir := folder(t)
	for name, command := range map[string]string{
		"WAV": "sox DIR/src.wav -t wav DIR/out", "quiet": "sox DIR/src.wav -t wav DIR/out gain -30", "hot": "sox DIR/src.wav -t wav DIR/out gain 20",
		"MP3": "lame --quiet -V 4 DIR/src.wav DIR/out", "mono": "sox DIR/mono.wav -t wav DIR/out", "5.1": "flac --silent --channel-map=none -o DIR/out DIR/six.wav",
		"AAC": "ffmpeg -v error -i DIR/src.wav -c:a aac -f ipod DIR/out", "Opus": "opusenc --quiet DIR/src.wav DIR/out", "96 kHz": "sox DIR/src.wav -r 96000 -b 24 -t wav DIR/out",
	} {
		t.Run(name, func(t *testing.T) {
			os.Remove(dir + "/out")
			run(t, in(dir, command)...)
			lufs, peak := meter(t, dir+"/out")
			m, _ := measure(t, load(t, dir+"/out"))
			if m.Silent || math.Abs(m.Loudness-lufs) > 0.2 || math.Abs(m.TruePeak-peak) > 0.2 {
				t.Errorf("%+v, want %.1f LUFS, %.1f dBTP", m, lufs, peak)
			}
		})
	}
}

func TestSilenceAndShortSoundsHaveNoLoudness(t *testing.T) {
	silence := append(header(44100, 2, 16, 44100*4), make([]byte, 44100*4)...)
	m, w := measure(t, silence)
	if m != (media.Measure{Silent: true, Loudness: -70, TruePeak: media.Quietest}) || w.Data[0] != 0 || w.Data[1] != 0 {
		t.Errorf("%+v", m)
	}
	if _, err := json.Marshal(m); err != nil {
		t.Error(err)
	}
	m, w = measure(t, wav(0.1, 44100, 1))
	if !m.Silent || m.TruePeak < -30 || w.Length < 60 {
		t.Errorf("%+v, %d", m, w.Length)
	}
}

func TestWaveform(t *testing.T) {
	// Steps: silence, half of full scale up, full scale down, then a tone in one of two channels.
	const rate = 8000
	b := header(rate, 2, 16, rate*4*4)
	for i := range 4 * rate {
		l, r := 0.0, 0.0
		switch i / rate {
		case 1:
			l, r = 0.5, 0.5
		case 2:
			l, r = -1, -1
		case 3:
			l = 0.99 * math.Sin(2*math.Pi*100*float64(i)/rate)
		}
		for _, v := range []float64{l, r} {
			b = binary.LittleEndian.AppendUint16(b, uint16(int16(math.Round(v*32768))))
		}
	}
	_, w := measure(t, b)
	if w.SampleRate != rate || w.Each != 64 || w.Length != 4*rate/64 {
		t.Fatalf("%+v", w)
	}
	for i, want := range [][2]int{{0, 0}, {64, 64}, {-128, -128}, {-63, 63}} {
		low, high := 127, -128
		for j := i*rate/64 + 3; j < (i+1)*rate/64-3; j++ {
			low, high = min(low, w.Data[2*j]), max(high, w.Data[2*j+1])
		}
		if math.Abs(float64(low-want[0])) > 1 || math.Abs(float64(high-want[1])) > 1 {
			t.Errorf("second %d: %d to %d, want %v", i, low, high, want)
		}
	}
	_, w = measure(t, wav(120, 8000, 1))
	if w.Length < 2000 || w.Length > 4000 || w.Each != 256 || math.Abs(float64(w.Length*w.Each)/8000-120) > 0.1 {
		t.Errorf("two minutes: %d of %d", w.Length, w.Each)
	}
}

func level(t *testing.T, b []byte, target, peak float64) string {
	t.Helper()
	m, _ := measure(t, b)
	out, err := os.CreateTemp(t.TempDir(), "*.m4a")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	last := 0.0
	if err := sound.Level(ctx, file(b), media.LevelArgs{Sound: args(t, b), Measure: m, Target: target, Peak: peak}, out, func(d float64) { last = d }); err != nil {
		t.Fatal(err)
	}
	if last < 0.9 {
		t.Errorf("progress %f", last)
	}
	return out.Name()
}

func TestLevel(t *testing.T) {
	dir := folder(t)
	// A voice that is quiet but for a few knocks: the limiter's case.
	knocks := wav(8, 44100, 2)
	for i := 44; i+4 <= len(knocks); i += 4 {
		n := i / 4
		for c := range 2 {
			v := float64(int16(binary.LittleEndian.Uint16(knocks[i+2*c:]))) / 6
			if n%44100 < 60 {
				v = 32000 * math.Sin(float64(n)*0.9)
			}
			binary.LittleEndian.PutUint16(knocks[i+2*c:], uint16(int16(v)))
		}
	}
	write(t, dir+"/knocks.wav", knocks)
	for _, c := range []struct {
		name, command string
		channels      int
		rate          string
		within        float64 // LU
		length        float64
	}{
		{"quiet", "sox DIR/src.wav -t wav DIR/out gain -15", 2, "44100", 0.3, 7.3},
		{"hot", "sox -D DIR/src.wav -t wav DIR/out gain 8", 2, "44100", 0.3, 7.3},
		{"knocks that need a limiter", "sox DIR/knocks.wav -t wav DIR/out", 2, "44100", 1, 8},
		{"mono MP3 with tags", "lame --quiet -b 64 --tt Secret --ta Somebody DIR/mono.wav DIR/out", 1, "22050", 0.3, 5.1},
		{"5.1", "flac --silent --channel-map=none -o DIR/out DIR/six.wav", 2, "48000", 0.5, 4.2},
		{"96 kHz", "sox DIR/src.wav -r 96000 -b 24 -t wav DIR/out", 2, "48000", 0.3, 7.3},
		{"88.2 kHz", "sox DIR/src.wav -r 88200 -b 24 -t wav DIR/out", 2, "44100", 0.3, 7.3},
		{"an odd rate", "sox DIR/mono.wav -r 9000 -t wav DIR/out", 1, "11025", 0.5, 5.1},
		{"Opus", "opusenc --quiet --title Secret DIR/src.wav DIR/out", 2, "48000", 0.3, 7.3},
	} {
		t.Run(c.name, func(t *testing.T) {
			os.Remove(dir + "/out")
			run(t, in(dir, c.command)...)
			path := level(t, load(t, dir+"/out"), -16, -1.5)
			lufs, peak := meter(t, path)
			t.Logf("%.1f LUFS, %.1f dBTP", lufs, peak)
			if math.Abs(lufs+16) > c.within || peak > -1.5 {
				t.Errorf("%.1f LUFS, %.1f dBTP", lufs, peak)
			}
			said := run(t, "ffprobe", "-v", "error", "-show_entries", "stream=codec_name,profile,sample_rate,channels,bit_rate:format_tags", "-of", "default=nw=1", path)
			for _, want := range []string{"codec_name=aac", "profile=LC", "sample_rate=" + c.rate, "channels=" + strconv.Itoa(c.channels)} {
				if !strings.Contains(said, want) {
					t.Errorf("no %s in %s", want, said)
				}
			}
			b := load(t, path)
			if bytes.Contains(b, []byte("Secret")) || bytes.Contains(b, []byte("Somebody")) || bytes.Contains(b, []byte("Lavf")) || bytes.Contains(b, []byte("Lavc")) {
				t.Error("it has tags")
			}
			if moov, mdat := bytes.Index(b, []byte("moov")), bytes.Index(b, []byte("mdat")); moov < 0 || mdat < moov {
				t.Errorf("moov at %d, mdat at %d", moov, mdat)
			}
			if seconds, _ := truth(t, path); math.Abs(seconds-c.length) > 0.1 {
				t.Errorf("%.3f s, want %.3f", seconds, c.length)
			}
			if is, _, err := read(b, media.SoundArgs{}); err != nil || math.Abs(is.Duration-c.length) > 0.1 || is.BitRate > 210_000 {
				t.Errorf("%+v, %v", is, err)
			}
		})
	}
}

func TestSilenceIsLevelledAsItIs(t *testing.T) {
	silence := append(header(44100, 1, 16, 44100*2), make([]byte, 44100*2)...)
	if _, peak := meter(t, level(t, silence, -16, -1.5)); peak > -90 {
		t.Errorf("%.1f dBTP", peak)
	}
}
