package api_test

import (
	"encoding/binary"
	"hash/crc32"
	"testing"

	"picora/app/apptest"
)

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
		p.Run(t, scenario{Name: c.name, Method: "POST", URL: "/v1/audio", Body: parts{apptest.File("a.mp3", apptest.WithCover(mp3, c.mime, c.data))}, Status: 422, Code: "VALIDATION_ERROR", Has: []string{c.has}})
	}
	if b := p.Blobs(); len(b) > 0 {
		t.Errorf("what was refused left %v", b)
	}
	if s := addSound(t, p, "a.mp3", apptest.WithCover(mp3, "image/png", picture(2))); s.ThumbnailURL == "" {
		t.Error("the file is refused for its tag, not for what is in it")
	}
}
