package cdn

import (
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

// policy is how an answer may be kept by the client and by caches on the way.
type policy string

const (
	// immutable: a file's bytes never change under its address, but for one
	// case: the owner decides anew whether its metadata is delivered.
	immutable policy = "public, max-age=31536000, immutable"
	// perPage is for files that only some pages may show: a shared cache would
	// show them to all.
	perPage policy = "private, max-age=3600"
	// personal is for what a signature or a key opened.
	personal policy = "private, no-store"
)

// allowed is the whole rule of who may have a file, and how long it may be kept:
// its owner's key, a valid signature, else the public as far as the owner lets
// it. A refusal is 403, whether the file is private or the page unwelcome.
func (d *CDN) allowed(c *fiber.Ctx, m *store.Media) (policy, error) {
	args := c.Context().QueryArgs()
	sig, exp := string(args.Peek("sig")), string(args.Peek("exp"))
	if sig != "" && (d.signer.LinkValid(m.ID, sig, exp, time.Now()) || exp != "" && d.signed(c, m)) {
		return personal, nil
	}
	if open(m) {
		return immutable, nil
	}
	if d.owner(c, m) {
		return personal, nil
	}
	if !m.Public || m.RequireSignature {
		if sig != "" {
			return "", fault.New(fault.Forbidden, "This link has expired, or it is not complete. Ask whoever gave it to you for a new one.")
		}
		return "", fault.New(fault.Forbidden, "This file is private.")
	}
	c.Response().Header.Add(fiber.HeaderVary, fiber.HeaderReferer)
	if library.RefererAllowed(m, refererHost(c), func(host string) bool { return d.self(c, host) }) {
		return perPage, nil
	}
	return "", fault.New(fault.Forbidden, "The owner of this file does not let this page show it.")
}

// open reports whether everybody may have the file, on any page.
func open(m *store.Media) bool { return m.Public && !m.RequireSignature && !m.Restricted }

// owner reports whether the request carries a key of the file's owner.
func (d *CDN) owner(c *fiber.Ctx, m *store.Media) bool {
	h := c.Get(fiber.HeaderAuthorization)
	if h == "" {
		return false
	}
	who, err := d.auth.Bearer(c.UserContext(), h)
	return err == nil && who.User == m.User && who.Need(auth.MediaRead) == nil
}

func refererHost(c *fiber.Ctx) string {
	u, err := url.Parse(c.Get(fiber.HeaderReferer))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return u.Hostname()
}

// self reports whether host is one of ours: the API's, the files', or one below.
func (d *CDN) self(c *fiber.Ctx, host string) bool {
	o := link.Of(c.UserContext())
	for _, own := range []string{o.API, o.Media} {
		u, err := url.Parse(own)
		if err == nil && (strings.EqualFold(host, u.Hostname()) || strings.HasSuffix(host, "."+strings.ToLower(u.Hostname()))) {
			return true
		}
	}
	return false
}
