package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"picora/app/apptest"
)

func TestListImages(t *testing.T) {
	p := start(t)
	p.Run(t, scenario{Name: "an empty list", URL: "/v1/images", Status: 200, Golden: "list-empty"})
	p.Add("pixel.png", pixel, "tags", `["sea","a|b"]`)
	p.Run(t,
		scenario{Name: "one picture, under items and images", URL: "/v1/images", Status: 200, Golden: "list"},
		scenario{Name: "the list of media has the same entry", URL: "/v1/media", Status: 200, Golden: "media-list"},
	)
	for i := range 59 {
		p.Add("a.png", picture(uint64(i)))
	}
	bad := func(name, query, has string) scenario {
		return scenario{Name: name, URL: "/v1/images?" + query, Status: 422, Code: "VALIDATION_ERROR", Has: []string{has}}
	}
	p.Run(t,
		bad("a limit of 0 is refused", "limit=0", "limit"),
		bad("a limit below 0 is refused", "limit=-1", "limit"),
		bad("a limit that is no number is refused", "limit=ten", "limit"),
		bad("a limit with a fraction is refused", "limit=1.5", "limit"),
		bad("a limit beyond all numbers is refused", "limit=99999999999999999999", "limit"),
		bad("a start_date that is none is refused by name", "start_date=yesterday", "start_date"),
		bad("an end_date that is none is refused by name", "end_date=2026-02-30", "end_date"),
		bad("a tag with a NUL is refused", "tag=a%00b", "tag"),
		bad("a cursor that is none is refused", "cursor=hello", "cursor"),
		bad("a cursor with other letters is refused", "cursor=%24%24%24", "cursor"),
		bad("a cursor in JSON is refused", "cursor="+url.QueryEscape(`{"createdAt":"2026-01-01T00:00:00.000Z","id":"aaaaaaaaaaa"}`), "cursor"),
		scenario{Name: "parameters that nobody knows are ignored", URL: "/v1/images?sort=asc", Status: 200},
	)
	for _, c := range []struct {
		query string
		want  int
	}{{"", 20}, {"limit=1", 1}, {"limit=50", 50}, {"limit=51", 50}, {"limit=1000000", 50}, {"limit=", 20}, {"cursor=", 20}, {"cursor=&limit=7", 7}} {
		for _, path := range []string{"/v1/images", "/v1/media"} {
			q, _ := url.ParseQuery(c.query)
			got := readPage(t, p, path, q)
			if len(got.Items) != c.want || got.NextCursor == nil || got.Total == nil || *got.Total != 60 {
				t.Errorf("%s?%s: %d entries, cursor %v, total %v", path, c.query, len(got.Items), got.NextCursor, got.Total)
			}
		}
	}
	all := readPage(t, p, "/v1/images", url.Values{"limit": {"50"}})
	for i := range all.Items[1:] {
		a, b := all.Items[i], all.Items[i+1]
		if a.CreatedAt < b.CreatedAt || a.CreatedAt == b.CreatedAt && a.ID <= b.ID {
			t.Errorf("%s %s stands before %s %s", a.CreatedAt, a.ID, b.CreatedAt, b.ID)
		}
	}
}

// The last page has no cursor, whatever the size of the pages: no client has to
// ask for an empty page to find the end.
func TestPagesEndWhereTheListEnds(t *testing.T) {
	p := start(t)
	var want []string
	for i := range 12 {
		want = append(want, p.Add("a.png", picture(uint64(i)), "tags", "t", "title", fmt.Sprint("n", i%2)).ID)
	}
	slices.Reverse(want)
	odd := slices.DeleteFunc(slices.Clone(want), func(id string) bool { return slices.Index(want, id)%2 == 1 })
	for _, c := range []struct {
		path, query string
		want        []string
	}{
		{"/v1/images", "", want}, {"/v1/images", "tag=t", want}, {"/v1/media", "", want},
		{"/v1/media", "q=n1", odd}, {"/v1/media", "isPublic=true", want}, {"/v1/media", "status=ready&type=image", want},
	} {
		for _, limit := range []int{1, 2, 3, 5, 6, 7, 11, 12, 13} {
			q, _ := url.ParseQuery(c.query)
			q.Set("limit", fmt.Sprint(limit))
			pages := 0
			var got []string
			for {
				one := readPage(t, p, c.path, q)
				pages++
				for _, i := range one.Items {
					got = append(got, i.ID)
				}
				if one.NextCursor == nil {
					break
				}
				q.Set("cursor", *one.NextCursor)
			}
			if !sameSet(got, c.want) || pages != (len(c.want)+limit-1)/limit {
				t.Errorf("%s?%s limit %d: %d entries in %d pages", c.path, c.query, limit, len(got), pages)
			}
		}
	}
}

// sameSet ignores the order of pictures that were uploaded in one millisecond.
func sameSet(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

func TestPagingWhilePicturesComeAndGo(t *testing.T) {
	p := start(t)
	seed := make(chan uint64, 1000)
	for i := range cap(seed) {
		seed <- uint64(i)
	}
	var mu sync.Mutex
	var before []string
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 30 {
				id := p.Add("a.png", picture(<-seed), "tags", "t").ID
				mu.Lock()
				before = append(before, id)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(before) != 120 {
		t.Fatalf("%d pictures", len(before))
	}
	for _, list := range []string{"/v1/images", "/v1/images?tag=t", "/v1/media?q=a.png"} {
		stays := map[string]bool{}
		for _, id := range before {
			stays[id] = true
		}
		path, query, _ := strings.Cut(list, "?")
		q, _ := url.ParseQuery(query)
		q.Set("limit", "7")
		seen := map[string]bool{}
		for round := 0; ; round++ {
			one := readPage(t, p, path, q)
			for _, i := range one.Items {
				if seen[i.ID] {
					t.Errorf("%s: %s came twice", list, i.ID)
				}
				seen[i.ID] = true
			}
			if one.NextCursor == nil {
				break
			}
			q.Set("cursor", *one.NextCursor)
			p.Add("a.png", picture(<-seed), "tags", "t") // comes
			goes := one.Items[len(one.Items)-1].ID       // the entry that the cursor names
			if round%2 == 0 {                            // or one that is still to come
				for id := range stays {
					if !seen[id] {
						goes = id
						break
					}
				}
			}
			p.Play(t, scenario{Method: "DELETE", URL: "/v1/images/" + goes, Status: 200})
			delete(stays, goes)
			before = slices.DeleteFunc(before, func(id string) bool { return id == goes })
		}
		for id := range stays {
			if !seen[id] {
				t.Errorf("%s: %s was there all along and never came", list, id)
			}
		}
	}
}

func TestACursorIsGoodForOneListOnly(t *testing.T) {
	p := start(t)
	p.NewUser("other@example.org")
	other := p.NewKey("other@example.org")
	for i := range 3 {
		p.Add("a.png", picture(uint64(i)), "tags", `["t","u"]`)
		p.Play(t, scenario{As: other, Method: "POST", URL: "/v1/images", Body: parts{apptest.File("a.png", picture(uint64(i)))}, Status: 201})
	}
	cursor := func(path string) string {
		u, err := url.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		q.Set("limit", "1")
		next := readPage(t, p, u.Path, q).NextCursor
		if next == nil {
			t.Fatalf("%s has no second page", path)
		}
		return *next
	}
	plain := cursor("/v1/images")
	p.Run(t,
		scenario{Name: "it is good for its list", URL: "/v1/images?cursor=" + plain, Status: 200},
		scenario{Name: "and with another limit", URL: "/v1/images?limit=50&cursor=" + plain, Status: 200},
		scenario{Name: "and with another key of the account", As: p.NewKey("owner@example.org", "read"), URL: "/v1/images?cursor=" + plain, Status: 200},
	)
	refused := func(name, as, path, cursor string) {
		sep := "?"
		if strings.Contains(path, "?") {
			sep = "&"
		}
		p.Run(t, scenario{Name: name, As: as, URL: path + sep + "cursor=" + url.QueryEscape(cursor), Status: 422, Code: "VALIDATION_ERROR", Has: []string{"cursor"}})
	}
	refused("another account's is refused", other, "/v1/images", plain)
	refused("that of all is refused with a tag", "", "/v1/images?tag=t", plain)
	refused("that of a tag is refused with another", "", "/v1/images?tag=u", cursor("/v1/images?tag=t"))
	refused("that of a tag is refused without", "", "/v1/images", cursor("/v1/images?tag=t"))
	refused("that of pictures is refused for media", "", "/v1/media", plain)
	refused("that of a start is refused without", "", "/v1/images", cursor("/v1/images?start_date=2020-01-01"))
	refused("that of an end is refused with another", "", "/v1/images?end_date=2099-01-02", cursor("/v1/images?end_date=2099-01-01"))
	refused("that of a search is refused with another", "", "/v1/media?q=b", cursor("/v1/media?q=a"))
	refused("that of the public is refused for the private", "", "/v1/media?isPublic=false", cursor("/v1/media?isPublic=true"))
	refused("filters cannot be shifted into each other", "", "/v1/media?type=image&status=&q=a", cursor("/v1/media?type=image&status=ready&q=a"))
	for i := range len(plain) {
		b := []byte(plain)
		if b[i]++; b[i] == plain[i] {
			continue
		}
		if r := p.Do("GET", "/v1/images?cursor="+url.QueryEscape(string(b)), nil); r.Status != http.StatusUnprocessableEntity {
			t.Fatalf("with the character %d changed: %d", i, r.Status)
		}
	}
	for _, c := range []string{plain + "A", plain[1:], plain[:len(plain)-4], plain + plain, plain + "=", strings.Repeat("A", 4000)} {
		refused(fmt.Sprintf("one of %d characters is refused", len(c)), "", "/v1/images", c)
	}
}

func TestListImagesByTag(t *testing.T) {
	p := start(t)
	sea := p.Add("a.png", picture(1), "tags", `["sea","a b"]`).ID
	both := p.Add("b.png", picture(2), "tags", `["sea","Sea","海"]`).ID
	p.Add("c.png", picture(3), "tags", `["seaside"]`)
	for tag, want := range map[string][]string{
		"sea": {both, sea}, "Sea": {both}, "海": {both}, "a b": {sea}, "se": nil, "a": nil, "sea,a b": nil, "nothing": nil,
	} {
		if got := ids(t, p, "/v1/images", url.Values{"tag": {tag}}); !sameSet(got, want) {
			t.Errorf("tag %q: %v, want %v", tag, got, want)
		}
	}
	p.Play(t, scenario{Method: "PATCH", URL: "/v1/images/" + sea, Body: object{"tags": []string{"hill"}}, Status: 200})
	if got := ids(t, p, "/v1/images", url.Values{"tag": {"sea"}}); !slices.Equal(got, []string{both}) {
		t.Errorf("after the change: %v, want %s", got, both)
	}
}

func TestListImagesByDate(t *testing.T) {
	p := start(t)
	i := p.Add("a.png", pixel)
	at, err := time.Parse(time.RFC3339, i.CreatedAt)
	if err != nil {
		t.Fatal(err)
	}
	day := func(n int) string { return at.UTC().AddDate(0, 0, n).Format(time.DateOnly) }
	moment := func(d time.Duration) string { return at.Add(d).Format("2006-01-02T15:04:05.000Z07:00") }
	elsewhere := at.In(time.FixedZone("", 5*3600)).Format("2006-01-02T15:04:05.000Z07:00")
	for _, c := range []struct {
		name, from, to string
		found          bool
	}{
		{"from its day on", day(0), "", true},
		{"from the next day on", day(1), "", false},
		{"to its day, which is included", "", day(0), true},
		{"to the day before", "", day(-1), false},
		{"its day alone", day(0), day(0), true},
		{"the days around it", day(-1), day(1), true},
		{"days the wrong way round", day(1), day(-1), false},
		{"from its very moment", moment(0), "", true},
		{"to its very moment", "", moment(0), true},
		{"from a millisecond later", moment(time.Millisecond), "", false},
		{"to a millisecond before", "", moment(-time.Millisecond), false},
		{"its moment in another zone", elsewhere, elsewhere, true},
		{"a day and a time together", day(0), moment(time.Hour), true},
		{"all days there are", "1970-01-01", "9999-12-31", true},
	} {
		q := url.Values{}
		if c.from != "" {
			q.Set("start_date", c.from)
		}
		if c.to != "" {
			q.Set("end_date", c.to)
		}
		if got := ids(t, p, "/v1/images", q); len(got) == 1 != c.found {
			t.Errorf("%s (%s to %s): %v", c.name, c.from, c.to, got)
		}
	}
}

func TestListMediaFilters(t *testing.T) {
	p := start(t)
	a := p.Add("Harbour.png", picture(1), "title", "Evening").ID
	b := p.Add("b.png", picture(2), "title", "The HARBOUR", "isPublic", "false").ID
	for query, want := range map[string][]string{
		"":                                  {a, b},
		"type=image":                        {a, b},
		"type=video":                        nil,
		"type=audio":                        nil,
		"type=document":                     nil,
		"type=all":                          {a, b},
		"sort=name":                         {a, b},
		"sort=size&order=asc":               {a, b},
		"q=harb eve":                        {a},
		"q=png":                             {a, b},
		"q=harbour":                         {a, b},
		"q=HARB":                            {a, b},
		"q=evening":                         {a},
		"q=nothing":                         nil,
		"q=%25":                             nil,
		"q=":                                {a, b},
		"is_public=true":                    {a},
		"is_public=false":                   {b},
		"isPublic=true":                     {a},
		"isPublic=0":                        {b},
		"is_public=1":                       {a},
		"status=ready":                      {a, b},
		"status=processing":                 nil,
		"kbId=":                             {a, b},
		"kbId=V1StGXR8_Z5jdHi6B-myT":        nil,
		"type=image&q=harbour&isPublic=0":   {b},
		"type=image&limit=50&status=ready":  {a, b},
		"is_public=&type=&status=&kbId=&q=": {a, b},
	} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if got := ids(t, p, "/v1/media", q); !sameSet(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	p.Run(t,
		scenario{Name: "an unknown type is refused", URL: "/v1/media?type=film", Status: 422, Code: "VALIDATION_ERROR", Has: []string{"type"}},
		scenario{Name: "an unknown order is refused", URL: "/v1/media?sort=colour", Status: 422, Code: "VALIDATION_ERROR", Has: []string{"sort"}},
		scenario{Name: "an unknown direction is refused", URL: "/v1/media?order=up", Status: 422, Code: "VALIDATION_ERROR", Has: []string{"order"}},
		scenario{Name: "an is_public that is neither is refused", URL: "/v1/media?is_public=yes", Status: 422, Code: "VALIDATION_ERROR", Has: []string{"is_public"}},
		scenario{Name: "an isPublic that is neither is refused", URL: "/v1/media?isPublic=yes", Status: 422, Code: "VALIDATION_ERROR", Has: []string{"isPublic"}},
		scenario{Name: "a limit of nothing is refused", URL: "/v1/media?limit=0", Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "a filtered list has no total", URL: "/v1/media?q=harbour", Status: 200, Check: func(t testing.TB, r apptest.Response) {
			if strings.Contains(string(r.Body), `"total"`) {
				t.Error("it has one")
			}
		}},
	)
}
