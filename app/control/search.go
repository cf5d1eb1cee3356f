package control

import (
	"net/http"

	"picora/store"
)

// Rebuilt is what was indexed anew.
type Rebuilt struct {
	Users int `json:"users"`
}

// rebuildSearch makes the index of words of one user, named by e-mail, or of all, anew.
// The texts of documents follow: the server reads their files in the background.
func (v service) rebuildSearch(r *http.Request) (out Rebuilt, err error) {
	var users []store.User
	if email := r.URL.Query().Get("user"); email != "" {
		u, err := v.byEmail(r, email)
		if err != nil {
			return out, err
		}
		users = append(users, u)
	} else if users, err = v.store.Users(r.Context()); err != nil {
		return out, err
	}
	for i := range users {
		if err := v.store.Reindex(r.Context(), users[i].ID); err != nil {
			return out, err
		}
		for more := true; more; {
			if more, err = v.store.Index(r.Context(), users[i].ID); err != nil {
				return out, err
			}
		}
		out.Users++
	}
	return out, nil
}
