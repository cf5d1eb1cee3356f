// Package limit holds the token buckets that keep one caller from taking the server
// for itself.
package limit

// Tier is a group of routes that share a bucket (contract, section 3).
type Tier uint8

// The tiers. Free routes cost nothing.
const (
	Free Tier = iota
	Read
	Mutation
	Upload
	SignIn // by address, not by caller
)

func (t Tier) String() string {
	return [...]string{"free", "read", "mutation", "upload", "auth"}[t]
}
