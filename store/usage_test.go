package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"picora/store/kv"
)

func TestUploadsAreCountedByDayAndMonthUTC(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		u, err := s.CreateUser(ctx, User{Email: "a@example.org"})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, step := range []struct {
			at           string
			month, today int64
		}{
			{"2026-01-30T23:59:59Z", 1, 1},
			{"2026-01-31T08:00:00+08:00", 2, 1}, // midnight UTC
			{"2026-01-31T23:59:59Z", 3, 2},
			{"2026-02-01T00:00:00Z", 1, 1},
		} {
			at, err := time.Parse(time.RFC3339, step.at)
			if err != nil {
				t.Fatal(err)
			}
			s.Now = func() time.Time { return at }
			n++
			m := create(t, s, media(u.ID, n))
			if _, fresh, err := s.CreateMedia(ctx, m); fresh || err != nil { // the same again
				t.Fatal(fresh, err)
			}
			st, err := s.Standing(ctx, u.ID)
			if err != nil || st.Month.Uploads != step.month || st.Month.Today != step.today || st.Count[Image].N != int64(n) {
				t.Errorf("%s: %+v %v", step.at, st, err)
			}
			if _, err := s.DeleteMedia(ctx, u.ID, []string{NewID(ImageIDLen)}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestWhoMayNotAddAddsNothing(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		u, _ := s.CreateUser(ctx, User{Email: "a@example.org"})
		full := errors.New("full")
		before := dump(t, s)
		if _, fresh, err := s.CreateMediaIf(ctx, media(u.ID, 1), func(Standing) error { return full }); !errors.Is(err, full) || fresh {
			t.Fatal(fresh, err)
		}
		if _, fresh, err := s.CreateMediaIf(ctx, media(NewID(IDLen), 1), func(Standing) error { return nil }); !errors.Is(err, ErrNotFound) || fresh {
			t.Fatalf("for an account that is gone: %v %v", fresh, err)
		}
		if after := dump(t, s); len(after) != len(before) {
			t.Fatalf("%q", after)
		}
	})
}

func TestWhatIsServedIsAddedUp(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		u, _ := s.CreateUser(ctx, User{Email: "a@example.org"})
		for range 2 {
			after, err := s.AddServed(ctx, map[string]Sent{u.ID: {Served: 7}, NewID(IDLen): {Served: 9}})
			if err != nil || len(after) != 1 {
				t.Fatal(after, err)
			}
		}
		if st, _ := s.Standing(ctx, u.ID); st.Month.Served != 14 {
			t.Error(st)
		}
		for _, want := range []bool{true, false} {
			if told, err := s.TellOnce(ctx, 2, 3, Notification{User: u.ID, Title: "x"}); told != want || err != nil {
				t.Error(told, err)
			}
		}
		if told, err := s.TellOnce(ctx, 4, 4, Notification{User: u.ID}); !told || err != nil {
			t.Error(told, err)
		}
		notices := 0
		for k := range dump(t, s) {
			if strings.HasPrefix(k, "no"+u.ID) || strings.HasPrefix(k, "nu"+u.ID) {
				notices++
			}
		}
		if notices != 4 { // each with its entry among the unread
			t.Errorf("%d keys of notifications", notices)
		}
		s.Now = func() time.Time { return time.UnixMilli(1_700_000_000_000).AddDate(0, 12, 0) }
		if st, _ := s.Standing(ctx, u.ID); st.Month.Served != 0 || st.Month.Told != 0 {
			t.Error(st)
		}
		if err := s.SweepMonths(ctx, u.ID); err != nil || dump(t, s)[string(keyMonth(u.ID, "2023-11"))] == "" {
			t.Error("a month was forgotten too early", err)
		}
		s.Now = func() time.Time { return time.UnixMilli(1_700_000_000_000).AddDate(0, 13, 0) }
		if err := s.SweepMonths(ctx, u.ID); err != nil || dump(t, s)[string(keyMonth(u.ID, "2023-11"))] != "" {
			t.Error("an old month is kept", err)
		}
	})
}

// wrong spoils the user's count.
func wrong(t *testing.T, s *Store, user string, c Count) {
	t.Helper()
	if err := s.db.Update(context.Background(), func(tx kv.Tx) error { return put(tx, keyCount(user, Image), &c) }); err != nil {
		t.Fatal(err)
	}
}

// fill adds n records in few transactions, numbered from first.
func fill(t *testing.T, s *Store, user string, first, n int) (ids []string) {
	t.Helper()
	for _, part := range slices.Collect(slices.Chunk(make([]int, n), 200)) {
		var ms []Media
		for range part {
			m := media(user, first)
			m.Created = s.Now()
			first++
			ids = append(ids, m.ID)
			ms = append(ms, m)
		}
		if err := s.db.Update(context.Background(), func(tx kv.Tx) error {
			for i := range ms {
				if err := change(tx, nil, &ms[i]); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	return ids
}

// truth counts the user's records the simple way.
func truth(t *testing.T, s *Store, user string) (c Count) {
	t.Helper()
	page, err := s.ListMedia(context.Background(), user, Query{Kind: Image, Limit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	for i := range page.Items {
		c.add(&page.Items[i], 1)
	}
	return c
}

func TestARecountPutsCountsRight(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		for _, n := range []int{0, 3, recountStep - 1, recountStep, 2*recountStep + 7} {
			user := NewID(IDLen)
			fill(t, s, user, 1, n)
			fill(t, s, NewID(IDLen), 1, 2) // somebody else's
			right := truth(t, s, user)
			if drift, err := s.Recount(ctx, user); err != nil || len(drift) > 0 {
				t.Fatalf("%d: %v %v", n, drift, err)
			}
			bad := Count{N: 77, Public: -3, Bytes: right.Bytes + 1}
			wrong(t, s, user, bad)
			if drift, err := s.Recount(ctx, user); err != nil || len(drift) != 1 || drift[0] != (Drift{Kind: Image, Was: bad, Are: right}) {
				t.Fatalf("%d: %v %v", n, drift, err)
			}
			if c, _ := s.Count(ctx, user, Image); c != right {
				t.Fatalf("%d: %v, want %v", n, c, right)
			}
			if _, left := dump(t, s)[string(keyRecount(user))]; left {
				t.Error("the recount is still under way")
			}
		}
	})
}

// Whatever is added, changed and deleted between two steps of a recount, before the
// place where it is or behind, is counted once.
func TestARecountFollowsWhatChangesMeanwhile(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		user := NewID(IDLen)
		ids := fill(t, s, user, 1, 2*recountStep+50)
		wrong(t, s, user, Count{N: 5})
		if err := s.db.Update(ctx, func(tx kv.Tx) error { return put(tx, keyRecount(user), &recount{Counts: make([]Count, kinds)}) }); err != nil {
			t.Fatal(err)
		}
		hide := func(id string) {
			if _, err := s.UpdateMedia(ctx, user, id, func(m *Media) error { m.Public = !m.Public; return nil }); err != nil {
				t.Fatal(err)
			}
		}
		for step, done := 0, false; !done; step++ {
			if err := s.db.Update(ctx, func(tx kv.Tx) (err error) { done, _, err = recountMore(tx, user); return err }); err != nil {
				t.Fatal(err)
			}
			if _, err := s.DeleteMedia(ctx, user, []string{ids[step*3], ids[len(ids)-1-step*3]}); err != nil {
				t.Fatal(err)
			}
			hide(ids[step*3+1])
			hide(ids[len(ids)-2-step*3])
			create(t, s, media(user, 100_000+step))
		}
		c, _ := s.Count(ctx, user, Image)
		if right := truth(t, s, user); c != right {
			t.Errorf("%+v, want %+v", c, right)
		}
	})
}

// wrongAlbum makes a collection of the user's with a count that is wrong.
func wrongAlbum(t *testing.T, s *Store, user string) Collection {
	t.Helper()
	ctx := context.Background()
	c, err := s.CreateCollection(ctx, Collection{User: user, Name: "Album", Slug: NewID(IDLen), Allowed: []Kind{Image}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Counts = []Count{{}, {N: 5, Public: 2, Bytes: 1}}
	if err := s.db.Update(ctx, func(tx kv.Tx) error { return put(tx, keyCollection(user, c.ID), &c) }); err != nil {
		t.Fatal(err)
	}
	return c
}

// What is in collections is counted with the rest, whatever comes, goes and moves
// between two steps.
func TestARecountPutsCountsOfCollectionsRight(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		for _, n := range []int{8, 2*recountStep + 50} {
			ctx, user := context.Background(), NewID(IDLen)
			other := wrongAlbum(t, s, NewID(IDLen))
			ids, a, b := fill(t, s, user, 1, n), wrongAlbum(t, s, user), wrongAlbum(t, s, user)
			move := func(id, to string) {
				if _, err := s.UpdateMedia(ctx, user, id, func(m *Media) error { m.Collection = to; return nil }); err != nil {
					t.Fatal(err)
				}
			}
			move(ids[0], a.ID)
			move(ids[n-1], a.ID)
			if err := s.db.Update(ctx, func(tx kv.Tx) error { return put(tx, keyRecount(user), &recount{Counts: make([]Count, kinds)}) }); err != nil {
				t.Fatal(err)
			}
			var drift []Drift
			for done := false; !done; {
				if err := s.db.Update(ctx, func(tx kv.Tx) (err error) { done, drift, err = recountMore(tx, user); return err }); err != nil {
					t.Fatal(err)
				}
				move(ids[0], b.ID)
				move(ids[1], a.ID)
				move(ids[n-2], b.ID)
				if _, err := s.TrashMedia(ctx, user, []string{ids[2]}); err != nil {
					t.Fatal(err)
				}
			}
			if len(drift) != 2 {
				t.Errorf("%d: %+v", n, drift)
			}
			for _, c := range []Collection{a, b} {
				page, err := s.ListMedia(ctx, user, Query{Collection: &c.ID, Limit: n})
				var want Count
				for i := range page.Items {
					want.add(&page.Items[i], 1)
				}
				if is, err2 := s.Collection(ctx, c.ID); err != nil || err2 != nil || is.Count(Image) != want || want.N != 2 {
					t.Errorf("%d: %+v, want %+v; %v %v", n, is.Counts, want, err, err2)
				}
			}
			if drift, err := s.Recount(ctx, user); err != nil || len(drift) > 0 {
				t.Errorf("%d: again: %+v %v", n, drift, err)
			}
			if is, err := s.Collection(ctx, other.ID); err != nil || is.Count(Image).N != 5 {
				t.Errorf("somebody else's: %+v %v", is.Counts, err)
			}
		}
	})
}

func TestARecountWhileUploadsRunIsExact(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		var mu sync.Mutex // the tests' clock is for one at a time
		clock := s.Now
		s.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return clock() }
		user := NewID(IDLen)
		fill(t, s, user, 1, 3*recountStep)
		wrong(t, s, user, Count{N: 5})
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Go(func() {
				for i := range 25 {
					m := create(t, s, media(user, 10_000*(w+1)+i))
					if i%3 == 0 {
						s.DeleteMedia(ctx, user, []string{m.ID})
					}
				}
			})
		}
		if drift, err := s.Recount(ctx, user); err != nil || len(drift) != 1 {
			t.Error(drift, err)
		}
		wg.Wait()
		c, _ := s.Count(ctx, user, Image)
		if right := truth(t, s, user); c != right {
			t.Errorf("%+v, want %+v", c, right)
		}
	})
}

func TestAPlanEnds(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		u    User
		want string
	}{
		{User{Plan: "pro"}, "pro"},
		{User{}, "none"},
		{User{Plan: "pro", PlanEnds: now.Add(time.Second)}, "pro"},
		{User{Plan: "pro", PlanEnds: now}, "none"},
		{User{Plan: "trial", Unlimited: true}, "trial"},
		{User{Plan: "none", Unlimited: true}, "pro_plus"},
		{User{Plan: "pro", PlanEnds: now, Unlimited: true}, "pro_plus"},
	} {
		if got := c.u.PlanAt(now); got != c.want {
			t.Errorf("%+v: %s, want %s", c.u, got, c.want)
		}
	}
}

func TestMonthsThatWere(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		var users [2]User
		for i, email := range []string{"a@example.org", "b@example.org"} {
			u, err := s.CreateUser(ctx, User{Email: email})
			if err != nil {
				t.Fatal(err)
			}
			users[i] = u
		}
		at := func(day string) {
			now, err := time.Parse(time.RFC3339, day+"T12:00:00Z")
			if err != nil {
				t.Fatal(err)
			}
			s.Now = func() time.Time { return now }
		}
		at("2025-12-31")
		create(t, s, media(users[0].ID, 1))
		create(t, s, media(users[1].ID, 1))
		at("2026-03-31") // the month before is shorter
		create(t, s, media(users[0].ID, 2))
		if _, err := s.AddServed(ctx, map[string]Sent{users[0].ID: {Served: 5, Played: 7}, users[1].ID: {Served: 1}}); err != nil {
			t.Fatal(err)
		}
		got, err := s.Months(ctx, users[0].ID, 3)
		if want := []Traffic{{Month: "2026-01"}, {Month: "2026-02"}, {"2026-03", 1, 5, 7}}; err != nil || !slices.Equal(got, want) {
			t.Errorf("%+v %v", got, err)
		}
		all, err := s.Totals(ctx)
		if err != nil || len(all.Months) != 12 || all.Months[8] != (Traffic{"2025-12", 2, 0, 0}) || all.Months[11] != (Traffic{"2026-03", 1, 6, 7}) {
			t.Errorf("%+v %v", all.Months, err)
		}
	})
}
