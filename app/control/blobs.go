package control

import (
	"context"
	"encoding/json"
	"net/http"

	"picora/app/storage"
)

const copyEnded = "blobs.copy_ended"

// place names where files are to be.
type place struct {
	To string `json:"to"` // see storage.Parse
}

// blobs says where the files are, and how far a move is.
func (v service) blobs(*http.Request) (storage.Status, error) { return v.storage.Status() }

// useBlobs has the database say where the files are.
func (v service) useBlobs(r *http.Request) (storage.Status, error) {
	return v.onBlobs(r, "blobs.placed", v.storage.Use)
}

// planBlobs says what a move would do.
func (v service) planBlobs(r *http.Request) (p storage.Plan, err error) {
	var in place
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return p, err
	}
	return v.storage.Plan(r.Context(), in.To)
}

// copyBlobs begins a move, or looks at the one to the same place that is under way.
func (v service) copyBlobs(r *http.Request) (storage.Status, error) {
	return v.onBlobs(r, "blobs.copy_started", v.storage.Start)
}

// cancelBlobs ends the move.
func (v service) cancelBlobs(r *http.Request) (storage.Status, error) {
	return v.onBlobs(r, copyEnded, func(ctx context.Context, _ string) error { return v.storage.Cancel(ctx) })
}

// onBlobs does something with the place that the request names, if any.
func (v service) onBlobs(r *http.Request, action string, do func(context.Context, string) error) (s storage.Status, err error) {
	var in place
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return s, err
	}
	before, err := v.storage.Status()
	if err != nil {
		return s, err
	}
	if err := do(r.Context(), in.To); err != nil {
		return s, err
	}
	if s, err = v.storage.Status(); err != nil || s.At == before.At && s.To == before.To {
		return s, err
	}
	said := s
	if action == copyEnded { // what was ended
		said = before
	}
	return s, v.audit(r, action, "", map[string]string{"at": said.At, "to": said.To})
}
