package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"

	"picora/store"
)

// Signer makes and checks signatures with a secret of this server. The secret is
// made at first start and kept among the settings, so links outlive restarts.
type Signer struct{ secret []byte }

// NewSigner reads the secret, or makes it.
func NewSigner(ctx context.Context, s *store.Store) (*Signer, error) {
	secret, err := s.SettingOnce(ctx, "signing.secret", func() []byte {
		b := make([]byte, 32)
		rand.Read(b)
		return b
	})
	return &Signer{secret}, err
}

// MAC is HMAC-SHA256 over the parts, each ended by NUL. The first part names
// what is signed, so that a signature of one thing is none of another.
func (s *Signer) MAC(parts ...string) []byte {
	h := hmac.New(sha256.New, s.secret)
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return h.Sum(nil)
}

// Link is the query that opens one asset until exp, a Unix time in seconds.
func (s *Signer) Link(asset string, exp int64) string {
	e := strconv.FormatInt(exp, 10)
	return "sig=" + s.linkSig(asset, e) + "&exp=" + e
}

// LinkValid reports whether sig opens the asset now. Only the very text that Link
// made does: base64 itself would pass over line ends, and numbers over zeros.
func (s *Signer) LinkValid(asset, sig, exp string, now time.Time) bool {
	e, err := strconv.ParseInt(exp, 10, 64)
	return err == nil && now.Unix() < e && hmac.Equal([]byte(sig), []byte(s.linkSig(asset, exp)))
}

func (s *Signer) linkSig(asset, exp string) string {
	return base64.RawURLEncoding.EncodeToString(s.MAC("link", asset, exp))
}
