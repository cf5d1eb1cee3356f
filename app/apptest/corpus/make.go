package corpus

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// File makes the case's file, once, and returns its path. The file stays for other test
// processes: its folder is named after all that it was made by.
func (c Case) File(t testing.TB) string {
	t.Helper()
	path, err := c.file()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Bytes is what is in the file.
func (c Case) Bytes(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(c.File(t))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// making has at most two files made at a time, and files the outcomes.
var making = struct {
	slots chan struct{}
	mu    sync.Mutex
	made  map[string]func() (string, error) // by the case's name
}{slots: make(chan struct{}, 2), made: map[string]func() (string, error){}}

func (c Case) file() (string, error) {
	making.mu.Lock()
	do, known := making.made[c.Name]
	if !known {
		do = sync.OnceValues(c.make)
		making.made[c.Name] = do
	}
	making.mu.Unlock()
	return do()
}

func (c Case) make() (string, error) {
	sources, err := c.sources()
	if err != nil {
		return "", err
	}
	args := c.arguments(sources)
	sum := sha256.Sum256([]byte(strings.Join(args, "\x00") + beside()))
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("picora-corpus-%d", os.Getuid()), hex.EncodeToString(sum[:8]))
	if err := beginDir(dir); err != nil {
		return "", err
	}
	path := filepath.Join(dir, c.Name)
	if c.Edit == nil {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	making.slots <- struct{}{}
	defer func() { <-making.slots }()
	mine := filepath.Join(dir, fmt.Sprintf("%d-%s", os.Getpid(), c.Name)) // with the extension, which ffmpeg goes by
	defer os.Remove(mine)
	if err := c.write(mine, dir, args, sources); err != nil {
		return "", fmt.Errorf("%s: %w", c.Name, err)
	}
	return path, os.Rename(mine, path)
}

// write makes the file at that path.
func (c Case) write(path, dir string, args, sources []string) error {
	if len(args) == 0 {
		var all [][]byte
		for _, s := range sources {
			b, err := os.ReadFile(s)
			if err != nil {
				return err
			}
			all = append(all, b)
		}
		if err := os.WriteFile(path, bytes.Join(all, nil), 0o600); err != nil {
			return err
		}
	} else {
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "DIR", dir)
		}
		if _, err := ffmpeg(append(args, path)...); err != nil {
			return err
		}
	}
	if c.Edit == nil {
		return nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, c.Edit(b), 0o600)
}

// sources are the files of the cases that this one is made of.
func (c Case) sources() (paths []string, err error) {
	for _, name := range []string{c.From, c.Then} {
		if name == "" {
			continue
		}
		path, err := Get(name).file()
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

func (c Case) arguments(sources []string) []string {
	if c.From == "" || len(c.Args) == 0 {
		return c.Args
	}
	return join(c.Before, []string{"-i", sources[0]}, c.Args)
}

// ffmpeg runs Debian's, with one thread: a file is the same each time.
func ffmpeg(args ...string) ([]byte, error) {
	return run("ffmpeg", append([]string{"-nostdin", "-v", "error", "-y", "-threads", "1"}, args...)...)
}

// run runs a program and returns what it printed.
func run(program string, args ...string) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s %s: %w: %.2000s", program, strings.Join(args, " "), err, stderr.Bytes())
	}
	return stdout.Bytes(), nil
}

// What is put into films beside pictures and sound.
var besides = map[string]string{
	"a.srt": "1\n00:00:00,500 --> 00:00:01,500\nFirst <i>words</i>\n\n2\n00:00:02,600 --> 00:00:03,400\nSecond\nin two lines – 第二\n",
	"a.vtt": "WEBVTT\n\n00:00.500 --> 00:01.500\nFirst <i>words</i>\n\n00:02.600 --> 00:03.400\nSecond\nin two lines – 第二\n",
	"a.ass": "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\nStyle: Default,Arial,20\n\n[Events]\nFormat: Layer, Start, End, Style, Text\n" +
		"Dialogue: 0,0:00:00.50,0:00:01.50,Default,First {\\i1}words{\\i0}\nDialogue: 0,0:00:02.60,0:00:03.40,Default,Second\\Nin two lines – 第二\n",
	"a.ffmeta": ";FFMETADATA1\ntitle=A title\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=2000\ntitle=Start – 开始\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=2000\nEND=5000\ntitle=The rest\n",
}

func beside() string { return fmt.Sprint(besides) } // maps are printed in order

// beginDir makes the folder of a file, with what goes into it.
func beginDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for name, text := range besides {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "a.jpg")); err == nil {
		return nil
	}
	_, err := ffmpeg("-f", "lavfi", "-i", "mandelbrot=s=200x150", "-frames:v", "1", filepath.Join(dir, "a.jpg"))
	return err
}
