package store

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"picora/store/kv"
)

func film(t *testing.T, s *Store, user string, n int) Media {
	t.Helper()
	m := media(user, n)
	m.ID, m.Kind, m.Film.State = NewID(IDLen), Video, FilmWaiting
	return create(t, s, m)
}

// sound reports every key of jobs that is not what the jobs there are give.
func sound(t *testing.T, s *Store) {
	t.Helper()
	err := s.db.View(t.Context(), func(tx kv.Reader) error {
		want, got := map[string]string{}, map[string]string{}
		for _, family := range []string{"jb", "jm", "ji", "jl", "jd"} {
			for e, err := range tx.Scan(kv.Prefix([]byte(family))) {
				if err != nil {
					return err
				}
				if family != "jb" {
					got[string(e.Key)] = string(e.Value)
					continue
				}
				var j Job
				if err := get(tx, e.Key, &j); err != nil {
					return err
				}
				maps.Copy(want, jobEntries(&j))
				if _, err := mediaByID(tx, j.Media); err != nil {
					t.Errorf("job %s is of a record that is not there: %v", j.ID, err)
				}
			}
		}
		if !maps.Equal(want, got) {
			t.Errorf("the keys of jobs are\n%q, want\n%q", got, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAVideoThatIsNotFinishedHasAJob(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		u, err := s.CreateUser(ctx, User{Email: "a@example.org"})
		if err != nil {
			t.Fatal(err)
		}
		m := film(t, s, u.ID, 1)
		state := func() string {
			t.Helper()
			sound(t, s)
			j, err := s.JobOf(ctx, u.ID, m.ID)
			if errors.Is(err, ErrNotFound) {
				return "none"
			}
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprintf("%d rank %d %q", j.State, j.Rank, j.Error)
		}
		note := func(to FilmState) func() error {
			return func() error {
				_, err := s.NoteMedia(ctx, m.ID, func(m *Media) error { m.Film.State, m.Film.Fault = to, strings.Repeat("x", int(to)-1); return nil })
				return err
			}
		}
		first, err := s.JobOf(ctx, u.ID, m.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			name string
			do   func() error
			want string
		}{
			{"it is new", func() error { return nil }, `1 rank 0 ""`},
			{"it came again", func() error {
				again := m
				again.ID = NewID(IDLen)
				_, fresh, err := s.CreateMedia(ctx, again)
				if fresh {
					t.Error("the same file made another record")
				}
				return err
			}, `1 rank 0 ""`},
			{"it has another title", func() error {
				_, err := s.UpdateMedia(ctx, u.ID, m.ID, func(m *Media) error { m.Title = "x"; return nil })
				return err
			}, `1 rank 0 ""`},
			{"it plays", note(FilmPlayable), `1 rank 0 ""`},
			{"it is ready", note(FilmReady), `3 rank 0 ""`},
			{"more is wanted", note(FilmPlayable), `1 rank 1 ""`},
			{"it failed", note(FilmFailed), `4 rank 1 "xxx"`},
			{"it is tried again", note(FilmWaiting), `1 rank 0 ""`},
			{"it goes into the trash", func() error { _, err := s.TrashMedia(ctx, u.ID, []string{m.ID}); return err }, "none"},
			{"it comes back", func() error { _, err := s.RestoreMedia(ctx, u.ID, []string{m.ID}); return err }, `1 rank 0 ""`},
			{"it is ready at last", note(FilmReady), `3 rank 0 ""`},
			{"it goes", func() error { _, err := s.DeleteMedia(ctx, u.ID, []string{m.ID}); return err }, "none"},
		} {
			if err := step.do(); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			if got := state(); got != step.want {
				t.Errorf("%s: the job is %s, want %s", step.name, got, step.want)
			}
		}
		if _, err := s.Job(ctx, first.ID); !errors.Is(err, ErrNotFound) {
			t.Errorf("the job of a deleted video: %v", err)
		}
	})
}

func TestJobsAreTakenInTheirTurn(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		now := s.Now()
		s.Now = func() time.Time { return now }
		take := func(boot string) (Job, string) {
			t.Helper()
			j, err := s.TakeJob(ctx, boot, time.Minute, nil)
			sound(t, s)
			if err != nil {
				if !errors.Is(err, ErrNotFound) {
					t.Fatal(err)
				}
				return j, "none"
			}
			return j, j.Media
		}
		want := func(boot string, m Media) Job {
			t.Helper()
			j, got := take(boot)
			if got != m.ID {
				t.Fatalf("%s takes %s, want %s", boot, got, m.ID)
			}
			return j
		}
		none := func(boot string) {
			t.Helper()
			if _, got := take(boot); got != "none" {
				t.Fatalf("%s takes %s, want none", boot, got)
			}
		}
		user := NewID(IDLen)
		one := film(t, s, user, 1)
		now = now.Add(time.Second)
		two := film(t, s, user, 2)
		a := want("A", one)
		if a.Attempts != 1 || !a.Started.Equal(now) || a.State != JobRunning {
			t.Errorf("a job that was taken is %+v", a)
		}
		// What plays already comes after what does not.
		if _, err := s.PutJobBack(ctx, &a, a.Created, func(j *Job) { j.Rank, j.Attempts = RankRest, 0 }); err != nil {
			t.Fatal(err)
		}
		b := want("A", two)
		a = want("A", one)
		none("A")
		none("B") // it is A's for a minute
		if _, err := s.RenewJob(ctx, &b, 3*time.Minute, func(j *Job) { j.Progress = 0.5 }); err != nil {
			t.Fatal(err)
		}
		now = now.Add(2 * time.Minute)
		none("A") // whose own it is
		taken := want("B", one)
		none("B")
		for _, err := range []error{s.HeldJob(ctx, &a), func() error { _, err := s.HoldJob(ctx, &a, func(*Job) {}); return err }()} {
			if !errors.Is(err, ErrLeaseLost) {
				t.Errorf("what A had: %v", err)
			}
		}
		if err := s.HeldJob(ctx, &b); err != nil {
			t.Errorf("what A renewed: %v", err)
		}
		// Another start of the server takes over at once.
		if n, err := s.FreeJobs(ctx, "B"); n != 1 || err != nil {
			t.Errorf("%d jobs were freed, %v", n, err)
		}
		b = want("B", two)
		if b.Attempts != 2 || len(b.Log) != 1 || b.Progress != 0.5 {
			t.Errorf("a job that was taken over is %+v", b)
		}
		if n, err := s.FreeJobs(ctx, "B"); n != 0 || err != nil {
			t.Errorf("B's own jobs were freed: %d, %v", n, err)
		}
		// A job waits for its time, unless somebody is in a hurry.
		if _, err := s.PutJobBack(ctx, &taken, now.Add(time.Hour), func(j *Job) { j.Say(now, "later") }); err != nil {
			t.Fatal(err)
		}
		none("B")
		if j, err := s.HurryJob(ctx, taken.ID); err != nil || j.Attempts != 0 {
			t.Errorf("%+v, %v", j, err)
		}
		taken = want("B", one)
		// Nobody keeps a job whose video is gone.
		if _, err := s.TrashMedia(ctx, user, []string{one.ID}); err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{s.HeldJob(ctx, &taken), s.EditJob(ctx, taken.ID, func(*Job) {})} {
			if !errors.Is(err, ErrNotFound) {
				t.Errorf("the job of a video in the trash: %v", err)
			}
		}
		sound(t, s)
	})
}

func TestUsersTakeTurns(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		names := map[string]string{}
		at := time.UnixMilli(1_700_000_000_000).UTC()
		s.Now = func() time.Time { return at }
		upload := func(name string, n int) {
			id := name
			for user, is := range names {
				if is == name {
					id = user
				}
			}
			if id == name {
				u, err := s.CreateUser(ctx, User{Email: name + "@example.org"})
				if err != nil {
					t.Fatal(err)
				}
				id, names[u.ID] = u.ID, name
			}
			at = at.Add(time.Second)
			film(t, s, id, n)
		}
		for n := range 4 {
			upload("a", n)
		}
		upload("b", 4)
		upload("c", 5)
		upload("b", 6)
		turns, now := map[string]int64{}, int64(0)
		take := func() string {
			j, err := s.TakeJob(ctx, "boot", time.Minute, func(user string) int64 { return turns[user] })
			if errors.Is(err, ErrNotFound) {
				return "-"
			}
			if err != nil {
				t.Fatal(err)
			}
			now++
			turns[j.User] = now
			return names[j.User]
		}
		got := take() + take() + take()
		upload("d", 7)
		for range 6 {
			got += take()
		}
		if want := "abcdabaa-"; got != want {
			t.Errorf("the turns are %s, want %s", got, want)
		}
		sound(t, s)
	})
}

func TestNobodyTakesJobsOfAnAccountThatGoes(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		u, err := s.CreateUser(ctx, User{Email: "a@example.org"})
		if err != nil {
			t.Fatal(err)
		}
		film(t, s, u.ID, 1)
		held, err := s.TakeJob(ctx, "A", time.Minute, nil)
		if err != nil {
			t.Fatal(err)
		}
		film(t, s, u.ID, 2)
		if _, err := s.BeginRemoval(ctx, u.ID); err != nil {
			t.Fatal(err)
		}
		if err := s.HeldJob(ctx, &held); !errors.Is(err, ErrNotFound) {
			t.Errorf("a job that is held: %v", err)
		}
		if j, err := s.TakeJob(ctx, "A", time.Minute, nil); !errors.Is(err, ErrNotFound) {
			t.Errorf("took %+v, %v", j, err)
		}
		if _, err := s.FreeJobs(ctx, "B"); err != nil {
			t.Error(err)
		}
	})
}

func TestJobsAreListedAndForgotten(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		user := NewID(IDLen)
		var all []string
		begin := s.Now()
		for n := range 7 {
			m := film(t, s, user, n)
			all = append(all, m.ID)
			if n >= 3 {
				if _, err := s.NoteMedia(ctx, m.ID, func(m *Media) error { m.Film.State = FilmReady; return nil }); err != nil {
					t.Fatal(err)
				}
			}
		}
		slices.Reverse(all)
		list := func(state JobState) (got []string) {
			t.Helper()
			for after := ""; ; {
				page, next, err := s.Jobs(ctx, state, after, 2)
				if err != nil || len(page) == 0 && next != "" {
					t.Fatalf("%d jobs, next %q, %v", len(page), next, err)
				}
				for _, j := range page {
					got = append(got, j.Media)
				}
				if after = next; after == "" {
					return got
				}
			}
		}
		for state, want := range map[JobState][]string{0: all, JobDone: all[:4], JobWaiting: all[4:], JobFailed: nil, JobRunning: nil} {
			if got := list(state); !slices.Equal(got, want) {
				t.Errorf("jobs of state %d are %v, want %v", state, got, want)
			}
		}
		if n, err := s.CountJobs(ctx); err != nil || !maps.Equal(n, map[JobState]int{JobDone: 4, JobWaiting: 3}) {
			t.Errorf("counted %v, %v", n, err)
		}
		if n, err := s.TrimJobs(ctx, begin, 4); n != 0 || err != nil {
			t.Errorf("%d new jobs were forgotten, %v", n, err)
		}
		if n, err := s.TrimJobs(ctx, begin, 3); n != 1 || err != nil || !slices.Equal(list(0), slices.Concat(all[:3], all[4:])) {
			t.Errorf("of too many, %d jobs were forgotten, %v, left are %v", n, err, list(0))
		}
		if n, err := s.TrimJobs(ctx, s.Now(), 100); n != 3 || err != nil || !slices.Equal(list(0), all[4:]) {
			t.Errorf("of the old, %d jobs were forgotten, %v, left are %v", n, err, list(0))
		}
		sound(t, s)
	})
}

func TestTheLogOfAJobIsBounded(t *testing.T) {
	var j Job
	for n := range 3 * maxJobLog {
		before := j
		j.Say(time.UnixMilli(int64(n)), "%d %s", n, strings.Repeat("é", maxJobLine))
		if len(before.Log) > 0 && before.Log[len(before.Log)-1].Text[:2] == j.Log[len(j.Log)-1].Text[:2] && n < 10 {
			t.Error("the record before was changed")
		}
	}
	if len(j.Log) != maxJobLog || !strings.HasPrefix(j.Log[0].Text, "100 ") || !strings.HasPrefix(j.Log[maxJobLog-1].Text, "149 ") {
		t.Errorf("%d lines from %.10q to %.10q", len(j.Log), j.Log[0].Text, j.Log[len(j.Log)-1].Text)
	}
	if n := len(j.Log[0].Text); n > maxJobLine || n < maxJobLine-4 || strings.ContainsRune(j.Log[0].Text, '\uFFFD') {
		t.Errorf("a line of %d bytes", n)
	}
}
