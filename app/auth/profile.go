package auth

import (
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"picora/app/fault"
	"picora/store"
)

// Profile is what is to be different about an account; nil leaves a thing alone.
type Profile struct {
	Nickname         *string // empty: none
	AvatarLink       *string // empty: no avatar at all
	Locale           *string
	DocVersioning    *bool
	DocVersioningMax *int64
}

const (
	maxNickname = 60 // contract 23, row 26
	maxLink     = 2048
)

// Apply checks the profile and writes it into u.
func (p *Profile) Apply(u *store.User) error {
	if err := p.check(); err != nil {
		return err
	}
	if p.Nickname != nil {
		u.Nickname = *p.Nickname
	}
	if p.Locale != nil {
		u.Locale = *p.Locale
	}
	if p.AvatarLink != nil {
		u.Avatar, u.AvatarType, u.AvatarSet, u.AvatarLink = "", "", time.Time{}, *p.AvatarLink
	}
	if p.DocVersioning != nil {
		u.DocVersioning = *p.DocVersioning
	}
	if p.DocVersioningMax != nil {
		u.DocVersioningMax = int(*p.DocVersioningMax)
	}
	return nil
}

// check refuses what no account may say, and tidies the rest.
func (p *Profile) check() error {
	if p.Nickname != nil {
		n := strings.TrimSpace(*p.Nickname)
		if utf8.RuneCountInString(n) > maxNickname || !utf8.ValidString(n) || strings.ContainsFunc(n, misleads) {
			return fault.New(fault.Invalid, "nickname has at most %d visible characters.", maxNickname)
		}
		p.Nickname = &n
	}
	if p.Locale != nil && *p.Locale != "en" && *p.Locale != "zh-CN" {
		return fault.New(fault.Invalid, "locale is en or zh-CN.")
	}
	if p.AvatarLink != nil && *p.AvatarLink != "" && !httpsLink(*p.AvatarLink) {
		return fault.New(fault.Invalid, "avatarUrl is an https address of at most %d characters. To send a picture, use POST /v1/user/me/avatar.", maxLink)
	}
	if n := p.DocVersioningMax; n != nil && (*n < 1 || *n > 500) {
		return fault.New(fault.Invalid, "docVersioningMax is a whole number from 1 to 500.")
	}
	return nil
}

// misleads reports whether a character of a name is not what it shows: it controls
// something, such as the direction of what follows.
func misleads(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }

func httpsLink(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Hostname() != "" && u.User == nil && len(s) <= maxLink && utf8.ValidString(s) &&
		!strings.ContainsFunc(s, func(r rune) bool {
			return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`"'<>\`, r)
		})
}
