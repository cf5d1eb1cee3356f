package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"picora/store/kv"
	"picora/store/kv/memkv"
	"picora/store/words"
)

// textOf is what a document of a test says.
func textOf(m *Media) string {
	if m.Kind != Doc {
		return ""
	}
	return "text" + m.Blob[len(m.Blob)-1:] + " " + strings.Repeat("海边 ", int(m.Blob[len(m.Blob)-2]%2))
}

func hasWords(m *Media, list []words.Word) bool {
	set := words.NewSet(MostTokens)
	for _, t := range fieldTokens(m) {
		set.Put(t)
	}
	set.Add(textOf(m))
	all := set.Sorted()
	for _, w := range list {
		if !w.In(all) {
			return false
		}
	}
	return true
}

// indexTexts does what the background does with documents.
func indexTexts(t *testing.T, s *Store, user string) {
	t.Helper()
	list, err := s.Texts(context.Background(), user, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		set := words.NewSet(MostTokens)
		set.Add(textOf(&list[i]))
		if err := s.IndexText(context.Background(), &list[i], set.Sorted()); err != nil {
			t.Fatal(err)
		}
	}
}

// indexAll indexes until there is nothing left to be done.
func indexAll(t *testing.T, s *Store, user string) {
	t.Helper()
	indexTexts(t, s, user)
	for more := true; more; {
		var err error
		if more, err = s.Index(context.Background(), user); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := s.Unindexed(context.Background(), 10); err != nil || slices.Contains(list, user) {
		t.Fatal("something is left to be indexed", err)
	}
}

// walkTimeline reads the list that a timeline tells of, one stretch after the other.
func walkTimeline(t *testing.T, s *Store, user string, q Query, size int) (got []string) {
	t.Helper()
	line, err := s.MediaTimeline(context.Background(), user, q, size)
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range line.Buckets {
		if b.N > size || i < len(line.Buckets)-1 && b.N != size {
			t.Fatalf("stretch %d of %d has %d", i, len(line.Buckets), b.N)
		}
		q.After, q.Limit = b.After, b.N
		page, err := s.ListMedia(context.Background(), user, q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Items) != b.N || !page.Items[0].Created.Equal(b.Date) {
			t.Fatalf("stretch %d: %d records, want %d from %s on", i, len(page.Items), b.N, b.Date)
		}
		for _, m := range page.Items {
			got = append(got, m.ID)
		}
	}
	if len(got) != line.Total {
		t.Fatalf("%d records, the total is %d", len(got), line.Total)
	}
	return got
}

// TestSearchesAgreeWithRecords changes records at random while some are indexed and some
// are not, and compares what searches find with what the records say. In the end it
// takes all away, and nothing may be left in the index.
func TestSearchesAgreeWithRecords(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		r := rand.New(rand.NewPCG(5, 14))
		user := NewID(IDLen)
		titles := []string{"", "sea", "Sea side", "IMG_0012", "海边日落", "日落", "mySeaShot", "Crème"}
		c, err := s.CreateCollection(ctx, Collection{User: user, Name: "c", Slug: "s", Allowed: []Kind{Image, Video, Audio, Doc}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		model := map[string]Media{}
		pick := func() Media {
			list := make([]string, 0, len(model))
			for id := range model {
				list = append(list, id)
			}
			slices.Sort(list)
			return model[list[r.IntN(len(list))]]
		}
		check := func() {
			t.Helper()
			none, yes := "", true
			for _, q := range []Query{{}, {Kind: Image}, {Ascending: true}, {Tag: "a", Public: &yes}, {Collection: &c.ID, Ascending: true}, {Words: words.Query("sea")}} {
				if got, want := walkTimeline(t, s, user, q, 7), expected(model, user, q); !slices.Equal(got, want) {
					t.Fatalf("the timeline of %+v: %d %v, want %d %v", q, len(got), got, len(want), want)
				}
			}
			for _, text := range []string{"sea", "se", "sea side", "日落", "落", "海", "img", "12", "0012 img", "shot", "creme", "text", "text5", "nothing", "png", "海边 text"} {
				for _, q := range []Query{{}, {Kind: Doc}, {Kind: Image, Public: &yes}, {Collection: &none, Tag: "a"}, {Sort: ByName, Ascending: true}, {Sort: BySize}, {Ascending: true}, {Sort: BySize, Ascending: true, Collection: &c.ID}} {
					q.Words = words.Query(text)
					if got, want := walk(t, s, user, q, 7), expected(model, user, q); !slices.Equal(got, want) {
						t.Fatalf("%q %+v: %d %v, want %d %v", text, q, len(got), got, len(want), want)
					}
				}
			}
		}
		for n := range 600 {
			switch k := r.IntN(20); {
			case k < 10 || len(model) == 0:
				m := media(user, n, []string{"a", "Sea", "b"}[:r.IntN(4)]...)
				m.Kind, m.Title, m.Size = Kind(1+r.IntN(4)), titles[r.IntN(len(titles))], int64(r.IntN(9))
				if r.IntN(2) == 0 {
					m.Collection = c.ID
				}
				if m.Kind == Audio {
					m.Sound.Artist = "Seaman"
				}
				m = create(t, s, m)
				model[m.ID] = m
			case k < 13:
				m, err := s.UpdateMedia(ctx, user, pick().ID, func(m *Media) error {
					m.Title, m.Public = titles[r.IntN(len(titles))], !m.Public
					if r.IntN(3) == 0 {
						m.Tags = nil
					}
					return nil
				})
				if !errors.Is(err, ErrNotFound) {
					must(err)
					model[m.ID] = m
				}
			case k < 14:
				if m := pick(); m.Trashed() {
					back, err := s.RestoreMedia(ctx, user, []string{m.ID})
					must(err)
					model[m.ID] = back[0]
				} else {
					gone, err := s.TrashMedia(ctx, user, []string{m.ID})
					must(err)
					model[m.ID] = gone[0]
				}
			case k < 15:
				m := pick()
				_, err := s.DeleteMedia(ctx, user, []string{m.ID})
				must(err)
				_, err = s.PurgeMedia(ctx, user, []string{m.ID})
				must(err)
				delete(model, m.ID)
			case k < 18:
				_, err := s.Index(ctx, user)
				must(err)
			}
			if n%100 == 99 {
				indexTexts(t, s, user)
				check()
			}
		}
		indexAll(t, s, user)
		check()
		must(s.Reindex(ctx, user))
		indexAll(t, s, user)
		check()
		for id := range model {
			_, err := s.DeleteMedia(ctx, user, []string{id})
			must(err)
			_, err = s.PurgeMedia(ctx, user, []string{id})
			must(err)
		}
		indexAll(t, s, user)
		for k := range dump(t, s) {
			if f := k[:2]; f[0] == 's' && f != "sm" {
				t.Errorf("left in the index: %q", k)
			}
		}
	})
}

// TestLongTextsAreIndexedInPortions gives a document a text of many tokens, and another.
func TestLongTextsAreIndexedInPortions(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		d := media(NewID(IDLen), 1)
		d.Kind = Doc
		d = create(t, s, d)
		text := func(from, to int) []string {
			set := words.NewSet(MostTokens)
			for n := from; n < to; n++ {
				set.Add(fmt.Sprintf("w%06d", n))
			}
			return set.Sorted()
		}
		find := func(word string) bool {
			p, err := s.ListMedia(ctx, d.User, Query{Words: words.Query(word), Limit: 9})
			if err != nil {
				t.Fatal(err)
			}
			return len(p.Items) == 1
		}
		step := func(tokens []string) {
			if err := s.IndexText(ctx, &d, tokens); err != nil {
				t.Fatal(err)
			}
			for more := true; more; {
				var err error
				if more, err = s.Index(ctx, d.User); err != nil {
					t.Fatal(err)
				}
			}
		}
		step(text(0, 5000))
		if !find("w000000") || !find("w004999") || find("w005000") || !find("0049") {
			t.Error("the first text is not found as it is")
		}
		step(text(4000, 9000))
		if find("w000000") || !find("w004999") || !find("w008999") {
			t.Error("the second text is not found as it is")
		}
		if _, err := s.DeleteMedia(ctx, d.User, []string{d.ID}); err != nil {
			t.Fatal(err)
		}
		if find("w004999") {
			t.Error("a deleted document is found")
		}
		if err := s.IndexText(ctx, &d, nil); !errors.Is(err, ErrNotFound) {
			t.Error("a deleted document was indexed:", err)
		}
		indexAll(t, s, d.User)
		for k := range dump(t, s) {
			if strings.HasPrefix(k, "sp") || strings.HasPrefix(k, "sd") || strings.HasPrefix(k, "sf") {
				t.Fatalf("left in the index: %q", k)
			}
		}
	})
}

// TestDatabasesOfBeforeAreEntered makes the records of schema 4 and opens them.
// TestASearchForOneLetterIsBounded: however many words begin with it.
func TestASearchForOneLetterIsBounded(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		m := textDoc("ann", "", "", 1)
		m.Filename, m.Title = "1.md", "1"
		m = create(t, s, m)
		indexAll(t, s, "ann")
		var tokens []string
		for i := range 3000 {
			tokens = append(tokens, fmt.Sprintf("a%05d", i))
		}
		if err := s.IndexText(t.Context(), &m, tokens); err != nil {
			t.Fatal(err)
		}
		for _, order := range []Sort{ByDate, ByName} {
			err := s.db.View(t.Context(), func(tx kv.Reader) error {
				r, err := newSearch(tx, "ann", &Query{Words: words.Query("a"), Sort: order, Limit: 10})
				if err != nil {
					return err
				}
				r.begun = 100
				page, err := r.page()
				if err != nil || len(page.Items) != 1 || r.looked > 110 {
					t.Errorf("%d found, %d looked at: %v", len(page.Items), r.looked, err)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestDatabasesOfBeforeAreEntered(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		users := []string{NewID(IDLen), NewID(IDLen)}
		model := map[string]Media{}
		for n := range 620 {
			m := create(t, s, media(users[n%2], n, "sea"))
			model[m.ID] = m
		}
		asSchema4(t, s, model)
		if err := s.fill(ctx); err != nil {
			t.Fatal(err)
		}
		all := dump(t, s)
		for _, m := range model {
			for k := range entries(&m) {
				if _, there := all[k]; !there && k[:2] != "mr" && k[:2] != "mu" {
					t.Fatalf("no entry %q", k)
				}
			}
			if _, there := all["mh"+m.User+string(m.Hash)]; there {
				t.Fatal("the old entry of a hash is there still")
			}
		}
		for _, u := range users {
			q := Query{Words: words.Query("png"), Limit: 50, Kind: Image}
			if got, want := walk(t, s, u, q, 50), expected(model, u, q); !slices.Equal(got, want) {
				t.Errorf("%d found, want %d", len(got), len(want))
			}
			indexAll(t, s, u)
			if got, want := walk(t, s, u, q, 50), expected(model, u, q); !slices.Equal(got, want) {
				t.Errorf("indexed: %d found, want %d", len(got), len(want))
			}
			checkChanges(t, s, model, u)
		}
	})
}

// asSchema4 brings the keys to what schema 4 had, half of them filled in again, as a
// stop in the middle leaves them.
func asSchema4(t *testing.T, s *Store, model map[string]Media) {
	t.Helper()
	ctx := context.Background()
	all := dump(t, s)
	err := s.db.Update(ctx, func(tx kv.Tx) error {
		for k := range all {
			if !slices.Contains(append([]string{"mq", "sw", "sm"}, filled...), k[:2]) {
				continue
			}
			if err := tx.Delete([]byte(k)); err != nil {
				return err
			}
		}
		for _, m := range model {
			m.Number, m.Seq = 0, 0
			if err := put(tx, keyMedia(&m), &m); err != nil {
				return err
			}
			if err := tx.Put([]byte("mh"+m.User+string(m.Hash)), []byte(m.ID)); err != nil {
				return err
			}
		}
		return numberMedia(tx)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.db.Update(ctx, func(tx kv.Tx) error { _, err := fillSome(tx); return err }); err != nil {
		t.Fatal(err)
	}
}

// TestHitsThatStandTogether are far from where the list begins: their page is whole all
// the same.
func TestHitsThatStandTogether(t *testing.T) {
	s, ctx, user := open(t, memkv.New()), context.Background(), NewID(IDLen)
	const records, hits = 12_000, 600
	err := s.db.Update(ctx, func(tx kv.Tx) error {
		for i := range records {
			m := media(user, i)
			m.Title, m.Size = fmt.Sprintf("a%d", i), int64(i)
			if i >= records-hits {
				m.Title = fmt.Sprintf("zebra %d", i)
			}
			if err := change(tx, nil, &m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	indexAll(t, s, user)
	for _, by := range []Sort{ByName, BySize} {
		var got []string
		for after := ""; ; {
			page, err := s.ListMedia(ctx, user, Query{Words: words.Query("zebra"), Sort: by, Ascending: true, Limit: 100, After: after})
			if err != nil {
				t.Fatal(err)
			}
			if len(page.Items) != 100 {
				t.Fatalf("a page of %d", len(page.Items))
			}
			for i := range page.Items {
				got = append(got, page.Items[i].Title)
			}
			if after = page.Next; after == "" {
				break
			}
		}
		if len(got) != hits || got[0] != "zebra 11400" || got[hits-1] != "zebra 11999" {
			t.Errorf("%d hits, %s to %s", len(got), got[0], got[len(got)-1])
		}
	}
}
