package api

import (
	"strconv"
	"testing"
)

func TestAnEmptyPageIsTheEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		empty       int // pages before the one with an entry
		found, asks int
		next        string
	}{
		"the first has some":      {0, 1, 1, "1"},
		"some after empty ones":   {7, 1, 8, "8"},
		"too many empty ones":     {99, 0, mostRounds, strconv.Itoa(mostRounds)},
		"none at all, and an end": {-1, 0, 5, ""},
	} {
		asks := 0
		found, next, err := untilSome("0", func(after string) ([]int, string, error) {
			if asks++; after != strconv.Itoa(asks-1) {
				t.Errorf("%s: asked from %s on", name, after)
			}
			switch {
			case c.empty < 0 && asks == 5:
				return nil, "", nil
			case c.empty >= 0 && asks > c.empty:
				return []int{1}, strconv.Itoa(asks), nil
			}
			return nil, strconv.Itoa(asks), nil
		})
		if len(found) != c.found || asks != c.asks || next != c.next || err != nil {
			t.Errorf("%s: %v, next %q after %d rounds, %v", name, found, next, asks, err)
		}
	}
}
