package store

import (
	"context"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"picora/store/kv"
)

// families reads the table of keys in keys.go: each family and the words of its key.
func families(t *testing.T) map[string][]string {
	t.Helper()
	b, err := os.ReadFile("keys.go")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for _, m := range regexp.MustCompile(`(?m)^//\t([a-z]{2})((?: [A-Za-z0-9]+)*)(?:  |\n)`).FindAllStringSubmatch(string(b), -1) {
		all[m[1]] = strings.Fields(m[2])
	}
	if len(all) < 20 {
		t.Fatalf("only %d families in keys.go: %v", len(all), all)
	}
	return all
}

func TestTheListOfFamiliesOfAUserIsWhole(t *testing.T) {
	var want []string
	for f, parts := range families(t) {
		if len(parts) > 0 && parts[0] == "user" && f != "xu" {
			want = append(want, f)
		}
	}
	slices.Sort(want)
	got := slices.Sorted(slices.Values(ofUser))
	if !slices.Equal(got, want) {
		t.Errorf("ofUser is %q, keys.go lists %q", got, want)
	}
}

// nobodys are the families that hold nothing of an account's: the log and what
// administrators made outlive who did it.
var nobodys = []string{"vv", "se", "ev", "co", "in", "ic", "ip", "an", "ao", "aw", "xb", "xu", "vf", "cs", "sc"}

// person makes a user who has something in every family.
func person(t *testing.T, s *Store, email string) User {
	t.Helper()
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	u, err := s.CreateUser(ctx, User{Email: email, Admin: true})
	must(err)
	for _, h := range []string{"one", "two"} {
		_, err = s.CreateAPIKey(ctx, APIKey{User: u.ID, Name: "k", Hash: []byte(h + u.ID)}, 100)
		must(err)
		_, err = s.CreateSession(ctx, Session{User: u.ID, Hash: []byte(h + u.ID), Used: s.Now(), Expires: s.Now().Add(time.Hour)}, 50)
		must(err)
	}
	must(s.Notify(ctx, Notification{User: u.ID, Type: "system", Title: "hello"}))
	_, err = s.CreateUpload(ctx, Upload{User: u.ID, Kind: Image, Length: 1}, 10)
	must(err)
	for n := range 5 {
		create(t, s, media(u.ID, n, "sea", "2026"))
	}
	c, err := s.CreateCollection(ctx, Collection{User: u.ID, Name: "c", Slug: "of-" + email[:3], Allowed: []Kind{Image, Doc}}, nil)
	must(err)
	gone, err := s.CreateCollection(ctx, Collection{User: u.ID, Name: "d", Slug: "gone-" + email[:3], Allowed: []Kind{Image}}, nil)
	must(err)
	last := media(u.ID, 6)
	last.Collection = gone.ID
	create(t, s, last)
	_, err = s.DeleteCollection(ctx, u.ID, gone.ID, true)
	must(err)
	for n := range 3 {
		putDoc(t, s, textDoc(u.ID, c.ID, "a.md", 20+n), 5)
	}
	for n, id := range []string{create(t, s, media(u.ID, 7)).ID, create(t, s, media(u.ID, 8)).ID} {
		if n == 0 {
			_, err = s.TrashMedia(ctx, u.ID, []string{id})
		} else {
			_, err = s.DeleteMedia(ctx, u.ID, []string{id})
		}
		must(err)
		must(s.db.Update(ctx, func(tx kv.Tx) error { return tx.Put(keyForgotten(u.ID), make([]byte, 8)) }))
	}
	in := media(u.ID, 5)
	in.Collection = c.ID
	create(t, s, in)
	sound := media(u.ID, 10)
	sound.Kind = Audio
	create(t, s, sound)
	film := media(u.ID, 11)
	film.Kind, film.Film.State = Video, FilmWaiting
	create(t, s, film)
	d := media(u.ID, 9)
	d.Kind = Doc
	d = create(t, s, d)
	must(s.IndexText(ctx, &d, []string{"a", "b"}))
	_, err = s.Index(ctx, u.ID)
	must(err)
	_, err = s.UpdateMedia(ctx, u.ID, d.ID, func(m *Media) error { m.Title, m.Blob = "x", "text of "+email[:3]; return nil })
	must(err)
	_, err = s.CreateCollectionType(ctx, CollectionType{User: u.ID, Name: "t", Slug: "t"}, func(int) error { return nil })
	must(err)
	_, err = s.CreateWatermark(ctx, Watermark{User: u.ID, Name: "w", Blob: "mark of " + email[:3]}, 9)
	must(err)
	_, err = s.UpdateFactors(ctx, u.ID, func(f *Factors) error { f.Secret = []byte("secret"); return nil })
	must(err)
	must(s.db.Update(ctx, func(tx kv.Tx) error { return put(tx, keyRecount(u.ID), &recount{Counts: make([]Count, kinds)}) }))
	_, err = s.CreateIdentity(ctx, Identity{User: u.ID, Issuer: "https://id.example", Subject: email[:3]})
	must(err)
	for _, v := range []string{"old", "new"} {
		_, err = s.UpdateUser(ctx, u.ID, func(u *User) error { u.Avatar = v + " face of " + email[:3]; return nil })
		must(err)
	}
	_, _, err = s.SeenDevice(ctx, u.ID, make([]byte, 32))
	must(err)
	return u
}

// TestNothingIsLeftOfARemovedAccount fills every family, removes the account, and looks
// for its id and address in all keys and values.
func TestNothingIsLeftOfARemovedAccount(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		ann, bob := person(t, s, "ann@example.org"), person(t, s, "bob@example.org")
		if err := s.AddEvent(ctx, Event{Actor: ann.ID, Action: "user.deleted", Subject: ann.ID}); err != nil {
			t.Fatal(err)
		}
		there := dump(t, s)
		for f := range families(t) {
			if !slices.ContainsFunc(keysIn(there), func(k string) bool { return strings.HasPrefix(k, f) }) && !slices.Contains(nobodys, f) {
				t.Errorf("this test puts nothing into the family %s: its removal is not tested", f)
			}
		}
		blobs := map[string]bool{}
		page, err := s.ListMedia(ctx, ann.ID, Query{Kind: Image, Limit: 50})
		if err != nil || len(page.Items) != 7 {
			t.Fatal(len(page.Items), err)
		}
		for _, m := range page.Items {
			blobs[m.Blob] = true
		}
		trash, err := s.ListTrash(ctx, ann.ID, "", 50)
		if err != nil || len(trash.Items) != 1 {
			t.Fatal(trash, err)
		}
		for _, m := range trash.Items {
			blobs[m.Blob] = true
		}
		docs, err := s.ListMedia(ctx, ann.ID, Query{Kind: Doc, Limit: 50})
		if err != nil || len(docs.Items) != 2 {
			t.Fatal(len(docs.Items), err)
		}
		revisions, err := s.Revisions(ctx, ann.ID, docs.Items[1].Text.Lineage)
		if err != nil || len(revisions) != 2 {
			t.Fatal(len(revisions), err)
		}
		for _, r := range revisions {
			blobs[r.Blob] = true
		}
		blobs[docs.Items[0].Blob] = true
		blobs["mark of ann"], blobs["old face of ann"], blobs["new face of ann"] = true, true, true

		if _, err := s.BeginRemoval(ctx, ann.ID); err != nil {
			t.Fatal(err)
		}
		gone, rounds := []string{}, 0
		for more := true; more; rounds++ {
			if rounds < 3 {
				if done, err := s.EndRemoval(ctx, ann.ID); done || err != nil {
					t.Fatalf("ended before its end: %v %v", done, err)
				}
			}
			var media []string
			if media, more, err = s.RemoveSome(ctx, ann.ID, 3); err != nil {
				t.Fatal(err)
			}
			if gone = append(gone, media...); len(media) > 3 {
				t.Errorf("%d media in a portion of 3", len(media))
			}
		}
		if rounds < 3 || len(gone) != 12 {
			t.Errorf("%d portions with %d media", rounds, len(gone))
		}
		if done, err := s.EndRemoval(ctx, ann.ID); !done || err != nil {
			t.Fatal(done, err)
		}
		after := dump(t, s)
		for k, v := range after {
			if strings.HasPrefix(k, "ev") { // the audit log remembers
				continue
			}
			for _, text := range []string{ann.ID, ann.Email} {
				if strings.Contains(k, text) || strings.Contains(v, text) {
					t.Errorf("left over: %q: %q", k, v)
				}
			}
		}
		for b := range blobs {
			if _, trashed := after["xb"+b]; !trashed {
				t.Errorf("blob %s is not in the trash", b)
			}
		}
		for k := range there { // the other's things are as they were
			if _, still := after[k]; !still && strings.Contains(k, bob.ID) {
				t.Errorf("%q of another user went, too", k)
			}
		}
		if len(after) == 0 || len(keysOf(after, bob.ID)) != len(keysOf(there, bob.ID)) {
			t.Error("the other user lost something")
		}
	})
}

func keysIn(m map[string]string) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

func keysOf(m map[string]string, user string) (keys []string) {
	for k, v := range m {
		if strings.Contains(k, user) || strings.Contains(v, user) {
			keys = append(keys, k)
		}
	}
	return keys
}

func TestARemovalEndsAllAccessAtOnce(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		u, _ := person(t, s, "ann@example.org"), person(t, s, "bob@example.org")
		page, _ := s.ListMedia(ctx, u.ID, Query{Kind: Image, Limit: 1})
		sessions, _ := s.Sessions(ctx, u.ID)
		if len(page.Items) != 1 || len(sessions) != 2 {
			t.Fatal(page, sessions)
		}
		if _, err := s.BeginRemoval(ctx, u.ID); err != nil {
			t.Fatal(err)
		}
		refused := map[string]error{}
		_, refused["media"] = s.Media(ctx, page.Items[0].ID)
		_, refused["user"] = s.User(ctx, u.ID)
		_, refused["e-mail"] = s.UserByEmail(ctx, u.Email)
		_, _, refused["key"] = s.KeyHolder(ctx, []byte("one"+u.ID))
		_, _, refused["session"] = s.SignedIn(ctx, sessions[0].ID)
		_, refused["refresh"] = s.SessionByHash(ctx, sessions[0].Hash)
		_, _, refused["upload under way"] = s.CreateMedia(ctx, media(u.ID, 99))
		_, refused["key being made"] = s.CreateAPIKey(ctx, APIKey{User: u.ID, Hash: []byte("new")}, 100)
		_, refused["watermark being made"] = s.CreateWatermark(ctx, Watermark{User: u.ID}, 9)
		_, refused["sign-in under way"] = s.CreateSession(ctx, Session{User: u.ID}, 9)
		_, refused["second removal"] = s.BeginRemoval(ctx, u.ID)
		for what, err := range refused {
			if !errors.Is(err, ErrNotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if err := s.Notify(ctx, Notification{User: u.ID}); err != nil {
			t.Errorf("a message to nobody: %v", err)
		}
		list, err := s.Removals(ctx)
		if err != nil || len(list) != 1 || list[0].User != u.ID || list[0].Began.IsZero() {
			t.Errorf("%+v %v", list, err)
		}
		again, err := s.CreateUser(ctx, User{Email: u.Email})
		if err != nil || again.ID == u.ID {
			t.Errorf("the address is not free: %v", err)
		}
		if _, _, err := s.RemoveSome(ctx, again.ID, 10); !errors.Is(err, ErrNotFound) {
			t.Errorf("an account that nobody removed: %v", err)
		}
	})
}

func TestTheLastAdministratorStays(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		user := func(u User) string {
			u, err := s.CreateUser(ctx, u)
			if err != nil {
				t.Fatal(err)
			}
			return u.ID
		}
		one := user(User{Email: "one@example.org", Admin: true})
		user(User{Email: "a@example.org"})
		user(User{Email: "b@example.org", Admin: true, Banned: s.Now()})
		if _, err := s.BeginRemoval(ctx, one); !errors.Is(err, ErrLastAdmin) {
			t.Fatal(err)
		}
		two := user(User{Email: "two@example.org", Admin: true})
		if _, err := s.BeginRemoval(ctx, one); err != nil {
			t.Fatal(err)
		}
		if _, err := s.BeginRemoval(ctx, two); !errors.Is(err, ErrLastAdmin) {
			t.Fatal(err)
		}
	})
}
