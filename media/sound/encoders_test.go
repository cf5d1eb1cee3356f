package sound_test

import (
	"math"
	"os"
	"testing"

	"picora/media"
)

// What real encoders make. DIR is the folder.
var encoded = []struct {
	name, command string
	mime, codec   string
	channels      int
}{
	{"lame CBR", "lame --quiet -b 128 DIR/src.wav DIR/out", "audio/mpeg", "mp3", 2},
	{"lame CBR without Xing", "lame --quiet -t -b 128 DIR/src.wav DIR/out", "audio/mpeg", "mp3", 2},
	{"lame VBR", "lame --quiet -V 4 DIR/src.wav DIR/out", "audio/mpeg", "mp3", 2},
	{"lame VBR without Xing", "lame --quiet -t -V 4 DIR/src.wav DIR/out", "audio/mpeg", "mp3", 2},
	{"lame ABR", "lame --quiet --abr 110 DIR/src.wav DIR/out", "audio/mpeg", "mp3", 2},
	{"lame mono 22.05 kHz", "lame --quiet -V 6 DIR/mono.wav DIR/out", "audio/mpeg", "mp3", 1},
	{"lame 8 kHz, MPEG 2.5", "lame --quiet --resample 8 -b 16 DIR/mono.wav DIR/out", "audio/mpeg", "mp3", 1},
	{"lame with checksums", "lame --quiet -p -b 192 DIR/src.wav DIR/out", "audio/mpeg", "mp3", 2},
	{"lame ID3v1", "lame --quiet --id3v1-only --tt Title DIR/src.wav DIR/out", "audio/mpeg", "mp3", 2},
	{"flac", "flac --silent -o DIR/out DIR/src.wav", "audio/flac", "flac", 2},
	{"flac, level 8, small blocks", "flac --silent -8 --blocksize=576 -o DIR/out DIR/src.wav", "audio/flac", "flac", 2},
	{"flac 5.1", "flac --silent --channel-map=none -o DIR/out DIR/six.wav", "audio/flac", "flac", 6},
	{"flac in Ogg", "flac --silent --ogg -o DIR/out DIR/src.wav", "audio/ogg", "flac", 2},
	{"ffmpeg AAC", "ffmpeg -v error -i DIR/src.wav -c:a aac -b:a 128k -f ipod DIR/out", "audio/mp4", "aac", 2},
	{"ffmpeg AAC, faststart", "ffmpeg -v error -i DIR/src.wav -c:a aac -movflags faststart -f mp4 DIR/out", "audio/mp4", "aac", 2},
	{"ffmpeg AAC, fragmented", "ffmpeg -v error -i DIR/src.wav -c:a aac -movflags frag_keyframe+empty_moov -f mp4 DIR/out", "audio/mp4", "aac", 2},
	{"ffmpeg AAC 5.1", "ffmpeg -v error -i DIR/six.wav -c:a aac -f ipod DIR/out", "audio/mp4", "aac", 6},
	{"ffmpeg ALAC", "ffmpeg -v error -i DIR/src.wav -c:a alac -f ipod DIR/out", "audio/mp4", "alac", 2},
	{"oggenc", "oggenc -Q -q 5 -o DIR/out DIR/src.wav", "audio/ogg", "vorbis", 2},
	{"oggenc mono", "oggenc -Q -q 1 -o DIR/out DIR/mono.wav", "audio/ogg", "vorbis", 1},
	{"oggenc 5.1", "oggenc -Q -o DIR/out DIR/six.wav", "audio/ogg", "vorbis", 6},
	{"opusenc", "opusenc --quiet DIR/src.wav DIR/out", "audio/ogg", "opus", 2},
	{"opusenc speech", "opusenc --quiet --bitrate 16 --framesize 60 DIR/mono.wav DIR/out", "audio/ogg", "opus", 1},
	{"opusenc 5.1", "opusenc --quiet DIR/six.wav DIR/out", "audio/ogg", "opus", 6},
	{"sox 16 bits", "sox DIR/src.wav -t wav DIR/out", "audio/wav", "pcm_s16le", 2},
	{"sox 8 bits", "sox DIR/src.wav -b 8 -t wav DIR/out", "audio/wav", "pcm_u8", 2},
	{"sox 24 bits", "sox DIR/src.wav -b 24 -t wav DIR/out", "audio/wav", "pcm_s24le", 2},
	{"sox 32 bits", "sox DIR/src.wav -b 32 -t wav DIR/out", "audio/wav", "pcm_s32le", 2},
	{"sox float", "sox DIR/src.wav -e floating-point -b 32 -t wav DIR/out", "audio/wav", "pcm_f32le", 2},
	{"sox doubles", "sox DIR/src.wav -e floating-point -b 64 -t wav DIR/out", "audio/wav", "pcm_f64le", 2},
	{"sox A-law", "sox DIR/mono.wav -e a-law -t wav DIR/out", "audio/wav", "pcm_alaw", 1},
	{"sox IMA ADPCM", "sox DIR/mono.wav -e ima-adpcm -t wav DIR/out", "audio/wav", "adpcm_ima_wav", 1},
	{"sox MS ADPCM", "sox DIR/mono.wav -e ms-adpcm -t wav DIR/out", "audio/wav", "adpcm_ms", 1},
	{"sox 96 kHz", "sox DIR/src.wav -r 96000 -b 24 -t wav DIR/out", "audio/wav", "pcm_s24le", 2},
	{"sox 5.1", "sox DIR/six.wav -t wav DIR/out", "audio/wav", "pcm_s16le", 6},
	{"ffmpeg RF64", "ffmpeg -v error -i DIR/src.wav -c:a pcm_s24le -rf64 always -f wav DIR/out", "audio/wav", "pcm_s24le", 2},
}

func TestEveryEncodersLengthAndBitRateAreTrue(t *testing.T) {
	dir := folder(t)
	for _, c := range encoded {
		t.Run(c.name, func(t *testing.T) {
			os.Remove(dir + "/out")
			run(t, in(dir, c.command)...)
			is, _, err := read(load(t, dir+"/out"), media.SoundArgs{})
			if err != nil {
				t.Fatal(err)
			}
			seconds, rate := truth(t, dir+"/out")
			if math.Abs(is.Duration-seconds) > 0.1 || seconds < 4 {
				t.Errorf("%.4f s, want %.4f", is.Duration, seconds)
			}
			if math.Abs(float64(is.BitRate)-rate) > rate*0.02 {
				t.Errorf("%d bit/s, want %.0f", is.BitRate, rate)
			}
			if is.MIME != c.mime || is.Codec != c.codec || is.Channels != c.channels || is.SampleRate < 8000 || is.Cover {
				t.Errorf("%+v", is)
			}
			t.Logf("%.4f s of %.4f, %d bit/s of %.0f", is.Duration, seconds, is.BitRate, rate)
		})
	}
}
