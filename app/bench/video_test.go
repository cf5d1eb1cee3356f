//go:build bench

package bench_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"picora/media"
	"picora/media/wall"
	"picora/media/worker"
)

// "make bench-video" prints the numbers of video, each beside the ffmpeg command, which
// made the same with the same settings in the same minutes.

// What both are asked for.
const (
	videoSeconds = 20
	videoPreset  = "veryfast"
	videoQuality = 23
	videoSegment = 4
)

// step is a size, and the most bits a second that it may take.
type step struct {
	width, height int
	bits          int64
}

var steps = []step{{1920, 1080, 6_000_000}, {1280, 720, 3_000_000}, {854, 480, 1_500_000}, {640, 360, 900_000}}

// clip is a film as cameras make them: H.264 at 30 pictures a second with some grain, and AAC.
func clip(t *testing.T, size string, seconds int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clip.mp4")
	grain := fmt.Sprintf("testsrc2=s=%s:r=30:d=%d,noise=alls=6:allf=t", size, seconds)
	command(t, "ffmpeg", "-v", "error", "-f", "lavfi", "-i", grain, "-f", "lavfi", "-i", fmt.Sprintf("sine=d=%d", seconds),
		"-c:v", "libx264", "-preset", "veryfast", "-b:v", "12M", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "128k", path)
	return path
}

func command(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// cost is what work took.
type cost struct {
	wall, cpu float64 // seconds
	rss       float64 // MB at most, of the largest process
}

func (c cost) String() string {
	return fmt.Sprintf("%.1f s, %.1f s of processor time, %.0f MB", c.wall, c.cpu, c.rss)
}

// against compares two costs.
func (c cost) against(d cost) string {
	return fmt.Sprintf("ratio %.2f of the time, %.2f of the processor time", c.wall/d.wall, c.cpu/d.cpu)
}

// medianCost is what work takes that was done an odd number of times.
func medianCost(all []cost) cost {
	middle := func(of func(cost) float64) float64 {
		var list []float64
		for _, c := range all {
			list = append(list, of(c))
		}
		slices.Sort(list)
		return list[len(list)/2]
	}
	return cost{
		wall: middle(func(c cost) float64 { return c.wall }), cpu: middle(func(c cost) float64 { return c.cpu }),
		rss: middle(func(c cost) float64 { return c.rss }),
	}
}

// costs measures work that is done by processes which have ended when it returns.
func costs(t *testing.T, work func()) (c cost) {
	t.Helper()
	before, start := childrenTime(t), time.Now()
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
				c.rss = max(c.rss, largest())
			}
		}
	}()
	work()
	c.wall = time.Since(start).Seconds()
	close(stop)
	<-ended
	c.cpu = childrenTime(t) - before
	return c
}

// childrenTime is the processor time of all children that have ended, in seconds.
func childrenTime(t *testing.T) float64 {
	t.Helper()
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_CHILDREN, &r); err != nil {
		t.Fatal(err)
	}
	return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e9
}

// largest is the peak of the memory of the largest child of this process, in MB.
func largest() (most float64) {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", os.Getpid()))
	for _, list := range lists {
		pids, _ := os.ReadFile(list)
		for _, pid := range strings.Fields(string(pids)) {
			status, _ := os.ReadFile("/proc/" + pid + "/status") // it may have ended
			for _, line := range strings.Split(string(status), "\n") {
				if f := strings.Fields(line); len(f) > 1 && f[0] == "VmHWM:" {
					n, _ := strconv.ParseFloat(f[1], 64)
					most = max(most, n/1024)
				}
			}
		}
	}
	return most
}

// tracks has a worker make tracks of a film, at the priority that the command has: what else
// the machine does is then in the way of both.
func tracks(t *testing.T, path string, outs ...media.TrackArgs) {
	t.Helper()
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var more []*os.File
	for range outs {
		f, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		more = append(more, f)
	}
	args := media.TracksArgs{
		Video:  media.VideoArgs{MIME: "video/mp4", MaxPixels: 1 << 28},
		Survey: media.Survey{Video: media.Video{Duration: videoSeconds, FrameRate: 30, Width: 1920, Height: 1080}},
		Preset: videoPreset, Segment: videoSegment, Outputs: outs,
	}
	bin, err := filepath.Abs("../../picora")
	if err != nil {
		t.Fatal(err)
	}
	p := worker.New(worker.Options{Program: bin, Long: wall.Limits{Memory: 3 << 30, Output: 64 << 30, Files: 128, Equal: true}})
	defer p.Close()
	if _, err := p.Run(context.Background(), worker.Job{Kind: media.TracksJob, In: in, More: more, Args: args}, func(float64) {}); err != nil {
		t.Fatal(err)
	}
}

func (s step) args() media.TrackArgs {
	return media.TrackArgs{Kind: media.PictureTrack, Width: s.width, Height: s.height, Quality: videoQuality, MaxBits: s.bits}
}

// cli has the ffmpeg command make a size, with the sound if that is wanted.
func (s step) cli(t *testing.T, path string, sound bool) {
	t.Helper()
	args := []string{"ffmpeg", "-v", "error", "-nostdin", "-y", "-i", path, "-vf", fmt.Sprintf("scale=%d:%d:flags=bicubic", s.width, s.height),
		"-c:v", "libx264", "-preset", videoPreset, "-profile:v", "high", "-crf", strconv.Itoa(videoQuality), "-maxrate", strconv.FormatInt(s.bits, 10),
		"-bufsize", strconv.FormatInt(2*s.bits, 10), "-g", "300", "-force_key_frames", fmt.Sprintf("expr:gte(t,n_forced*%d)", videoSegment)}
	if sound {
		args = append(args, "-c:a", "aac", "-b:a", "128k", "-ac", "2", "-ar", "48000")
	} else {
		args = append(args, "-an")
	}
	command(t, append(args, "-movflags", "+frag_keyframe+empty_moov", filepath.Join(t.TempDir(), "out.mp4"))...)
}

func TestVideo(t *testing.T) {
	path := clip(t, "1920x1080", videoSeconds)
	hear := media.TrackArgs{Kind: media.SoundTrack, Stream: 1, Bits: 128_000, Channels: 2}
	poster := media.TrackArgs{Kind: media.PosterOut, Width: 1280, Height: 720}
	middle := steps[1]
	const rounds = 5 // in turn, for a machine is not equally fast all the time
	var all [2][]cost
	for range rounds {
		all[0] = append(all[0], costs(t, func() { tracks(t, path, middle.args(), hear) }))
		all[1] = append(all[1], costs(t, func() { middle.cli(t, path, true) }))
	}
	ours, theirs := medianCost(all[0]), medianCost(all[1])
	t.Logf("1080p30 to 720p, %d s, medians of %d: %v; the command %v; %s (target <= 1.0)", videoSeconds, rounds, ours, theirs, ours.against(theirs))

	outs := []media.TrackArgs{hear}
	for _, s := range steps {
		outs = append(outs, s.args())
	}
	whole := costs(t, func() { tracks(t, path, outs...) })
	four := costs(t, func() {
		for i, s := range steps {
			s.cli(t, path, i == 0)
		}
	})
	t.Logf("to four sizes at once: %v (target <= 600 MB); four commands, one after the other: %v; %s (target <= 0.8)", whole, four, whole.against(four))

	first := costs(t, func() { tracks(t, path, steps[3].args(), hear, poster) })
	rest := costs(t, func() { tracks(t, path, steps[0].args(), steps[1].args(), steps[2].args()) })
	both := cost{wall: first.wall + rest.wall, cpu: first.cpu + rest.cpu}
	t.Logf("until it plays (360p, sound, poster): %v; the other sizes %v; ratio of the whole %.2f of the time, %.2f of the processor time (target <= 0.25)",
		first, rest, first.wall/both.wall, first.cpu/both.cpu)
}

func TestVideoLarge(t *testing.T) {
	const seconds = 2
	path := clip(t, "3840x2160", seconds)
	var outs []media.TrackArgs
	for _, s := range append([]step{{3840, 2160, 20_000_000}, {2560, 1440, 10_000_000}}, steps...) {
		outs = append(outs, s.args())
	}
	t.Logf("2160p30 to six sizes at once, %d s: %v (target <= 1500 MB)", seconds, costs(t, func() { tracks(t, path, outs...) }))
}
