package jobs

import (
	"testing"
	"time"
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
