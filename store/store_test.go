package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/tinylib/msgp/msgp"

	"picora/store/blob"
	"picora/store/kv"
	"picora/store/kv/boltkv"
	"picora/store/kv/memkv"
	"picora/store/words"
)

// engines are run by every test: bbolt as it is used, and memory that runs each
// closure twice.
func engines(t *testing.T, fn func(t *testing.T, s *Store)) {
	t.Run("bbolt", func(t *testing.T) {
		db, err := boltkv.Open(filepath.Join(t.TempDir(), "t.db"), boltkv.Options{})
		if err != nil {
			t.Fatal(err)
		}
		fn(t, open(t, db))
	})
	t.Run("memory, every closure twice", func(t *testing.T) {
		fn(t, open(t, memkv.New(memkv.Retry(1))))
	})
}

func open(t *testing.T, db kv.DB) *Store {
	t.Helper()
	s, err := Open(context.Background(), db, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	var clock int64 = 1_700_000_000_000
	s.Now = func() time.Time { clock += 7; return time.UnixMilli(clock).UTC() }
	return s
}

func media(user string, n int, tags ...string) Media {
	h := sha256.Sum256(fmt.Appendf(nil, "%s %d", user, n))
	return Media{
		ID: NewID(ImageIDLen), User: user, Kind: Image, Filename: fmt.Sprintf("%d.png", n), MIME: "image/png", Ext: "png",
		Size: int64(n), BlobSize: int64(n), Hash: h[:], Blob: blob.NewKey(time.Now()), Tags: tags, Public: n%2 == 0,
	}
}

func create(t *testing.T, s *Store, m Media) Media {
	t.Helper()
	out, fresh, err := s.CreateMedia(context.Background(), m)
	if err != nil || !fresh {
		t.Fatalf("create: fresh %v, %v", fresh, err)
	}
	return out
}

func ids(ms []Media) (out []string) {
	for _, m := range ms {
		out = append(out, m.ID)
	}
	return out
}

func TestUsersAreUniqueByEmailWithoutCase(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		u, err := s.CreateUser(ctx, User{Email: "Ann@Example.org", Admin: true})
		if err != nil || !ValidID(u.ID, IDLen) {
			t.Fatal(u, err)
		}
		if _, err := s.CreateUser(ctx, User{Email: "ann@example.ORG"}); !errors.Is(err, ErrExists) {
			t.Fatalf("second user: %v", err)
		}
		got, err := s.UserByEmail(ctx, "ANN@example.org")
		if err != nil || fmt.Sprint(got) != fmt.Sprint(u) {
			t.Fatalf("%+v, %v; want %+v", got, err, u)
		}
		if _, err := s.UserByEmail(ctx, "bob@example.org"); !errors.Is(err, ErrNotFound) {
			t.Fatal(err)
		}
		if list, err := s.Users(ctx); err != nil || len(list) != 1 || fmt.Sprint(list[0]) != fmt.Sprint(u) {
			t.Fatal(list, err)
		}
	})
}

func TestKeysAreFoundByHashAndRevoked(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		k, err := s.CreateAPIKey(ctx, APIKey{User: NewID(IDLen), Name: "PicGo", Hash: []byte("hash-1"), Scopes: []string{"media.read"}}, -1)
		if err != nil {
			t.Fatal(err)
		}
		other, err := s.CreateAPIKey(ctx, APIKey{User: NewID(IDLen), Name: "other", Hash: []byte("hash-2")}, -1)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.keyByHash(ctx, []byte("hash-1")); err != nil || got.ID != k.ID || !got.Revoked.IsZero() || !got.Created.Equal(k.Created) {
			t.Fatal(got, err)
		}
		if _, err := s.keyByHash(ctx, []byte("hash-3")); !errors.Is(err, ErrNotFound) {
			t.Fatal(err)
		}
		if err := s.RevokeAPIKey(ctx, k.ID); err != nil {
			t.Fatal(err)
		}
		first, _ := s.keyByHash(ctx, []byte("hash-1"))
		if err := s.RevokeAPIKey(ctx, k.ID); err != nil {
			t.Fatal(err)
		}
		again, _ := s.keyByHash(ctx, []byte("hash-1"))
		if first.Revoked.IsZero() || !again.Revoked.Equal(first.Revoked) {
			t.Fatalf("revoked %v, then %v", first.Revoked, again.Revoked)
		}
		if err := s.RevokeAPIKey(ctx, NewID(IDLen)); !errors.Is(err, ErrNotFound) {
			t.Fatal(err)
		}
		if list, _ := s.APIKeys(ctx, other.User); len(list) != 1 || list[0].ID != other.ID {
			t.Fatal(list)
		}
		if list, _ := s.APIKeys(ctx, ""); len(list) != 2 {
			t.Fatal(list)
		}
	})
}

func TestMediaIsKeptOncePerUserAndContent(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		ann, bob := NewID(IDLen), NewID(IDLen)
		first := create(t, s, media(ann, 1))
		same := media(ann, 1)
		got, fresh, err := s.CreateMedia(ctx, same)
		if err != nil || fresh || got.ID != first.ID {
			t.Fatalf("duplicate: %v fresh %v, %v", got.ID, fresh, err)
		}
		if known, _ := s.HasBlob(ctx, same.Blob); known {
			t.Fatal("the duplicate's blob has a record")
		}
		theirs := media(bob, 1)
		theirs.Hash = first.Hash
		create(t, s, theirs)
		taken := media(bob, 2)
		taken.ID = first.ID
		if _, _, err := s.CreateMedia(ctx, taken); !errors.Is(err, ErrExists) {
			t.Fatalf("id in use: %v", err)
		}
		if c, _ := s.Count(ctx, ann, Image); c != (Count{N: 1, Bytes: 1}) {
			t.Fatal(c)
		}
	})
}

func TestMediaBelongsToItsUser(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		ann, bob := NewID(IDLen), NewID(IDLen)
		m := create(t, s, media(ann, 1))
		if _, err := s.UpdateMedia(ctx, bob, m.ID, func(*Media) error { t.Error("edited"); return nil }); !errors.Is(err, ErrNotFound) {
			t.Fatal(err)
		}
		if gone, err := s.DeleteMedia(ctx, bob, []string{m.ID}); err != nil || len(gone) != 0 {
			t.Fatal(gone, err)
		}
		if _, err := s.MediaByHash(ctx, bob, Image, m.Hash); !errors.Is(err, ErrNotFound) {
			t.Fatal(err)
		}
		if got, err := s.Media(ctx, m.ID); err != nil || got.User != ann {
			t.Fatal(got, err)
		}
	})
}

func TestAFailedEditChangesNothing(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		m := create(t, s, media(NewID(IDLen), 2, "sea"))
		boom := errors.New("boom")
		_, err := s.UpdateMedia(ctx, m.User, m.ID, func(m *Media) error { m.Tags, m.Title = nil, "x"; return boom })
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		got, _ := s.Media(ctx, m.ID)
		if got.Title != "" || !slices.Equal(got.Tags, []string{"sea"}) {
			t.Fatalf("%+v", got)
		}
	})
}

func TestDeletedMediaLeavesNothingButTrash(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		user := NewID(IDLen)
		before := dump(t, s)
		m := create(t, s, media(user, 2, "a", "b"))
		m, err := s.UpdateMedia(ctx, user, m.ID, func(m *Media) error { m.Tags = []string{"b", "c"}; return nil })
		if err != nil {
			t.Fatal(err)
		}
		gone, err := s.DeleteMedia(ctx, user, []string{m.ID, m.ID, "unknown-id-"})
		if err != nil || !slices.Equal(ids(gone), []string{m.ID}) {
			t.Fatal(gone, err)
		}
		if known, _ := s.HasBlob(ctx, m.Blob); !known {
			t.Fatal("the trash does not know the blob")
		}
		trash, err := s.Trash(ctx, "", 10)
		if err != nil || !slices.Equal(trash, []string{m.Blob}) {
			t.Fatal(trash, err)
		}
		if err := s.EmptyTrash(ctx, trash); err != nil {
			t.Fatal(err)
		}
		indexAll(t, s, user)
		var zero Count
		if c, _ := s.Count(ctx, user, Image); c != zero {
			t.Fatal(c)
		}
		after := dump(t, s)
		delete(after, string(keyCount(user, Image)))
		delete(after, string(keyMonth(user, "2023-11"))) // that it was uploaded stays true
		delete(after, string(keyTally(user)))
		delete(after, string(keyIndexed(user)))
		delete(after, string(keyTombstone(user, 3))) // for programs that had seen it
		if len(after) != len(before) {
			t.Fatalf("left over: %q", after)
		}
	})
}

// dump reads every key.
func dump(t *testing.T, s *Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := s.db.View(context.Background(), func(tx kv.Reader) error {
		for e, err := range tx.Scan(kv.Range{}) {
			if err != nil {
				return err
			}
			all[string(e.Key)] = string(e.Value)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestIndexesAgreeWithRecords changes records at random and compares every index
// entry, count and list with what the records say.
func TestIndexesAgreeWithRecords(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		r := rand.New(rand.NewPCG(3, 14))
		users := []string{NewID(IDLen), NewID(IDLen)}
		labels := []string{"a", "ab", "b", "海", "b b"}
		some := func() (t []string) {
			for _, w := range labels {
				if r.IntN(3) == 0 {
					t = append(t, w)
				}
			}
			return t
		}
		var folders []string
		for _, u := range users {
			c, err := s.CreateCollection(ctx, Collection{User: u, Name: "c", Slug: "s" + u[:8], Allowed: []Kind{Image, Video, Audio, Doc}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			folders = append(folders, c.ID)
		}
		model := map[string]Media{} // those in the trash too
		pick := func(trashed bool) (m Media, ok bool) {
			keys := make([]string, 0, len(model))
			for k, m := range model {
				if m.Trashed() == trashed {
					keys = append(keys, k)
				}
			}
			if len(keys) == 0 {
				return m, false
			}
			sort.Strings(keys)
			return model[keys[r.IntN(len(keys))]], true
		}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		names := []string{"", "img 9", "IMG 10", "img 010", "Ärger", "argus", "海边", "1", "x\x00y"}
		for n := range 500 {
			if r.IntN(40) == 0 {
				_, err := s.Index(ctx, users[r.IntN(2)])
				must(err)
			}
			switch k := r.IntN(12); {
			case k < 5:
				who := r.IntN(2)
				m := media(users[who], n, some()...)
				m.Kind = Kind(1 + r.IntN(4))
				m.Title = names[r.IntN(len(names))]
				m.Size = int64(r.IntN(5))
				if r.IntN(2) == 0 {
					m.Collection = folders[who]
				}
				if old, ok := pick(r.IntN(2) == 0); ok && r.IntN(8) == 0 { // what is in the trash may come again
					m.Hash = old.Hash
				}
				m, _, err := s.CreateMedia(ctx, m)
				must(err)
				model[m.ID] = m
			case k < 8:
				if m, ok := pick(false); ok {
					m, err := s.UpdateMedia(ctx, m.User, m.ID, func(m *Media) error {
						m.Tags, m.Public, m.Title = some(), !m.Public, names[r.IntN(len(names))]
						if r.IntN(2) == 0 {
							m.Collection = ""
						}
						return nil
					})
					must(err)
					model[m.ID] = m
				}
			case k < 9:
				if m, ok := pick(false); ok {
					_, err := s.DeleteMedia(ctx, m.User, []string{m.ID})
					must(err)
					delete(model, m.ID)
				}
			case k < 10:
				if m, ok := pick(false); ok {
					gone, err := s.TrashMedia(ctx, m.User, []string{m.ID, "unknown-id-"})
					must(err)
					model[m.ID] = gone[0]
				}
			case k < 11:
				if m, ok := pick(true); ok {
					back, err := s.RestoreMedia(ctx, m.User, []string{m.ID})
					must(err)
					model[m.ID] = back[0]
				}
			default:
				if m, ok := pick(true); ok {
					_, err := s.PurgeMedia(ctx, m.User, []string{m.ID})
					must(err)
					delete(model, m.ID)
				}
			}
		}
		want := map[string]bool{}
		for _, m := range model {
			want[string(keyMedia(&m))] = true
			for k := range entries(&m) {
				want[k] = true
			}
		}
		for k := range dump(t, s) {
			if f := k[:2]; (f[0] == 'm' || f[0] == 't') && !slices.Contains([]string{"mc", "md", "mq"}, f) && !want[k] {
				t.Errorf("stray key %q", k)
			}
			delete(want, k)
		}
		if len(want) > 0 {
			t.Errorf("missing keys: %v", want)
		}
		yes, no, none := true, false, ""
		for i, u := range users {
			indexTexts(t, s, u)
			for k := Image; k < kinds; k++ {
				var c Count
				for _, m := range model {
					if m.User == u && m.Kind == k {
						c.add(&m, 1)
					}
				}
				if got, _ := s.Count(ctx, u, k); got != c {
					t.Errorf("count %+v, want %+v", got, c)
				}
			}
			for _, k := range []Kind{0, Image, Doc} {
				for _, by := range []Sort{ByDate, BySize, ByName} {
					for _, up := range []bool{false, true} {
						for _, q := range []Query{
							{}, {Tag: "a"}, {Tag: "b"}, {Tag: "none"}, {Public: &no}, {None: true}, {Collection: &none}, {Collection: &folders[i]},
							{Words: words.Query("1"), Public: &yes}, {Words: words.Query("img"), Tag: "a"}, {Words: words.Query("海")},
							{Collection: &folders[1-i]}, {Collection: &folders[i], Public: &yes, Tag: "ab"},
						} {
							q.Kind, q.Sort, q.Ascending = k, by, up
							if got, want := walk(t, s, u, q, 3), expected(model, u, q); !slices.Equal(got, want) {
								t.Errorf("%+v: %v, want %v", q, got, want)
							}
						}
					}
				}
			}
			if got, want := trashOf(t, s, u), inTrash(model, u); !slices.Equal(got, want) {
				t.Errorf("trash: %v, want %v", got, want)
			}
			checkChanges(t, s, model, u)
		}
	})
}

func trashOf(t *testing.T, s *Store, user string) (out []string) {
	for after := ""; ; {
		p, err := s.ListTrash(context.Background(), user, after, 3)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, ids(p.Items)...)
		if after = p.Next; after == "" {
			return out
		}
	}
}

func inTrash(model map[string]Media, user string) []string {
	var ms []Media
	for _, m := range model {
		if m.User == user && m.Trashed() {
			ms = append(ms, m)
		}
	}
	sort.Slice(ms, func(i, j int) bool { return spot(&ms[i]) > spot(&ms[j]) })
	return ids(ms)
}

// checkChanges follows the changes as a program does and ends with what there is.
func checkChanges(t *testing.T, s *Store, model map[string]Media, user string) {
	t.Helper()
	for _, k := range []Kind{0, Image, Audio} {
		have, before := map[string]bool{}, time.Time{}
		for at, more := (Since{}), true; more; {
			list, next, goOn, err := s.Changes(context.Background(), user, k, at, 3)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range list {
				if c.At.Before(before) || k != 0 && c.Kind != k {
					t.Errorf("a change %+v after %v", c, before)
				}
				if before = c.At; c.Media == nil {
					delete(have, c.ID)
				} else {
					have[c.ID] = true
				}
			}
			at, more = next, goOn
		}
		for id, m := range model {
			if want := m.User == user && !m.Trashed() && (k == 0 || m.Kind == k); have[id] != want {
				t.Errorf("%s: a program has it: %v, want %v", id, have[id], want)
			}
			delete(have, id)
		}
		if len(have) > 0 {
			t.Errorf("a program has what is gone: %v", have)
		}
	}
}

func expected(model map[string]Media, user string, q Query) (out []string) {
	var ms []Media
	for _, m := range model {
		if !q.None && m.User == user && !m.Trashed() && (q.Kind == 0 || q.Kind == m.Kind) && q.takes(&m) && hasWords(&m, q.Words) {
			ms = append(ms, m)
		}
	}
	order := func(m *Media) string {
		switch q.Sort {
		case BySize:
			return fmt.Sprintf("%20d", m.Size) + place(m)
		case ByName:
			return words.SortKey(m.Name()) + "\x00" + place(m)
		}
		return place(m)
	}
	sort.Slice(ms, func(i, j int) bool { return (order(&ms[i]) < order(&ms[j])) == q.Ascending })
	return ids(ms)
}

// walk pages through a list.
func walk(t *testing.T, s *Store, user string, q Query, limit int) (out []string) {
	t.Helper()
	for q.Limit = limit; ; {
		p, err := s.ListMedia(context.Background(), user, q)
		if err != nil {
			t.Fatal(err)
		}
		if p.Next != "" && len(p.Items) != limit {
			t.Fatalf("a page of %d with a next one", len(p.Items))
		}
		out = append(out, ids(p.Items)...)
		if q.After = p.Next; q.After == "" {
			return out
		}
	}
}

func TestListsByTimeAndMatch(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		user := NewID(IDLen)
		model := map[string]Media{}
		var at []time.Time
		for n := range 20 {
			m := create(t, s, media(user, n, "x"))
			model[m.ID] = m
			at = append(at, m.Created)
		}
		for _, q := range []Query{
			{Kind: Image, From: at[5]}, {Kind: Image, To: at[5]}, {Kind: Image, From: at[5], To: at[15]},
			{Kind: Image, Tag: "x", From: at[5], To: at[15]}, {From: at[3], To: at[4]}, {From: at[15], To: at[5]},
			{Kind: Image, Match: func(m *Media) bool { return m.Public }},
			{Kind: Image, Match: func(m *Media) bool { return false }},
		} {
			if got, want := walk(t, s, user, q, 4), expected(model, user, q); !slices.Equal(got, want) {
				t.Errorf("%+v: %v, want %v", q, got, want)
			}
		}
	})
}

func TestMigrationsRunOnceAfterACopy(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	db, err := boltkv.Open(filepath.Join(dir, "t.db"), boltkv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	runs := []int{}
	step := func(n int) func(kv.Tx) error {
		return func(tx kv.Tx) error {
			runs = append(runs, n)
			return tx.Put([]byte("se"+fmt.Sprint(n)), []byte("done"))
		}
	}
	list := []func(kv.Tx) error{step(1)}
	if err := migrate(ctx, db, list, dir); err != nil {
		t.Fatal(err)
	}
	if copies, _ := filepath.Glob(filepath.Join(dir, "picora-schema-*")); len(copies) != 0 {
		t.Fatalf("a new database was copied: %v", copies)
	}
	list = append(list, step(2), step(3))
	for range 2 {
		if err := migrate(ctx, db, list, dir); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(runs, []int{1, 2, 3}) {
		t.Fatalf("ran %v", runs)
	}
	old, err := boltkv.Open(filepath.Join(dir, "picora-schema-1.db"), boltkv.Options{})
	if err != nil {
		t.Fatalf("the copy: %v", err)
	}
	defer old.Close()
	old.View(ctx, func(tx kv.Reader) error {
		one, _ := tx.Get([]byte("se1"))
		if _, err := tx.Get([]byte("se2")); !bytes.Equal(one, []byte("done")) || !errors.Is(err, kv.ErrNotFound) {
			t.Error("the copy is not from before the migration")
		}
		return nil
	})
}

func TestAFailedMigrationChangesNothing(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	db := memkv.New()
	defer db.Close()
	good := func(tx kv.Tx) error { return tx.Put([]byte("seA"), nil) }
	bad := func(tx kv.Tx) error { return errors.Join(tx.Put([]byte("seB"), nil), errors.New("boom")) }
	if err := migrate(ctx, db, []func(kv.Tx) error{good}, dir); err != nil {
		t.Fatal(err)
	}
	err := migrate(ctx, db, []func(kv.Tx) error{good, good, bad}, dir)
	if err == nil || !strings.Contains(err.Error(), "migration 3") {
		t.Fatal(err)
	}
	if v, _ := version(ctx, db); v != 1 {
		t.Fatalf("version %d", v)
	}
}

func TestANewerSchemaIsRefused(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	path := filepath.Join(dir, "t.db")
	db, err := boltkv.Open(path, boltkv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Update(ctx, func(tx kv.Tx) error { return tx.Put(keyVersion, []byte("999")) }); err != nil {
		t.Fatal(err)
	}
	before, _ := os.Stat(path)
	_, err = Open(ctx, db, dir)
	if !errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), "999") {
		t.Fatal(err)
	}
	if after, _ := os.Stat(path); !after.ModTime().Equal(before.ModTime()) {
		t.Fatal("the refused database was written to")
	}
}

func TestSettingsAreMadeOnce(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		if _, err := s.Setting(ctx, "x"); !errors.Is(err, ErrNotFound) {
			t.Fatal(err)
		}
		a, err := s.SettingOnce(ctx, "x", func() []byte { return []byte("one") })
		if err != nil || string(a) != "one" {
			t.Fatal(a, err)
		}
		b, err := s.SettingOnce(ctx, "x", func() []byte { t.Error("made again"); return nil })
		if err != nil || string(b) != "one" {
			t.Fatal(b, err)
		}
	})
}

func TestIDs(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := NewID(ImageIDLen)
		if !ValidID(id, ImageIDLen) || seen[id] {
			t.Fatal(id)
		}
		seen[id] = true
	}
	for _, bad := range []string{"", "short", "abcdefghij/", "abcdefghij\x00", "abcdefghijé", "abcdefghijkl"} {
		if ValidID(bad, ImageIDLen) {
			t.Errorf("%q is no id", bad)
		}
	}
}

func TestIDsNeverLookLikeOptions(t *testing.T) {
	for range 10_000 {
		if id := NewID(ImageIDLen); id[0] == '-' || !ValidID(id, ImageIDLen) {
			t.Fatalf("an id of %q", id)
		}
	}
}

func TestPicturesAreUnseenUntilTheyWereLookedAt(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		var made []Media
		for n := range 5 {
			m := media("ann", n)
			m.Seen = n == 2 // there is nothing to see in this one
			m, _, err := s.CreateMedia(ctx, m)
			if err != nil {
				t.Fatal(err)
			}
			made = append(made, m)
		}
		ids := func(limit int) (list []string) {
			unseen, err := s.Unseen(ctx, limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range unseen {
				list = append(list, m.ID)
			}
			return list
		}
		if got, want := ids(2), []string{made[4].ID, made[3].ID}; !slices.Equal(got, want) {
			t.Errorf("unseen: %v, want %v", got, want)
		}
		if _, err := s.DeleteMedia(ctx, "ann", []string{made[3].ID}); err != nil {
			t.Fatal(err)
		}
		look := Look{ThumbHash: []byte{1, 2}, BlurHash: "x", Colour: "#102030", Alpha: true}
		if err := s.SetLooks(ctx, map[string]Look{made[4].ID: look, made[3].ID: look, made[0].ID: {}}); err != nil {
			t.Fatal(err)
		}
		m, err := s.Media(ctx, made[4].ID)
		if err != nil || !m.Seen || !reflect.DeepEqual(m.Look, look) || !m.Updated.Equal(made[4].Updated) {
			t.Errorf("%+v %v", m, err)
		}
		if got, want := ids(9), []string{made[1].ID}; !slices.Equal(got, want) {
			t.Errorf("unseen: %v, want %v", got, want)
		}
	})
}

func TestBothBlobsOfAConvertedPictureGo(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		m := media("ann", 1)
		m.Source = m.Blob + "s"
		m, _, err := s.CreateMedia(ctx, m)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range []string{m.Blob, m.Source} {
			if known, err := s.HasBlob(ctx, b); !known || err != nil {
				t.Errorf("%s: %v %v", b, known, err)
			}
		}
		if _, err := s.DeleteMedia(ctx, "ann", []string{m.ID}); err != nil {
			t.Fatal(err)
		}
		trash, err := s.Trash(ctx, "", 9)
		if err != nil || !slices.Equal(trash, []string{m.Blob, m.Source}) {
			t.Errorf("%v %v", trash, err)
		}
	})
}

func TestPicturesFromBeforeTheyWereLookedAtAre(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		user := NewID(IDLen)
		var want []string
		for n := range 3 {
			m, _, err := s.CreateMedia(ctx, media(user, n))
			if err != nil {
				t.Fatal(err)
			}
			want = append([]string{m.ID}, want...)
		}
		err := s.db.Update(ctx, func(tx kv.Tx) error { // as the first schema left it
			var keys [][]byte
			for e, err := range tx.Scan(kv.Prefix(keyUnseen)) {
				if err != nil {
					return err
				}
				keys = append(keys, bytes.Clone(e.Key))
			}
			for _, k := range keys {
				if err := tx.Delete(k); err != nil {
					return err
				}
			}
			return tx.Put(keyVersion, []byte("1"))
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := migrate(ctx, s.db, migrations, t.TempDir()); err != nil {
			t.Fatal(err)
		}
		list, err := s.Unseen(ctx, 9)
		if err != nil || !slices.Equal(ids(list), want) {
			t.Errorf("%v %v, want %v", ids(list), err, want)
		}
	})
}

func (s *Store) keyByHash(ctx context.Context, hash []byte) (k APIKey, err error) {
	err = s.db.View(ctx, func(tx kv.Reader) error {
		id, err := getKey(tx, keyAPIKeyHash(hash))
		if err != nil {
			return err
		}
		return get(tx, keyAPIKey(string(id)), &k)
	})
	return k, err
}

func TestAccountsFromBeforePlansKeepEverything(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		made, err := s.CreateUser(ctx, User{Email: "ann@example.org", Password: "$argon2id$…", Admin: true})
		if err != nil {
			t.Fatal(err)
		}
		err = s.db.Update(ctx, func(tx kv.Tx) error { // as the second schema left it
			b := msgp.AppendMapHeader(nil, 5)
			b = msgp.AppendString(msgp.AppendString(b, "id"), made.ID)
			b = msgp.AppendString(msgp.AppendString(b, "email"), made.Email)
			b = msgp.AppendString(msgp.AppendString(b, "pw"), made.Password)
			b = msgp.AppendBool(msgp.AppendString(b, "admin"), true)
			b = msgp.AppendTime(msgp.AppendString(b, "created"), made.Created)
			if err := tx.Put(keyUser(made.ID), b); err != nil {
				return err
			}
			return tx.Put(keyVersion, []byte("2"))
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := migrate(ctx, s.db, migrations, t.TempDir()); err != nil {
			t.Fatal(err)
		}
		u, err := s.User(ctx, made.ID)
		if err != nil || !u.Unlimited || u.Plan != "pro_plus" || !u.Verified {
			t.Errorf("%+v %v", u, err)
		}
		if u.Email != made.Email || u.Password != made.Password || !u.Admin || !u.Created.Equal(made.Created) {
			t.Errorf("%+v is not what it was: %+v", u, made)
		}
	})
}
