package store

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"picora/store/kv"
)

func TestFactorsAreKeptPerUserAndForgottenWhole(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		a, err := s.CreateUser(ctx, User{Email: "a@example.org"})
		if err != nil {
			t.Fatal(err)
		}
		if f, err := s.Factors(ctx, a.ID); err != nil || !reflect.DeepEqual(f, Factors{User: a.ID}) {
			t.Errorf("of somebody who set up nothing: %+v %v", f, err)
		}
		want, err := s.UpdateFactors(ctx, a.ID, func(f *Factors) error {
			f.Secret, f.Since, f.Step = []byte("secret"), s.Now(), 7
			f.Recovery = append(f.Recovery, []byte("hash"))
			f.Passkeys = append(f.Passkeys, Passkey{ID: "p", Name: "phone", Credential: []byte{1}, Key: []byte{2}, Count: 3, Flags: 4, Transports: []string{"usb"}, Created: s.Now()})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Factors(ctx, a.ID)
		if err != nil || !reflect.DeepEqual(got.Passkeys[0].Transports, []string{"usb"}) || got.Step != 7 || len(got.Recovery) != 1 || len(got.Passkeys) != 1 || !got.Since.Equal(want.Since) {
			t.Errorf("read back: %+v %v", got, err)
		}
		if _, err := s.UpdateFactors(ctx, NewID(IDLen), func(*Factors) error { return nil }); !errors.Is(err, ErrNotFound) {
			t.Errorf("factors of nobody: %v", err)
		}
		for range 2 {
			if err := s.DeleteFactors(ctx, a.ID); err != nil {
				t.Fatal(err)
			}
		}
		if f, err := s.Factors(ctx, a.ID); err != nil || f.Secret != nil || f.Passkeys != nil {
			t.Errorf("after they were deleted: %+v %v", f, err)
		}
	})
}

func TestAnIdentityBelongsToOneUser(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		a, x, err := s.CreateUserIdentity(ctx, User{Email: "a@example.org"}, Identity{Issuer: "https://i", Subject: "1", Email: "a@example.org"})
		if err != nil {
			t.Fatal(err)
		}
		b, err := s.CreateUser(ctx, User{Email: "b@example.org"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.CreateIdentity(ctx, Identity{User: b.ID, Issuer: "https://i", Subject: "1"}); !errors.Is(err, ErrExists) {
			t.Errorf("an identity of two users: %v", err)
		}
		if _, _, err := s.CreateUserIdentity(ctx, User{Email: "c@example.org"}, Identity{Issuer: "https://i", Subject: "1"}); !errors.Is(err, ErrExists) {
			t.Errorf("an identity of two users: %v", err)
		}
		if _, err := s.UserByEmail(ctx, "c@example.org"); !errors.Is(err, ErrNotFound) {
			t.Errorf("the account was made though its identity was taken: %v", err)
		}
		// The parts of the key do not run together.
		if _, _, err := s.IdentityOf(ctx, "https:", "//i\x001"); !errors.Is(err, ErrNotFound) {
			t.Errorf("another issuer: %v", err)
		}
		second, err := s.CreateIdentity(ctx, Identity{User: a.ID, Issuer: "https://i", Subject: "2"})
		if err != nil {
			t.Fatal(err)
		}
		if got, u, err := s.IdentityOf(ctx, "https://i", "1"); err != nil || got.ID != x.ID || u.ID != a.ID || u.Email != a.Email {
			t.Errorf("found %+v %+v %v", got, u, err)
		}
		if list, err := s.Identities(ctx, a.ID); err != nil || len(list) != 2 || list[0].ID != x.ID || list[1].ID != second.ID {
			t.Errorf("listed %+v %v", list, err)
		}
		if err := s.DeleteIdentity(ctx, b.ID, x.ID); !errors.Is(err, ErrNotFound) {
			t.Errorf("another user unlinks it: %v", err)
		}
		if err := s.DeleteIdentity(ctx, a.ID, x.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.CreateIdentity(ctx, Identity{User: b.ID, Issuer: "https://i", Subject: "1"}); err != nil {
			t.Errorf("what was unlinked is not free: %v", err)
		}
		for _, u := range []string{a.ID, b.ID, b.ID} {
			if err := s.DeleteIdentities(ctx, u); err != nil {
				t.Fatal(err)
			}
		}
		err = s.db.View(ctx, func(tx kv.Reader) error {
			for _, family := range []string{"id", "ix"} {
				for e, err := range tx.Scan(kv.Prefix(key(family))) {
					t.Errorf("left behind: %q %v", e.Key, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
