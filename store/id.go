package store

import "crypto/rand"

// Lengths of the ids on the wire, in characters (contract 1.6).
const (
	ImageIDLen = 11
	IDLen      = 21
)

// alphabet is nanoid's URL-safe alphabet: 64 letters, so a byte's low six bits
// choose one without bias.
const alphabet = "useandom-26T198340PX75pxJACKVERYMINDBUSHWOLF_GQZbfghjklqvwyzrict"

// NewID makes a random id of n characters, six bits each. It never begins with
// a hyphen: people pass ids to commands, which would take it for an option.
func NewID(n int) string {
	b := make([]byte, n)
	for {
		rand.Read(b) // never fails, by crypto/rand's promise
		for i := range b {
			b[i] = alphabet[b[i]&63]
		}
		if b[0] != '-' {
			return string(b)
		}
	}
}

// ValidID reports whether s is an id of n characters.
func ValidID(s string, n int) bool {
	if len(s) != n {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-') {
			return false
		}
	}
	return true
}
