package control

import (
	"net/http"

	"picora/app/usage"
)

// Recounted is what a recount found.
type Recounted struct {
	Users    int            `json:"users"` // that were looked at
	Repaired []usage.Repair `json:"repaired"`
}

// recount counts anew what one user has, named by e-mail, or all.
func (v service) recount(r *http.Request) (out Recounted, err error) {
	id := ""
	if email := r.URL.Query().Get("user"); email != "" {
		u, err := v.byEmail(r, email)
		if err != nil {
			return out, err
		}
		id = u.ID
	}
	out.Users, out.Repaired, err = v.usage.Recount(r.Context(), id, "cli")
	return out, err
}
