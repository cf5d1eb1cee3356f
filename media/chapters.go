package media

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxChapterBytes keeps the chapters of a file within the answer of a worker.
const maxChapterBytes = 40 << 10

// Chapters puts chapters in order, and each within the file. One ends where the next begins
// unless it says something else that can be.
func Chapters(list []Chapter, duration float64) (out []Chapter) {
	list = slices.DeleteFunc(slices.Clone(list), func(c Chapter) bool { return !(c.Start >= 0 && c.Start < duration) })
	slices.SortStableFunc(list, func(a, b Chapter) int { return cmp.Compare(a.Start, b.Start) })
	bytes := 0
	for i, c := range list {
		next := duration
		if i+1 < len(list) {
			next = list[i+1].Start
		}
		if !(c.End > c.Start && c.End <= duration) {
			c.End = next
		}
		c.Start, c.End = math.Round(c.Start*1000)/1000, math.Round(c.End*1000)/1000
		if bytes += 60 + len(strconv.Quote(c.Title)); bytes > maxChapterBytes || len(out) == MaxChapters {
			break
		}
		// JSON writes these as six bytes each.
		bytes += 5 * (strings.Count(c.Title, "<") + strings.Count(c.Title, ">") + strings.Count(c.Title, "&"))
		out = append(out, c)
	}
	return out
}

// TooLong returns an ErrUnsupported that names how long a sound or a video is, and how long it may be, in seconds.
func TooLong(what string, seconds, limit float64) error {
	return Unsupported(fmt.Sprintf("the %s is %s long; the limit is %s", what, spoken(seconds), spoken(limit)))
}

// spoken writes a length of time for people: "1 h 12 min", "9 min 30 s", "12 s".
func spoken(seconds float64) string {
	d := time.Duration(math.Round(seconds)) * time.Second
	h, m, s := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case h > 0 && m == 0 && s == 0:
		return fmt.Sprintf("%d h", h)
	case h > 0 && s == 0:
		return fmt.Sprintf("%d h %d min", h, m)
	case h > 0:
		return fmt.Sprintf("%d h %d min %d s", h, m, s)
	case m > 0 && s == 0:
		return fmt.Sprintf("%d min", m)
	case m > 0:
		return fmt.Sprintf("%d min %d s", m, s)
	}
	return fmt.Sprintf("%d s", s)
}
