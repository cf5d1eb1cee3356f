package sound_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"strings"
	"testing"

	"picora/media"
)

// painted is a PNG of noise, of about 4 bytes a pixel.
func painted(w, h int) []byte {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	r := rand.New(rand.NewPCG(3, 4))
	for i := range m.Pix {
		m.Pix[i] = byte(r.Uint32())
	}
	for x := range w / 2 {
		for y := range h {
			m.SetNRGBA(x, y, color.NRGBA{255, 0, 0, 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// bomb is a PNG that says it is huge.
func bomb() []byte {
	b := painted(4, 4)
	binary.BigEndian.PutUint32(b[16:], 60_000)
	binary.BigEndian.PutUint32(b[20:], 60_000)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

// tagged puts an ID3v2.3 tag with a cover in front of an MP3.
func tagged(mp3 []byte, mime string, data []byte) []byte {
	body := append([]byte("\x00"+mime+"\x00\x03\x00"), data...)
	frame := append(binary.BigEndian.AppendUint32([]byte("APIC"), uint32(len(body))), 0, 0)
	frame = append(frame, body...)
	n := len(frame)
	head := []byte{'I', 'D', '3', 3, 0, 0, byte(n >> 21), byte(n >> 14 & 127), byte(n >> 7 & 127), byte(n & 127)}
	return append(append(head, frame...), mp3...)
}

func TestCovers(t *testing.T) {
	dir := folder(t)
	write(t, dir+"/red.png", painted(1400, 1200)) // more than 3 MB
	write(t, dir+"/small.png", painted(300, 200))
	run(t, in(dir, "lame --quiet -t DIR/src.wav DIR/bare.mp3")...)
	run(t, in(dir, "flac --silent --picture=DIR/red.png -o DIR/a.flac DIR/src.wav")...)
	run(t, in(dir, "ffmpeg -v error -i DIR/src.wav -i DIR/small.png -map 0 -map 1 -c:a aac -c:v copy -disposition:v attached_pic -f ipod DIR/a.m4a")...)
	run(t, in(dir, "ffmpeg -v error -i DIR/src.wav -i DIR/small.png -map 0 -map 1 -c:a libmp3lame -c:v copy -id3v2_version 4 DIR/v4.mp3")...)
	run(t, in(dir, "opusenc --quiet --picture DIR/small.png DIR/src.wav DIR/a.opus")...)
	mp3, flac := load(t, dir+"/bare.mp3"), load(t, dir+"/a.flac")
	for name, c := range map[string]struct {
		b    []byte
		w, h int
	}{
		"MP3 with a cover of five megabytes": {tagged(mp3, "image/png", painted(1300, 1700)), 765, 1000},
		"FLAC":                               {flac, 1000, 857},
		"FLAC behind a tag":                  {tagged(flac, "image/png", painted(40, 30)), 40, 30},
		"M4A":                                {load(t, dir+"/a.m4a"), 300, 200},
		"Opus":                               {load(t, dir+"/a.opus"), 300, 200},
		"MP3 with ID3v2.4":                   {load(t, dir+"/v4.mp3"), 300, 200},
	} {
		t.Run(name, func(t *testing.T) {
			is, out, err := read(c.b, media.SoundArgs{})
			if err != nil || !is.Cover || is.Duration < 7.2 || is.Duration > 7.4 {
				t.Fatalf("%+v, %v", is, err)
			}
			m, err := jpeg.Decode(bytes.NewReader(out))
			if err != nil || m.Bounds().Dx() != c.w || m.Bounds().Dy() != c.h {
				t.Fatalf("%v, %v", m.Bounds(), err)
			}
			if r, g, b, _ := m.At(c.w/8, c.h/2).RGBA(); r < 0xE000 || g > 0x2000 || b > 0x2000 {
				t.Errorf("the colour is %x %x %x", r, g, b)
			}
			if bytes.Contains(out, []byte("Exif")) {
				t.Error("it has metadata")
			}
		})
	}
	for name, c := range map[string]struct {
		b      []byte
		reason string
	}{
		"an SVG":                       {tagged(mp3, "image/svg+xml", []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`)), "the cover in the file is an SVG"},
		"an SVG that is called a JPEG": {tagged(mp3, "image/jpeg", []byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`)), "the cover in the file is an SVG"},
		"an SVG in a FLAC":             {withPicture(flac, "image/svg+xml", []byte("<svg/>")), "the cover in the file is an SVG"},
		"a link":                       {tagged(mp3, "-->", []byte("http://169.254.169.254/")), "the cover in the file is a link"},
		"a link in a FLAC":             {withPicture(flac, "-->", []byte("file:///etc/passwd")), "the cover in the file is a link"},
		"a bomb":                       {tagged(mp3, "image/png", bomb()), "the cover in the file is too large: the picture has 60000 x 60000 pixels"},
		"a bomb in a FLAC":             {withPicture(flac, "image/png", bomb()), "the cover in the file is too large"},
	} {
		t.Run(name, func(t *testing.T) {
			is, out, err := read(c.b, media.SoundArgs{})
			if !errors.Is(err, media.ErrUnsupported) || !strings.Contains(media.Reason(err), c.reason) || len(out) > 0 {
				t.Errorf("%+v, %v, want %q", is, err, c.reason)
			}
		})
	}
	for name, b := range map[string][]byte{
		"a damaged picture": tagged(mp3, "image/png", painted(40, 40)[:900]),
		"no picture":        tagged(mp3, "image/jpeg", []byte("this is no picture at all")),
		"an empty picture":  tagged(mp3, "image/jpeg", nil),
	} {
		t.Run(name+" is left out", func(t *testing.T) {
			if is, out, err := read(b, media.SoundArgs{}); err != nil || is.Cover || len(out) > 0 || is.Duration < 7 {
				t.Errorf("%+v, %v", is, err)
			}
		})
	}
}

// withPicture puts a picture's block behind STREAMINFO.
func withPicture(flac []byte, mime string, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, 3)
	b = append(binary.BigEndian.AppendUint32(b, uint32(len(mime))), mime...)
	b = append(b, make([]byte, 20)...)
	b = append(binary.BigEndian.AppendUint32(b, uint32(len(data))), data...)
	head := []byte{6, byte(len(b) >> 16), byte(len(b) >> 8), byte(len(b))}
	out := append(bytes.Clone(flac[:42]), head...)
	return append(append(out, b...), flac[42:]...)
}

func TestTagsOfRealFiles(t *testing.T) {
	dir := folder(t)
	write(t, dir+"/chapters.txt", []byte(";FFMETADATA1\ntitle=Ein Titel 标题\nartist=Somebody\nalbum=Disc\ngenre=Jazz\ntrack=3/9\ndate=2019\n"+
		"[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=2500\ntitle=Intro\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=2500\nEND=7300\ntitle=第二章\n"))
	run(t, in(dir, "lame --quiet DIR/src.wav DIR/plain.mp3")...)
	run(t, "id3v2", "-1", "-t", "Ein Titel", "-a", "Somebody", "-A", "Disc", "-y", "2019", "-T", "3", "-g", "8", dir+"/plain.mp3")
	run(t, "flac", "--silent", "-o", dir+"/a.flac", "-T", "TITLE=Ein Titel 标题", "-T", "ARTIST=Somebody", "-T", "ALBUM=Disc", "-T", "GENRE=Jazz", "-T", "TRACKNUMBER=3", "-T", "DATE=2019-01-01", dir+"/src.wav")
	run(t, "oggenc", "-Q", "-o", dir+"/a.ogg", "-t", "Ein Titel 标题", "-a", "Somebody", "-l", "Disc", "-G", "Jazz", "-N", "3", "-d", "2019", dir+"/src.wav")
	run(t, "opusenc", "--quiet", "--title", "Ein Titel 标题", "--artist", "Somebody", "--album", "Disc", "--genre", "Jazz", "--tracknumber", "3", "--date", "2019", dir+"/src.wav", dir+"/a.opus")
	for _, o := range []string{"-c:a libmp3lame -id3v2_version 3 DIR/v3.mp3", "-c:a libmp3lame -id3v2_version 4 DIR/v4.mp3", "-c:a aac -f ipod DIR/a.m4a", "-c:a alac -f mov -brand M4A DIR/q.m4a", "-c:a pcm_s16le DIR/a.wav"} {
		run(t, in(dir, "ffmpeg -v error -i DIR/src.wav -i DIR/chapters.txt -map_metadata 1 -map_chapters 1 -map 0:a "+o)...)
	}
	run(t, in(dir, "ffmpeg -v error -i DIR/a.m4a -c copy -map_chapters -1 -f ipod DIR/bare.m4a")...)
	for _, c := range []struct {
		file, title string
		chapters    int
	}{
		{"plain.mp3", "Ein Titel", 0}, {"v3.mp3", "Ein Titel 标题", 2}, {"v4.mp3", "Ein Titel 标题", 2}, {"a.flac", "Ein Titel 标题", 0},
		{"a.ogg", "Ein Titel 标题", 0}, {"a.opus", "Ein Titel 标题", 0}, {"a.m4a", "Ein Titel 标题", 2}, {"bare.m4a", "Ein Titel 标题", 0}, {"a.wav", "Ein Titel 标题", 0},
	} {
		t.Run(c.file, func(t *testing.T) {
			is, _, err := read(load(t, dir+"/"+c.file), media.SoundArgs{})
			if err != nil || is.Title != c.title || is.Artist != "Somebody" || is.Album != "Disc" || is.Genre != "Jazz" || is.Track != 3 || is.Year != 2019 {
				t.Fatalf("%+v, %v", is, err)
			}
			if len(is.Chapters) != c.chapters {
				t.Fatalf("%+v", is.Chapters)
			}
			if c.chapters > 0 && (is.Chapters[0] != media.Chapter{End: 2.5, Title: "Intro"} || is.Chapters[1].Title != "第二章" || is.Chapters[1].Start != 2.5 || is.Chapters[1].End < 7.29 || is.Chapters[1].End > 7.4) {
				t.Errorf("%+v", is.Chapters)
			}
		})
	}
	late := load(t, dir+"/v3.mp3") // chapters that cannot be: behind the end
	at := bytes.LastIndex(late, []byte("CHAP")) + 10
	at += bytes.IndexByte(late[at:], 0) + 1
	copy(late[at:], "\x7F\xFF\xFF\xFF\x7F\xFF\xFF\xFF")
	if is, _, err := read(late, media.SoundArgs{}); err != nil || len(is.Chapters) != 1 {
		t.Errorf("%+v, %v", is, err)
	}
}
