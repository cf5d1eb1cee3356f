package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"picora/app/fault"
	"picora/store"
)

// argon2id's cost: 75 ms and 46 MiB on one core of our reference machine.
const (
	argonTime    = 2
	argonMemory  = 46 << 10 // KiB
	argonThreads = 1
)

// hashing bounds the passwords hashed at once: each takes argonMemory and a whole
// processor, and a flood of sign-ins must leave both to others. Two at most, for the
// memory comes back only at the next garbage collection.
var hashing = make(chan struct{}, min(2, max(1, runtime.NumCPU()/2)))

// How many may wait for their turn, and how long. A client gives up after 30 s.
const (
	maxWaiting  = 200
	waitingTime = 20 * time.Second
)

var queued atomic.Int64

// turn waits until a password may be hashed; done ends the turn. SERVER_BUSY when too
// many wait or it takes too long.
func turn(ctx context.Context) (done func(), err error) {
	done = func() { <-hashing }
	select {
	case hashing <- struct{}{}:
		return done, nil
	default:
	}
	if queued.Add(1) > maxWaiting {
		queued.Add(-1)
		return nil, busy()
	}
	defer queued.Add(-1)
	late := time.NewTimer(waitingTime)
	defer late.Stop()
	select {
	case hashing <- struct{}{}:
		return done, nil
	case <-late.C:
		return nil, busy()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func busy() error {
	f := fault.New(fault.Busy, "Too many people sign in just now. Try again in a moment.")
	f.Meta = map[string]any{"retryAfterSec": 10}
	return f
}

// nobodys is a hash that no password has, at today's cost: checking against it takes
// as long as against somebody's.
var nobodys = fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
	strings.Repeat("A", 22), strings.Repeat("A", 43))

// CheckPassword reports whether it is the user's password. It waits for its turn, or
// for the end of ctx.
func (a *Auth) CheckPassword(ctx context.Context, u store.User, password string) (bool, error) {
	var version, memory, passes, threads int
	var salt, sum string
	f := strings.Split(u.Password, "$")
	if len(f) != 6 {
		return false, nil
	}
	if _, err := fmt.Sscanf(f[2]+" "+f[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &passes, &threads); err != nil || f[1] != "argon2id" {
		return false, fmt.Errorf("auth: the password hash of user %s is damaged", u.ID)
	}
	salt, sum = f[4], f[5]
	s, err := base64.RawStdEncoding.DecodeString(salt)
	if err != nil {
		return false, fmt.Errorf("auth: the password hash of user %s is damaged", u.ID)
	}
	want, err := base64.RawStdEncoding.DecodeString(sum)
	if err != nil {
		return false, fmt.Errorf("auth: the password hash of user %s is damaged", u.ID)
	}
	done, err := turn(ctx)
	if err != nil {
		return false, err
	}
	defer done()
	got := argon2.IDKey([]byte(password), s, uint32(passes), uint32(memory), uint8(threads), uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

// HashPassword returns the password's argon2id hash in PHC form, with its salt
// and cost. Passwords have 8 to 64 characters (contract 6); which ones is nobody's
// business (NIST SP 800-63B). It waits for its turn.
func HashPassword(password string) (string, error) {
	return hashPassword(context.Background(), password)
}

// checkPassword refuses what cannot be a password (contract 6).
func checkPassword(password string) error {
	if n := utf8.RuneCountInString(password); n < 8 || n > 64 {
		return fault.New(fault.Invalid, "A password has 8 to 64 characters.")
	}
	return nil
}

func hashPassword(ctx context.Context, password string) (string, error) {
	if err := checkPassword(password); err != nil {
		return "", err
	}
	done, err := turn(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	salt := make([]byte, 16)
	rand.Read(salt)
	sum := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, 32)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
		b64.EncodeToString(salt), b64.EncodeToString(sum)), nil
}
