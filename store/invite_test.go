package store

import (
	"errors"
	"fmt"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestInvitesAreListedNewestFirstInPages(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		var want []string
		for n := range 7 {
			i, err := s.CreateInvite(ctx, Invite{Active: true, Note: fmt.Sprint(n)})
			if err != nil || !regexp.MustCompile(`^([A-HJ-NP-Z2-9]{4}-){3}[A-HJ-NP-Z2-9]{4}$`).MatchString(i.Code) {
				t.Fatalf("%+v, %v", i, err)
			}
			want = append([]string{i.ID}, want...)
		}
		if err := s.DeleteInvite(ctx, want[2]); err != nil {
			t.Fatal(err)
		}
		want = append(want[:2], want[3:]...)
		var got []string
		for after, pages := "", 1; ; pages++ {
			list, next, err := s.Invites(ctx, after, 3)
			if err != nil || len(list) != 3 || pages > 2 {
				t.Fatalf("page %d: %d invites, %v", pages, len(list), err)
			}
			for _, i := range list {
				got = append(got, i.ID)
			}
			if after = next; next == "" {
				break
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("listed %v, want %v", got, want)
		}
	})
}

func TestACodeOfOnesOwnIsUniqueWithCase(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		first, err := s.CreateInvite(ctx, Invite{Code: "Welcome", Active: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.CreateInvite(ctx, Invite{Code: "Welcome"}); !errors.Is(err, ErrExists) {
			t.Errorf("the same code again: %v", err)
		}
		if _, err := s.CreateInvite(ctx, Invite{Code: "welcome"}); err != nil {
			t.Errorf("another case: %v", err)
		}
		if err := s.DeleteInvite(ctx, first.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.InviteByCode(ctx, "Welcome"); !errors.Is(err, ErrNotFound) {
			t.Errorf("after it was deleted: %v", err)
		}
		if _, err := s.CreateInvite(ctx, Invite{Code: "Welcome"}); err != nil {
			t.Errorf("the code of a deleted one: %v", err)
		}
	})
}

func TestWhomAnInviteLetsIn(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
		s.Now = func() time.Time { return now }
		if _, err := s.CreateUser(ctx, User{Email: "taken@example.org"}); err != nil {
			t.Fatal(err)
		}
		for n, c := range []struct {
			about string
			Invite
			email string
			err   error
			ends  time.Time
		}{
			{"a plan for ever", Invite{Active: true, Plan: "pro"}, "", nil, time.Time{}},
			{"a plan for a month", Invite{Active: true, Plan: "pro", Months: 1}, "", nil, time.Date(2026, 2, 28, 12, 0, 0, 0, time.UTC)},
			{"a year", Invite{Active: true, Plan: "pro", Months: 12}, "", nil, time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)},
			{"in time", Invite{Active: true, Plan: "pro", Expires: now.Add(1)}, "", nil, time.Time{}},
			{"too late", Invite{Active: true, Plan: "pro", Expires: now}, "", ErrInviteExpired, time.Time{}},
			{"switched off", Invite{Plan: "pro"}, "", ErrInviteInactive, time.Time{}},
			{"taken e-mail", Invite{Active: true, Plan: "pro", MaxUses: 1}, "TAKEN@example.org", ErrExists, time.Time{}},
		} {
			i, err := s.CreateInvite(ctx, c.Invite)
			if err != nil {
				t.Fatal(err)
			}
			email := fmt.Sprintf("%d@example.org", n)
			if c.email != "" {
				email = c.email
			}
			u, _, err := s.CreateUserInvited(ctx, User{Email: email, Plan: "none"}, i.Code)
			if !errors.Is(err, c.err) {
				t.Errorf("%s: %v, want %v", c.about, err, c.err)
			}
			i, _ = s.Invite(ctx, i.ID)
			if err != nil {
				if i.Used != 0 {
					t.Errorf("%s: a use was counted", c.about)
				}
				continue
			}
			if got, err := s.User(ctx, u.ID); err != nil || got.Plan != "pro" || !got.PlanEnds.Equal(c.ends) || i.Used != 1 {
				t.Errorf("%s: %+v, %v, used %d times", c.about, got, err, i.Used)
			}
		}
		_, _, err := s.CreateUserInvited(ctx, User{Email: "x@example.org"}, "no-such-code")
		if !errors.Is(err, ErrInviteUnknown) || !errors.Is(err, ErrInvite) {
			t.Errorf("no such code: %v", err)
		}
	})
}

func TestFiftyAtOnceWithAnInviteForThree(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
		s.Now = func() time.Time { return now }
		i, err := s.CreateInvite(ctx, Invite{Active: true, MaxUses: 3})
		if err != nil {
			t.Fatal(err)
		}
		var in, out atomic.Int32
		var all sync.WaitGroup
		for n := range 50 {
			all.Go(func() {
				_, _, err := s.CreateUserInvited(ctx, User{Email: fmt.Sprintf("%d@example.org", n)}, i.Code)
				switch {
				case err == nil:
					in.Add(1)
				case errors.Is(err, ErrInviteUsedUp):
					out.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		users, err := s.Users(ctx)
		i, _ = s.Invite(ctx, i.ID)
		if in.Load() != 3 || out.Load() != 47 || len(users) != 3 || i.Used != 3 || err != nil {
			t.Errorf("%d in, %d out, %d users, %d uses, %v", in.Load(), out.Load(), len(users), i.Used, err)
		}
	})
}
