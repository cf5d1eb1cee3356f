package api

import (
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/auth"
	"picora/app/fault"
	"picora/app/mail"
	"picora/store"
)

// apiKeyWire is an API key on the wire (contract 8).
type apiKeyWire struct {
	ID           string   `json:"id"`
	Name         string   `json:"name"`
	Description  *string  `json:"description"`
	KeyPrefix    string   `json:"keyPrefix"`
	Last4        string   `json:"last4"`
	Scope        string   `json:"scope"`
	ScopesV2     []string `json:"scopesV2"` // empty: made in the first vocabulary
	ScopeVersion int      `json:"scopeVersion"`
	LastUsedAt   *string  `json:"lastUsedAt"`
	ExpiresAt    *string  `json:"expiresAt"`
	CreatedAt    string   `json:"createdAt"`
}

func wireAPIKey(k *store.APIKey) (apiKeyWire, error) {
	set, err := auth.ParseScopes(k.Scopes)
	w := apiKeyWire{
		ID: k.ID, Name: k.Name, Description: orNull(k.Description), KeyPrefix: k.Prefix, Last4: k.Last4,
		Scope: set.Tier(), ScopesV2: []string{}, ScopeVersion: max(1, k.Generation),
		LastUsedAt: stampOrNull(k.Used), ExpiresAt: stampOrNull(k.Expires), CreatedAt: stamp(k.Created),
	}
	if w.ScopeVersion > 1 {
		w.ScopesV2 = set.Names()
	}
	return w, err
}

// stampOrNull is a time on the wire, null when it is zero.
func stampOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := stamp(t)
	return &s
}

// keyLimit is how many API keys the account may have.
func (a *API) keyLimit(u store.User) (n int64, unlimited bool) {
	n = a.usage.APIKeys(u)
	return n, n < 0
}

// keyEdit reads what is to be different about a key. A description or an expiry of
// null is cleared; null for the others is as if they were absent.
func (f fields) keyEdit() (e auth.KeyEdit, err error) {
	if e.Name, err = take[string](f, "name"); err != nil {
		return e, err
	}
	if e.Description, err = take[string](f, "description"); err != nil {
		return e, err
	}
	if _, given := f["description"]; given && e.Description == nil {
		e.Description = new(string)
	}
	if e.Scopes, err = f.scopes(); err != nil {
		return e, err
	}
	until, err := take[string](f, "expiresAt")
	if err != nil {
		return e, err
	}
	if _, given := f["expiresAt"]; given {
		e.Expires = new(time.Time)
	}
	if until != nil {
		t, err := time.Parse(time.RFC3339, *until)
		if err != nil {
			return e, fault.New(fault.Invalid, "expiresAt is a time such as 2027-01-31T12:00:00Z, or null for a key that does not expire.")
		}
		*e.Expires = t.UTC().Truncate(time.Millisecond)
	}
	return e, nil
}

// scopes reads the list scopes, or scope, one word or several; nil when there is none.
func (f fields) scopes() ([]string, error) {
	list, err := take[[]string](f, "scopes")
	if err != nil {
		return nil, err
	}
	if list != nil {
		if err := checkCount("scopes", len(*list), 50); err != nil {
			return nil, err
		}
		return *list, nil
	}
	one, err := take[string](f, "scope")
	if err != nil || one == nil {
		return nil, err
	}
	words := strings.Fields(*one)
	return words, checkCount("scope", len(words), 50)
}

// createAPIKey handles POST /v1/api-keys.
func (a *API) createAPIKey(c *fiber.Ctx) error {
	var in fields
	if err := readJSON(c, &in, false); err != nil {
		return err
	}
	e, err := in.keyEdit()
	if err != nil {
		return err
	}
	who := caller(c)
	r := auth.KeyRequest{User: who.User, Scopes: e.Scopes, Most: -1}
	if n, unlimited := a.keyLimit(who.Account); !unlimited {
		r.Most = n
	}
	if e.Name != nil {
		r.Name = *e.Name
	}
	if e.Description != nil {
		r.Description = *e.Description
	}
	if e.Expires != nil {
		r.Expires = *e.Expires
	}
	plain, k, err := a.auth.MakeKey(c.UserContext(), r)
	if err != nil {
		return err
	}
	a.keyEvent(c, "apikey.created", &k)
	a.auth.Alert(c.UserContext(), who.Account, mail.NewKey(speaks(c), k.Name))
	w, err := wireAPIKey(&k)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return created(c, struct {
		apiKeyWire
		Key string `json:"key"`
	}{w, plain})
}

// keyEvent writes what was done to a key into the audit log.
func (a *API) keyEvent(c *fiber.Ctx, action string, k *store.APIKey) {
	a.audit(c, action, k.ID, map[string]string{"name": k.Name, "scopes": strings.Join(k.Scopes, " "), "key": k.Prefix + "…" + k.Last4})
}

// listAPIKeys handles GET /v1/api-keys: those that are not revoked, newest first.
func (a *API) listAPIKeys(c *fiber.Ctx) error {
	keys, err := a.store.APIKeys(c.UserContext(), caller(c).User)
	if err != nil {
		return err
	}
	slices.SortFunc(keys, func(x, y store.APIKey) int { return y.Created.Compare(x.Created) })
	out := []apiKeyWire{}
	for i := range keys {
		if !keys[i].Revoked.IsZero() {
			continue
		}
		w, err := wireAPIKey(&keys[i])
		if err != nil {
			return err
		}
		out = append(out, w)
	}
	return ok(c, out)
}

// theirs refuses a key that is not the user's, or is no more.
func theirs(k *store.APIKey, user string) error {
	if k.User != user || !k.Revoked.IsZero() {
		return store.ErrNotFound
	}
	return nil
}

// updateAPIKey handles PATCH /v1/api-keys/:id.
func (a *API) updateAPIKey(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	var in fields
	if err := readJSON(c, &in, false); err != nil {
		return err
	}
	e, err := in.keyEdit()
	if err != nil {
		return err
	}
	if e.Name == nil && e.Description == nil && e.Scopes == nil && e.Expires == nil {
		return fault.New(fault.Invalid, "Say what is to be different: name, description, scopes or expiresAt.")
	}
	k, err := a.store.UpdateAPIKey(c.UserContext(), id, func(k *store.APIKey) error {
		if err := theirs(k, caller(c).User); err != nil {
			return err
		}
		return a.auth.EditKey(k, e)
	})
	if err != nil {
		return err
	}
	a.keyEvent(c, "apikey.changed", &k)
	w, err := wireAPIKey(&k)
	if err != nil {
		return err
	}
	return ok(c, w)
}

// deleteAPIKey handles DELETE /v1/api-keys/:id. The next request with the key is
// refused.
func (a *API) deleteAPIKey(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	k, err := a.store.UpdateAPIKey(c.UserContext(), id, func(k *store.APIKey) error {
		if err := theirs(k, caller(c).User); err != nil {
			return err
		}
		k.Revoked = a.store.Now()
		return nil
	})
	if err != nil {
		return err
	}
	a.keyEvent(c, "apikey.revoked", &k)
	return ok(c, nil)
}
