package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
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

// TransformLink is params, the query of a picture made of the asset, with a signature
// of all of them. Exp is a Unix time in seconds until which it opens the asset, too;
// 0: it makes the picture available, for ever, to those who may have the asset.
func (s *Signer) TransformLink(asset string, params url.Values, exp int64) string {
	signed := url.Values{}
	for name, values := range params {
		signed[name] = values
	}
	signed.Del("exp")
	if exp != 0 {
		signed.Set("exp", strconv.FormatInt(exp, 10))
	}
	signed.Set("sig", s.transformSig(asset, signed))
	return signed.Encode()
}

// TransformValid reports whether params carry the signature that TransformLink put
// there, and none has been added, changed or taken away.
func (s *Signer) TransformValid(asset string, params url.Values, now time.Time) bool {
	sig, exp := params.Get("sig"), params.Get("exp")
	if sig == "" || len(params["sig"]) > 1 || len(params["exp"]) > 1 {
		return false
	}
	if exp != "" {
		if e, err := strconv.ParseInt(exp, 10, 64); err != nil || now.Unix() >= e {
			return false
		}
	}
	signed := url.Values{}
	for name, values := range params {
		if name != "sig" {
			signed[name] = values
		}
	}
	return hmac.Equal([]byte(sig), []byte(s.transformSig(asset, signed)))
}

func (s *Signer) transformSig(asset string, params url.Values) string {
	return base64.RawURLEncoding.EncodeToString(s.MAC("transform", asset, params.Encode()))
}

func (s *Signer) linkSig(asset, exp string) string {
	return base64.RawURLEncoding.EncodeToString(s.MAC("link", asset, exp))
}

// FeedLink is the query that opens one asset of a collection's private feed for as long
// as that feed has the token. Podcast programs keep addresses for months.
func (s *Signer) FeedLink(collection, token, asset string) string {
	return "sig=" + base64.RawURLEncoding.EncodeToString(s.MAC("feed", collection, token, asset))
}

// FeedLinkValid reports whether sig is that of FeedLink. No token opens nothing.
func (s *Signer) FeedLinkValid(collection, token, asset, sig string) bool {
	return token != "" && hmac.Equal([]byte("sig="+sig), []byte(s.FeedLink(collection, token, asset)))
}
