package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
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
// processor, and a flood of sign-ins must leave both to others.
var hashing = make(chan struct{}, max(1, runtime.NumCPU()/2))

// CheckPassword reports whether it is the user's password. It waits for its turn, or
// for the end of ctx.
func (a *Auth) CheckPassword(ctx context.Context, u store.User, password string) (bool, error) {
	var version, memory, time, threads int
	var salt, sum string
	f := strings.Split(u.Password, "$")
	if len(f) != 6 {
		return false, nil
	}
	if _, err := fmt.Sscanf(f[2]+" "+f[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &time, &threads); err != nil || f[1] != "argon2id" {
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
	select {
	case hashing <- struct{}{}:
		defer func() { <-hashing }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	got := argon2.IDKey([]byte(password), s, uint32(time), uint32(memory), uint8(threads), uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

// HashPassword returns the password's argon2id hash in PHC form, with its salt
// and cost. Passwords have 8 to 64 characters (contract 6).
func HashPassword(password string) (string, error) {
	if n := utf8.RuneCountInString(password); n < 8 || n > 64 {
		return "", fault.New(fault.Invalid, "A password has 8 to 64 characters.")
	}
	salt := make([]byte, 16)
	rand.Read(salt)
	sum := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, 32)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
		b64.EncodeToString(salt), b64.EncodeToString(sum)), nil
}
