package apptest

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// WAV is a sound of 440 Hz, 16 bits, 44,100 samples a second, at half the full scale;
// another for each seed.
func WAV(seconds float64, channels int, seed int) []byte {
	const rate = 44100
	n := int(seconds * rate)
	var b bytes.Buffer
	size := uint32(n * channels * 2)
	le := func(v ...any) {
		for _, x := range v {
			binary.Write(&b, binary.LittleEndian, x) // a bytes.Buffer does not fail
		}
	}
	le([]byte("RIFF"), 36+size, []byte("WAVEfmt "), uint32(16), uint16(1), uint16(channels),
		uint32(rate), uint32(rate*channels*2), uint16(channels*2), uint16(16), []byte("data"), size)
	for i := range n {
		v := int16(16384*math.Sin(2*math.Pi*440*float64(i)/rate)) + int16(seed)
		for range channels {
			le(v)
		}
	}
	return b.Bytes()
}

// Encode has a program of Debian's make a file of that name: in args, IN is a WAV of so
// many seconds, and OUT is the file.
func Encode(t testing.TB, name string, seconds float64, args ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.wav"), filepath.Join(dir, name)
	if err := os.WriteFile(in, WAV(seconds, 2, 0), 0o600); err != nil {
		t.Fatal(err)
	}
	named := map[string]string{"IN": in, "OUT": out}
	for i, a := range args {
		if f, ok := named[a]; ok {
			args[i] = f
		}
	}
	if b, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v: %s", args, err, b)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// WithCover puts an ID3v2.3 tag with a cover in front of an MP3.
func WithCover(mp3 []byte, mime string, data []byte) []byte {
	body := append([]byte("\x00"+mime+"\x00\x03\x00"), data...)
	frame := append(append(binary.BigEndian.AppendUint32([]byte("APIC"), uint32(len(body))), 0, 0), body...)
	n := len(frame)
	return append(append([]byte{'I', 'D', '3', 3, 0, 0, byte(n >> 21), byte(n >> 14 & 127), byte(n >> 7 & 127), byte(n & 127)}, frame...), mp3...)
}
