package corpus

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Crowds are files with too much of something that is small. They take long.
func Crowds(t testing.TB) []Hostile {
	whole := Get("behind.mp4").Bytes(t)
	var trak []byte
	change(whole, "moov/trak", func(c []byte) []byte { trak = c; return c })
	many := change(whole, "moov", func(c []byte) []byte { return slices.Concat(c, bytes.Repeat(box("trak", trak), 1000)) })
	mkv := Get("opus.mkv").Bytes(t)
	var chapters, tags, attachments [][]byte
	for n := range 20_000 {
		chapters = append(chapters, element("\xB6", element("\x73\xC4", be32(0, uint32(n+1))), element("\x91", be32(0, uint32(n))), element("\x80", element("\x85", []byte(strings.Repeat("x", 20))))))
		tags = append(tags, element("\x73\x73", element("\x63\xC0"), element("\x67\xC8", element("\x45\xA3", fmt.Appendf(nil, "K%d", n)), element("\x44\x87", []byte("v")))))
	}
	for range 2000 {
		attachments = append(attachments, element("\x61\xA7", element("\x46\x6E", []byte("a.jpg")), element("\x46\x60", []byte("image/jpeg")), element("\x46\x5C", []byte("\xFF\xD8\xFF")), element("\x46\xAE", []byte{9})))
	}
	title := element("\x12\x54\xC3\x67", element("\x73\x73", element("\x63\xC0"), element("\x67\xC8", element("\x45\xA3", []byte("TITLE")), element("\x44\x87", bytes.Repeat([]byte("title "), 1<<20)))))
	return []Hostile{
		{"crowd-tracks.mp4", many, false},
		{"crowd-chapters.mkv", behindHead(mkv, element("\x10\x43\xA7\x70", element("\x45\xB9", chapters...))), false},
		{"crowd-tags.mkv", behindHead(mkv, element("\x12\x54\xC3\x67", tags...)), false},
		{"crowd-attachments.mkv", behindHead(mkv, element("\x19\x41\xA4\x69", attachments...)), false},
		{"crowd-title.mkv", behindHead(mkv, title), false},
		{"crowd-cues.mkv", cues(t, 50_000, "words"), false},
		{"crowd-words.mkv", cues(t, 3, strings.Repeat("{\\i1}words ", 300_000)), false},
	}
}

// cues is a film of two seconds with that many captions.
func cues(t testing.TB, n int, text string) []byte {
	dir := t.TempDir()
	var ass strings.Builder
	ass.WriteString("[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\nStyle: Default,Arial,20\n\n[Events]\nFormat: Layer, Start, End, Style, Text\n")
	for i := range n {
		fmt.Fprintf(&ass, "Dialogue: 0,0:00:%02d.%02d,0:00:59.00,Default,%s\n", i/100%60, i%100, text)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.ass"), []byte(ass.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "cues.mkv")
	if _, err := ffmpeg(join(picture(64, 36, "25", 2), []string{"-i", dir + "/a.ass", "-map", "0", "-map", "1"}, x264(), []string{"-c:s", "copy", path})...); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
