package sound_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"strings"
	"testing"

	"picora/media"
)

// patched is a copy in which something stands some bytes behind where a word is found.
func patched(b []byte, find, put string, behind int) []byte {
	b = bytes.Clone(b)
	at := bytes.Index(b, []byte(find))
	if at < 0 {
		panic("nothing to lie about: " + find)
	}
	copy(b[at+behind:], put)
	return b
}

func TestHeadersThatLieAreNotBelieved(t *testing.T) {
	dir := folder(t)
	run(t, in(dir, "lame --quiet -V 4 DIR/src.wav DIR/a.mp3")...)
	run(t, in(dir, "flac --silent -o DIR/a.flac DIR/src.wav")...)
	run(t, in(dir, "ffmpeg -v error -i DIR/src.wav -c:a aac -f ipod DIR/a.m4a")...)
	run(t, in(dir, "oggenc -Q -o DIR/a.ogg DIR/src.wav")...)
	run(t, in(dir, "ffmpeg -v error -i DIR/src.wav -rf64 always -f wav DIR/rf64.wav")...)
	mp3, flac, m4a, ogg, rf64 := load(t, dir+"/a.mp3"), load(t, dir+"/a.flac"), load(t, dir+"/a.m4a"), load(t, dir+"/a.ogg"), load(t, dir+"/rf64.wav")
	raw := load(t, dir+"/src.wav")
	lastPage := bytes.LastIndex(ogg, []byte("OggS"))
	granule := bytes.Clone(ogg)
	binary.LittleEndian.PutUint64(granule[lastPage+6:], 1<<50)
	seal(granule[lastPage:])
	fewer := bytes.Clone(flac)
	fewer[21], fewer[22], fewer[23], fewer[24], fewer[25] = fewer[21]&0xF0, 0, 0, 0x10, 0
	unknown := bytes.Clone(flac)
	unknown[21], unknown[22], unknown[23], unknown[24], unknown[25] = unknown[21]&0xF0, 0, 0, 0, 0
	for name, b := range map[string][]byte{
		"a Xing header of a million frames":    patched(mp3, "Xing", "\x00\x10\x00\x00", 8),
		"a Xing header of ten frames":          patched(mp3, "Xing", "\x00\x00\x00\x0A", 8),
		"a Xing header of a few bytes":         patched(mp3, "Xing", "\x00\x00\x01\x00", 12),
		"a Xing header of four billion frames": patched(mp3, "Xing", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8),
		"STREAMINFO with fewer samples":        fewer,
		"STREAMINFO without a number":          unknown,
		"mvhd of a year":                       patched(m4a, "mvhd", "\x00\xFF\xFF\xFF", 20),
		"mdhd of a year":                       patched(m4a, "mdhd", "\x00\xFF\xFF\xFF", 20),
		"mdhd of a tenth of the time scale":    patched(m4a, "mdhd", "\x00\x00\x11\x3A", 16),
		"stts of ten times the length":         patched(m4a, "stts", "\x00\x00\x28\x00", 16),
		"a granule of many years":              granule,
		"a RIFF of four gigabytes":             patched(raw, "RIFF", "\xFF\xFF\xFF\xFF", 4),
		"a RIFF of no length":                  patched(raw, "RIFF", "\x00\x00\x00\x00", 4),
		"data of four gigabytes":               patched(raw, "data", "\xFF\xFF\xFF\xFF", 4),
		"data of two gigabytes":                patched(raw, "data", "\xFF\xFF\xFF\x7F", 4),
		"data of no length":                    patched(raw, "data", "\x00\x00\x00\x00", 4),
		"a byte rate of one":                   patched(raw, "fmt ", "\x01\x00\x00\x00", 16),
		"ds64 of an exabyte":                   patched(rf64, "ds64", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x0F", 16),
	} {
		t.Run(name, func(t *testing.T) {
			is, _, err := read(b, media.SoundArgs{MaxSeconds: 9})
			if err != nil || math.Abs(is.Duration-7.3) > 0.1 {
				t.Errorf("%+v, %v, want 7.3 s", is, err)
			}
		})
	}
}

// seal gives a page of Ogg the right checksum (RFC 3533 section 6).
func seal(page []byte) {
	clear(page[22:26])
	var sum uint32
	for _, c := range page {
		sum ^= uint32(c) << 24
		for range 8 {
			if sum&(1<<31) != 0 {
				sum = sum<<1 ^ 0x04C11DB7
			} else {
				sum <<= 1
			}
		}
	}
	binary.LittleEndian.PutUint32(page[22:], sum)
}

func TestRefusals(t *testing.T) {
	dir := folder(t)
	run(t, in(dir, "lame --quiet DIR/src.wav DIR/a.mp3")...)
	run(t, in(dir, "flac --silent -o DIR/a.flac DIR/src.wav")...)
	run(t, in(dir, "ffmpeg -v error -i DIR/src.wav -c:a aac -f adts DIR/a.aac")...)
	run(t, in(dir, "ffmpeg -v error -i DIR/src.wav -c:a aac -f ipod DIR/a.m4a")...)
	run(t, in(dir, "ffmpeg -v error -f lavfi -i testsrc2=s=64x64:d=2 -c:v libx264 -f mp4 DIR/mute.m4a")...)
	run(t, in(dir, "ffmpeg -v error -f lavfi -i testsrc2=s=64x64:d=2 -i DIR/src.wav -shortest -c:v libx264 -c:a aac -f mp4 DIR/film.m4a")...)
	run(t, in(dir, "ffmpeg -v error -i DIR/src.wav -c:a aac -movflags +faststart -f ipod DIR/fast.m4a")...)
	run(t, in(dir, "sox DIR/src.wav DIR/a.aiff")...)
	mp3, flac, m4a := load(t, dir+"/a.mp3"), load(t, dir+"/a.flac"), load(t, dir+"/a.m4a")
	fast := load(t, dir+"/fast.m4a")
	tag := "ID3\x03\x00\x00\x00\x00\x01\x00" + strings.Repeat("\x00", 128)
	broken := bytes.Clone(flac)
	for i := len(broken) - 900; i < len(broken); i++ {
		broken[i] ^= 0x55
	}
	for _, c := range []struct {
		name   string
		b      []byte
		most   int64
		reason string
	}{
		{"nothing", nil, 0, "the file is empty"},
		{"a text called .mp3", []byte(strings.Repeat("This is a text about music.\n", 500)), 0, "not an audio file"},
		{"a text behind a tag", []byte(tag + strings.Repeat("This is a text about music.\n", 500)), 0, "not an audio file"},
		{"a text behind a tag that is longer than the head", []byte("ID3\x03\x00\x00\x00\x00\x40\x00" + strings.Repeat("\x00", 8192) + strings.Repeat("This is a text about music.\n", 500)), 0, "not an audio file"},
		{"text behind the header of a frame", append([]byte("\xFF\xFB\x90\x64"), strings.Repeat("This is a text about music.\n", 500)...), 0, ""},
		{"a tag and nothing else", []byte(tag), 0, "there is no sound in the file, only its tag"},
		{"a tag, zeros and nothing else", []byte(tag + strings.Repeat("\x00", 5000)), 0, ""},
		{"zeros", make([]byte, 10000), 0, "not an audio file"},
		{"raw AAC", load(t, dir+"/a.aac"), 0, "Raw AAC (ADTS) is not taken"},
		{"raw AAC behind a tag", append([]byte(tag), load(t, dir+"/a.aac")...), 0, "Raw AAC (ADTS) is not taken"},
		{"AIFF", load(t, dir+"/a.aiff"), 0, "AIFF files are not taken"},
		{"M4A without sound", load(t, dir+"/mute.m4a"), 0, "upload it as a video"},
		{"M4A with a film", load(t, dir+"/film.m4a"), 0, "upload it as a video"},
		{"half a FLAC", flac[:len(flac)/2], 0, "the file is incomplete: its end is missing"},
		{"a FLAC without its last byte", flac[:len(flac)-1], 0, "the file is incomplete: its end is missing"},
		{"a FLAC whose end is damaged", broken, 0, "the file is incomplete"},
		{"the head of a FLAC", flac[:60], 0, ""},
		{"half an M4A", fast[:len(fast)/2], 0, "the file is incomplete"},
		{"an M4A without its index", m4a[:len(m4a)/2], 0, ""},
		{"the head of a WAV", load(t, dir+"/src.wav")[:44], 0, "there is no sound in the file"},
		{"an Ogg cut in its headers", []byte("OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00"), 0, ""},
		{"too long", mp3, 6, "the sound is 7 s long; the limit is 6 s"},
		{"too many channels", wavOf(70), 0, "which is not supported"},
		{"a rate of one hertz", patched(wav(2, 8000, 1), "fmt ", "\x01\x00\x00\x00", 12), 0, "which is not supported"},
	} {
		t.Run(c.name, func(t *testing.T) {
			is, _, err := read(c.b, media.SoundArgs{MaxSeconds: c.most})
			if !errors.Is(err, media.ErrCorrupt) && !errors.Is(err, media.ErrUnsupported) || !strings.Contains(media.Reason(err), c.reason) || media.Reason(err) == "" {
				t.Errorf("%+v, %v, want %q", is, err, c.reason)
			}
		})
	}
}

// A file that changes on its way is read and measured: FFmpeg's filters would run out of their memory if they saw it.
func TestSoundsThatChange(t *testing.T) {
	dir := folder(t)
	write(t, dir+"/loud.wav", wav(3, 48000, 2))
	for name, commands := range map[string][]string{
		"chained Vorbis":                   {"oggenc -Q -o DIR/a DIR/mono.wav", "oggenc -Q -o DIR/b DIR/six.wav"},
		"chained Opus":                     {"opusenc --quiet DIR/mono.wav DIR/a", "opusenc --quiet DIR/six.wav DIR/b"},
		"MP3 from mono to stereo":          {"lame --quiet -t DIR/mono.wav DIR/a", "lame --quiet -t DIR/src.wav DIR/b"},
		"MP3 from stereo to mono":          {"lame --quiet DIR/src.wav DIR/a", "lame --quiet DIR/mono.wav DIR/b"},
		"MP3 from 44.1 to 48 kHz":          {"lame --quiet -t DIR/src.wav DIR/a", "lame --quiet -t DIR/loud.wav DIR/b"},
		"FLAC in Ogg, stereo and six":      {"flac --silent --ogg -o DIR/a DIR/src.wav", "flac --silent --ogg --channel-map=none -o DIR/b DIR/six.wav"},
		"Vorbis, and Opus of another size": {"oggenc -Q -o DIR/a DIR/src.wav", "opusenc --quiet DIR/six.wav DIR/b"},
	} {
		t.Run(name, func(t *testing.T) {
			var all []byte
			for i, c := range commands {
				out := dir + "/" + string("ab"[i])
				os.Remove(out)
				run(t, in(dir, c)...)
				all = append(all, load(t, out)...)
			}
			is, _, err := read(all, media.SoundArgs{})
			if err != nil || is.Duration < 4 || is.Duration > 13 {
				t.Errorf("%+v, %v", is, err)
			}
			m, w := measure(t, all)
			if m.Silent || w.Length == 0 {
				t.Errorf("%+v", m)
			}
			level(t, all, -16, -1.5)
			t.Logf("%.2f s, %+v", is.Duration, m)
		})
	}
	run(t, in(dir, "ffmpeg -v error -i DIR/src.wav -c:a pcm_s16le -f mov DIR/pcm.mov")...)
	pcm := bytes.ReplaceAll(load(t, dir+"/pcm.mov"), []byte("ftypqt  "), []byte("ftypM4A "))
	pcm = bytes.Replace(pcm, []byte("qt  "), []byte("isom"), 1)
	if is, _, err := read(pcm, media.SoundArgs{}); err != nil || math.Abs(is.Duration-7.3) > 0.1 || math.Abs(float64(is.BitRate)-1411200) > 28000 {
		t.Errorf("PCM in MP4: %+v, %v", is, err)
	}
}

// wavOf is a WAV of many channels.
func wavOf(channels int) []byte {
	return append(header(48000, channels, 16, uint32(channels*2*4800)), make([]byte, channels*2*4800)...)
}
