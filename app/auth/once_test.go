package auth

import (
	"fmt"
	"testing"
	"time"
)

func TestWhatWasBegunIsTakenOnceInTimeAndIsBounded(t *testing.T) {
	b := newBegun[int](time.Minute)
	at := time.Unix(1_800_000_000, 0)
	b.put("a", 1, at)
	if v, ok := b.take("a", at.Add(time.Minute)); !ok || v != 1 {
		t.Errorf("in its last moment: %d %t", v, ok)
	}
	if _, ok := b.take("a", at); ok {
		t.Error("taken twice")
	}
	b.put("b", 2, at)
	if _, ok := b.take("b", at.Add(time.Minute+1)); ok {
		t.Error("taken too late")
	}
	for i := range 3 * maxBegun {
		b.put(fmt.Sprint(i), i, at)
	}
	if len(b.m) > maxBegun || len(b.queue) > maxBegun {
		t.Errorf("%d and %d are kept", len(b.m), len(b.queue))
	}
	if _, ok := b.take("0", at); ok {
		t.Error("the oldest was kept")
	}
	if v, ok := b.take(fmt.Sprint(3*maxBegun-1), at); !ok || v != 3*maxBegun-1 {
		t.Error("the newest was not")
	}
	b.forget(at.Add(time.Hour))
	if len(b.m) != 0 || len(b.queue) != 0 {
		t.Errorf("after an hour %d and %d are kept", len(b.m), len(b.queue))
	}
}

func FuzzMatchTOTP(f *testing.F) {
	now := time.Unix(59, 0) // RFC 6238, appendix B: 94287082 in eight digits
	secret := []byte("12345678901234567890")
	f.Add("287082")
	f.Add("287 082")
	f.Add("28708")
	f.Add("٢٨٧٠٨٢")
	f.Fuzz(func(t *testing.T, code string) {
		step, ok := matchTOTP(secret, code, now)
		digits := ""
		for _, r := range code {
			if r != ' ' {
				digits += string(r)
			}
		}
		if ok && (step < 0 || step > 2 || len(digits) != 6) {
			t.Errorf("%q is of step %d", code, step)
		}
		if digits == "287082" && (!ok || step != 1) {
			t.Errorf("the code of the RFC is refused: %d %t", step, ok)
		}
	})
}
