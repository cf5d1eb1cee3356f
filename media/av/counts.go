package av

import "slices"

// steps looks at the times between pictures as they are shown; they come in another order,
// but not far from it.
type steps struct {
	waiting []int64 // sorted
	last    int64
	any     bool
	lengths map[int64]int64 // milliseconds, and how often
	many    int64
	unsure  int64 // pictures of the same time, or in no order
}

// reorder is how many pictures may be shown before one that came earlier (H.264 annex A: 16).
const reorder = 17

func (s *steps) add(at int64) {
	i, same := slices.BinarySearch(s.waiting, at)
	if same {
		s.unsure++
		return
	}
	s.waiting = slices.Insert(s.waiting, i, at)
	if len(s.waiting) > reorder {
		s.out()
	}
}

func (s *steps) out() {
	at := s.waiting[0]
	s.waiting = append(s.waiting[:0], s.waiting[1:]...)
	if s.any && at <= s.last {
		s.unsure++
		return
	}
	if s.any {
		if s.lengths == nil {
			s.lengths = map[int64]int64{}
		}
		ms := (at - s.last + 500) / 1000
		if _, known := s.lengths[ms]; known || len(s.lengths) < 1000 {
			s.lengths[ms]++
		}
		s.many++
	}
	s.last, s.any = at, true
}

func (s *steps) end() {
	for len(s.waiting) > 0 {
		s.out()
	}
}

// vary says whether the times differ: less than 19 in 20 are alike. Containers that count
// milliseconds write 33 and 34.
func (s *steps) vary() bool {
	var most int64
	for ms := range s.lengths {
		most = max(most, s.lengths[ms-1]+s.lengths[ms]+s.lengths[ms+1])
	}
	return s.many > 2 && most*20 < s.many*19
}

// keys looks at the key frames.
type keys struct {
	any     bool
	first   bool // the first picture is one
	open    bool // pictures that come after one are shown before it
	last    int64
	longest int64
}

func (k *keys) add(at int64, key bool) {
	switch {
	case !k.any:
		k.any, k.first, k.last = true, key, at
	case key:
		k.longest = max(k.longest, at-k.last)
		k.last = at
	case at < k.last:
		k.open = true
	}
}

// window is the most bytes of any stretch of so many µs.
type window struct {
	length int64
	list   []sized
	sum    int64
	top    int64 // bytes
	begin  int64
	end    int64
}

type sized struct{ at, bytes int64 }

// maxWindow bounds the list, whatever the file says of its times.
const maxWindow = 4096

func (w *window) add(at, bytes int64) {
	if len(w.list) == 0 && w.top == 0 {
		w.begin = at
	}
	w.end = max(w.end, at)
	w.list = append(w.list, sized{at, bytes})
	w.sum += bytes
	drop := 0
	for drop < len(w.list) && (w.list[drop].at <= at-w.length || len(w.list)-drop > maxWindow) {
		w.sum -= w.list[drop].bytes
		drop++
	}
	w.list = append(w.list[:0], w.list[drop:]...)
	w.top = max(w.top, w.sum)
}

// most is the highest bit rate.
func (w *window) most() int64 {
	length := min(max(w.end-w.begin, 500_000), w.length)
	return int64(float64(w.top) * 8e6 / float64(length))
}
