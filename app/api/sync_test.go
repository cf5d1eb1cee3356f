package api_test

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"picora/app/apptest"
)

// follower is a program that follows changes.
type follower struct {
	since string
	have  map[string]string // hashes by id
}

// follow asks for changes until there are no more, and says in how many answers.
func (f *follower) follow(t *testing.T, p *apptest.Picora, query url.Values) (answers int) {
	t.Helper()
	before := ""
	for more := true; more; answers++ {
		q := url.Values{"limit": {"2"}}
		for k, v := range query {
			q[k] = v
		}
		if f.since != "" {
			q.Set("since", f.since)
		}
		var out struct {
			Changes []struct {
				Op, Type, ID, UpdatedAt, ContentHash string
			}
			NextCursor *string
			HasMore    bool
		}
		p.Play(t, scenario{URL: "/v1/sync/state?" + q.Encode(), Status: 200}).Data(t, &out)
		for _, c := range out.Changes {
			if c.UpdatedAt < before {
				t.Errorf("%s comes after %s", c.UpdatedAt, before)
			}
			before = c.UpdatedAt
			switch c.Op {
			case "upsert":
				f.have[c.ID] = c.ContentHash
			case "delete":
				delete(f.have, c.ID)
			default:
				t.Errorf("op %q", c.Op)
			}
		}
		if more = out.HasMore; out.NextCursor != nil {
			f.since = *out.NextCursor
		}
	}
	return answers
}

func (f *follower) check(t *testing.T, want map[string]string) {
	t.Helper()
	if fmt.Sprint(f.have) != fmt.Sprint(want) {
		t.Errorf("the program has %v, there are %v", f.have, want)
	}
}

func TestProgramsFollowChanges(t *testing.T) {
	p := start(t)
	f := &follower{have: map[string]string{}}
	f.follow(t, p, nil)
	f.check(t, nil)
	var made []string
	want := map[string]string{}
	for n := range 5 {
		made = append(made, p.Add("a.png", picture(uint64(n))).ID)
		want[made[n]] = sum(picture(uint64(n)))
	}
	if n := f.follow(t, p, nil); n != 3 {
		t.Errorf("%d answers", n)
	}
	f.check(t, want)
	if n := f.follow(t, p, nil); n != 1 {
		t.Errorf("%d answers about nothing", n)
	}
	p.Run(t,
		scenario{Name: "change one", Method: "PATCH", URL: "/v1/images/" + made[0], Body: object{"title": "x"}, Status: 200},
		scenario{Name: "delete one", Method: "DELETE", URL: "/v1/images/" + made[1], Status: 200},
		scenario{Name: "throw one away", Method: "DELETE", URL: "/v1/images/" + made[2] + "?trash=true", Status: 200},
	)
	delete(want, made[1])
	delete(want, made[2])
	f.follow(t, p, nil)
	f.check(t, want)
	p.Play(t, scenario{Method: "POST", URL: "/v1/trash/" + made[2] + "/restore", Status: 200})
	want[made[2]] = sum(picture(2))
	f.follow(t, p, nil)
	f.check(t, want)
	late := &follower{have: map[string]string{}}
	late.follow(t, p, url.Values{"type": {"image"}})
	late.check(t, want)
	other := &follower{have: map[string]string{}}
	other.follow(t, p, url.Values{"type": {"audio"}})
	other.check(t, nil)
	p.Run(t,
		scenario{Name: "a cursor of another type is refused", URL: "/v1/sync/state?type=image&since=" + f.since, Status: 400, Code: "BAD_REQUEST", Has: []string{"since"}},
		scenario{Name: "a cursor that is none is refused", URL: "/v1/sync/state?since=abc", Status: 400, Code: "BAD_REQUEST", Has: []string{"since"}},
		scenario{Name: "a type that is none is refused", URL: "/v1/sync/state?type=film", Status: 422, Code: "VALIDATION_ERROR", Has: []string{"type"}},
		scenario{Name: "a limit that is none is refused", URL: "/v1/sync/state?limit=no", Status: 422, Code: "VALIDATION_ERROR", Has: []string{"limit"}},
		scenario{Name: "a limit above the highest is taken for that", URL: "/v1/sync/state?limit=9999", Status: 200},
		scenario{Name: "an upsert says what it is of", URL: "/v1/sync/state?type=image&limit=1", Status: 200, Has: []string{`"op":"upsert"`, `"mimeType":"image/png"`, `"isPublic":true`, `"hasMore":true`}},
	)
}

func TestOldCursorsBeginAgain(t *testing.T) {
	p := start(t)
	a, b := p.Add("a.png", picture(1)).ID, p.Add("b.png", picture(2)).ID
	idle := &follower{have: map[string]string{}}
	idle.follow(t, p, nil)
	p.Play(t, scenario{Method: "DELETE", URL: "/v1/images/" + a, Status: 200})
	current := &follower{since: idle.since, have: map[string]string{a: "", b: ""}}
	current.follow(t, p, nil)
	p.Advance(29 * 24 * time.Hour)
	p.App.Jobs().Purge(t.Context())
	p.Play(t, scenario{URL: "/v1/sync/state?since=" + idle.since, Status: 200, Has: []string{`"op":"delete"`}})
	p.Advance(2 * 24 * time.Hour)
	p.App.Jobs().Purge(t.Context())
	p.Run(t,
		scenario{Name: "who missed a deletion is told to begin again", URL: "/v1/sync/state?since=" + idle.since, Status: 400, Code: "BAD_REQUEST", Has: []string{"too old", "Begin again"}},
		scenario{Name: "who saw it goes on", URL: "/v1/sync/state?since=" + current.since, Status: 200, Has: []string{`"changes":[]`, `"nextCursor":null`}},
	)
	// Who begins now is not bothered by what was forgotten before.
	c := p.Add("c.png", picture(3)).ID
	fresh := &follower{have: map[string]string{}}
	fresh.follow(t, p, url.Values{"limit": {"1"}})
	fresh.check(t, map[string]string{b: sum(picture(2)), c: sum(picture(3))})
}
