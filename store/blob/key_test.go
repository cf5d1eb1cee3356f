package blob

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestNewKeyIsValidAndKnowsItsTime(t *testing.T) {
	now := time.Date(2026, 8, 1, 12, 30, 15, 987654321, time.FixedZone("", 7200))
	key := NewKey(now)
	if !ValidKey(key) {
		t.Fatalf("NewKey made the invalid %q", key)
	}
	if got, want := Time(key), now.UTC().Truncate(time.Millisecond); got != want {
		t.Errorf("Time(%q) = %v, want %v", key, got, want)
	}
	if other := NewKey(now); other == key || other[:timeLen] != key[:timeLen] {
		t.Errorf("two keys of one moment: %q and %q", key, other)
	}
}

func TestKeysSortByTime(t *testing.T) {
	start := time.UnixMilli(1_700_000_000_000)
	var keys []string
	for i := range 200 {
		keys = append(keys, NewKey(start.Add(time.Duration(i*i)*97*time.Second+time.Duration(i)*time.Millisecond)))
	}
	if !slices.IsSorted(keys) {
		t.Error("keys of ascending times are not in ascending order")
	}
}

func TestKeyAtBoundsItsMillisecond(t *testing.T) {
	at := time.UnixMilli(1_786_000_000_123)
	for range 100 {
		if before := NewKey(at.Add(-time.Millisecond)); before >= KeyAt(at) {
			t.Fatalf("%q was made before %q and sorts after it", before, KeyAt(at))
		}
		if same := NewKey(at); same < KeyAt(at) {
			t.Fatalf("%q is smaller than the smallest key %q", same, KeyAt(at))
		}
	}
}

func TestKeyAtClampsTimesNoKeyCanHold(t *testing.T) {
	for _, c := range []struct {
		name string
		t    time.Time
		want string
	}{
		{"the zero time", time.Time{}, "0000000000"},
		{"before 1970", time.UnixMilli(-1), "0000000000"},
		{"the first", time.UnixMilli(0), "0000000000"},
		{"the second", time.UnixMilli(1), "0000000001"},
		{"a known one", time.UnixMilli(1469922850259), "01arz3ndek"},
		{"the last", time.UnixMilli(maxMillis), "7zzzzzzzzz"},
		{"past the last", time.UnixMilli(maxMillis + 1), "7zzzzzzzzz"},
	} {
		got := KeyAt(c.t)
		if got[:timeLen] != c.want || !ValidKey(got) {
			t.Errorf("%s: KeyAt = %q, want it to start with %q", c.name, got, c.want)
		}
	}
}

func TestInvalidKeys(t *testing.T) {
	good := KeyAt(time.UnixMilli(1_786_000_000_123))
	for _, key := range []string{
		"", good[1:], good + "0", strings.ToUpper(good[:25]) + "A", "8" + good[1:], "z" + good[1:],
		good[:25] + "i", good[:25] + "l", good[:25] + "o", good[:25] + "u", good[:25] + "/",
		good[:25] + "\x00", good[:24] + "é", strings.Repeat(".", 26), "../" + good[3:],
	} {
		if ValidKey(key) {
			t.Errorf("ValidKey(%q) is true", key)
		}
		if got := Time(key); !got.IsZero() {
			t.Errorf("Time(%q) = %v", key, got)
		}
	}
}

func FuzzValidKey(f *testing.F) {
	f.Add("")
	f.Add(KeyAt(time.UnixMilli(1_786_000_000_123)))
	f.Add("../../../../etc/passwd0000")
	f.Fuzz(func(t *testing.T, key string) {
		if !ValidKey(key) {
			return
		}
		if strings.Trim(key, alphabet) != "" || len(key) != keyLen {
			t.Errorf("%q is called valid", key)
		}
		if at := KeyAt(Time(key)); at[:timeLen] != key[:timeLen] || at > key {
			t.Errorf("KeyAt(Time(%q)) = %q", key, at)
		}
	})
}
