package auth

import (
	"strings"
	"sync"
	"time"

	"picora/app/fault"
	"picora/store"
)

const (
	// maxFailures in a row lock an account for one address (contract 6), lockTime long.
	maxFailures = 5
	lockTime    = 15 * time.Minute
	// ceiling is how many failures from anywhere, within lockTime, lock an account for
	// every address: a guesser with many addresses gets no further. It is high, for it
	// locks out the owner, too, who still gets in with a mailed code or a passkey.
	ceiling = 50
	// maxLocks bounds the memory: about 30 MB. A guess costs a hash, and there are not
	// enough hashes in lockTime to push a lock out.
	maxLocks = 100_000
	// lockedAgain is how long an owner who was told of a lock-out hears of no other: else
	// a guesser would fill their inbox.
	lockedAgain = time.Hour
)

// lockout counts wrong passwords. It is in the memory of this process, so a restart
// forgets it, and several processes would count each for itself. Addresses without an
// account are counted like the others: a lock says nothing about which there are.
type lockout struct {
	mu       sync.Mutex
	places   map[string]*failures // by account and address
	accounts map[string]*failures // by account
	told     map[string]time.Time // when the owner last heard of a lock-out, by the account's id
}

type failures struct {
	n, pending int
	last       time.Time
	until      time.Time // locked; zero: not
}

func newLockout() *lockout {
	return &lockout{places: map[string]*failures{}, accounts: map[string]*failures{}, told: map[string]time.Time{}}
}

// tell reports whether the owner of the account is to hear of a lock-out now: not when
// they did in the last hour. That somebody knows the password is news all the same.
func (l *lockout) tell(now time.Time, user string, known bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known {
		user += "\x00known"
	}
	if last, is := l.told[user]; is && now.Sub(last) < lockedAgain {
		return false
	}
	if len(l.told) >= maxLocks {
		for name, last := range l.told {
			if now.Sub(last) >= lockedAgain {
				delete(l.told, name)
			}
		}
	}
	for name := range l.told { // any, when that was too little
		if len(l.told) < maxLocks {
			break
		}
		delete(l.told, name)
	}
	l.told[user] = now
	return true
}

// attempt is a try that was let through; end says how it went.
type attempt struct {
	l              *lockout
	place, account string
}

func names(email, network string) (place, account string) {
	account = store.FoldEmail(strings.TrimSpace(email))
	return account + "\x00" + network, account
}

// begin lets a try through, or says until when there is none. Of tries that run at the
// same time no more are let through than may fail.
func (l *lockout) begin(now time.Time, email, network string) (attempt, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	place, account := names(email, network)
	p, a := l.of(l.places, place, now), l.of(l.accounts, account, now)
	for _, f := range []*failures{p, a} {
		if f.until.After(now) {
			return attempt{}, locked(f.until, now)
		}
	}
	if p.n+p.pending >= maxFailures {
		return attempt{}, tooMany(time.Second, "Too many sign-ins to this account are under way.")
	}
	p.pending++
	return attempt{l, place, account}, nil
}

// of finds the failures under a name, or none yet. Those that are over are forgotten.
func (l *lockout) of(m map[string]*failures, name string, now time.Time) *failures {
	f := m[name]
	if f == nil {
		if len(m) >= maxLocks {
			forget(m, now)
		}
		f = &failures{}
		m[name] = f
	}
	if over(f, now) {
		f.n, f.until = 0, time.Time{}
	}
	return f
}

func over(f *failures, now time.Time) bool {
	return now.Sub(f.last) > lockTime && !f.until.After(now)
}

// forget drops what is over, or, when that is too little, any tenth.
func forget(m map[string]*failures, now time.Time) {
	for name, f := range m {
		if f.pending == 0 && over(f, now) {
			delete(m, name)
		}
	}
	for name, f := range m {
		if len(m) <= maxLocks*9/10 {
			return
		}
		if f.pending == 0 {
			delete(m, name)
		}
	}
}

// result is how a try ended.
type result int

const (
	undecided result = iota // the server's fault, or a step is missing
	passed
	failed
	failedFactor // the password was right, the second factor was not
)

// end notes how the try went. A lock that began with it is returned.
func (t attempt) end(now time.Time, o result) (until time.Time) {
	l := t.l
	l.mu.Lock()
	defer l.mu.Unlock()
	p, a := l.of(l.places, t.place, now), l.of(l.accounts, t.account, now)
	if p.pending > 0 {
		p.pending--
	}
	switch o {
	case passed:
		p.n, p.until = 0, time.Time{}
	case failed, failedFactor:
		for _, f := range []*failures{p, a} {
			f.n++
			f.last = now
		}
		if p.n >= maxFailures && p.until.IsZero() {
			p.until, until = now.Add(lockTime), now.Add(lockTime)
		}
		if a.n >= ceiling && a.until.IsZero() {
			a.until, until = now.Add(lockTime), now.Add(lockTime)
		}
	}
	if p.n == 0 && p.pending == 0 {
		delete(l.places, t.place)
	}
	if a.n == 0 {
		delete(l.accounts, t.account)
	}
	return until
}

// reset forgets the failures of an account, whose owner has another password.
func (l *lockout) reset(email string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	prefix, account := names(email, "")
	for name, f := range l.places {
		if strings.HasPrefix(name, prefix) {
			f.n, f.until = 0, time.Time{}
		}
	}
	delete(l.accounts, account)
}

// locked answers 401 (contract 6) and when to come back.
func locked(until, now time.Time) error {
	f := fault.New(fault.Unauthorized, "Too many wrong passwords or codes. Try again in %s, at %s.",
		spoken(until.Sub(now)), until.UTC().Format("15:04 UTC"))
	f.Meta = map[string]any{"retryAfterSec": int(until.Sub(now)/time.Second) + 1}
	return f
}
