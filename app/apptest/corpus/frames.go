package corpus

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Frame is a picture as it is shown: red, green and blue, a byte each.
type Frame struct {
	At  float64 // seconds
	Pix []byte
}

// Frames are the pictures of a file, all of one size.
type Frames struct {
	Width, Height int
	All           []Frame
}

var shownAt = regexp.MustCompile(`pts_time:\s*(-?[0-9.]+)`)

// Decode has ffmpeg decode the pictures of a file or an address, turned as the file says,
// scaled to that size. Made says that the file is one of ours, in which times count as they
// stand; in others they count from where the file begins. The filter, if there is one,
// comes first.
func Decode(file string, w, h int, made bool, filter string) (Frames, error) {
	args := []string{"-nostdin", "-hide_banner", "-nostats", "-v", "info"}
	if made {
		args = append(args, "-copyts")
	}
	if filter != "" {
		filter += ","
	}
	filter += fmt.Sprintf("scale=%d:%d:flags=bicubic,format=rgb24,showinfo=checksum=0", w, h)
	args = append(args, "-i", file, "-map", "0:V:0", "-vf", filter, "-vsync", "passthrough", "-f", "rawvideo", "-")
	var stdout, stderr bytes.Buffer
	cmd := exec.Command("ffmpeg", args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return Frames{}, fmt.Errorf("decoding %s: %w: %s", file, err, tail(stderr.String()))
	}
	f := Frames{Width: w, Height: h}
	all := stdout.Bytes()
	for line := range strings.Lines(stderr.String()) {
		m := shownAt.FindStringSubmatch(line)
		if m == nil || !strings.Contains(line, "showinfo") {
			continue
		}
		at, err := strconv.ParseFloat(m[1], 64)
		if err != nil || len(all) < 3*w*h {
			return Frames{}, fmt.Errorf("decoding %s: %q and %d bytes are left", file, line, len(all))
		}
		f.All, all = append(f.All, Frame{at, all[:3*w*h]}), all[3*w*h:]
	}
	if len(all) != 0 {
		return Frames{}, fmt.Errorf("decoding %s: %d bytes without a time", file, len(all))
	}
	return f, nil
}

func tail(s string) string { return s[max(0, len(s)-1500):] }

// At is the index of the picture that is shown at that time; -1: none is yet.
func (f *Frames) At(seconds float64) int {
	at := -1
	for i, frame := range f.All {
		if frame.At <= seconds+0.001 {
			at = i
		}
	}
	return at
}

// Bright is how bright each picture is, 0 to 255.
func (f *Frames) Bright() []float64 {
	var all []float64
	for _, frame := range f.All {
		all = append(all, mean(luma(frame.Pix)))
	}
	return all
}

// Claps are the times at which the picture turns white.
func (f *Frames) Claps() []float64 {
	bright := f.Bright()
	if len(bright) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(bright))
	limit := (sorted[len(sorted)-1] + sorted[len(sorted)/2]) / 2
	if sorted[len(sorted)-1]-sorted[len(sorted)/2] < 30 {
		return nil // nothing turns white
	}
	var all []float64
	for i, b := range bright {
		if b > limit && (i == 0 || bright[i-1] <= limit) {
			all = append(all, f.All[i].At)
		}
	}
	return all
}

const hearRate = 16000 // hertz

// Beeps are the times at which beeps begin in the sound track of that number.
func Beeps(file string, track int, made bool) ([]float64, error) {
	samples, err := Hear(file, track, made)
	if err != nil {
		return nil, err
	}
	const window = hearRate / 200 // 5 ms
	var loud []float64
	for at := 0; at+window <= len(samples); at += window {
		sum := 0.0
		for _, s := range samples[at : at+window] {
			sum += float64(s) * float64(s)
		}
		loud = append(loud, math.Sqrt(sum/window))
	}
	if len(loud) == 0 || slices.Max(loud) < 300 {
		return nil, nil
	}
	limit := slices.Max(loud) / 3
	var all []float64
	last := math.Inf(-1) // when it was loud
	for i, l := range loud {
		at := float64(i) * window / hearRate
		if l < limit {
			continue
		}
		if at-last > 0.1 {
			all = append(all, at)
		}
		last = at
	}
	return all, nil
}

// Hear is the sound track of that number, mono at hearRate, from time zero on.
func Hear(file string, track int, made bool) ([]int16, error) {
	args := []string{"-nostdin", "-v", "error"}
	if made {
		args = append(args, "-copyts")
	}
	args = append(args, "-i", file, "-map", fmt.Sprintf("0:a:%d", track), "-af", fmt.Sprintf("aresample=%d:async=1:first_pts=0", hearRate), "-ac", "1", "-f", "s16le", "-")
	out, err := run("ffmpeg", args...)
	if err != nil {
		return nil, err
	}
	samples := make([]int16, len(out)/2)
	for i := range samples {
		samples[i] = int16(binary.LittleEndian.Uint16(out[2*i:]))
	}
	return samples, nil
}

// Apart is how much later the sounds are than the pictures, in seconds, the median over
// the claps that are in both.
func Apart(claps, beeps []float64) (float64, error) {
	var all []float64
	for _, c := range claps {
		nearest := math.Inf(1)
		for _, b := range beeps {
			if math.Abs(b-c) < math.Abs(nearest) {
				nearest = b - c
			}
		}
		if math.Abs(nearest) < 0.4 { // half of the shortest time between two
			all = append(all, nearest)
		}
	}
	if len(all) < 2 {
		return 0, fmt.Errorf("the picture turns white at %.3f, and it beeps at %.3f", claps, beeps)
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}
