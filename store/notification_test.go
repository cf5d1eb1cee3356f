package store

import (
	"fmt"
	"slices"
	"testing"

	"picora/store/kv"
)

func TestNotificationsAreBoundedPagedAndRead(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		account := func(email string) string {
			u, err := s.CreateUser(ctx, User{Email: email})
			must(err)
			return u.ID
		}
		ann, bob := account("ann@example.org"), account("bob@example.org")
		for n := range mostNotices + 25 {
			must(s.Notify(ctx, Notification{User: ann, Title: fmt.Sprint(n)}))
		}
		must(s.Notify(ctx, Notification{User: bob, Title: "for bob"}))
		var all []Notification
		for after := ""; ; {
			list, next, err := s.Notifications(ctx, ann, after, 33)
			must(err)
			all = append(all, list...)
			if after = next; next == "" {
				break
			}
		}
		if len(all) != mostNotices || all[0].Title != fmt.Sprint(mostNotices+24) || all[mostNotices-1].Title != "25" {
			t.Fatalf("%d notifications, from %q to %q", len(all), all[0].Title, all[len(all)-1].Title)
		}
		count := func(user string, want int) {
			t.Helper()
			if n, err := s.Unread(ctx, user); err != nil || n != want {
				t.Errorf("%d of %s's are not read, %v; want %d", n, user, err, want)
			}
		}
		count(ann, mostNotices)
		mark := func(user string, ids []string, want int) {
			t.Helper()
			if n, err := s.MarkRead(ctx, user, ids); err != nil || n != want {
				t.Errorf("%d were marked, %v; want %d", n, err, want)
			}
		}
		ids := []string{all[3].ID, all[4].ID, NewID(IDLen)}
		mark(bob, ids, 0)
		mark(ann, ids, 2)
		mark(ann, ids, 0)
		mark(ann, []string{}, 0)
		count(ann, mostNotices-2)
		list, _, err := s.Notifications(ctx, ann, "", 10)
		must(err)
		for i, n := range list {
			if read := !n.Read.IsZero(); read != slices.Contains([]int{3, 4}, i) {
				t.Errorf("number %d: read %v", i, read)
			}
		}
		mark(ann, nil, mostNotices-2)
		count(ann, 0)
		must(s.Notify(ctx, Notification{User: NewID(IDLen), Title: "for nobody"}))
		must(s.db.View(ctx, func(tx kv.Reader) error {
			kept := 0
			for _, err := range tx.Scan(kv.Prefix(noticesOf(""))) {
				if err != nil {
					return err
				}
				kept++
			}
			if kept != mostNotices+1 {
				t.Errorf("%d notifications are kept: one for nobody, too", kept)
			}
			return nil
		}))
		count(bob, 1)
	})
}
