package auth

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	signer = &Signer{bytes.Repeat([]byte{7}, 32)}
	now    = time.Unix(1_800_000_000, 0)
)

func TestALinkOpensItsFileUntilItExpires(t *testing.T) {
	exp := now.Unix() + 60
	q, err := url.ParseQuery(signer.Link("abcdefghijk", exp))
	if err != nil {
		t.Fatal(err)
	}
	sig, e := q.Get("sig"), q.Get("exp")
	if e != strconv.FormatInt(exp, 10) || len(q) != 2 {
		t.Fatalf("query %v", q)
	}
	other := &Signer{bytes.Repeat([]byte{8}, 32)}
	std := base64.StdEncoding.EncodeToString(signer.MAC("link", "abcdefghijk", e))
	cases := []struct {
		name, asset, sig, exp string
		at                    time.Time
		s                     *Signer
		want                  bool
	}{
		{"as it was made", "abcdefghijk", sig, e, now, signer, true},
		{"in its last second", "abcdefghijk", sig, e, now.Add(59 * time.Second), signer, true},
		{"when it expires", "abcdefghijk", sig, e, now.Add(60 * time.Second), signer, false},
		{"a year later", "abcdefghijk", sig, e, now.AddDate(1, 0, 0), signer, false},
		{"for another file", "abcdefghijl", sig, e, now, signer, false},
		{"for no file", "", sig, e, now, signer, false},
		{"with a later end", "abcdefghijk", sig, strconv.FormatInt(exp+1, 10), now, signer, false},
		{"without an end", "abcdefghijk", sig, "", now, signer, false},
		{"with an end that is no number", "abcdefghijk", sig, "never", now, signer, false},
		{"with an end beyond all numbers", "abcdefghijk", sig, "99999999999999999999", now, signer, false},
		{"with the end written with a sign", "abcdefghijk", sig, "+" + e, now, signer, false},
		{"with the end written with a zero", "abcdefghijk", sig, "0" + e, now, signer, false},
		{"without a signature", "abcdefghijk", "", e, now, signer, false},
		{"with half a signature", "abcdefghijk", sig[:22], e, now, signer, false},
		{"with a longer signature", "abcdefghijk", sig + "AAAA", e, now, signer, false},
		{"with a padded signature", "abcdefghijk", sig + "=", e, now, signer, false},
		{"with a line end in the signature", "abcdefghijk", sig[:20] + "\n" + sig[20:], e, now, signer, false},
		{"with the signature in the other alphabet", "abcdefghijk", std, e, now, signer, false},
		{"on another server", "abcdefghijk", sig, e, now, other, false},
		{"with the signature of a cursor", "abcdefghijk", base64.RawURLEncoding.EncodeToString(signer.MAC("cursor", "abcdefghijk", e)), e, now, signer, false},
		{"with the parts joined otherwise", "abcdefghijk", base64.RawURLEncoding.EncodeToString(signer.MAC("link", "abcdefghijk"+e)), e, now, signer, false},
	}
	for _, c := range cases {
		if got := c.s.LinkValid(c.asset, c.sig, c.exp, c.at); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// Each bit of a link counts.
func TestAFlippedBitSpoilsALink(t *testing.T) {
	e := strconv.FormatInt(now.Unix()+60, 10)
	sig := base64.RawURLEncoding.EncodeToString(signer.MAC("link", "abcdefghijk", e))
	if !signer.LinkValid("abcdefghijk", sig, e, now) {
		t.Fatal("the link is not valid to begin with")
	}
	flips := func(s string, valid func(string) bool) {
		for i := range len(s) * 8 {
			b := []byte(s)
			b[i/8] ^= 1 << (i % 8)
			if valid(string(b)) {
				t.Errorf("%q opens the file as %q does", b, s)
			}
		}
	}
	flips("abcdefghijk", func(s string) bool { return signer.LinkValid(s, sig, e, now) })
	flips(sig, func(s string) bool { return signer.LinkValid("abcdefghijk", s, e, now) })
	flips(e, func(s string) bool { return signer.LinkValid("abcdefghijk", sig, s, now) })
}

func TestPartsOfASignatureDoNotRunTogether(t *testing.T) {
	for _, pair := range [][2][]string{{{"a", "bc"}, {"ab", "c"}}, {{"a", ""}, {"a"}}, {{"", "a"}, {"a"}}} {
		if bytes.Equal(signer.MAC(pair[0]...), signer.MAC(pair[1]...)) {
			t.Errorf("%q and %q have one signature", pair[0], pair[1])
		}
	}
}

func FuzzLinkValid(f *testing.F) {
	e := strconv.FormatInt(now.Unix()+60, 10)
	sig := base64.RawURLEncoding.EncodeToString(signer.MAC("link", "abcdefghijk", e))
	f.Add("abcdefghijk", sig, e)
	f.Add("abcdefghijk", sig, "+"+e)
	f.Add("abcdefghijk", sig, "0"+e)
	f.Add("abcdefghijk", sig+"\n", e)
	f.Add("", "", "")
	f.Fuzz(func(t *testing.T, asset, given, exp string) {
		got := signer.LinkValid(asset, given, exp, now)
		n, err := strconv.ParseInt(exp, 10, 64)
		want := err == nil && n > now.Unix() && exp == strconv.FormatInt(n, 10) && given == strings.TrimPrefix(strings.Split(signer.Link(asset, n), "&")[0], "sig=")
		if got != want {
			t.Errorf("LinkValid(%q, %q, %q) = %v", asset, given, exp, got)
		}
	})
}
