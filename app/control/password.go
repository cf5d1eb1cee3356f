package control

import (
	"encoding/json"
	"net/http"

	"picora/app/auth"
	"picora/app/fault"
	"picora/store"
)

// NewPassword asks for another password of the user with that address.
type NewPassword struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

// Ended says how many sessions a new password ended.
type Ended struct {
	Sessions int `json:"sessions"`
}

// setPassword sets a password without knowing the old one, for who owns the data
// folder, and ends all sessions. Keys stay.
func (v service) setPassword(r *http.Request) (out Ended, err error) {
	var in NewPassword
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return out, err
	}
	u, err := v.byEmail(r, in.Email)
	if err != nil {
		return out, err
	}
	hash, err := auth.HashPassword(in.Password)
	if err != nil {
		return out, err
	}
	_, err = v.store.UpdateUser(r.Context(), u.ID, func(x *store.User) error {
		x.Password = hash
		return nil
	})
	if err != nil {
		return out, err
	}
	if out.Sessions, err = v.store.DeleteSessions(r.Context(), u.ID, ""); err != nil {
		return out, err
	}
	v.auth.PasswordSet(r.Context(), u)
	return out, v.store.AddEvent(r.Context(), store.Event{Via: "cli", Action: "password.set", Subject: u.ID})
}

// rotateKeys has access tokens signed with a new key.
func (v service) rotateKeys(r *http.Request) (struct{}, error) {
	if err := v.auth.RotateKeys(); err != nil {
		return struct{}{}, fault.New(fault.Internal, "The keys were not rotated: %v", err)
	}
	return struct{}{}, v.store.AddEvent(r.Context(), store.Event{Via: "cli", Action: "session_keys.rotated"})
}
