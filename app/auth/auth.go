// Package auth says who a request comes from and what it may do: API keys,
// their scopes, passwords, and signatures of links and cursors.
package auth

import (
	"context"
	"errors"
	"strings"

	"picora/app/fault"
	"picora/store"
)

// Caller is who a request comes from.
type Caller struct {
	User   string // user id
	KeyID  string // API key id
	Scopes Scope
}

// Plan is the plan of every account: without billing, a self-hosted server
// withholds nothing. The word is the contract's for the largest one.
const Plan = "pro_plus"

// Auth checks credentials.
type Auth struct {
	store *store.Store
}

// New returns an Auth over the store's keys.
func New(s *store.Store) *Auth { return &Auth{store: s} }

// Bearer finds the caller that an Authorization header names. It writes nothing.
func (a *Auth) Bearer(ctx context.Context, header string) (Caller, error) {
	scheme, token, _ := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return Caller{}, fault.New(fault.Unauthorized, "Send an API key: Authorization: Bearer sk_live_…")
	}
	if !validKey(token) {
		return Caller{}, fault.New(fault.Unauthorized, "This is not an API key of this server. Keys are sk_live_ and 32 characters.")
	}
	k, err := a.store.APIKeyByHash(ctx, hashKey(token))
	if errors.Is(err, store.ErrNotFound) {
		return Caller{}, fault.New(fault.Unauthorized, "This server does not know this API key.")
	}
	if err != nil {
		return Caller{}, err
	}
	if !k.Revoked.IsZero() {
		return Caller{}, fault.New(fault.KeyRevoked, "This API key was revoked. Make a new one.")
	}
	scopes, err := ParseScopes(k.Scopes)
	return Caller{User: k.User, KeyID: k.ID, Scopes: scopes}, err
}

// Need refuses a caller that lacks the scope.
func (c Caller) Need(s Scope) error {
	if c.Scopes&s == s {
		return nil
	}
	// No word of plans or limits here: clients take those for an exceeded quota
	// (contract 1.2).
	return fault.New(fault.Forbidden, "This API key lacks the scope %s.", s)
}
