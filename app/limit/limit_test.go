package limit

import (
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"picora/app/config"
)

// clock is a time that tests move.
type clock struct{ t atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(1_800_000_000, c.t.Load()) }
func (c *clock) forward(d time.Duration) { c.t.Add(int64(d)) }

func open(edit ...func(*config.Limits)) (*Limiter, *clock) {
	cfg := config.Default().Limits
	for _, e := range edit {
		e(&cfg)
	}
	c := new(clock)
	return New(cfg, c.now), c
}

// passes is how many calls go through at once.
func passes(l *Limiter, c Caller, t Tier) (n int) {
	for l.Take(c, t).OK {
		if n++; n > 1_000_000 {
			return n
		}
	}
	return n
}

func TestAKeyMaySendAMinutesNumberAndTheBurstAtOnce(t *testing.T) {
	for tier, want := range map[Tier]int{Read: 630, Mutation: 130, Upload: 65} {
		l, clock := open()
		c := Caller{Account: "account", Key: "key"}
		if n := passes(l, c, tier); n != want {
			t.Errorf("%s: %d passed, want %d", tier, n, want)
		}
		clock.forward(time.Minute)
		if n := passes(l, c, tier); n != l.sizes[tier].number {
			t.Errorf("%s: %d passed in the next minute, want %d", tier, n, l.sizes[tier].number)
		}
		for _, other := range []Tier{Read, Mutation, Upload} {
			if other != tier && !l.Take(c, other).OK {
				t.Errorf("%s is used up with %s", other, tier)
			}
		}
	}
}

func TestManyKeysGiveAnAccountTwiceAsMuchAsOne(t *testing.T) {
	l, _ := open()
	n := 0
	for i := range 20 {
		n += passes(l, Caller{Account: "account", Key: fmt.Sprint(i)}, Upload)
	}
	if n != 130 {
		t.Errorf("20 keys sent %d, want 130", n)
	}
	if l.Take(Caller{Account: "account"}, Upload).OK {
		t.Error("signed in, the account has more")
	}
	if n := passes(l, Caller{Account: "another", Key: "x"}, Upload); n != 65 {
		t.Errorf("another account may send %d, want 65", n)
	}
}

func TestSessionsTogetherAreLikeOneKey(t *testing.T) {
	l, _ := open()
	if n := passes(l, Caller{Account: "account"}, Upload); n != 65 {
		t.Errorf("%d, want 65", n)
	}
	if n := passes(l, Caller{Account: "account", Key: "key"}, Upload); n != 65 {
		t.Errorf("a key had %d left, want 65", n)
	}
}

func TestAnHourHasAnEnd(t *testing.T) {
	l, clock := open()
	c := Caller{Account: "account", Key: "key"}
	n := 0
	for range 12 {
		n += passes(l, c, Read)
		clock.forward(time.Minute)
	}
	// 5000, and what the hour's bucket got back in the minutes between.
	if n < 5000 || n > 5000+12*84 {
		t.Errorf("%d passed", n)
	}
	s := l.Take(c, Mutation)
	if s = l.Take(c, Mutation); n < 5000 || s.Tier != Hourly && s.OK && s.Remaining > 84 {
		t.Errorf("the hour is used up, yet %+v", s)
	}
	for s.OK {
		s = l.Take(c, Mutation)
	}
	if s.Tier != Hourly || s.Limit != 5000 || s.Remaining != 0 || s.Retry <= 0 || s.Retry > time.Second {
		t.Errorf("refused with %+v", s)
	}
}

func TestAdministratorsHaveTenTimesAsMuch(t *testing.T) {
	l, _ := open()
	if n := passes(l, Caller{Account: "account", Key: "key", Admin: true}, Upload); n != 650 {
		t.Errorf("%d, want 650", n)
	}
	if s := l.Peek(Caller{Account: "account", Key: "key", Admin: true}, Upload); s.Limit != 600 {
		t.Errorf("the limit is %d, want 600", s.Limit)
	}
	if n := passes(l, Caller{Account: "account", Key: "key"}, Upload); n != 65 {
		t.Errorf("after losing the role: %d, want 65", n)
	}
}

func TestAddresses(t *testing.T) {
	l, _ := open()
	at := func(s string) Caller { return Caller{Address: netip.MustParseAddr(s)} }
	for _, c := range []struct {
		name, address string
		want          int
	}{
		{"an address has its number and the burst", "192.0.2.1", 40},
		{"its neighbour has its own", "192.0.2.2", 40},
		{"the same written in IPv6 is the same", "::ffff:192.0.2.2", 0},
		{"an address of IPv6 has the same number", "2001:db8:1:1::1", 40},
		{"the whole of its network shares it", "2001:db8:1:1:ffff::2", 0},
		{"the next network does not", "2001:db8:1:2::1", 40},
	} {
		if n := passes(l, at(c.address), SignIn); n != c.want {
			t.Errorf("%s: %d passed, want %d", c.name, n, c.want)
		}
	}
	if n := passes(l, at("192.0.2.1"), Guess); n != 400 {
		t.Errorf("%d wrong credentials passed, want 400", n)
	}
	if n := passes(l, Caller{}, SignIn); n != 40 || passes(l, Caller{}, SignIn) != 0 {
		t.Errorf("without an address %d passed, want 40 for all together", n)
	}
}

func TestStatesSayWhatIsLeft(t *testing.T) {
	l, clock := open()
	c := Caller{Account: "account", Key: "key"}
	want := func(name string, s State, ok bool, remaining int, reset, retry time.Duration) {
		t.Helper()
		near := func(a, b time.Duration) bool { return (a - b).Abs() < 10*time.Millisecond }
		if !s.Limited || s.Tier != Upload || s.Limit != 60 || s.OK != ok || s.Remaining != remaining || !near(s.Reset, reset) || !near(s.Retry, retry) {
			t.Errorf("%s: %+v, want %t, %d, %s, %s", name, s, ok, remaining, reset, retry)
		}
	}
	want("before the first", l.Peek(c, Upload), true, 60, 0, 0)
	for range 5 {
		want("within the burst", l.Take(c, Upload), true, 60, 0, 0)
	}
	want("the sixth", l.Take(c, Upload), true, 59, time.Second, 0)
	for range 58 {
		l.Take(c, Upload)
	}
	want("the last", l.Take(c, Upload), true, 0, time.Minute, 0)
	want("one more", l.Take(c, Upload), false, 0, time.Minute, time.Second)
	want("and another", l.Take(c, Upload), false, 0, time.Minute, time.Second)
	clock.forward(400 * time.Millisecond)
	want("a little later", l.Peek(c, Upload), false, 0, 59600*time.Millisecond, 600*time.Millisecond)
	clock.forward(600 * time.Millisecond)
	want("after a second", l.Take(c, Upload), true, 0, time.Minute, 0)
}

func TestARefusedCallTakesNothing(t *testing.T) {
	l, _ := open()
	a, b := Caller{Account: "account", Key: "a"}, Caller{Account: "account", Key: "b"}
	passes(l, a, Upload)
	for range 1000 {
		l.Take(a, Upload)
	}
	if n := passes(l, b, Upload); n != 65 {
		t.Errorf("what key a was refused is missing from the account: key b has %d, want 65", n)
	}
}

func TestZeroIsNoLimit(t *testing.T) {
	l, _ := open(func(c *config.Limits) { c.UploadPerMinute, c.Hourly = 0, 0 })
	c := Caller{Account: "account", Key: "key"}
	for range 10_000 {
		if s := l.Take(c, Upload); !s.OK || s.Limited {
			t.Fatalf("%+v", s)
		}
	}
	if n := passes(l, c, Mutation); n != 130 {
		t.Errorf("the others are not limited any more: %d", n)
	}
	l, _ = open(func(c *config.Limits) { c.UploadPerMinute = 0 })
	if n := passes(l, c, Upload); n != 5000 {
		t.Errorf("without an upload limit the hour has %d, want 5000", n)
	}
	l, _ = open(func(c *config.Limits) { c.Enabled = false })
	if s := l.Take(c, Upload); !s.OK || s.Limited {
		t.Errorf("turned off: %+v", s)
	}
}

func TestManyAtOnceGetNoMore(t *testing.T) {
	l, _ := open()
	var passed atomic.Int64
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for range 200 {
				if l.Take(Caller{Account: "account", Key: fmt.Sprint(i)}, Upload).OK {
					passed.Add(1)
				}
			}
		})
	}
	all.Wait()
	if n := passed.Load(); n > 130 || n < 100 {
		t.Errorf("%d passed, want 130, or a few less that two found and neither got", n)
	}
}

// race says that the race detector watches.
var race bool

// heap is the memory in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestAMillionCallersTakeBoundedMemory(t *testing.T) {
	if race {
		t.Skip("takes minutes with the race detector, and other memory")
	}
	l, _ := open()
	before := heap()
	for i := range 1_000_000 {
		id := fmt.Sprintf("account-%013d", i)
		l.Take(Caller{Account: id, Key: "k" + id}, Read)
		l.Take(Caller{Address: netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})}, SignIn)
	}
	used := int64(heap()) - int64(before)
	for name, n := range map[string]int{"keys": l.keys.len(), "accounts": l.accounts.len(), "addresses": l.addresses.len()} {
		if n == 0 || n > most {
			t.Errorf("%d %s are kept, want at most %d", n, name, most)
		}
	}
	t.Logf("%d MB, %d bytes for each caller that is kept", used>>20, used/(3*most))
	if used > 64<<20 {
		t.Errorf("a million callers take %d MB", used>>20)
	}
	runtime.KeepAlive(l)
}

// Who is limited stays so while fewer than the table holds come after them, and
// strangers, who cost nothing, push out no account.
func TestStrangersMakeNobodyForgotten(t *testing.T) {
	l, _ := open()
	c := Caller{Account: "account", Key: "key"}
	passes(l, c, Upload)
	for i := range 4 * most {
		l.Take(Caller{Address: netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})}, Guess)
	}
	if l.Take(c, Upload).OK {
		t.Error("the key has a full bucket again")
	}
	for i := range most / 4 { // the shards are not exactly even
		l.Take(Caller{Account: fmt.Sprint(i), Key: fmt.Sprint(i)}, Upload)
	}
	if l.Take(c, Upload).OK {
		t.Error("the key has a full bucket again, with room for the others")
	}
}

// BenchmarkTake takes a call of a key: four buckets of two callers.
func BenchmarkTake(b *testing.B) {
	cfg := config.Default().Limits
	cfg.ReadPerMinute, cfg.Hourly = 1_000_000, 1_000_000
	for _, callers := range []int{1, 10_000, 1_000_000} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			l := New(cfg, time.Now)
			list := make([]Caller, callers)
			for i := range list {
				list[i] = Caller{Account: fmt.Sprintf("account-%013d", i), Key: fmt.Sprintf("key-%017d", i)}
			}
			before := heap()
			for i := range list {
				l.Take(list[i], Read)
			}
			after := heap()
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				l.Take(list[i%callers], Read)
				i += 7919
			}
			b.ReportMetric(float64(after-before)/float64(min(2*callers, 2*most)), "B/caller")
		})
	}
}

func BenchmarkTakeInParallel(b *testing.B) {
	l, _ := open()
	var n atomic.Int64
	b.RunParallel(func(p *testing.PB) {
		c := Caller{Account: fmt.Sprint("account", n.Add(1)), Key: "key"}
		for p.Next() {
			l.Take(c, Read)
		}
	})
}

// Behind one address there may be a whole company that looks at pictures.
func TestAnAddressHasNoLimitByTheHour(t *testing.T) {
	l, clock := open(func(c *config.Limits) { c.Hourly = 700 })
	c := Caller{Address: netip.MustParseAddr("192.0.2.1")}
	for minute := range 5 {
		if n := passes(l, c, Read); n < 600 {
			t.Errorf("minute %d: %d look-ups passed, want 600", minute, n)
		}
		clock.forward(time.Minute)
	}
	if n := passes(l, Caller{Account: "account", Key: "key"}, Read); n != 630 {
		t.Errorf("%d passed, want 630", n)
	}
	clock.forward(time.Minute)
	if n := passes(l, Caller{Account: "account", Key: "key"}, Read); n > 100 {
		t.Errorf("an account has no limit by the hour: %d passed", n)
	}
}
