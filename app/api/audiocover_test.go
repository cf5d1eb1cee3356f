package api_test

import (
	"encoding/binary"
	"hash/crc32"
	"testing"

	"picora/app/apptest"
)

// withCover puts an ID3v2.3 tag with a cover in front of an MP3.
func withCover(mp3 []byte, mime string, data []byte) []byte {
	body := append([]byte("\x00"+mime+"\x00\x03\x00"), data...)
	frame := append(append(binary.BigEndian.AppendUint32([]byte("APIC"), uint32(len(body))), 0, 0), body...)
	n := len(frame)
	return append(append([]byte{'I', 'D', '3', 3, 0, 0, byte(n >> 21), byte(n >> 14 & 127), byte(n >> 7 & 127), byte(n & 127)}, frame...), mp3...)
}

func TestCoversThatMustNotBeOpenedAreRefused(t *testing.T) {
	p := studio(t)
	mp3 := apptest.Encode(t, "a.mp3", 1, "lame", "--quiet", "-t", "IN", "OUT")
	huge := picture(1) // that says so; its checksum is right
	binary.BigEndian.PutUint32(huge[16:], 60_000)
	binary.BigEndian.PutUint32(huge[20:], 60_000)
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	for _, c := range []struct {
		name, mime, has string
		data            []byte
	}{
		{"an SVG", "image/svg+xml", "SVG", []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`)},
		{"an SVG that is called a JPEG", "image/jpeg", "SVG", []byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`)},
		{"a link", "-->", "link", []byte("http://169.254.169.254/")},
		{"a bomb", "image/png", "too large", huge},
	} {
		p.Run(t, scenario{Name: c.name, Method: "POST", URL: "/v1/audio", Body: parts{apptest.File("a.mp3", withCover(mp3, c.mime, c.data))}, Status: 422, Code: "VALIDATION_ERROR", Has: []string{c.has}})
	}
	if b := p.Blobs(); len(b) > 0 {
		t.Errorf("what was refused left %v", b)
	}
	if s := addSound(t, p, "a.mp3", withCover(mp3, "image/png", picture(2))); s.ThumbnailURL == "" {
		t.Error("the file is refused for its tag, not for what is in it")
	}
}
