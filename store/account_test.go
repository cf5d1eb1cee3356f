package store

import (
	"errors"
	"fmt"
	"testing"
)

// TestAddressesThatOnlyLookAlikeAreOthers: the long s and the Kelvin sign have the small
// letters s and k, and the dotted capital I has i, but whoever has an address with one of
// them is somebody else.
func TestAddressesThatOnlyLookAlikeAreOthers(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		if _, err := s.CreateUser(ctx, User{Email: "boss@example.org", Admin: true}); err != nil {
			t.Fatal(err)
		}
		for own, other := range map[string]string{"sam@example.org": "\u017fam@example.org", "kim@example.org": "\u212aim@example.org", "ian@example.org": "\u0130an@example.org"} {
			u, err := s.CreateUser(ctx, User{Email: own})
			if err != nil {
				t.Fatal(err)
			}
			if x, err := s.UserByEmail(ctx, other); !errors.Is(err, ErrNotFound) {
				t.Errorf("%s is %+v, %v", other, x, err)
			}
			if _, err := s.UpdateUser(ctx, u.ID, func(u *User) error { u.Email = other; return nil }); err != nil {
				t.Fatal(err)
			}
			if x, err := s.UserByEmail(ctx, other); err != nil || x.ID != u.ID {
				t.Errorf("%s is %+v, %v", other, x, err)
			}
			if _, err := s.UserByEmail(ctx, own); !errors.Is(err, ErrNotFound) {
				t.Errorf("%s is still there: %v", own, err)
			}
			if _, err := s.BeginRemoval(ctx, u.ID); err != nil {
				t.Fatal(err)
			}
			if _, err := s.CreateUser(ctx, User{Email: own}); err != nil {
				t.Errorf("%s cannot be had again: %v", own, err)
			}
		}
		if list, err := s.Users(ctx); err != nil || len(list) != 4 {
			t.Errorf("%d users, %v", len(list), err)
		}
	})
}

func TestAClaimedAccountKeepsNothingOfBefore(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		u, err := s.CreateUser(ctx, User{Email: "victim@example.org", Password: "hash"})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 700 {
			k, err := s.CreateAPIKey(ctx, APIKey{User: u.ID, Hash: []byte(fmt.Sprintf("%032d", i))}, -1)
			if err != nil {
				t.Fatal(err)
			}
			if i%7 != 0 {
				if err := s.RevokeAPIKey(ctx, k.ID); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, err := s.CreateIdentity(ctx, Identity{User: u.ID, Issuer: "i", Subject: "attacker"}); err != nil {
			t.Fatal(err)
		}
		if u, err = s.ClaimUser(ctx, u.ID, Notification{Title: "yours"}); err != nil || !u.Verified || u.Password != "" {
			t.Fatalf("%+v %v", u, err)
		}
		keys, err := s.APIKeys(ctx, u.ID)
		if err != nil || len(keys) != 0 {
			t.Errorf("%d keys, %v", len(keys), err)
		}
		if list, err := s.Identities(ctx, u.ID); err != nil || len(list) != 0 {
			t.Errorf("accounts elsewhere: %v %v", list, err)
		}
	})
}

func TestRevokedKeysAreForgottenInTheEnd(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		u, err := s.CreateUser(ctx, User{Email: "a@example.org"})
		if err != nil {
			t.Fatal(err)
		}
		var last APIKey
		for i := range 2*mostRevoked + 5 {
			if last, err = s.CreateAPIKey(ctx, APIKey{User: u.ID, Hash: []byte(fmt.Sprintf("%032d", i))}, 3); err != nil {
				t.Fatal(err)
			}
			if err := s.RevokeAPIKey(ctx, last.ID); err != nil {
				t.Fatal(err)
			}
		}
		keys, err := s.APIKeys(ctx, u.ID)
		if err != nil || len(keys) != mostRevoked+1 {
			t.Errorf("%d keys, %v", len(keys), err)
		}
		if _, _, err := s.KeyHolder(ctx, last.Hash); err != nil {
			t.Errorf("the newest is forgotten: %v", err)
		}
		if _, _, err := s.KeyHolder(ctx, []byte(fmt.Sprintf("%032d", 0))); !errors.Is(err, ErrNotFound) {
			t.Errorf("the oldest is not forgotten: %v", err)
		}
	})
}

// TestAKeysHolderIsAsTheRecordsAre: what is remembered decoded must never be older than
// the records.
func TestAKeysHolderIsAsTheRecordsAre(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		u, err := s.CreateUser(ctx, User{Email: "a@example.org"})
		if err != nil {
			t.Fatal(err)
		}
		k, err := s.CreateAPIKey(ctx, APIKey{User: u.ID, Name: "one", Hash: []byte("hash")}, -1)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			for range 2 {
				gotKey, gotUser, err := s.KeyHolder(ctx, k.Hash)
				if err != nil || gotKey.Name != k.Name || gotUser.Nickname != u.Nickname || gotUser.Banned.IsZero() != u.Banned.IsZero() {
					t.Fatalf("round %d: %+v %+v %v; want %+v %+v", i, gotKey, gotUser, err, k, u)
				}
			}
			if u, err = s.UpdateUser(ctx, u.ID, func(u *User) error { u.Nickname += "x"; u.Banned = s.Now(); return nil }); err != nil {
				t.Fatal(err)
			}
			if k, err = s.UpdateAPIKey(ctx, k.ID, func(k *APIKey) error { k.Name += "y"; return nil }); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.CreateUser(ctx, User{Email: "boss@example.org", Admin: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.BeginRemoval(ctx, u.ID); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.KeyHolder(ctx, k.Hash); !errors.Is(err, ErrNotFound) {
			t.Errorf("the key of a removed account: %v", err)
		}
	})
}
