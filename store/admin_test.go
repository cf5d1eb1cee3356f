package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"picora/store/kv"
	"picora/store/kv/memkv"
)

// still stops the clock, which tests that use a store at once must not move.
func still(s *Store) {
	now := s.Now()
	s.Now = func() time.Time { return now }
}

func TestThereIsAlwaysAnAdministrator(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		still(s)
		demote := func(id string) error {
			_, err := s.UpdateUser(ctx, id, func(u *User) error { u.Admin = false; return nil })
			return err
		}
		ban := func(id string) error { _, _, err := s.Ban(ctx, id, ""); return err }
		end := func(id string) error { _, err := s.BeginRemoval(ctx, id); return err }
		hows := []func(string) error{demote, ban, end}
		last, err := s.CreateUser(ctx, User{Email: "first@example.org", Admin: true})
		if err != nil {
			t.Fatal(err)
		}
		for i, how := range hows {
			if err := how(last.ID); !errors.Is(err, ErrLastAdmin) {
				t.Errorf("way %d on the last: %v", i, err)
			}
		}
		for n := range 30 {
			u, err := s.CreateUser(ctx, User{Email: fmt.Sprintf("%d@example.org", n), Admin: true})
			if err != nil {
				t.Fatal(err)
			}
			var all sync.WaitGroup
			var errs [2]error
			for i, id := range []string{last.ID, u.ID} {
				all.Go(func() { errs[i] = hows[(n/3*i+n)%3](id) })
			}
			all.Wait()
			list, err := s.Admins(ctx)
			if err != nil || len(list) != 1 || (errs[0] == nil) == (errs[1] == nil) {
				t.Fatalf("round %d: %d administrators are left: %v, %v", n, len(list), errs, err)
			}
			last = list[0]
		}
	})
}

func TestAdministratorsAreListed(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		var made []User
		for n := range 4 {
			u, err := s.CreateUser(ctx, User{Email: fmt.Sprintf("%d@example.org", n), Admin: n != 1})
			if err != nil {
				t.Fatal(err)
			}
			made = append(made, u)
		}
		list := func() (emails []string) {
			all, err := s.Admins(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range all {
				emails = append(emails, u.Email[:1])
			}
			slices.Sort(emails)
			return emails
		}
		if got := list(); fmt.Sprint(got) != "[0 2 3]" {
			t.Error(got)
		}
		if _, _, err := s.Ban(ctx, made[2].ID, ""); err != nil {
			t.Fatal(err)
		}
		if err := s.NotifyAdmins(ctx, Notification{Type: "system", Title: "hello"}); err != nil {
			t.Fatal(err)
		}
		for i, u := range made {
			n, err := s.Unread(ctx, u.ID)
			if want := map[int]int{0: 1, 3: 1}[i]; err != nil || n != want {
				t.Errorf("user %d has %d notifications, %v", i, n, err)
			}
		}
		// As the third schema left it, there was no index.
		if err := s.db.Update(ctx, func(tx kv.Tx) error {
			for _, u := range made {
				if err := tx.Delete(keyAdmin(u.ID)); err != nil {
					return err
				}
			}
			return tx.Put(keyVersion, []byte("3"))
		}); err != nil {
			t.Fatal(err)
		}
		if err := migrate(ctx, s.db, migrations[:4], t.TempDir()); err != nil {
			t.Fatal(err)
		}
		if got := list(); fmt.Sprint(got) != "[0 3]" {
			t.Errorf("after the migration: %v", got)
		}
		if _, err := s.UpdateUser(ctx, made[2].ID, func(u *User) error { u.Banned = time.Time{}; return nil }); err != nil {
			t.Fatal(err)
		}
		if got := list(); fmt.Sprint(got) != "[0 2 3]" {
			t.Errorf("after the ban: %v", got)
		}
	})
}

func TestASearchForUsersIsBounded(t *testing.T) {
	s := open(t, memkv.New())
	ctx := t.Context()
	const users = 2*userScan + 10
	for n := range users {
		if _, err := s.CreateUser(ctx, User{Email: fmt.Sprintf("u%06d@example.org", n)}); err != nil {
			t.Fatal(err)
		}
	}
	looked, pages, found := 0, 0, []string{}
	for after := ""; ; pages++ {
		before := looked
		list, next, err := s.FindUsers(ctx, func(u *User) bool {
			looked++
			return strings.HasSuffix(u.Email, "7777@example.org") || strings.HasPrefix(u.Email, "u010009")
		}, after, 20)
		if err != nil {
			t.Fatal(err)
		}
		if looked-before > userScan {
			t.Errorf("page %d looked at %d accounts", pages, looked-before)
		}
		for _, u := range list {
			found = append(found, u.Email[:7])
		}
		if after = next; next == "" {
			break
		}
	}
	if fmt.Sprint(found) != "[u007777 u010009]" || looked != users {
		t.Errorf("found %v after a look at %d", found, looked)
	}
}

func TestAnAnnouncementGoesOnAfterAStop(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		var users []User
		for n := range 10 {
			u, err := s.CreateUser(ctx, User{Email: fmt.Sprintf("%d@example.org", n)})
			if err != nil {
				t.Fatal(err)
			}
			users = append(users, u)
		}
		a, err := s.CreateAnnouncement(ctx, Announcement{Title: "hello"})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if more, err := s.SendAnnouncements(ctx, 4); !more || err != nil {
				t.Fatal(more, err)
			}
		}
		late, err := s.CreateUser(ctx, User{Email: "late@example.org"})
		if err != nil {
			t.Fatal(err)
		}
		for more := true; more; { // as another process would
			if more, err = s.SendAnnouncements(ctx, 4); err != nil {
				t.Fatal(err)
			}
		}
		for _, u := range users {
			if n, err := s.Unread(ctx, u.ID); n != 1 || err != nil {
				t.Errorf("%s has %d, %v", u.Email, n, err)
			}
		}
		if n, err := s.Unread(ctx, late.ID); n != 0 || err != nil {
			t.Errorf("who came later has %d, %v", n, err)
		}
		list, next, err := s.Announcements(ctx, "", 9)
		if err != nil || next != "" || len(list) != 1 || list[0].ID != a.ID || list[0].Sent != 10 || list[0].Done.IsZero() {
			t.Errorf("%+v, %q, %v", list, next, err)
		}
		b, err := s.CreateAnnouncement(ctx, Announcement{Title: "stop"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.SendAnnouncements(ctx, 4); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteAnnouncement(ctx, b.ID); err != nil {
			t.Fatal(err)
		}
		if more, err := s.SendAnnouncements(ctx, 4); more || err != nil {
			t.Errorf("after it was deleted: %v, %v", more, err)
		}
	})
}

func TestTotals(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		for n, email := range []string{"a@example.org", "b@example.org"} {
			u, err := s.CreateUser(ctx, User{Email: email, Admin: n == 0})
			if err != nil {
				t.Fatal(err)
			}
			create(t, s, media(u.ID, 10+n))
			create(t, s, media(u.ID, 20+n))
		}
		got, err := s.Totals(ctx)
		if c := got.Kinds[Image]; err != nil || got.Users != 2 || got.Admins != 1 || c.N != 4 || c.Bytes != 62 || got.Unseen != 4 || got.Trash != 0 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}
