package sound

import (
	"context"
	"io"
	"math"

	"picora/media"
	"picora/media/av"
)

// Measure decodes a file once, tells how loud it is, and writes its waveform to out.
func Measure(ctx context.Context, f File, args media.SoundArgs, out io.Writer, progress func(float64)) (media.Measure, error) {
	p, err := behind(f, args)
	if err != nil {
		return media.Measure{}, err
	}
	s, info, err := p.open()
	if err != nil {
		return media.Measure{}, err
	}
	defer s.Close()
	w := newWaveform()
	m, heard, err := measure(ctx, s, info, av.Level{}, progress, w.add)
	if err != nil {
		return m, err
	}
	return m, w.write(out, heard.Rate)
}

// measure keeps rates that the meter does not know away from it.
func measure(ctx context.Context, s *av.Sound, info av.SoundInfo, as av.Level, progress func(float64), listen func([]float64, int)) (media.Measure, av.Heard, error) {
	if as.As.Rate == 0 && (info.SampleRate < 8000 || info.SampleRate > 192_000) {
		as.As.Rate = 48_000
	}
	l, heard, err := s.Measure(ctx, as, progress, listen)
	if err != nil {
		return media.Measure{}, heard, err
	}
	m := media.Measure{Silent: !(l.LUFS > -70), Loudness: hundredth(l.LUFS), TruePeak: hundredth(l.Peak)}
	return m, heard, nil
}

// hundredth rounds, and keeps away what JSON cannot say.
func hundredth(v float64) float64 {
	if !(v > media.Quietest) {
		return media.Quietest
	}
	return math.Round(min(v, 1000)*100) / 100
}

const (
	maxGain = 30 // dB; more would only bring up noise
	// AAC adds a little to peaks.
	headroom = 1
	// What a limiter takes away is given back, but not more than this: it would be heard.
	maxAgain = 6
)

// Level writes the file to out as AAC in MP4, as loud as args say. Peaks that would be too high are limited.
func Level(ctx context.Context, f File, args media.LevelArgs, out av.File, progress func(float64)) error {
	p, err := behind(f, args.Sound)
	if err != nil {
		return err
	}
	s, info, err := p.open()
	if err != nil {
		return err
	}
	s.Close()
	l := av.Level{As: av.As{Rate: rate(info.SampleRate), Channels: min(info.Channels, 2)}}
	m := args.Measure
	if info.Channels > 2 { // what counts is how loud the two are that become of them
		if m, err = p.measure(ctx, l); err != nil {
			return err
		}
	}
	if !m.Silent {
		l.Gain = min(args.Target-m.Loudness, maxGain)
	}
	if ceiling := args.Peak - headroom; m.TruePeak+l.Gain > ceiling {
		l.Peak = max(ceiling, -20)
		limited, err := p.measure(ctx, l)
		if err != nil {
			return err
		}
		if !limited.Silent {
			l.Gain += max(0, min(args.Target-limited.Loudness, maxAgain))
		}
	}
	if s, _, err = p.open(); err != nil {
		return err
	}
	defer s.Close()
	return s.Encode(ctx, l, bitRate(l.As), out, progress)
}

// measure tells how loud the sound is after l.
func (p part) measure(ctx context.Context, l av.Level) (media.Measure, error) {
	s, info, err := p.open()
	if err != nil {
		return media.Measure{}, err
	}
	defer s.Close()
	m, _, err := measure(ctx, s, info, l, func(float64) {}, func([]float64, int) {})
	return m, err
}

// rate is the one of AAC's rates that a file gets: its own, or one that is no worse, up to 48 kHz.
func rate(hertz int) int {
	switch {
	case hertz > 48_000 && hertz%44_100 == 0:
		return 44_100
	case hertz > 44_100:
		return 48_000
	}
	for _, r := range []int{8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000} {
		if hertz <= r {
			return r
		}
	}
	return 44_100
}

// bitRate is enough for ears, and no more than AAC can use: six bits a sample.
func bitRate(as av.As) int {
	n := 128_000
	if as.Channels == 2 {
		n = 192_000
	}
	return min(n, as.Rate*as.Channels*9/2)
}
