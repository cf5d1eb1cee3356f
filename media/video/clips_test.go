package video_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"picora/media"
	"picora/media/video"
)

var ctx = context.Background()

// clip has ffmpeg make a file of that name in a folder of the test. {} in the words is the folder.
func clip(t testing.TB, name, words string) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, name)
	list := append([]string{"ffmpeg", "-v", "error", "-nostdin", "-y"}, strings.Fields(strings.ReplaceAll(words, "{}", dir))...)
	run(t, list[0], append(list[1:], path)...)
	return path
}

// bars are two seconds of moving pictures with a hum.
const (
	bars    = "-f lavfi -i testsrc2=s=320x180:r=25:d=2 "
	hum     = "-f lavfi -i sine=f=440:r=48000:d=2 "
	quickly = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p "
	aac64   = "-c:a aac -b:a 64k "
)

func load(t testing.TB, path string) video.File {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return memory(b)
}

func memory(b []byte) video.File {
	return video.File{ReaderAt: bytes.NewReader(b), Size: int64(len(b))}
}

// args are what the server would say of a file.
func args(t testing.TB, f video.File) media.VideoArgs {
	t.Helper()
	head := make([]byte, media.SniffLen)
	n, _ := f.ReadAt(head, 0)
	is, err := media.SniffVideo(head[:n])
	if err != nil {
		t.Fatal(err)
	}
	return media.VideoArgs{MIME: is.MIME, MaxPixels: 40_000_000}
}

func look(t testing.TB, path string) (media.Video, error) {
	t.Helper()
	f := load(t, path)
	return video.Look(ctx, f, args(t, f))
}

func quiet(float64) {}
