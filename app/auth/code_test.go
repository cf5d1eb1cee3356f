package auth

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"picora/app/fault"
	"picora/app/link"
	"picora/store"
)

// at gives the store a clock that the test moves.
func at(s *store.Store) (move func(time.Duration)) {
	var ahead atomic.Int64
	begin := time.Now().UTC()
	s.Now = func() time.Time { return begin.Add(time.Duration(ahead.Load())) }
	return func(d time.Duration) { ahead.Add(int64(d)) }
}

func from(address string) context.Context {
	return link.WithClient(context.Background(), netip.MustParseAddr(address))
}

func TestACodeIsGoodOnceForItsAddressAndPurpose(t *testing.T) {
	a, s := open(t)
	move := at(s)
	ctx := from("192.0.2.1")
	code, err := a.NewCode(ctx, "You@example.org ", ForReset)
	if err != nil || !sixDigits(code) {
		t.Fatal(code, err)
	}
	other := fmt.Sprintf("%06d", (int(code[5]-'0')+1)%10)
	for name, err := range map[string]error{
		"another purpose": a.UseCode(ctx, "you@example.org", ForLogin, code),
		"another address": a.UseCode(ctx, "me@example.org", ForReset, code),
		"another code":    a.UseCode(ctx, "you@example.org", ForReset, other),
		"no code":         a.UseCode(ctx, "you@example.org", ForReset, ""),
	} {
		if err == nil || faultOf(t, err) != fault.Unauthorized {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := a.RotateKeys(); err != nil {
		t.Fatal(err)
	}
	if err := a.CheckCode(ctx, "you@example.org", ForReset, code); err != nil {
		t.Errorf("only looked at, after the keys were rotated: %v", err)
	}
	if err := a.UseCode(ctx, "YOU@example.org", ForReset, " "+code); err != nil {
		t.Errorf("the first time: %v", err)
	}
	if a.UseCode(ctx, "you@example.org", ForReset, code) == nil {
		t.Error("it was good twice")
	}
	move(time.Hour)
	if code, err = a.NewCode(ctx, "you@example.org", ForReset); err != nil {
		t.Fatal(err)
	}
	move(CodeAge)
	if a.UseCode(ctx, "you@example.org", ForReset, code) == nil {
		t.Error("it was good after its time")
	}
	if n, err := s.DeleteExpiredCodes(ctx); n != 1 || err != nil {
		t.Errorf("%d expired codes were removed: %v", n, err)
	}
}

func TestACodeIsVoidAfterFiveWrongTries(t *testing.T) {
	a, _ := open(t)
	ctx := from("192.0.2.1")
	code, err := a.NewCode(ctx, "you@example.org", ForLogin)
	if err != nil {
		t.Fatal(err)
	}
	var guesses sync.WaitGroup
	var good atomic.Int64
	for i := range 50 { // at once, and never right
		guesses.Go(func() {
			if g := fmt.Sprintf("%06d", i); g != code && a.UseCode(ctx, "you@example.org", ForLogin, g) == nil {
				good.Add(1)
			}
		})
	}
	guesses.Wait()
	if good.Load() > 0 || a.UseCode(ctx, "you@example.org", ForLogin, code) == nil {
		t.Error("the code outlived the guesses")
	}
}

func TestACodeIsTakenOnceHoweverManyTryAtOnce(t *testing.T) {
	a, _ := open(t)
	ctx := from("192.0.2.1")
	code, err := a.NewCode(ctx, "you@example.org", ForLogin)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var good atomic.Int64
	for range 20 {
		all.Go(func() {
			if a.UseCode(ctx, "you@example.org", ForLogin, code) == nil {
				good.Add(1)
			}
		})
	}
	all.Wait()
	if good.Load() != 1 {
		t.Errorf("it was good %d times", good.Load())
	}
}

func TestCodesAreLimited(t *testing.T) {
	for name, c := range map[string]struct {
		step   time.Duration
		email  func(int) string
		from   func(int) string
		most   int
		inTime time.Duration
	}{
		"an address once in a minute":  {time.Second, same("a@example.org"), spread, 1, time.Minute},
		"an address 5 times an hour":   {61 * time.Second, same("a@example.org"), spread, 5, time.Hour},
		"an address 10 times a day":    {13 * time.Minute, same("a@example.org"), spread, 10, 24 * time.Hour},
		"a network 20 times an hour":   {time.Second, many, same("192.0.2.1"), 20, time.Hour},
		"a network 50 times a day":     {4 * time.Minute, many, same("192.0.2.1"), 50, 24 * time.Hour},
		"an IPv6 /64 20 times an hour": {time.Second, many, func(i int) string { return fmt.Sprintf("2001:db8::%x:1", i) }, 20, time.Hour},
		"everybody 100 times a minute": {time.Millisecond, many, spread, 100, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			a, s := open(t)
			move := at(s)
			made := 0
			var last error
			for spent, i := time.Duration(0), 0; spent < c.inTime && i < 400; spent, i = spent+c.step, i+1 {
				_, err := a.NewCode(from(c.from(i)), c.email(i), ForRegister)
				if err == nil {
					made++
				} else {
					last = err
				}
				move(c.step)
			}
			if made != c.most {
				t.Errorf("%d codes, want %d", made, c.most)
			}
			if last == nil || faultOf(t, last) != fault.RateLimited || fault.From(last).Meta["retryAfterSec"].(int) < 1 {
				t.Errorf("then %v", last)
			}
		})
	}
}

func same(s string) func(int) string { return func(int) string { return s } }
func many(i int) string              { return fmt.Sprintf("a%d@example.org", i) }
func spread(i int) string            { return fmt.Sprintf("10.%d.%d.1", i/256, i%256) }
