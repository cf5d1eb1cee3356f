package auth

import (
	"context"

	"picora/store"
)

// SecondFactor asks u, who has shown a password or a mailed code, for the second
// factor they set up, if any: code is what came with the request. An error says that
// one is needed, or that this is not it.
func (a *Auth) SecondFactor(ctx context.Context, u store.User, code string) error {
	return nil // nobody can set one up yet
}
