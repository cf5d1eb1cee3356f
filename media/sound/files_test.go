package sound_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"picora/media"
	"picora/media/sound"
)

// run runs a command of Debian's; "make test" installs them.
func run(t testing.TB, command ...string) string {
	t.Helper()
	var said bytes.Buffer
	c := exec.Command(command[0], command[1:]...)
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, said.String())
	}
	return string(out) + said.String()
}

// wav is a file of 16 bits with noise and tones that get louder and softer.
func wav(seconds float64, rate, channels int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	n := int(seconds * float64(rate))
	b := header(rate, channels, 16, uint32(n*channels*2))
	low := make([]float64, channels)
	for i := range n {
		at := float64(i) / float64(rate)
		loud := 0.15 + 0.1*math.Sin(at)
		for c := range channels {
			low[c] = 0.95*low[c] + 0.05*r.NormFloat64()
			v := loud * (2*low[c] + math.Sin(2*math.Pi*float64(330+110*c)*at))
			b = binary.LittleEndian.AppendUint16(b, uint16(int16(32767*max(-1, min(1, v)))))
		}
	}
	return b
}

// header is that of a WAV of integers, whose data has so many bytes, or says so.
func header(rate, channels, bits int, data uint32) []byte {
	b := binary.LittleEndian.AppendUint32([]byte("RIFF"), data+36)
	b = binary.LittleEndian.AppendUint32(append(b, "WAVEfmt "...), 16)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint16(b, uint16(channels))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate*channels*bits/8))
	b = binary.LittleEndian.AppendUint16(b, uint16(channels*bits/8))
	b = binary.LittleEndian.AppendUint16(b, uint16(bits))
	return binary.LittleEndian.AppendUint32(append(b, "data"...), data)
}

// folder is one with src.wav (44.1 kHz, stereo), mono.wav (22.05 kHz) and six.wav (48 kHz, 5.1).
func folder(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir+"/src.wav", wav(7.3, 44100, 2))
	write(t, dir+"/mono.wav", wav(5.1, 22050, 1))
	write(t, dir+"/six.wav", wav(4.2, 48000, 6))
	return dir
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func load(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// in replaces DIR in a command.
func in(dir string, command string) []string {
	return strings.Fields(strings.ReplaceAll(command, "DIR", dir))
}

var ctx = context.Background()

func quiet(float64) {}

// read does the job as the worker does it, after the server has told the type.
func read(b []byte, args media.SoundArgs) (media.Sound, []byte, error) {
	t, err := media.SniffSound(b[:min(len(b), media.SniffLen)])
	if err != nil {
		return media.Sound{}, nil, err
	}
	args.MIME = t.MIME
	if args.MaxPixels == 0 {
		args.MaxPixels = 10_000_000
	}
	var out bytes.Buffer
	is, err := sound.Read(ctx, file(b), args, &out, quiet)
	return is, out.Bytes(), err
}

func file(b []byte) sound.File { return sound.File{ReaderAt: bytes.NewReader(b), Size: int64(len(b))} }

func args(t testing.TB, b []byte) media.SoundArgs {
	t.Helper()
	is, err := media.SniffSound(b[:min(len(b), media.SniffLen)])
	if err != nil {
		t.Fatal(err)
	}
	return media.SoundArgs{MIME: is.MIME, MaxPixels: 10_000_000}
}

// truth is what ffmpeg decodes and ffprobe's packets say.
func truth(t testing.TB, path string) (seconds, bitRate float64) {
	t.Helper()
	var probed struct {
		Streams []struct {
			Rate     string `json:"sample_rate"`
			Channels int    `json:"channels"`
		}
		Packets []struct{ Size string }
	}
	if err := json.Unmarshal([]byte(run(t, "ffprobe", "-v", "quiet", "-select_streams", "a:0", "-show_entries", "packet=size:stream=sample_rate,channels", "-of", "json", path)), &probed); err != nil {
		t.Fatal(err)
	}
	bytes := 0
	for _, p := range probed.Packets {
		n, _ := strconv.Atoi(p.Size)
		bytes += n
	}
	rate, _ := strconv.Atoi(probed.Streams[0].Rate)
	c := exec.Command("ffmpeg", "-v", "quiet", "-i", path, "-map", "0:a:0", "-f", "s16le", "-")
	pipe, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, pipe)
	if err != nil || c.Wait() != nil {
		t.Fatal(err)
	}
	seconds = float64(n) / float64(2*probed.Streams[0].Channels*rate)
	return seconds, float64(bytes) * 8 / seconds
}
