package auth

import (
	"net/netip"
	"strconv"
	"sync"
	"time"

	"picora/app/fault"
)

// per is so many in a time.
type per struct {
	n    int
	time time.Duration
}

// window counts what happened under a name in the last while. It is in memory: a
// restart forgets it, and each process of several would count for itself. No more than
// most names are kept; the one that was there longest goes first.
type window struct {
	rules []per // the last one is the longest
	most  int
	names map[string][]time.Time // oldest first
}

// wait is how long until one more is allowed; 0: now. Call before add.
func (w *window) wait(name string, now time.Time) (wait time.Duration) {
	all := w.names[name]
	for _, r := range w.rules {
		if len(all) >= r.n {
			wait = max(wait, all[len(all)-r.n].Add(r.time).Sub(now))
		}
	}
	return max(wait, 0)
}

// add counts one more.
func (w *window) add(name string, now time.Time) {
	if w.names == nil {
		w.names = map[string][]time.Time{}
	}
	all, known := w.names[name]
	if !known && len(w.names) >= w.most {
		w.forget(now)
	}
	if longest := w.rules[len(w.rules)-1].n; len(all) >= longest {
		all = all[len(all)-longest+1:]
	}
	w.names[name] = append(all[:len(all):len(all)], now)
}

// forget makes room: of the names that no rule remembers, or else of any tenth.
func (w *window) forget(now time.Time) {
	age := w.rules[len(w.rules)-1].time
	for name, all := range w.names {
		if now.Sub(all[len(all)-1]) > age {
			delete(w.names, name)
		}
	}
	for name := range w.names {
		if len(w.names) <= w.most*9/10 {
			return
		}
		delete(w.names, name)
	}
}

// codeLimits are how many codes are made (contract 6). What is refused is not counted,
// so the bound for everybody bounds the memory, too: 144,000 entries a day.
type codeLimits struct {
	mu                        sync.Mutex
	email, address, everybody window
}

const maxCodeNames = 200_000 // never reached: see codeLimits

func newCodeLimits() *codeLimits {
	return &codeLimits{
		email:     window{rules: []per{{1, time.Minute}, {5, time.Hour}, {10, 24 * time.Hour}}, most: maxCodeNames},
		address:   window{rules: []per{{20, time.Hour}, {50, 24 * time.Hour}}, most: maxCodeNames},
		everybody: window{rules: []per{{100, time.Minute}}, most: 1},
	}
}

// allow counts a code, or says when the next one is allowed.
func (l *codeLimits) allow(now time.Time, email, address string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	wait := max(l.email.wait(email, now), l.everybody.wait("", now))
	if address != "" {
		wait = max(wait, l.address.wait(address, now))
	}
	if wait > 0 {
		return tooMany(wait, "Too many codes were asked for.")
	}
	l.email.add(email, now)
	l.everybody.add("", now)
	if address != "" {
		l.address.add(address, now)
	}
	return nil
}

// tooMany is RATE_LIMITED until the wait is over.
func tooMany(wait time.Duration, why string) error {
	sec := int((wait + time.Second - 1) / time.Second)
	f := fault.New(fault.RateLimited, "%s Try again in %s.", why, spoken(time.Duration(sec)*time.Second))
	f.Meta = map[string]any{"retryAfterSec": sec}
	return f
}

// network is what of an address counts as one place: of IPv6 the /64, which is what a
// connection has to itself. Empty when there is no address.
func network(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if !a.IsValid() || a.Is4() {
		if !a.IsValid() {
			return ""
		}
		return a.String()
	}
	p, err := a.Prefix(64)
	if err != nil {
		return a.String()
	}
	return p.String()
}

// spoken is a time to wait in words.
func spoken(d time.Duration) string {
	unit, n := "second", int((d+time.Second-1)/time.Second)
	switch {
	case d >= 90*time.Minute:
		unit, n = "hour", int((d+time.Hour-1)/time.Hour)
	case d >= 90*time.Second:
		unit, n = "minute", int((d+time.Minute-1)/time.Minute)
	}
	if n != 1 {
		unit += "s"
	}
	return strconv.Itoa(n) + " " + unit
}
