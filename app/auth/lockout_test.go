package auth

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"picora/app/fault"
	"picora/store"
)

const goodPassword = "correct horse"

func member(t *testing.T, s *store.Store, email string) store.User {
	t.Helper()
	h, err := HashPassword(goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	u, err := s.CreateUser(context.Background(), store.User{Email: email, Password: h})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// fail notes n failures of the account from the address, without the hashing.
func fail(t *testing.T, a *Auth, email, network string, n int) {
	t.Helper()
	for range n {
		try, err := a.locks.begin(a.store.Now(), email, network)
		if err != nil {
			t.Fatal(err)
		}
		try.end(a.store.Now(), failed)
	}
}

func TestFiveFailuresFromOneAddressLockItOut(t *testing.T) {
	a, s := open(t)
	move := at(s)
	member(t, s, "You@example.org")
	here, elsewhere := from("192.0.2.1"), from("192.0.2.2")
	for range maxFailures {
		if _, err := a.Login(here, "you@example.org", "wrong", "", Device{Address: "192.0.2.1"}); err == nil || faultOf(t, err) != fault.Unauthorized {
			t.Fatal(err)
		}
	}
	_, err := a.Login(here, "YOU@example.org", goodPassword, "", Device{})
	if err == nil || faultOf(t, err) != fault.Unauthorized || fault.From(err).Meta["retryAfterSec"] == nil {
		t.Errorf("locked: %v", err)
	}
	if _, err := a.Login(elsewhere, "you@example.org", goodPassword, "", Device{}); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
	move(lockTime + time.Second)
	if _, err := a.Login(here, "you@example.org", goodPassword, "", Device{}); err != nil {
		t.Errorf("after the lock: %v", err)
	}

}

func TestASuccessBetweenFailuresStartsTheCountAnew(t *testing.T) {
	a, s := open(t)
	member(t, s, "you@example.org")
	for range 3 {
		fail(t, a, "you@example.org", "192.0.2.1", maxFailures-1)
		if _, err := a.Login(from("192.0.2.1"), "you@example.org", goodPassword, "", Device{}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnIPv6NetworkIsOneAddress(t *testing.T) {
	a, s := open(t)
	member(t, s, "you@example.org")
	for i := range maxFailures {
		a.Login(from(fmt.Sprintf("2001:db8:0:1::%x", i+1)), "you@example.org", "wrong", "", Device{})
	}
	if _, err := a.Login(from("2001:db8:0:1:ffff::1"), "you@example.org", goodPassword, "", Device{}); err == nil {
		t.Error("another address of the /64 got in")
	}
	if _, err := a.Login(from("2001:db8:0:2::1"), "you@example.org", goodPassword, "", Device{}); err != nil {
		t.Errorf("another /64: %v", err)
	}
}

func TestAGuesserWithManyAddressesIsStopped(t *testing.T) {
	a, s := open(t)
	member(t, s, "you@example.org")
	for i := range ceiling {
		fail(t, a, "you@example.org", spread(i), 1)
	}
	if _, err := a.Login(from("203.0.113.9"), "you@example.org", goodPassword, "", Device{}); err == nil || faultOf(t, err) != fault.Unauthorized {
		t.Errorf("%v", err)
	}
	if _, err := a.locks.begin(s.Now(), "me@example.org", "203.0.113.9"); err != nil {
		t.Errorf("others are locked out, too: %v", err)
	}
}

func TestNoMoreGuessesRunAtOnceThanMayFail(t *testing.T) {
	a, s := open(t)
	begun := 0
	for range 100 {
		if _, err := a.locks.begin(s.Now(), "you@example.org", "192.0.2.1"); err == nil {
			begun++
		} else if faultOf(t, err) != fault.RateLimited {
			t.Fatal(err)
		}
	}
	if begun != maxFailures {
		t.Errorf("%d guesses were let through", begun)
	}
}

func TestLocksAreBounded(t *testing.T) {
	a, s := open(t)
	for i := range maxLocks + 5000 {
		try, err := a.locks.begin(s.Now(), fmt.Sprintf("a%d@example.org", i), "192.0.2.1")
		if err != nil {
			t.Fatal(err)
		}
		try.end(s.Now(), failed)
	}
	if n := len(a.locks.places); n > maxLocks {
		t.Errorf("%d places", n)
	}
	if n := len(a.locks.accounts); n > maxLocks {
		t.Errorf("%d accounts", n)
	}
}

func TestTheUserHearsOfALockOut(t *testing.T) {
	a, s := open(t)
	u := member(t, s, "you@example.org")
	for range maxFailures {
		a.Login(from("192.0.2.1"), "you@example.org", "wrong", "", Device{Address: "192.0.2.1"})
	}
	n, err := s.Unread(context.Background(), u.ID)
	if err != nil || n != 1 {
		t.Errorf("%d notifications: %v", n, err)
	}
}

func TestUnknownAccountsAreAnsweredLikeOthers(t *testing.T) {
	a, s := open(t)
	member(t, s, "you@example.org")
	if _, err := s.CreateUser(context.Background(), store.User{Email: "keyless@example.org"}); err != nil {
		t.Fatal(err)
	}
	answers := map[string]bool{}
	took := map[string]time.Duration{}
	emails := []string{"you@example.org", "nobody@example.org", "keyless@example.org"}
	for range maxFailures {
		for i, email := range emails {
			begin := time.Now()
			_, err := a.Login(from(spread(i)), email, "wrong", "", Device{})
			if d := time.Since(begin); took[email] == 0 || d < took[email] { // the least: the machine has other things to do, too
				took[email] = d
			}
			answers[fmt.Sprint(err)] = true
		}
	}
	for i, email := range emails {
		if _, err := a.Login(from(spread(i)), email, "wrong", "", Device{}); fault.From(err).Meta["retryAfterSec"] == nil {
			t.Errorf("%s is not locked: %v", email, err)
		}
	}
	if len(answers) != 1 {
		t.Errorf("the answers differ: %v", answers)
	}
	if took["nobody@example.org"] < took["you@example.org"]/5 || took["keyless@example.org"] < took["you@example.org"]/5 {
		t.Errorf("the time tells which accounts there are: %v", took)
	}
}

func TestTooManyHashesAreRefusedNotPiledUp(t *testing.T) {
	for range cap(hashing) {
		hashing <- struct{}{}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	var busyNow, cancelled atomic.Int64
	for range maxWaiting + 50 {
		all.Go(func() {
			_, err := turn(ctx)
			switch {
			case err == context.Canceled:
				cancelled.Add(1)
			case err != nil && fault.From(err).Code == fault.Busy && fault.From(err).Meta["retryAfterSec"] != nil:
				busyNow.Add(1)
			}
		})
	}
	for busyNow.Load() < 50 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	all.Wait()
	for range cap(hashing) {
		<-hashing
	}
	if busyNow.Load() != 50 || cancelled.Load() != maxWaiting || queued.Load() != 0 {
		t.Errorf("%d refused, %d waited, %d wait still", busyNow.Load(), cancelled.Load(), queued.Load())
	}
}

func TestManyLockOutsAreToldOfOnceAnHour(t *testing.T) {
	a, s := open(t)
	move := at(s)
	u := member(t, s, "you@example.org")
	told := func(want int) {
		t.Helper()
		if n, err := s.Unread(context.Background(), u.ID); err != nil || n != want {
			t.Errorf("%d notifications, want %d: %v", n, want, err)
		}
	}
	lock := func(address string) {
		t.Helper()
		for range maxFailures {
			try, err := a.locks.begin(s.Now(), u.Email, address)
			if err != nil {
				t.Fatal(err)
			}
			a.tried(from(address), try, failed, u, true, Device{Address: address})
		}
	}
	for i := range 9 {
		lock(spread(i))
	}
	told(1)
	for range 3 { // a guesser who comes back when each lock ends
		move(lockTime + time.Second)
		lock(spread(0))
	}
	told(1)
	move(lockTime + time.Second)
	lock(spread(0))
	told(2)
	events, _, err := s.Events(context.Background(), store.EventQuery{Action: "user.locked", Limit: 50})
	if err != nil || len(events) != 13 {
		t.Errorf("the audit log has %d lock-outs: %v", len(events), err)
	}
}

func TestThatThePasswordIsKnownIsToldAllTheSame(t *testing.T) {
	l, now := newLockout(), time.Now()
	for i, c := range []struct {
		user        string
		known, want bool
	}{{"u", false, true}, {"u", true, true}, {"u", false, false}, {"u", true, false}, {"v", false, true}} {
		if got := l.tell(now, c.user, c.known); got != c.want {
			t.Errorf("%d: %v", i, got)
		}
	}
}

func TestWhoWasToldIsForgotten(t *testing.T) {
	l, now := newLockout(), time.Now()
	for i := range maxLocks + 500 {
		l.tell(now, fmt.Sprint(i), false)
	}
	if len(l.told) > maxLocks {
		t.Errorf("%d are remembered", len(l.told))
	}
	l.tell(now.Add(lockedAgain), "u", false)
	if len(l.told) != 1 {
		t.Errorf("%d are remembered after an hour", len(l.told))
	}
}

func TestALockOutNamesCodesToo(t *testing.T) {
	now := time.Now()
	if s := locked(now.Add(time.Minute), now).Error(); !strings.Contains(s, "Too many wrong passwords or codes.") {
		t.Error(s)
	}
}
