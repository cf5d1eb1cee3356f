package app_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/apptest/corpus"
	"picora/media"
	"picora/media/wall"
	"picora/media/worker"
)

// soaked are the cases that are damaged: every container and decoder once.
var soaked = []string{
	"behind.mp4", "parts.mp4", "pcm.mov", "opus.mkv", "vp8.webm", "mpeg4.avi", "h264.ts", "mpeg2.mpg", "flv1.flv", "wmv2.wmv", "theora.ogv", "h263.3gp",
	"hevc.mp4", "vp9.webm", "av1.webm", "mjpeg.avi", "prores.mov", "ffv1.mkv", "raw.avi", "surround.mp4", "srt.mkv", "ass.mkv", "text.mp4", "top.mp4", "hdr10.mp4",
}

// TestDamagedVideos sends damaged files to workers, PICORA_SOAK of them; "make soak-videos"
// sends two thousand.
func TestDamagedVideos(t *testing.T) {
	many, names := 12, soaked
	if n, err := strconv.Atoi(os.Getenv("PICORA_SOAK")); err == nil {
		many = n
	}
	pool := worker.New(worker.Options{Program: apptest.Binary(t), Queue: many, Long: wall.Limits{Memory: 2 << 30, Output: 64 << 30, Files: 64, Equal: true}})
	defer pool.Close()
	var mu sync.Mutex
	outcomes := map[string]int{}
	var next atomic.Int64
	var wg sync.WaitGroup
	begin := time.Now()
	for range 2 {
		wg.Go(func() {
			for n := next.Add(1); n <= int64(many); n = next.Add(1) {
				c := corpus.Get(names[int(n)%len(names)])
				file := mutant(rand.New(rand.NewPCG(uint64(n), 17)), c.Bytes(t))
				for job, outcome := range videoJobs(t, pool, c.Name, file) {
					mu.Lock()
					outcomes[job+" "+outcome]++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d damaged files in %.1f s: %v", many, time.Since(begin).Seconds(), outcomes)
	if outcomes[media.TracksJob+" done"] == 0 {
		t.Error("that was no test")
	}
}

// videoJobs has a file looked at, counted, and small things made of it, and tells how each
// went.
func videoJobs(t *testing.T, pool *worker.Pool, name string, file []byte) map[string]string {
	how := map[string]string{}
	kind, err := media.SniffVideo(file[:min(len(file), media.SniffLen)])
	if err != nil {
		return map[string]string{"sniff": "refused"}
	}
	args := media.VideoArgs{MIME: kind.MIME, MaxPixels: 100_000_000}
	in, err := scratchFile(file)
	if err != nil {
		t.Error(err)
		return nil
	}
	defer in.Close()
	var more []*os.File
	outs := []media.TrackArgs{
		{Kind: media.PictureTrack, Width: 64, Height: 36, MaxRate: 60, Quality: 40, MaxBits: 100_000}, {Kind: media.PosterOut, Width: 64, Height: 36},
		{Kind: media.BoardOut, Width: 64, Height: 36, Columns: 5, Rows: 5, Every: 1}, {Kind: media.SoundTrack, Stream: 1, Bits: 64_000, Channels: 2},
	}
	for range outs {
		f, err := scratchFile(nil)
		if err != nil {
			t.Error(err)
			return nil
		}
		defer f.Close()
		more = append(more, f)
	}
	for _, job := range []worker.Job{
		{Kind: media.VideoJob, In: in, Args: args}, {Kind: media.SurveyJob, In: in, Args: args},
		{Kind: media.TracksJob, In: in, More: more, Args: media.TracksArgs{Video: args, Outputs: outs, Segment: 4, Preset: "ultrafast", Threads: 1, Survey: media.Survey{Video: media.Video{Duration: 5, Width: 320, Height: 180}}}},
	} {
		how[job.Kind] = videoJob(t, pool, job, name, file)
	}
	return how
}

func videoJob(t *testing.T, pool *worker.Pool, job worker.Job, name string, file []byte) string {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	_, err := pool.Run(ctx, job, func(float64) {})
	bad := []error{worker.ErrCrashed, worker.ErrTimeout, worker.ErrMemory, worker.ErrFailed}
	switch {
	case err == nil:
		return "done"
	case slices.ContainsFunc(bad, func(e error) bool { return errors.Is(err, e) }):
		if dir := os.Getenv("PICORA_SOAK_KEEP"); dir != "" {
			os.WriteFile(filepath.Join(dir, fmt.Sprint(time.Now().UnixNano(), "-", name)), file, 0o600)
		}
		if errors.Is(err, worker.ErrFailed) && job.Kind == media.TracksJob { // such as a sound that is not there any more
			t.Logf("%s: %s: %v", name, job.Kind, err)
		} else {
			t.Errorf("%s: %s: %v", name, job.Kind, err)
		}
		return "failed"
	}
	if media.Reason(err) == "" {
		t.Errorf("%s: %s: refused without a sentence: %v", name, job.Kind, err)
	}
	return "refused"
}
