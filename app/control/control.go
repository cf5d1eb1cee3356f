// Package control is how the command line works on a Picora's users and keys:
// through the running server, over a socket in the data folder that only the
// folder's owner may open, or, when none runs, on the database itself. Both ways
// use the same requests.
package control

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"picora/app/auth"
	"picora/app/config"
	"picora/app/fault"
	"picora/app/scrub"
	"picora/app/settings"
	"picora/app/storage"
	"picora/app/usage"
	"picora/store"
)

// User is an account, for the command line.
type User struct {
	ID      string    `json:"id"`
	Email   string    `json:"email"`
	Admin   bool      `json:"admin"`
	Created time.Time `json:"created"`

	Plan      string `json:"plan"` // as it is now
	Unlimited bool   `json:"unlimited"`
}

// Key is an API key, for the command line.
type Key struct {
	ID      string    `json:"id"`
	Email   string    `json:"email"` // of its user
	Name    string    `json:"name"`
	Prefix  string    `json:"prefix"`
	Last4   string    `json:"last4"`
	Scopes  []string  `json:"scopes"`
	Created time.Time `json:"created"`
	Revoked time.Time `json:"revoked,omitzero"`
	Expires time.Time `json:"expires,omitzero"`
	Used    time.Time `json:"used,omitzero"`
	Plain   string    `json:"plain,omitempty"` // only in the answer that made it
}

// NewUser asks for an account.
type NewUser struct {
	Email    string `json:"email"`
	Password string `json:"password"` // empty: no sign-in by password
	Admin    bool   `json:"admin"`

	Plan      string `json:"plan"`      // empty: the one of new accounts
	Unlimited bool   `json:"unlimited"` // as administrators are in any case
}

// NewKey asks for a key of the user with that address.
type NewKey struct {
	Email   string    `json:"email"`
	Name    string    `json:"name"`
	Scopes  []string  `json:"scopes"`
	Expires time.Time `json:"expires,omitzero"` // zero: never
}

// service answers the requests on a store.
type service struct {
	store *store.Store
	auth  *auth.Auth

	settings *settings.Settings
	usage    *usage.Usage
	storage  *storage.Storage
	scrub    *scrub.Scrub // nil: whoever answers has no files
}

// Handler answers the command line's requests. Files are checked by x, which may be nil.
func Handler(s *store.Store, a *auth.Auth, live *settings.Settings, u *usage.Usage, files *storage.Storage, x *scrub.Scrub) http.Handler {
	v := service{s, a, live, u, files, x}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /users", handle(v.addUser))
	mux.HandleFunc("GET /users", handle(v.users))
	mux.HandleFunc("PUT /users/password", handle(v.setPassword))
	mux.HandleFunc("POST /session-keys", handle(v.rotateKeys))
	mux.HandleFunc("POST /keys", handle(v.addKey))
	mux.HandleFunc("GET /keys", handle(v.keys))
	mux.HandleFunc("DELETE /keys/{id}", handle(v.revokeKey))
	mux.HandleFunc("POST /recount", handle(v.recount))
	mux.HandleFunc("POST /search/rebuild", handle(v.rebuildSearch))
	mux.HandleFunc("GET /blobs", handle(v.blobs))
	mux.HandleFunc("PUT /blobs", handle(v.useBlobs))
	mux.HandleFunc("POST /blobs/plan", handle(v.planBlobs))
	mux.HandleFunc("POST /blobs/copy", handle(v.copyBlobs))
	mux.HandleFunc("DELETE /blobs/copy", handle(v.cancelBlobs))
	mux.HandleFunc("POST /scrub", handle(v.startScrub))
	mux.HandleFunc("GET /scrub", handle(v.scrubState))
	mux.HandleFunc("DELETE /scrub", handle(v.stopScrub))
	mux.HandleFunc("GET /scrub/findings", handle(v.findings))
	return mux
}

// handle turns a function into a handler of JSON.
func handle[T any](fn func(*http.Request) (T, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		out, err := fn(r)
		w.Header().Set("Content-Type", "application/json")
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			f := fault.From(err)
			if f.Code == fault.Internal { // only the server's owner reads this
				f = fault.New(fault.Internal, "%v", err)
			}
			json.NewEncoder(w).Encode(failure{f.Code, f.Message})
			return
		}
		json.NewEncoder(w).Encode(out)
	}
}

type failure struct {
	Code    fault.Code `json:"code"`
	Message string     `json:"message"`
}

func (v service) addUser(r *http.Request) (u User, err error) {
	var in NewUser
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return u, err
	}
	email := strings.TrimSpace(in.Email)
	if auth.CheckEmail(email) != nil {
		return u, fault.New(fault.Invalid, "%q is not an e-mail address.", in.Email)
	}
	rec := store.User{Email: email, Admin: in.Admin, Plan: in.Plan, Unlimited: in.Unlimited || in.Admin, Verified: true}
	switch {
	case rec.Plan == "" && rec.Unlimited:
		rec.Plan = "pro_plus" // clients offer what a plan's name promises
	case rec.Plan == "":
		rec.Plan = v.settings.Live().Plan
	}
	if !slices.Contains(config.PlanNames, rec.Plan) {
		return u, fault.New(fault.Invalid, "There is no plan %q. There are %s.", in.Plan, strings.Join(config.PlanNames, ", "))
	}
	if in.Password != "" {
		if rec.Password, err = auth.HashPassword(in.Password); err != nil {
			return u, err
		}
	}
	rec, err = v.store.CreateUser(r.Context(), rec)
	if err != nil && fault.From(err).Code == fault.Conflict {
		return u, fault.New(fault.Conflict, "There is a user %s already.", email)
	}
	if err != nil {
		return u, err
	}
	return v.user(rec), v.audit(r, "user.created", rec.ID, map[string]string{"email": rec.Email, "admin": strconv.FormatBool(rec.Admin)})
}

// audit writes what the command line did into the audit log.
func (v service) audit(r *http.Request, action, subject string, detail map[string]string) error {
	return v.store.AddEvent(r.Context(), store.Event{Via: "cli", Action: action, Subject: subject, Detail: detail})
}

func (v service) users(r *http.Request) (list []User, err error) {
	all, err := v.store.Users(r.Context())
	for _, u := range all {
		list = append(list, v.user(u))
	}
	return list, err
}

func (v service) user(u store.User) User {
	return User{
		ID: u.ID, Email: u.Email, Admin: u.Admin, Created: u.Created,
		Plan: u.PlanAt(v.store.Now()), Unlimited: u.Unlimited,
	}
}

func (v service) byEmail(r *http.Request, email string) (store.User, error) {
	u, err := v.store.UserByEmail(r.Context(), strings.TrimSpace(email))
	if err != nil && fault.From(err).Code == fault.NotFound {
		return u, fault.New(fault.NotFound, "There is no user %q. picora user list shows those there are.", email)
	}
	return u, err
}

func (v service) addKey(r *http.Request) (k Key, err error) {
	var in NewKey
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return k, err
	}
	u, err := v.byEmail(r, in.Email)
	if err != nil {
		return k, err
	}
	plain, rec, err := v.auth.MakeKey(r.Context(), auth.KeyRequest{User: u.ID, Name: in.Name, Scopes: in.Scopes, Expires: in.Expires, Most: -1})
	if err != nil {
		return k, err
	}
	k = key(rec, u.Email)
	k.Plain = plain
	return k, v.audit(r, "apikey.created", rec.ID, map[string]string{"user": u.ID, "name": rec.Name, "scopes": strings.Join(rec.Scopes, " ")})
}

func (v service) keys(r *http.Request) (list []Key, err error) {
	users, err := v.store.Users(r.Context())
	if err != nil {
		return nil, err
	}
	if email := r.URL.Query().Get("user"); email != "" {
		u, err := v.byEmail(r, email)
		if err != nil {
			return nil, err
		}
		users = []store.User{u}
	}
	for _, u := range users {
		keys, err := v.store.APIKeys(r.Context(), u.ID)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			list = append(list, key(k, u.Email))
		}
	}
	return list, nil
}

// revokeKey ends a key, named by its id or its beginning as the list shows it.
func (v service) revokeKey(r *http.Request) (k Key, err error) {
	name := r.PathValue("id")
	all, err := v.keys(r)
	if err != nil {
		return k, err
	}
	var found []Key
	for _, k := range all {
		if k.ID == name || k.Prefix == name {
			found = append(found, k)
		}
	}
	switch len(found) {
	case 0:
		return k, fault.New(fault.NotFound, "There is no key %q. picora key list shows those there are.", name)
	case 1:
		if err := v.store.RevokeAPIKey(r.Context(), found[0].ID); err != nil {
			return k, err
		}
		return found[0], v.audit(r, "apikey.revoked", found[0].ID, nil)
	}
	return k, fault.New(fault.Conflict, "Several keys begin with %q: name the one you mean by its id.", name)
}

func key(k store.APIKey, email string) Key {
	return Key{
		ID: k.ID, Email: email, Name: k.Name, Prefix: k.Prefix, Last4: k.Last4, Scopes: k.Scopes,
		Created: k.Created, Revoked: k.Revoked, Expires: k.Expires, Used: k.Used,
	}
}
