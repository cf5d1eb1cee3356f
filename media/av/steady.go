package av

import "github.com/asticode/go-astiav"

// steady repeats a picture that is shown for longer than a segment at each boundary, so that
// segments stay short whatever the rate: in recordings of screens on which nothing moves,
// and in sounds with one picture.
type steady struct {
	every int64 // µs; 0: nothing is repeated
	last  *astiav.Frame
}

// keep remembers the picture that was shown last.
func (s *steady) keep(f *astiav.Frame) {
	s.free()
	if s.every > 0 {
		s.last = f.Clone()
	}
}

// fill gives copies of the last picture to take, at the boundaries before that time.
func (s *steady) fill(until int64, base astiav.Rational, take func(*astiav.Frame) error) error {
	for s.last != nil {
		now := rescale(s.last.Pts(), base, micro)
		if rescale(until, base, micro)-now <= s.every+s.every/4 {
			return nil
		}
		at := rescale((now/s.every+1)*s.every, micro, base)
		if at <= s.last.Pts() || at >= until {
			return nil
		}
		f := s.last.Clone()
		f.SetPts(at)
		setDuration(f, 0)
		s.keep(f)
		err := take(f)
		f.Free()
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *steady) free() {
	if s.last != nil {
		s.last.Free()
		s.last = nil
	}
}
