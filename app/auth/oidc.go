package auth

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"picora/app/fault"
	"picora/app/link"
	"picora/app/mail"
	"picora/app/settings"
	"picora/store"
)

// flow is a sign-in under way at a provider.
type flow struct {
	provider string
	browser  string // what the cookie of the browser that began it holds
	nonce    string
	verifier string // PKCE
	redirect string // our address that the provider was told
	back     string // path here, to go on at

	user, session string // who links an account; empty: a sign-in
}

// Begun is a sign-in that a browser is sent to a provider for.
type Begun struct {
	URL     string // at the provider
	State   string // names the flow
	Browser string // for a cookie: only the browser that has it may end the flow
}

// BeginOIDC starts signing in at the provider with that name, or, when somebody is
// signed in, linking an account there to theirs. Back is a path of this server.
func (a *Auth) BeginOIDC(ctx context.Context, name, back string, who Caller) (b Begun, err error) {
	p, err := a.provider(name)
	if err != nil {
		return b, err
	}
	found, err := p.discover(ctx, a.store.Now())
	if err != nil {
		return b, err
	}
	b.State, b.Browser = store.NewID(43), store.NewID(43)
	f := flow{
		provider: name, browser: b.Browser, nonce: store.NewID(43), verifier: oauth2.GenerateVerifier(),
		redirect: link.Of(ctx).API + "/v1/auth/oidc/" + name + "/callback", back: back,
		user: who.User, session: who.Session,
	}
	a.providers.flows.put(b.State, f, a.store.Now())
	b.URL = p.oauth(found, f.redirect).AuthCodeURL(b.State, oidc.Nonce(f.nonce), oauth2.S256ChallengeOption(f.verifier),
		oauth2.SetAuthURLParam("max_age", fmt.Sprint(int(ProofAge.Seconds())))) // OpenID Connect Core 1.0, 3.1.2.1
	return b, nil
}

// Why a sign-in at a provider came to nothing: one word for pages, in the order of
// what is looked at.
const (
	RefusedExpired  = "expired"             // unknown, used or another browser's
	RefusedDenied   = "denied"              // by the provider, or by the person there
	RefusedProvider = "provider"            // its answer is not good
	RefusedEmail    = "email_unverified"    // there or here
	RefusedLink     = "link_first"          // the account here asks for more than the provider
	RefusedTaken    = "linked_elsewhere"    // the account there is another's here
	RefusedClosed   = "registration_closed" // nobody here has that address
	RefusedBanned   = "suspended"           // by an administrator
)

// Refused is such an error.
type Refused struct {
	Reason, Message string
	Cause           error
}

func (e *Refused) Error() string {
	return fmt.Sprintf("auth: sign-in refused: %s: %v", e.Reason, e.Cause)
}

// Unwrap gives the cause.
func (e *Refused) Unwrap() error { return e.Cause }

func refused(reason, message string, cause error) error { return &Refused{reason, message, cause} }

// Answer is what the provider sent the browser back with.
type Answer struct {
	Provider, State, Code, Error string
	Browser                      string // the cookie
}

// Ended is where a flow led.
type Ended struct {
	Back    string // path to go on at; empty when it is not known
	Signed  Signed // the session; none when an account was linked
	Linked  string // id of the identity that was linked, if one was
	Created bool   // the account is new
	User    string
}

// FinishOIDC ends what BeginOIDC began. The error is a Refused, or unforeseen.
func (a *Auth) FinishOIDC(ctx context.Context, in Answer, live settings.Live, d Device) (e Ended, err error) {
	f, found := a.providers.flows.take(in.State, a.store.Now())
	if !found || f.provider != in.Provider || subtle.ConstantTimeCompare([]byte(f.browser), []byte(in.Browser)) != 1 {
		return e, refused(RefusedExpired, "This sign-in took too long, was ended already, or began in another browser. Go back and begin again.", nil)
	}
	e.Back = f.back
	if in.Error != "" || in.Code == "" {
		return e, refused(RefusedDenied, "The sign-in was not completed at the provider.", errors.New(store.Clip(in.Error, 100)))
	}
	p, err := a.provider(f.provider)
	if err != nil {
		return e, err
	}
	who, at, err := a.claimed(ctx, p, f, in.Code)
	if err != nil {
		return e, err
	}
	if f.user != "" {
		e.User = f.user
		e.Linked, err = a.linkIdentity(ctx, f, who)
		return e, err
	}
	var u store.User
	if u, e.Linked, e.Created, err = a.accountOf(ctx, who, live); err != nil {
		return e, err
	}
	e.User = u.ID
	e.Signed, err = a.SignIn(ctx, u, "oidc", d)
	if err == nil && a.store.Now().Sub(at) > ProofAge && !at.IsZero() { // the provider still knew the browser: that proves nothing
		e.Signed.Session, err = a.store.UpdateSession(ctx, e.Signed.Session.ID, func(x *store.Session) error { x.Proved = at; return nil })
	}
	if err != nil && fault.From(err).Code == fault.Forbidden {
		err = refused(RefusedBanned, fault.From(err).Message, err)
	}
	return e, err
}

// claims is what a provider says of somebody, as far as it matters.
type idClaims struct {
	Email    string `json:"email"`
	Signed   int64  `json:"auth_time"`      // when the person last showed who they are, in seconds since 1970; some leave it out
	Verified any    `json:"email_verified"` // a boolean; some write it as a text
	Party    string `json:"azp"`
}

func (c idClaims) verified() bool { return c.Verified == true || c.Verified == "true" }

// claimed exchanges the code for the provider's word on who this is, and checks it:
// signature, issuer, audience, age, nonce, and that the e-mail address is verified.
func (a *Auth) claimed(ctx context.Context, p *provider, f flow, code string) (who store.Identity, at time.Time, err error) {
	bad := func(err error) error {
		slog.Warn("sign-in by OpenID Connect failed", "provider", p.name, "err", err)
		return refused(RefusedProvider, "The answer of "+p.cfg.Title+" is not good: this server cannot tell who you are. Its log has the reason.", err)
	}
	found, err := p.discover(ctx, a.store.Now())
	if err != nil {
		return who, at, bad(err)
	}
	ctx, cancel := context.WithTimeout(outward(ctx), 2*providerTimeout)
	defer cancel()
	oauth := p.oauth(found, f.redirect)
	token, err := oauth.Exchange(ctx, code, oauth2.VerifierOption(f.verifier))
	if err != nil {
		return who, at, bad(err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := found.VerifierContext(ctx, &oidc.Config{ClientID: p.cfg.ClientID, Now: a.store.Now}).Verify(ctx, raw)
	if err != nil {
		return who, at, bad(err)
	}
	var c idClaims
	if err := id.Claims(&c); err != nil {
		return who, at, bad(err)
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(f.nonce)) != 1:
		return who, at, bad(errors.New("the token is of another sign-in: its nonce is wrong"))
	case len(id.Audience) > 1 && c.Party != p.cfg.ClientID:
		return who, at, bad(errors.New("the token was made for another client: see its azp"))
	case id.Subject == "" || len(id.Subject) > 255:
		return who, at, bad(errors.New("the token has no subject"))
	}
	if c.Signed > 0 {
		at = time.Unix(c.Signed, 0)
	}
	if c.Email == "" {
		if c, err = asked(ctx, found, oauth.TokenSource(ctx, token), id.Subject); err != nil {
			return who, at, bad(err)
		}
	}
	if !c.verified() || !mail.Address(c.Email) {
		return who, at, refused(RefusedEmail, p.cfg.Title+" does not say that your e-mail address is verified. Verify it there, then sign in again.", nil)
	}
	return store.Identity{Provider: p.name, Issuer: id.Issuer, Subject: id.Subject, Email: c.Email}, at, nil
}

// asked reads the e-mail address where some providers have it only: they answer it, and
// do not write it into the token.
func asked(ctx context.Context, found *oidc.Provider, token oauth2.TokenSource, subject string) (c idClaims, err error) {
	if found.UserInfoEndpoint() == "" {
		return c, nil
	}
	info, err := found.UserInfo(ctx, token)
	if err != nil {
		return c, err
	}
	if info.Subject != subject {
		return c, errors.New("the provider's userinfo is of somebody else")
	}
	return c, info.Claims(&c)
}
