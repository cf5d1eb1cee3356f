package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"picora/app/apptest"
	"picora/app/config"
	"picora/store"
)

// numbered is a JPEG of a size that does not depend on n, another for each n, with
// comments of at least that many bytes.
func numbered(n, comments int) []byte {
	b := apptest.JPEG(40, 40, 1)
	comment := func(text []byte) []byte {
		return append([]byte{0xff, 0xfe, byte((len(text) + 2) >> 8), byte(len(text) + 2)}, text...)
	}
	out := append([]byte{}, b[:2]...)
	out = append(out, comment(fmt.Appendf(nil, "number %06d", n))...)
	for ; comments > 0; comments -= 60_000 {
		out = append(out, comment(make([]byte, 60_000))...)
	}
	return append(out, b[2:]...)
}

// limited starts a Picora whose owner is on a plan with that much room for pictures.
func limited(t *testing.T, room int64) *apptest.Picora {
	t.Helper()
	p := apptest.Start(t, func(c *config.Config) {
		plan := c.Plans["pro"]
		plan.ImageStorageBytes = room
		c.Plans["pro"] = plan
	})
	p.User = p.NewUserOn("pro", "pro@example.org")
	p.Key = p.NewKey("pro@example.org")
	return p
}

// TestAQuotaHoldsAgainstUploadsAtTheSameTime sends 50 pictures at once to an account
// that has room for 10.
func TestAQuotaHoldsAgainstUploadsAtTheSameTime(t *testing.T) {
	field := apptest.Field("tags", strings.Repeat(" ", 50)+"a")
	for _, c := range []struct {
		name     string
		comments int
		form     func(data []byte) apptest.Parts
		chunked  bool
	}{
		{"small pictures", 0, func(d []byte) apptest.Parts { return apptest.Parts{apptest.File("a.jpg", d)} }, false},
		{"fields before and after the file", 0, func(d []byte) apptest.Parts { return apptest.Parts{field, apptest.File("a.jpg", d), field} }, false},
		{"bodies of unknown length", 0, func(d []byte) apptest.Parts { return apptest.Parts{apptest.File("a.jpg", d), field} }, true},
		{"pictures of which some room is kept", 2 << 20, func(d []byte) apptest.Parts { return apptest.Parts{apptest.File("a.jpg", d), field} }, false},
		{"large bodies of unknown length", 2 << 20, func(d []byte) apptest.Parts { return apptest.Parts{apptest.File("a.jpg", d)} }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			size := int64(len(numbered(0, c.comments)))
			p := limited(t, 10*size+size/2)
			var mu sync.Mutex
			statuses := map[int]int{}
			var wg sync.WaitGroup
			for n := range 50 {
				body, kind := c.form(numbered(n, c.comments)).Encode()
				wg.Go(func() {
					status, code := send(t, p, body, kind, c.chunked)
					mu.Lock()
					defer mu.Unlock()
					statuses[status]++
					if status != http.StatusCreated && (status != http.StatusForbidden || code != "QUOTA_EXCEEDED") {
						t.Errorf("%d %s", status, code)
					}
				})
			}
			wg.Wait()
			if statuses[201] != 10 || statuses[403] != 40 {
				t.Errorf("answers %v, want 10 of 201 and 40 of 403", statuses)
			}
			st, err := p.App.Usage().Standing(context.Background(), p.User)
			if err != nil || st.Count[store.Image].N != 10 || st.Count[store.Image].Bytes != 10*size || st.Month.Uploads != 10 {
				t.Errorf("counted are %+v, want 10 of %d bytes (%v)", st, 10*size, err)
			}
			if files := p.Blobs(); len(files) != 10 {
				t.Errorf("%d files are on the disk", len(files))
			}
			// Of what was reserved nothing is left: what is deleted can be filled again.
			p.Do("DELETE", "/v1/images", strings.NewReader(ids(p, 2)), "Content-Type", "application/json")
			for n := range 3 {
				body, kind := c.form(numbered(100+n, c.comments)).Encode()
				if status, _ := send(t, p, body, kind, c.chunked); (status == 201) != (n < 2) {
					t.Errorf("upload %d after two were deleted: %d", n, status)
				}
			}
		})
	}
}

// send uploads a form and reads the answer. The server may answer before it read all.
func send(t *testing.T, p *apptest.Picora, body []byte, kind string, chunked bool) (status int, code string) {
	var r io.Reader = bytes.NewReader(body)
	if chunked {
		r = io.MultiReader(r) // its length is nobody's to know
	}
	req, err := http.NewRequest("POST", p.URL+"/v1/images", r)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Authorization", "Bearer "+p.Key)
	req.Header.Set("Expect", "100-continue")
	client := http.Transport{ExpectContinueTimeout: 1 << 40, DisableKeepAlives: true}
	res, err := client.RoundTrip(req)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer res.Body.Close()
	var e struct{ Code string }
	json.NewDecoder(res.Body).Decode(&e)
	return res.StatusCode, e.Code
}

// ids is the body that deletes n of the owner's pictures.
func ids(p *apptest.Picora, n int) string {
	var list struct {
		Data struct{ Items []apptest.Image }
	}
	json.Unmarshal(p.Do("GET", "/v1/images", nil).Body, &list)
	var out []string
	for _, i := range list.Data.Items[:n] {
		out = append(out, i.ID)
	}
	b, _ := json.Marshal(map[string]any{"ids": out})
	return string(b)
}

// TestOfAConvertedPictureTheUploadIsCounted: what is made of it to deliver is not.
func TestOfAConvertedPictureTheUploadIsCounted(t *testing.T) {
	p := apptest.StartWithWorkers(t)
	data := encoded(t, "tiff", drawing(60, 41))
	p.Add("scan.tif", data)
	if n := len(p.Blobs()); n != 2 {
		t.Fatalf("%d files, want 2", n)
	}
	st, err := p.App.Usage().Standing(context.Background(), p.User)
	if err != nil || st.Count[store.Image].Bytes != int64(len(data)) || st.Count[store.Image].N != 1 {
		t.Errorf("%+v %v, want %d bytes", st.Count, err, len(data))
	}
}

func TestDuplicatesCostNothing(t *testing.T) {
	data := numbered(1, 0)
	p := limited(t, int64(len(data))+10)
	p.Add("a.jpg", data)
	for range 3 {
		p.Add("a.jpg", data)
	}
	st, _ := p.App.Usage().Standing(context.Background(), p.User)
	if st.Count[store.Image].N != 1 || st.Month.Uploads != 1 {
		t.Errorf("%+v", st)
	}
	if r := p.Upload("b.jpg", numbered(2, 0)); r.Code() != "QUOTA_EXCEEDED" {
		t.Errorf("%d %s", r.Status, r.Body)
	}
}

func TestAnUploadThatFailsGivesItsRoomBack(t *testing.T) {
	data := numbered(1, 3<<20)
	p := limited(t, int64(len(data))+1<<20)
	broken := append([]byte{}, data[:len(data)-100]...)
	for range 5 {
		if r := p.Upload("a.jpg", broken); r.Status != 422 {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
	}
	p.Add("a.jpg", data)
}

// TestADuplicateNeedsRoomForAByte: before its bytes are here nobody knows that it is one.
func TestADuplicateNeedsRoomForAByte(t *testing.T) {
	data := numbered(1, 0)
	p := limited(t, int64(len(data)))
	p.Add("a.jpg", data)
	if r := p.Upload("a.jpg", data); r.Status != 403 || r.Code() != "QUOTA_EXCEEDED" {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	st, err := p.App.Usage().Standing(context.Background(), p.User)
	if err != nil || st.Count[store.Image].N != 1 || st.Count[store.Image].Bytes != int64(len(data)) || st.Month.Uploads != 1 {
		t.Errorf("%+v %v", st, err)
	}
}
