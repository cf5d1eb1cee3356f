package sound

import (
	"io"
	"math"
	"strconv"
)

// waveform gathers the lowest and highest sample of stretches that are all as long, of
// all channels mixed. How long the sound is need not be known: when there are too many,
// each two become one.
type waveform struct {
	each     int // samples of a stretch
	data     []int8
	low      float64
	high     float64
	gathered int // samples of the stretch at hand
}

const (
	maxStretches = 4000
	firstEach    = 64
)

func newWaveform() *waveform { return &waveform{each: firstEach, low: math.Inf(1), high: math.Inf(-1)} }

func (w *waveform) add(samples []float64, channels int) {
	for ; len(samples) >= channels; samples = samples[channels:] {
		v := 0.0
		for _, s := range samples[:channels] {
			v += s
		}
		v /= float64(channels)
		w.low, w.high = min(w.low, v), max(w.high, v)
		if w.gathered++; w.gathered == w.each {
			w.close()
		}
	}
}

// close ends the stretch at hand.
func (w *waveform) close() {
	w.data = append(w.data, short(w.low), short(w.high))
	w.gathered, w.low, w.high = 0, math.Inf(1), math.Inf(-1)
	if len(w.data) < 2*maxStretches {
		return
	}
	half := w.data[:0]
	for i := 0; i < len(w.data); i += 4 {
		d := w.data[i : i+4]
		half = append(half, min(d[0], d[2]), max(d[1], d[3]))
	}
	w.data = half
	w.each *= 2
}

// short is a sample in 8 bits. What is not a number is silence.
func short(v float64) int8 {
	if !(v > -1) {
		if v <= -1 {
			return -128
		}
		return 0
	}
	return int8(min(127, v*128))
}

// write writes JSON as audiowaveform does, version 2, which wavesurfer and peaks.js read.
func (w *waveform) write(out io.Writer, rate int) error {
	if w.gathered > 0 {
		w.close()
	}
	b := make([]byte, 0, 256+5*len(w.data))
	b = append(b, `{"version":2,"channels":1,"sample_rate":`...)
	b = strconv.AppendInt(b, int64(rate), 10)
	b = append(b, `,"samples_per_pixel":`...)
	b = strconv.AppendInt(b, int64(w.each), 10)
	b = append(b, `,"bits":8,"length":`...)
	b = strconv.AppendInt(b, int64(len(w.data)/2), 10)
	b = append(b, `,"data":[`...)
	for i, v := range w.data {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(v), 10)
	}
	_, err := out.Write(append(b, "]}\n"...))
	return err
}
