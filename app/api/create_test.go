package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"picora/app/apptest"
	"picora/app/config"
)

func TestCreateImage(t *testing.T) {
	p := start(t)
	f, file := apptest.Field, apptest.File
	long := strings.Repeat("ä", 255)
	many := make(parts, 0, 101)
	for i := range 101 {
		many = append(many, f(fmt.Sprint("x", i), "1"))
	}
	post := func(name string, seed uint64, status int, has string, fields ...apptest.Part) scenario {
		s := scenario{Name: name, Method: "POST", URL: "/v1/images", Body: parts(append(fields, file("a.png", picture(seed)))), Status: status}
		if status == 422 {
			s.Code = "VALIDATION_ERROR"
		}
		if has != "" {
			s.Has = []string{has}
		}
		return s
	}
	p.Run(t,
		scenario{Name: "a file alone becomes a public picture", Method: "POST", URL: "/v1/images",
			Body: parts{file("pixel.png", pixel)}, Status: 201, Golden: "create"},
		scenario{Name: "fields may stand before the file", Method: "POST", URL: "/v1/images",
			Body:   parts{f("title", "Before"), f("tags", `["a","b"]`), f("isPublic", "false"), file("a.png", picture(1))},
			Status: 201, Has: []string{`"title":"Before"`, `"tags":["a","b"]`, `"isPublic":false`}},
		scenario{Name: "fields may stand after the file", Method: "POST", URL: "/v1/images",
			Body:   parts{file("a.png", picture(2)), f("title", "After"), f("tags", `["a"]`), f("isPublic", "false"), f("keepMetadata", "true")},
			Status: 201, Has: []string{`"title":"After"`, `"tags":["a"]`, `"isPublic":false`, `"keepMetadata":true`}},
		scenario{Name: "fields may stand on both sides", Method: "POST", URL: "/v1/images",
			Body:   parts{f("title", "Both"), file("a.png", picture(3)), f("is_public", "false")},
			Status: 201, Has: []string{`"title":"Both"`, `"isPublic":false`}},
		scenario{Name: "the root takes uploads too", Method: "POST", URL: "/",
			Body: parts{file("a.png", picture(4))}, Status: 201, Has: []string{`"mimeType":"image/png"`}},

		post("isPublic=true is public", 10, 201, `"isPublic":true`, f("isPublic", "true")),
		post("isPublic=0 is private", 11, 201, `"isPublic":false`, f("isPublic", "0")),
		post("isPublic=1 is public", 12, 201, `"isPublic":true`, f("isPublic", "1")),
		post("isPublic=False is private", 13, 201, `"isPublic":false`, f("isPublic", "False")),
		post("is_public=false is private", 14, 201, `"isPublic":false`, f("is_public", "false")),
		post("an empty isPublic is as if absent", 15, 201, `"isPublic":true`, f("isPublic", "")),
		post("isPublic=maybe is refused by name", 16, 422, "isPublic", f("isPublic", "maybe")),
		post("is_public=2 is refused by name", 16, 422, "is_public", f("is_public", "2")),
		post("keepMetadata=perhaps is refused by name", 16, 422, "keepMetadata", f("keepMetadata", "perhaps")),
		post("keepMetadata=true is kept", 17, 201, `"keepMetadata":true`, f("keepMetadata", "true")),

		post("tags may be a JSON list", 20, 201, `"tags":["sea","2026"]`, f("tags", `["sea","2026"]`)),
		post("tags may be words with commas", 21, 201, `"tags":["sea","2026"]`, f("tags", " sea , 2026,, ")),
		post("tags may be one word", 22, 201, `"tags":["sea"]`, f("tags", "sea")),
		post("a tag that is there twice is kept once", 23, 201, `"tags":["sea"]`, f("tags", `["sea"," sea "]`)),
		post("empty tags are as if absent", 24, 201, `"tags":[]`, f("tags", "")),
		post("an empty list of tags is taken", 25, 201, `"tags":[]`, f("tags", "[]")),
		post("tags that are a broken list are refused", 26, 422, "tags", f("tags", `["sea"`)),
		post("tags that are no texts are refused", 26, 422, "tags", f("tags", `[1]`)),
		post("an empty tag is refused", 26, 422, "tag", f("tags", `["  "]`)),
		post("a tag of 65 characters is refused", 26, 422, "64", f("tags", strings.Repeat("x", 65))),
		post("a tag with a line break is refused", 26, 422, "tag", f("tags", `["a\nb"]`)),
		post("51 tags are refused", 26, 422, "50", f("tags", uniqueTags(51))),

		post("a title of 255 characters is taken", 30, 201, long, f("title", long)),
		post("a title of 256 characters is refused", 31, 422, "title", f("title", long+"x")),
		post("spaces around a title are removed", 31, 201, `"title":"T"`, f("title", "  T\n")),
		post("an empty title is null", 32, 201, `"title":null`, f("title", "")),
		post("fields that nobody knows are ignored", 33, 201, "", f("album", "x"), f("", "y")),
		post("an empty kbId is as if absent", 34, 201, `"kbId":null`, f("kbId", "")),
		scenario{Name: "a collection that is not there is 404", Method: "POST", URL: "/v1/images",
			Body: parts{f("kbId", "V1StGXR8_Z5jdHi6B-myT"), file("a.png", picture(35))}, Status: 404, Code: "NOT_FOUND"},
		post("a field of more than 64 KB is refused", 36, 422, "album", f("album", strings.Repeat("x", 64<<10+1))),
		scenario{Name: "more than 100 fields are refused", Method: "POST", URL: "/v1/images",
			Body: append(many, file("a.png", picture(36))), Status: 422, Code: "VALIDATION_ERROR", Has: []string{"100"}},

		scenario{Name: "a form without a file is refused", Method: "POST", URL: "/v1/images",
			Body: parts{f("title", "x")}, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"file"}},
		scenario{Name: "a form without anything is refused", Method: "POST", URL: "/v1/images",
			Body: parts{}, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"file"}},
		scenario{Name: "two files are refused", Method: "POST", URL: "/v1/images",
			Body: parts{file("a.png", picture(37)), file("b.png", picture(38))}, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"one file"}},
		scenario{Name: "a file under another field's name is taken", Method: "POST", URL: "/v1/images",
			Body: parts{{Name: "image", File: "a.png", Value: picture(39)}}, Status: 201, Has: []string{`"filename":"a.png"`}},
		scenario{Name: "a file part without a file name is taken", Method: "POST", URL: "/v1/images",
			Body: parts{{Name: "file", Value: picture(40)}}, Status: 201, Has: []string{`"filename":"untitled.png"`}},
		scenario{Name: "the type that the part declares does not count", Method: "POST", URL: "/v1/images",
			Body:   parts{{Name: "file", File: "a.png", Type: "application/octet-stream", Value: picture(41)}},
			Status: 201, Has: []string{`"mimeType":"image/png"`, `.png"`}},
		scenario{Name: "the ending of the file's name does not count", Method: "POST", URL: "/v1/images",
			Body:   parts{{Name: "file", File: "a.jpg", Type: "image/jpeg", Value: picture(42)}},
			Status: 201, Has: []string{`"mimeType":"image/png"`, `"filename":"a.jpg"`}},
		scenario{Name: "a path in the file's name is cut off", Method: "POST", URL: "/v1/images",
			Body: parts{file("../../etc/pass.png", picture(43))}, Status: 201, Has: []string{`"filename":"pass.png"`}},
		scenario{Name: "a JPEG is taken", Method: "POST", URL: "/v1/images",
			Body: parts{file("a.jpeg", apptest.JPEG(20, 10, 1))}, Status: 201, Has: []string{`"mimeType":"image/jpeg"`, `.jpg"`, `"width":20,"height":10`}},
		scenario{Name: "a moving GIF is taken", Method: "POST", URL: "/v1/images",
			Body: parts{file("a.gif", apptest.GIF(8, 6, 3, 1))}, Status: 201, Has: []string{`"mimeType":"image/gif"`, `.gif"`, `"width":8,"height":6`}},
		scenario{Name: "an SVG is taken", Method: "POST", URL: "/v1/images",
			Body:   parts{file("a.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="7" height="5"><rect width="7" height="5"/></svg>`))},
			Status: 201, Has: []string{`"mimeType":"image/svg+xml"`, `.svg"`}},

		scenario{Name: "an empty file is refused", Method: "POST", URL: "/v1/images",
			Body: parts{file("a.png", nil)}, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"empty"}},
		scenario{Name: "a text is refused", Method: "POST", URL: "/v1/images",
			Body: parts{file("a.png", []byte("hello"))}, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "half a picture is refused", Method: "POST", URL: "/v1/images",
			Body: parts{file("a.png", pixel[:len(pixel)/2])}, Status: 422, Code: "VALIDATION_ERROR"},
	)
}

// uniqueTags is ",0,1,…".
func uniqueTags(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ",%d", i)
	}
	return b.String()
}

func TestCreateImageRefusesWhatIsNoForm(t *testing.T) {
	p := start(t)
	whole, contentType := parts{apptest.File("a.png", picture(1))}.Encode()
	for _, c := range []struct {
		name, contentType string
		body              []byte
	}{
		{"JSON", "application/json", []byte(`{"file":"x"}`)},
		{"the bare file", "image/png", picture(1)},
		{"an URL-encoded form", "application/x-www-form-urlencoded", []byte("file=x")},
		{"no content type", "", whole},
		{"a content type that is none", ";;;", whole},
		{"no boundary", "multipart/form-data", whole},
		{"an empty boundary", `multipart/form-data; boundary=""`, whole},
		{"another multipart type", strings.Replace(contentType, "form-data", "mixed", 1), whole},
		{"a form that breaks off in the file", contentType, whole[:len(whole)/2]},
		{"a form that breaks off in a part's header", contentType, whole[:60]},
		{"a form without its last boundary", contentType, whole[:bytes.LastIndex(whole, []byte("\r\n--"))]},
		{"no body at all", contentType, []byte{}},
		{"another boundary than the header says", "multipart/form-data; boundary=zzz", whole},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := scenario{Method: "POST", URL: "/v1/images", Body: c.body, Headers: []string{"Content-Type", c.contentType}, Status: 400, Code: "BAD_REQUEST"}
			p.Play(t, s)
		})
	}
	if files := p.Blobs(); len(files) != 0 {
		t.Errorf("refused uploads left %v", files)
	}
}

func TestCreateImageTakesALargePictureAtEitherSpellingOfItsAddress(t *testing.T) {
	p := start(t)
	for i, address := range []string{"/v1/images", "/v1/images/", "/V1/Images", "/"} {
		large := wordyGIF(byte('a'+i), 2<<20) // more than a body that is no upload may have
		body, contentType := parts{apptest.File("a.gif", large)}.Encode()
		r := p.Do("POST", address, bytes.NewReader(body), "Content-Type", contentType)
		if r.Status != http.StatusCreated {
			t.Errorf("POST %s: %d %s", address, r.Status, r.Body)
		}
	}
}

// wordyGIF is a small GIF with a comment of n bytes and more.
func wordyGIF(letter byte, n int) []byte {
	b := apptest.GIF(2, 2, 1, 1)
	b = append(b[:len(b)-1], 0x21, 0xfe)
	for ; n > 0; n -= 255 {
		b = append(append(b, 255), bytes.Repeat([]byte{letter}, 255)...)
	}
	return append(b, 0, 0x3b)
}

func TestDuplicates(t *testing.T) {
	p := start(t)
	p.NewUser("other@example.org")
	other := p.NewKey("other@example.org")
	first := p.Add("first.png", pixel, "title", "First", "tags", "a")

	again := scenario{Name: "the same bytes are answered with the picture that is there", Method: "POST", URL: "/v1/images",
		Body: parts{apptest.Field("title", "Second"), apptest.File("second.png", pixel)}, Status: 200, Golden: "duplicate",
		Check: func(t testing.TB, r apptest.Response) {
			var i apptest.Image
			r.Data(t, &i)
			if i.ID != first.ID || i.URL != first.URL || i.UpdatedAt != first.UpdatedAt {
				t.Errorf("got %+v, want %+v", i, first)
			}
			if d := r.Header.Get("X-Picora-Duplicate"); d != "true" {
				t.Errorf("X-Picora-Duplicate is %q", d)
			}
		}}
	theirs := scenario{Name: "another account gets a picture of its own", As: other, Method: "POST", URL: "/v1/images",
		Body: parts{apptest.File("third.png", pixel)}, Status: 201,
		Check: func(t testing.TB, r apptest.Response) {
			if id := field(t, r, "id"); id == first.ID {
				t.Error("it is the first account's")
			}
			if r.Header.Get("X-Picora-Duplicate") != "" {
				t.Error("it is called a duplicate")
			}
		}}
	p.Run(t, again, theirs,
		scenario{Name: "a field that is wrong is refused all the same", Method: "POST", URL: "/v1/images",
			Body: parts{apptest.Field("isPublic", "x"), apptest.File("a.png", pixel)}, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "nothing was stored twice", URL: "/v1/images", Status: 200, Has: []string{`"total":1`}},
		scenario{Name: "a deleted picture is no duplicate", Method: "DELETE", URL: "/v1/images/" + first.ID, Status: 200},
		scenario{Name: "and can be uploaded again", Method: "POST", URL: "/v1/images", Body: parts{apptest.File("a.png", pixel)}, Status: 201},
	)
}

func TestTheSameUploadAtOnceGivesOnePicture(t *testing.T) {
	p := start(t)
	const n = 8
	var got [n]apptest.Response
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { got[i] = p.Upload("a.png", pixel) })
	}
	wg.Wait()
	fresh, seen := 0, map[any]bool{}
	for _, r := range got {
		if r.Status == http.StatusCreated {
			fresh++
		}
		seen[field(t, r, "id")] = true
	}
	if fresh != 1 || len(seen) != 1 {
		t.Errorf("%d were new, %d ids", fresh, len(seen))
	}
}

func TestUploadLimits(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t, func(c *config.Config) {
		c.Upload.MaxBytes = 20 << 10
		c.Upload.MaxMegapixels = 1
		c.Upload.KeepMetadata = true
	})
	p.Run(t,
		scenario{Name: "a file above the limit is refused and the limit named", Method: "POST", URL: "/v1/images",
			Body: parts{apptest.File("a.png", apptest.PNG(120, 120, 1))}, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"20 KB"}},
		scenario{Name: "a file far above the limit is refused before it is read", Method: "POST", URL: "/v1/images",
			Body: parts{apptest.File("a.png", make([]byte, 1200<<10))}, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"20 KB"}},
		scenario{Name: "a picture of too many pixels is refused", Method: "POST", URL: "/v1/images",
			Body: parts{apptest.File("a.gif", hugeGIF)}, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"megapixel"}},
		scenario{Name: "keepMetadata follows the setting when absent", Method: "POST", URL: "/v1/images",
			Body: parts{apptest.File("a.png", picture(1))}, Status: 201, Has: []string{`"keepMetadata":true`}},
		scenario{Name: "and the form when given", Method: "POST", URL: "/v1/images",
			Body: parts{apptest.Field("keepMetadata", "false"), apptest.File("a.png", picture(2))}, Status: 201, Has: []string{`"keepMetadata":false`}},
	)
}

// hugeGIF is a GIF of one pixel that says that its screen has 40,000 × 40,000.
var hugeGIF = func() []byte {
	b := apptest.GIF(1, 1, 1, 1)
	copy(b[6:10], []byte{0x40, 0x9c, 0x40, 0x9c})
	return b
}()

func TestAFullDiskIsToldBeforeTheUpload(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t, func(c *config.Config) { c.Blobs.MinFreeBytes = 1 << 60 })
	p.Run(t, scenario{Name: "507", Method: "POST", URL: "/v1/images",
		Body: parts{apptest.File("a.png", picture(1))}, Status: 507, Code: "STORAGE_FULL", Golden: "storage-full"})
}

// PicGo's web-uploader sends a header literally named contentType and reads
// data.url (contract 21).
func TestPicGo(t *testing.T) {
	p := start(t)
	r := p.Play(t, scenario{Method: "POST", URL: "/v1/images", Body: parts{apptest.File("p.png", pixel)}, Status: 201,
		Headers: []string{"User-Agent", "PicGo", "contentType", "multipart/form-data"}})
	var answer struct{ Data struct{ URL string } }
	if err := json.Unmarshal(r.Body, &answer); err != nil {
		t.Fatal(err)
	}
	if f := p.Play(t, scenario{As: apptest.Nobody, URL: strings.TrimPrefix(answer.Data.URL, p.URL), Status: 200}); !bytes.Equal(f.Body, pixel) {
		t.Errorf("%s has %d bytes, want %d", answer.Data.URL, len(f.Body), len(pixel))
	}
}
