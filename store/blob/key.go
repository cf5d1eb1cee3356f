package blob

import (
	"crypto/rand"
	"encoding/base32"
	"strings"
	"time"
)

// A key is 26 lower-case characters of Crockford's base32: 10 for the
// milliseconds since 1970 (48 bits), 16 for 80 random bits. Keys therefore sort
// by the time they were made, are safe as file names, and do not collide.
const (
	alphabet  = "0123456789abcdefghjkmnpqrstvwxyz"
	keyLen    = 26
	timeLen   = 10
	maxMillis = 1<<48 - 1 // the year 10889
)

var encoding = base32.NewEncoding(alphabet).WithPadding(base32.NoPadding)

// NewKey makes a key for content that is stored at the time now. Keys of one
// millisecond are in no particular order.
func NewKey(now time.Time) string {
	var random [10]byte
	rand.Read(random[:]) // never fails: crypto/rand ends the program instead
	return moment(now) + encoding.EncodeToString(random[:])
}

// KeyAt returns the smallest key of t's millisecond: no key made before sorts
// after it. Times outside 1970–10889 give the nearest that a key can hold.
func KeyAt(t time.Time) string {
	return moment(t) + strings.Repeat("0", keyLen-timeLen)
}

// Time returns the millisecond at which key was made, in UTC; the zero time for
// an invalid key.
func Time(key string) time.Time {
	if !ValidKey(key) {
		return time.Time{}
	}
	var ms int64
	for i := range timeLen {
		ms = ms<<5 | int64(strings.IndexByte(alphabet, key[i]))
	}
	return time.UnixMilli(ms).UTC()
}

// ValidKey reports whether key has the form of NewKey's. Such a key holds
// letters and digits only: it names one file and leads nowhere.
func ValidKey(key string) bool {
	return len(key) == keyLen && ValidPrefix(key)
}

// ValidPrefix reports whether a valid key can start with prefix, which may be
// empty or a whole key.
func ValidPrefix(prefix string) bool {
	if len(prefix) > keyLen {
		return false
	}
	for i := range len(prefix) {
		if strings.IndexByte(alphabet, prefix[i]) < 0 {
			return false
		}
	}
	// Ten characters hold 50 bits and the time has 48, so the first is at most 7.
	return prefix == "" || prefix[0] <= '7'
}

// moment is the part of a key that says when it was made.
func moment(t time.Time) string {
	ms := min(max(t.UnixMilli(), 0), maxMillis)
	var b [timeLen]byte
	for i := timeLen - 1; i >= 0; i-- {
		b[i] = alphabet[ms&31]
		ms >>= 5
	}
	return string(b[:])
}
