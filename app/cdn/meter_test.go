package cdn_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"picora/app"
	"picora/app/apptest"
)

// served is how many bytes are counted as served of the owner's pictures.
func served(t *testing.T, p *apptest.Picora) int64 {
	t.Helper()
	st, err := p.App.Usage().Standing(context.Background(), p.User)
	if err != nil {
		t.Fatal(err)
	}
	return st.Month.Served
}

func TestWhatIsServedIsCountedAndNothingElse(t *testing.T) {
	p := apptest.Start(t)
	var total int64
	for _, f := range []struct {
		name string
		url  string
		size int64
	}{
		{"a small file", p.Add("a.png", apptest.PNG(40, 40, 1)).URL, int64(len(apptest.PNG(40, 40, 1)))},
		{"a large file", p.Add("b.png", apptest.PNG(900, 900, 2)).URL, int64(len(apptest.PNG(900, 900, 2)))},
	} {
		etag := get(p, "HEAD", f.url).Header.Get("ETag")
		for _, c := range []struct {
			name, method, query string
			headers             []string
			status              int
			bytes               int64
		}{
			{"HEAD", "HEAD", "", nil, 200, 0},
			{"from the disk or the framework", "GET", "?v=1", nil, 200, f.size},
			{"plain", "GET", "", nil, 200, f.size},
			{"plain again", "GET", "", nil, 200, f.size},
			{"HEAD of what is in memory", "HEAD", "", nil, 200, 0},
			{"a range", "GET", "", []string{"Range", "bytes=10-29"}, 206, 20},
			{"HEAD with a range", "HEAD", "", []string{"Range", "bytes=10-29"}, 206, 0},
			{"a range that cannot be", "GET", "", []string{"Range", "bytes=99999999-"}, 416, 0},
			{"what the client has", "GET", "", []string{"If-None-Match", etag}, 304, 0},
			{"what changed", "GET", "", []string{"If-Match", `"x"`}, 412, 0},
			{"a wrong parameter", "GET", "?what=1", nil, 400, 0},
			{"a wrong extension", "GET", ".bmp", nil, 404, 0},
		} {
			u := f.url + c.query
			if c.query == ".bmp" {
				u = strings.TrimSuffix(f.url, ".png") + ".bmp"
			}
			r := get(p, c.method, u[strings.LastIndex(u, "/"):], c.headers...)
			if r.Status != c.status || c.method == "GET" && c.status < 300 && int64(len(r.Body)) != c.bytes {
				t.Fatalf("%s, %s: %d with %d bytes", f.name, c.name, r.Status, len(r.Body))
			}
			total += c.bytes
			waitFor(t, fmt.Sprintf("%s, %s", f.name, c.name), func() bool { return served(t, p) == total })
		}
	}
	p.App.Usage().Flush(context.Background())
	if n := served(t, p); n != total {
		t.Errorf("after they were written down there are %d, want %d", n, total)
	}
}

// waitFor waits until the server counted what a client has already read.
func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: the count is not right", what)
		}
	}
}

func TestOfAClientThatLeavesOnlyWhatItTookIsCounted(t *testing.T) {
	p := apptest.Start(t)
	big := apptest.PNG(4000, 3000, 3)
	if len(big) < 12<<20 {
		t.Fatalf("only %d bytes", len(big))
	}
	res, err := http.Get(p.Add("a.png", big).URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, res.Body, 1<<20); err != nil {
		t.Fatal(err)
	}
	res.Body.Close() // which closes the connection
	var last int64
	waitFor(t, "what was sent", func() bool { // it has settled
		n := served(t, p)
		same := n == last && n >= 1<<20
		last = n
		time.Sleep(50 * time.Millisecond)
		return same
	})
	if last >= int64(len(big)) {
		t.Errorf("%d of %d bytes are counted", last, len(big))
	}
}

func TestPicturesMadeOfPicturesAreCounted(t *testing.T) {
	p := apptest.StartWithWorkers(t)
	i := p.Add("a.png", apptest.PNG(600, 600, 1))
	u, err := url.Parse(i.URL)
	if err != nil {
		t.Fatal(err)
	}
	var total int64
	for range 3 { // made, from the cache, from memory
		r := get(p, "GET", u.Path+"?variant=thumb")
		if r.Status != 200 {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		total += int64(len(r.Body))
	}
	waitFor(t, "a variant", func() bool { return served(t, p) == total })
}

func TestWhatWasServedIsWrittenDownAtAStop(t *testing.T) {
	p := apptest.Start(t)
	data := apptest.PNG(40, 40, 1)
	i := p.Add("a.png", data)
	for range 7 {
		get(p, "GET", i.URL)
	}
	p.Stop()
	s, err := app.OpenStore(context.Background(), p.Data)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	st, err := s.Standing(context.Background(), p.User)
	if err != nil || st.Month.Served != 7*int64(len(data)) {
		t.Errorf("%+v %v, want %d", st.Month, err, 7*len(data))
	}
}
