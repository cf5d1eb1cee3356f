// Package access is the rule of who may have a file, a page about it, or anything made
// of it: one rule for all surfaces.
package access

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/auth"
	"picora/app/fault"
	"picora/app/library"
	"picora/app/link"
	"picora/store"
)

// Policy is how an answer may be kept by the client and by caches on the way.
type Policy string

const (
	// Immutable: a file's bytes never change under its address, but for one
	// case: the owner decides anew whether its metadata is delivered.
	Immutable Policy = "public, max-age=31536000, immutable"
	// PerPage is for files that only some pages may show: a shared cache would
	// show them to all.
	PerPage Policy = "private, max-age=3600"
	// Personal is for what a signature or a key opened.
	Personal Policy = "private, no-store"
)

// Rule decides.
type Rule struct {
	auth   *auth.Auth
	signer *auth.Signer
	feeds  func(ctx context.Context, id string) (store.Collection, error) // nil: there are none
}

// New puts the rule together.
func New(a *auth.Auth, s *auth.Signer) *Rule { return &Rule{auth: a, signer: s} }

// UseFeeds lets private feeds open what is in them; find finds a collection. It is called
// before the start.
func (r *Rule) UseFeeds(find func(ctx context.Context, id string) (store.Collection, error)) {
	r.feeds = find
}

// Allowed is the whole rule of who may have m, and how long it may be kept:
// its owner's key, a valid signature, a private feed's, else the public as far as the owner lets
// it. A refusal is FORBIDDEN, whether the file is private or the page unwelcome.
// Signed, which may be nil, knows signatures of another form.
func (r *Rule) Allowed(c *fiber.Ctx, m *store.Media, signed func() bool) (Policy, error) {
	args := c.Context().QueryArgs()
	sig, exp := string(args.Peek("sig")), string(args.Peek("exp"))
	if sig != "" && (r.signer.LinkValid(m.ID, sig, exp, time.Now()) || exp != "" && signed != nil && signed()) {
		return Personal, nil
	}
	if Open(m) {
		return Immutable, nil
	}
	if sig != "" && exp == "" && r.inFeed(c, m, sig) {
		return Personal, nil
	}
	if r.Owner(c, m.User) {
		return Personal, nil
	}
	if !m.Public || m.RequireSignature {
		if sig != "" {
			return "", fault.New(fault.Forbidden, "This link has expired, or it is not complete. Ask whoever gave it to you for a new one.")
		}
		return "", fault.New(fault.Forbidden, "This file is private.")
	}
	c.Response().Header.Add(fiber.HeaderVary, fiber.HeaderReferer)
	if library.RefererAllowed(m, refererHost(c), func(host string) bool { return self(c, host) }) {
		return PerPage, nil
	}
	return "", fault.New(fault.Forbidden, "The owner of this file does not let this page show it.")
}

// inFeed reports whether sig is that of the private feed that m is in now.
func (r *Rule) inFeed(c *fiber.Ctx, m *store.Media, sig string) bool {
	if r.feeds == nil || m.Kind != store.Audio || m.Collection == "" {
		return false
	}
	k, err := r.feeds(c.UserContext(), m.Collection)
	return err == nil && k.Live() && k.User == m.User && r.signer.FeedLinkValid(k.ID, k.Feed.Token, m.ID, sig)
}

// Part is what a signature names that opens one part of a record and nothing else.
func Part(id, part string) string { return id + "/" + part }

// Open reports whether everybody may have the file, on any page.
func Open(m *store.Media) bool { return m.Public && !m.RequireSignature && !m.Restricted }

// Owner reports whether the request carries a key or token of that user's that may read.
func (r *Rule) Owner(c *fiber.Ctx, user string) bool {
	h := c.Get(fiber.HeaderAuthorization)
	if h == "" {
		return false
	}
	who, err := r.auth.Bearer(c.UserContext(), h)
	return err == nil && who.User == user && who.Need(auth.MediaRead) == nil
}

func refererHost(c *fiber.Ctx) string {
	u, err := url.Parse(c.Get(fiber.HeaderReferer))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return u.Hostname()
}

// self reports whether host is one of ours: the API's, the files', or one below.
func self(c *fiber.Ctx, host string) bool {
	o := link.Of(c.UserContext())
	for _, own := range []string{o.API, o.Media} {
		u, err := url.Parse(own)
		if err == nil && (strings.EqualFold(host, u.Hostname()) || strings.HasSuffix(host, "."+strings.ToLower(u.Hostname()))) {
			return true
		}
	}
	return false
}
