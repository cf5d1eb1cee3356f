package video_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"picora/media"
	"picora/media/video"
)

var ctx = context.Background()

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

// film has ffmpeg make a file of that name in a folder of the test. {} in the words is the folder.
func film(t testing.TB, name, words string) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, name)
	list := append([]string{"ffmpeg", "-v", "error", "-nostdin", "-y"}, strings.Fields(strings.ReplaceAll(words, "{}", dir))...)
	run(t, append(list, path)...)
	return path
}

// bars are two seconds of moving pictures with a tone.
const (
	bars   = "-f lavfi -i testsrc2=s=320x180:r=25:d=2 "
	tone   = "-f lavfi -i sine=f=440:r=48000:d=2 "
	small  = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p "
	spoken = "-c:a aac -b:a 64k "
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
