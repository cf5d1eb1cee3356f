package sound_test

import (
	"errors"
	"math"
	"os"
	"testing"

	"picora/media"
	"picora/media/sound"
)

// FuzzSound has anything read, measured and levelled: no crash, and every refusal is one of the file.
func FuzzSound(f *testing.F) {
	dir := f.TempDir()
	write(f, dir+"/src.wav", wav(0.6, 8000, 1))
	for _, c := range []string{
		"lame --quiet -b 8 --tt x DIR/src.wav DIR/out", "flac --silent -o DIR/out DIR/src.wav", "oggenc -Q -o DIR/out DIR/src.wav", "opusenc --quiet DIR/src.wav DIR/out",
		"ffmpeg -v error -i DIR/src.wav -c:a aac -f ipod DIR/out", "sox DIR/src.wav -t wav DIR/out",
	} {
		os.Remove(dir + "/out")
		run(f, in(dir, c)...)
		f.Add(load(f, dir+"/out"))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		is, _, err := read(b, media.SoundArgs{MaxPixels: 1 << 16, MaxSeconds: 60})
		if err != nil {
			blame(t, err)
			return
		}
		if !(is.Duration > 0 && is.Duration < 62) || is.BitRate < 0 || is.Channels < 1 || is.SampleRate < 1 || len(is.Chapters) > media.MaxChapters {
			t.Fatalf("%+v", is)
		}
		m, w := func() (m media.Measure, n int) {
			var out counter
			m, err = sound.Measure(ctx, file(b), args(t, b), &out, quiet)
			return m, int(out)
		}()
		if err != nil {
			blame(t, err)
			return
		}
		if w > media.MaxWaveform || math.IsNaN(m.Loudness) || math.IsInf(m.TruePeak, 0) {
			t.Fatalf("%+v, %d bytes", m, w)
		}
		out, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		if err := sound.Level(ctx, file(b), media.LevelArgs{Sound: args(t, b), Measure: m, Target: -16, Peak: -1.5}, out, quiet); err != nil {
			blame(t, err)
		}
	})
}

type counter int

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

func blame(t *testing.T, err error) {
	t.Helper()
	for _, kind := range []error{media.ErrCorrupt, media.ErrUnsupported, media.ErrTooManyPixels} {
		if errors.Is(err, kind) && media.Reason(err) != "" {
			return
		}
	}
	t.Fatal(err)
}
