package control

import (
	"errors"
	"net/http"
	"time"

	"picora/app/scrub"
	"picora/store"
)

// Scrub is how far a check of the files is, and what is known to be wrong.
type Scrub struct {
	State scrub.State    `json:"state"`
	Next  time.Time      `json:"next,omitzero"` // of the nights' runs
	Found store.Findings `json:"found"`
}

// Finding is a file with which something is wrong.
type Finding struct {
	Blob    string    `json:"blob"`
	Problem string    `json:"problem"`
	Detail  string    `json:"detail"`
	Size    int64     `json:"size"` // bytes that are there
	Role    string    `json:"role"`
	ID      string    `json:"id"` // of the record that has it
	Name    string    `json:"name"`
	Email   string    `json:"email"` // of its owner
	Ends    time.Time `json:"ends,omitzero"`
}

// Findings are some of them.
type Findings struct {
	Items []Finding `json:"items"`
	Next  string    `json:"next"` // empty: there are no more
}

var errNoFiles = errors.New("the files are not open")

// startScrub begins a check of all files, and answers that as the run under way, be it over
// already.
func (v service) startScrub(r *http.Request) (out Scrub, err error) {
	if v.scrub == nil {
		return out, errNoFiles
	}
	run, err := v.scrub.Start(r.Context(), scrub.Command, r.URL.Query().Get("repair") == "true")
	if err != nil {
		return out, err
	}
	if err := v.audit(r, "scrub.started", "", nil); err != nil {
		return out, err
	}
	out, err = v.scrubState(r)
	if out.State.Run == nil {
		out.State.Run = &run
	}
	return out, err
}

// scrubState says how far it is.
func (v service) scrubState(r *http.Request) (out Scrub, err error) {
	if v.scrub == nil {
		return out, errNoFiles
	}
	out.State, out.Next, out.Found, err = v.scrub.Status(r.Context())
	return out, err
}

// stopScrub ends it.
func (v service) stopScrub(r *http.Request) (out Scrub, err error) {
	if v.scrub == nil {
		return out, errNoFiles
	}
	if err := v.scrub.Stop(r.Context()); err != nil {
		return out, err
	}
	if err := v.audit(r, "scrub.stopped", "", nil); err != nil {
		return out, err
	}
	return v.scrubState(r)
}

// findings lists what is wrong, 100 at a time.
func (v service) findings(r *http.Request) (out Findings, err error) {
	if v.scrub == nil {
		return out, errNoFiles
	}
	list, next, err := v.scrub.Findings(r.Context(), 0, r.URL.Query().Get("after"), 100)
	out.Next = next
	for i := range list {
		f, k := &list[i], &list[i].Kept
		one := Finding{
			Blob: f.Blob, Problem: f.Problem.String(), Detail: f.Detail, Size: f.Size, Role: k.Role, ID: k.ID, Name: k.Name, Ends: f.Ends,
		}
		if u, err := v.store.User(r.Context(), k.User); err == nil {
			one.Email = u.Email
		}
		out.Items = append(out.Items, one)
	}
	return out, err
}
