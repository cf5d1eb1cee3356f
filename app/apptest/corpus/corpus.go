// Package corpus makes video files of every kind by Debian's ffmpeg, and measures what
// was made of them by the same: an engine is not judged by itself. Only tests import it.
//
// All files show the same: a moving test picture, which turns white at Claps, and a beep
// that begins with each. So it can be measured how far sound and pictures are apart.
package corpus

import (
	"fmt"
	"slices"
	"strings"
)

// Claps are when the picture turns white and the beep begins, in seconds; both last
// clapLength. They lie on pictures at 5, 10, 25, 30, 50 and 60 a second, and no two are
// as far apart as two others.
var Claps = []float64{0.6, 1.4, 2.6, 4.2}

const clapLength = 0.2

// Seconds is how long a file is that says nothing else.
const Seconds = 5.0

// A Case is one file and what must become of it.
type Case struct {
	Name string // of the file
	// From is the case that the file is made of, as it is when there are no Args; Then is
	// put behind it. Empty: it is made of the test picture.
	From, Then string
	// Args are what ffmpeg is given before the file's name, inputs included (but that of
	// From, before which Before comes). DIR is a folder with captions and so on.
	Before, Args []string
	// Edit changes the file's bytes at the end.
	Edit func([]byte) []byte

	Fate          Fate
	Width, Height int     // as shown
	Seconds       float64 // that can be played; 0: not known to the tenth
	Rate          float64 // pictures a second; 0: it varies
	Moving        float64 // seconds until the last picture stays, which is shown again more rarely; 0: to the end
	Sounds        []Sound
	Captions      []string // languages of those that are text
	Chapters      int
	HDR           string
	Interlaced    bool
	Noted         bool // it is damaged, which is told
	// Least is the least SSIM; 0: the usual, below: it is not compared.
	Least float64
	// Mute says that there is no beep to measure by; Dark that there is no clap.
	Mute, Dark bool
}

// Sound is a sound track of a case.
type Sound struct {
	Lang     string
	Channels int // of what is delivered: 1 or 2
}

// Fate is what becomes of a file.
type Fate uint8

// The fates.
const (
	Plays   Fate = iota // it is delivered
	Refused             // the upload is answered with 4xx, or the film fails with a reason
	Either              // it plays or is refused: what can be saved depends on the container
)

// Get finds a case by its name.
func Get(name string) Case {
	for _, c := range All() {
		if c.Name == name {
			return c
		}
	}
	panic("no such case: " + name)
}

// All is the whole corpus.
func All() []Case {
	return slices.Concat(containers(), codecs(), sounds(), shapes(), times(), texts(), damages(), strangers())
}

// Some are the cases of an ordinary run, which has little time: one of each trap.
func Some() (some []Case) {
	for _, name := range []string{
		"pcm.mov", "h264.ts", "vp9.webm", "b-pictures.mp4", "languages.mkv", "sound-later.mp4", "sound-earlier.mkv", "turned-90.mp4", "odd.avi", "hdr10.mp4", "varies.mp4", "top.mp4", "one.mp4", "slow.avi", "gap.avi",
		"jump.ts", "ass.mkv", "ended.mp4", "ended-parts.mp4", "zeros.mp4", "without-tables.mp4", "sound.mp4", "words.mp4",
	} {
		some = append(some, Get(name))
	}
	return some
}

// picture is the test picture with the claps, as an input of ffmpeg.
func picture(w, h int, rate string, seconds float64, more ...string) []string {
	return []string{"-f", "lavfi", "-i", testPicture(w, h, rate, seconds, more...)}
}

func testPicture(w, h int, rate string, seconds float64, more ...string) string {
	return strings.Join(append([]string{
		fmt.Sprintf("testsrc2=s=%dx%d:r=%s:d=%g", w, h, rate, seconds),
		"drawbox=color=white:t=fill:enable='" + claps() + "'",
	}, more...), ",")
}

// claps is an expression that is true while a clap is seen and heard. A thousandth of a
// second is for times that are no whole number of ticks.
func claps() string {
	var all []string
	for _, at := range Claps {
		all = append(all, fmt.Sprintf("between(t,%g,%g)", at-0.001, at+clapLength-0.002))
	}
	return strings.Join(all, "+")
}

// beeps is the sound with the claps, as an input of ffmpeg; above a faint hum, so that no
// encoder leaves silence out.
func beeps(layout string, seconds float64, hertz int) []string {
	return beepsAt(layout, seconds, 1000, hertz)
}

func beepsAt(layout string, seconds float64, tone, hertz int) []string {
	return []string{"-f", "lavfi", "-i", fmt.Sprintf("aevalsrc=exprs='0.5*sin(2*PI*%d*t)*(%s)+0.01*sin(2*PI*200*t)':s=%d:d=%g,pan=%s", tone, claps(), hertz, seconds, spread(layout))}
}

// spread is a pan that has the one sound in all channels.
func spread(layout string) string {
	n := map[string]int{"mono": 1, "stereo": 2, "5.1": 6, "7.1": 8}[layout]
	all := []string{layout}
	for i := range n {
		all = append(all, fmt.Sprintf("c%d=c0", i))
	}
	return strings.Join(all, "|")
}

// av are the inputs of most files: 320 x 180 at 25 pictures a second, and stereo.
func av(more ...string) []string {
	return join(picture(320, 180, "25", Seconds, more...), beeps("stereo", Seconds, 48000))
}

// x264 encodes quickly and well.
func x264(more ...string) []string {
	return join([]string{"-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-pix_fmt", "yuv420p", "-g", "50"}, more)
}

func aac(more ...string) []string {
	return join([]string{"-c:a", "aac", "-b:a", "128k"}, more)
}

func join(lists ...[]string) []string { return slices.Concat(lists...) }

var (
	stereo = []Sound{{"", 2}}
	none   = []Sound{}
)

// usual is a file of the usual inputs.
func usual(name string, args ...string) Case {
	return Case{Name: name, Args: join(av(), args), Width: 320, Height: 180, Seconds: Seconds, Rate: 25, Sounds: stereo}
}

// with changes a case.
func (c Case) with(change func(*Case)) Case {
	change(&c)
	return c
}
