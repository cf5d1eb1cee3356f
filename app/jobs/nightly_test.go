package jobs

import (
	"context"
	"testing"
	"time"

	"picora/app/config"
	"picora/app/usage"
	"picora/store"
	"picora/store/kv/memkv"
)

func TestTheNightlyCheckIsAtThree(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones here")
	}
	for now, want := range map[string]string{
		"2026-01-31 02:59:59": "2026-01-31 03:00:00",
		"2026-01-31 03:00:00": "2026-02-01 03:00:00",
		"2026-01-31 23:00:00": "2026-02-01 03:00:00",
		"2026-03-28 12:00:00": "2026-03-29 03:00:00", // the night that has no two o'clock
		"2026-10-24 12:00:00": "2026-10-25 03:00:00", // the one that has it twice
	} {
		at, err := time.ParseInLocation(time.DateTime, now, zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := next(at).Format(time.DateTime); got != want {
			t.Errorf("after %s it is %s, want %s", now, got, want)
		}
	}
}

// A server that is off at night checks all the same.
func TestANightlyCheckThatWasMissedIsMadeUpFor(t *testing.T) {
	s, err := store.Open(context.Background(), memkv.New(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.Local)
	s.Now = func() time.Time { return now }
	u := usage.New(s, config.Default().Plans)
	toNight := func() time.Duration { return next(now).Sub(now) }
	for _, start := range []struct {
		name  string
		later time.Duration // than the start before
		soon  bool
	}{
		{"the first of all", 0, true},
		{"an hour later", time.Hour, false},
		{"the next day", 23 * time.Hour, false},
		{"after a weekend", 3 * 24 * time.Hour, true},
		{"at once again", time.Minute, false},
	} {
		now = now.Add(start.later)
		ctx, stop := context.WithCancel(context.Background())
		var waits []time.Duration
		nightly(ctx, s, u, func(d time.Duration) <-chan time.Time {
			c := make(chan time.Time, 1)
			if waits = append(waits, d); start.soon && len(waits) == 1 {
				now = now.Add(d)
				c <- now
			} else {
				stop()
			}
			return c
		})
		stop()
		if got := waits[len(waits)-1]; got != toNight() {
			t.Errorf("%s: waits %s, want %s until the night", start.name, got, toNight())
		}
		if start.soon && (len(waits) != 2 || waits[0] != startFirst || !lastCheck(context.Background(), s).Equal(now)) || !start.soon && len(waits) != 1 {
			t.Errorf("%s: waited %s, the last check is %s", start.name, waits, lastCheck(context.Background(), s))
		}
	}
}
