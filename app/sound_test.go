package app_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/media"
	"picora/media/worker"
)

// noiseWAV writes a WAV of 16 bits at 44.1 kHz in stereo, of about so many megabytes.
func noiseWAV(t *testing.T, path string, megabytes int) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(megabytes<<20+36))
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00\x44\xac\x00\x00\x10\xb1\x02\x00\x04\x00\x10\x00data"...)
	f.Write(binary.LittleEndian.AppendUint32(b, uint32(megabytes<<20)))
	r := rand.New(rand.NewPCG(5, 6))
	block := make([]byte, 1<<20)
	for i := 0; i < len(block); i += 2 {
		binary.LittleEndian.PutUint16(block[i:], uint16(int16(4000*r.NormFloat64())))
	}
	for range megabytes {
		if _, err := f.Write(block); err != nil {
			t.Fatal(err)
		}
	}
}

// peakOfWorkers is the most memory, in megabytes, that a child of this process had at once.
func peakOfWorkers(t *testing.T) (most int) {
	t.Helper()
	all, _ := filepath.Glob("/proc/[0-9]*/status")
	for _, path := range all {
		b, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(b, fmt.Appendf(nil, "PPid:\t%d\n", os.Getpid())) {
			continue
		}
		if m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(b); m != nil {
			n, _ := strconv.Atoi(string(m[1]))
			most = max(most, n>>10)
		}
	}
	return most
}

// TestLongSoundsTakeLittleMemory has a worker read and measure 100 MB and an hour, and
// with PICORA_SOAK, which takes minutes, what plans allow at most: 500 MB and four hours.
func TestLongSoundsTakeLittleMemory(t *testing.T) {
	megabytes, hours := 100, 1
	if os.Getenv("PICORA_SOAK") != "" {
		megabytes, hours = 500, 4
	}
	dir := t.TempDir()
	noiseWAV(t, dir+"/long.wav", megabytes)
	noiseWAV(t, dir+"/short.wav", 10)
	encode := exec.Command("lame", "--quiet", "-b", "128", "-q", "9", dir+"/short.wav", dir+"/short.mp3")
	if out, err := encode.CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	short, err := os.ReadFile(dir + "/short.mp3")
	if err != nil {
		t.Fatal(err)
	}
	many := hours*3600/(10<<20/176400) + 1
	if err := os.WriteFile(dir+"/long.mp3", bytes.Repeat(short, many), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file, mime string
		least      float64
	}{{"long.wav", media.WAV.MIME, float64(megabytes) * 5.9}, {"long.mp3", media.MP3.MIME, float64(hours) * 3600}} {
		t.Run(c.file, func(t *testing.T) {
			pool := worker.New(worker.Options{Program: apptest.Binary(t)})
			defer pool.Close()
			in, err := os.Open(dir + "/" + c.file)
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			args := media.SoundArgs{MIME: c.mime, MaxPixels: 1_000_000}
			var is media.Sound
			for _, kind := range []string{media.SoundJob, media.MeasureJob} {
				out, err := scratchFile(nil)
				if err != nil {
					t.Fatal(err)
				}
				defer out.Close()
				begin := time.Now()
				result, err := pool.Do(context.Background(), worker.Job{Kind: kind, In: in, Out: out, Args: args, CPU: time.Hour})
				if err != nil {
					t.Fatal(err)
				}
				most := peakOfWorkers(t)
				t.Logf("%s: %.1f s, %d MB: %s", kind, time.Since(begin).Seconds(), most, result)
				if most > 100 || most == 0 {
					t.Errorf("%s took %d MB", kind, most)
				}
				if kind == media.SoundJob {
					if err := json.Unmarshal(result, &is); err != nil || is.Duration < c.least {
						t.Errorf("%s, %v", result, err)
					}
				}
			}
		})
	}
}

// soundSeeds are sound files of every type, by name.
func soundSeeds(t *testing.T) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	noiseWAV(t, dir+"/all.wav", 1)
	if out, err := exec.Command("sox", dir+"/all.wav", dir+"/a.wav", "trim", "0", "1.2").CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	if err := os.WriteFile(dir+"/a.png", apptest.PNG(20, 20, 1), 0o600); err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for name, command := range map[string]string{
		"a.mp3": "lame --quiet -V 5 --tt Title --ti DIR/a.png DIR/a.wav DIR/a.mp3", "bare.mp3": "lame --quiet -t DIR/a.wav DIR/bare.mp3",
		"a.flac": "flac --silent --picture=DIR/a.png -T TITLE=x -o DIR/a.flac DIR/a.wav", "a.ogg": "oggenc -Q -t Title -o DIR/a.ogg DIR/a.wav",
		"a.opus": "opusenc --quiet --picture DIR/a.png DIR/a.wav DIR/a.opus", "b.wav": "sox DIR/a.wav -b 24 DIR/b.wav", "ima.wav": "sox DIR/a.wav -e ima-adpcm DIR/ima.wav",
		"a.m4a":     "ffmpeg -v error -i DIR/a.wav -i DIR/a.png -map 0 -map 1 -c:a aac -c:v copy -disposition:v attached_pic -metadata title=x -f ipod DIR/a.m4a",
		"alac.m4a":  "ffmpeg -v error -i DIR/a.wav -c:a alac -movflags faststart -f ipod DIR/alac.m4a",
		"parts.m4a": "ffmpeg -v error -i DIR/a.wav -c:a aac -movflags frag_keyframe+empty_moov -f mp4 DIR/parts.m4a",
		"rf64.wav":  "ffmpeg -v error -i DIR/a.wav -rf64 always DIR/rf64.wav", "flac.ogg": "flac --silent --ogg -o DIR/flac.ogg DIR/a.wav",
	} {
		words := strings.Fields(strings.ReplaceAll(command, "DIR", dir))
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			t.Fatal(command, err, string(out))
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = b
	}
	return all
}

// TestDamagedSounds sends damaged sound files to workers, PICORA_SOAK of them.
func TestDamagedSounds(t *testing.T) {
	many := 150
	if n, err := strconv.Atoi(os.Getenv("PICORA_SOAK")); err == nil {
		many = n
	}
	good := soundSeeds(t)
	names := slices.Sorted(maps.Keys(good))
	pool := worker.New(worker.Options{Program: apptest.Binary(t), Queue: many})
	defer pool.Close()
	var mu sync.Mutex
	outcomes := map[string]int{}
	var next atomic.Int64
	var wg sync.WaitGroup
	begin := time.Now()
	for range 2 {
		wg.Go(func() {
			for n := next.Add(1); n <= int64(many); n = next.Add(1) {
				name := names[int(n)%len(names)]
				file := mutant(rand.New(rand.NewPCG(uint64(n), 11)), good[name])
				kind, err := media.SniffSound(file[:min(len(file), media.SniffLen)])
				if err != nil {
					mu.Lock()
					outcomes["not sniffed"]++
					mu.Unlock()
					continue
				}
				for job, outcome := range soundJobs(t, pool, media.SoundArgs{MIME: kind.MIME, MaxPixels: 100_000_000}, name, file) {
					mu.Lock()
					outcomes[job+" "+outcome]++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d damaged files in %.1f s, %d MB at most: %v", many, time.Since(begin).Seconds(), peakOfWorkers(t), outcomes)
	if outcomes[media.SoundJob+" done"] == 0 || outcomes[media.SoundJob+" refused"] == 0 {
		t.Error("that was no test")
	}
}

// soundJobs has a file read, measured and levelled, and tells how each went.
func soundJobs(t *testing.T, pool *worker.Pool, args media.SoundArgs, name string, file []byte) map[string]string {
	how := map[string]string{}
	for _, job := range []worker.Job{
		{Kind: media.SoundJob, Args: args}, {Kind: media.MeasureJob, Args: args},
		{Kind: media.LevelJob, Args: media.LevelArgs{Sound: args, Measure: media.Measure{Loudness: -20, TruePeak: -1}, Target: -16, Peak: -1.5}},
	} {
		out, err := does(t, pool, job, file)
		switch {
		case err == nil:
			how[job.Kind] = "done"
			if job.Kind == media.MeasureJob && (len(out) > media.MaxWaveform || !json.Valid(out)) {
				t.Errorf("%s: a waveform of %d bytes", name, len(out))
			}
		case errors.Is(err, worker.ErrCrashed), errors.Is(err, worker.ErrFailed), errors.Is(err, worker.ErrTimeout), errors.Is(err, worker.ErrMemory):
			how[job.Kind] = "failed"
			t.Logf("%s: %s: %v", name, job.Kind, err)
			if dir := os.Getenv("PICORA_SOAK_KEEP"); dir != "" {
				os.WriteFile(filepath.Join(dir, fmt.Sprint(time.Now().UnixNano(), "-", name)), file, 0o600)
			}
			if errors.Is(err, worker.ErrCrashed) {
				t.Errorf("%s ended a worker in %s", name, job.Kind)
			}
		default:
			how[job.Kind] = "refused"
			if media.Reason(err) == "" {
				t.Errorf("%s: refused without a sentence: %v", name, err)
			}
		}
	}
	return how
}

// TestAWorkersSoundIsWhole has a worker do each job behind its walls.
func TestAWorkersSoundIsWhole(t *testing.T) {
	pool := worker.New(worker.Options{Program: apptest.Binary(t)})
	defer pool.Close()
	for name, file := range soundSeeds(t) {
		t.Run(name, func(t *testing.T) {
			kind, err := media.SniffSound(file[:media.SniffLen])
			if err != nil {
				t.Fatal(err)
			}
			args := media.SoundArgs{MIME: kind.MIME, MaxPixels: 1_000_000}
			for job, how := range soundJobs(t, pool, args, name, file) {
				if how != "done" {
					t.Errorf("%s: %s", job, how)
				}
			}
			out, err := does(t, pool, worker.Job{Kind: media.LevelJob, Args: media.LevelArgs{Sound: args, Measure: media.Measure{Loudness: -20, TruePeak: -1}, Target: -16, Peak: -1.5}}, file)
			if err != nil || len(out) < 10_000 || string(out[4:8]) != "ftyp" || math.Abs(float64(bytes.Index(out, []byte("moov")))) > 100 {
				t.Errorf("%d bytes, %v", len(out), err)
			}
		})
	}
}
