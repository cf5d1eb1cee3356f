package api_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/config"
	"picora/app/library"
	"picora/store"
)

// withEXIF is a JPEG whose metadata has the text and the orientation 6: shown, it is
// turned by 90 degrees.
func withEXIF(jpeg []byte, text string) []byte {
	tiff := []byte("II*\x00\x08\x00\x00\x00\x02\x00")
	tiff = append(tiff, 0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0)                // Orientation
	tiff = append(tiff, 0x0e, 0x01, 2, 0, byte(len(text)), 0, 0, 0, 38, 0, 0, 0) // ImageDescription
	tiff = append(append(tiff, 0, 0, 0, 0), text...)                             // no further list
	seg := append([]byte("Exif\x00\x00"), tiff...)
	app1 := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(seg)+2))
	return bytes.Join([][]byte{jpeg[:2], app1, seg, jpeg[2:]}, nil)
}

func TestAvatars(t *testing.T) {
	t.Parallel()
	p := apptest.StartWithWorkers(t)
	send := func(name string, file []byte, status int, code string, has ...string) scenario {
		return scenario{Name: name, Method: "POST", URL: me + "/avatar", Body: parts{apptest.File("a.jpg", file)}, Status: status, Code: code, Has: has}
	}
	at := "/v1/user/avatar/" + p.User
	p.Run(t, scenario{Name: "there is none", As: apptest.Nobody, URL: at, Status: 404, Code: "NOT_FOUND"})
	secret := "taken at my home address"
	photo := withEXIF(apptest.JPEG(600, 400, 1), secret)
	r := p.Play(t, send("a photo", photo, 200, ""))
	address := field(t, r, "avatarUrl").(string)
	if !strings.HasPrefix(address, p.URL+at+"?v=") {
		t.Errorf("avatarUrl is %s", address)
	}
	got := p.Play(t, scenario{As: apptest.Nobody, URL: strings.TrimPrefix(address, p.URL), Status: 200})
	if h := got.Header; h.Get("Content-Type") != "image/webp" || h.Get("Cache-Control") != "public, max-age=3600" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("ETag") == "" {
		t.Errorf("%v", h)
	}
	if w, h := webpSize(got.Body); w != 256 || h != 256 {
		t.Errorf("%d x %d", w, h)
	}
	for _, text := range []string{secret, "Exif", "EXIF"} {
		if bytes.Contains(got.Body, []byte(text)) {
			t.Errorf("%q is in the avatar", text)
		}
	}
	p.Run(t,
		scenario{Name: "the account shows it", URL: me, Status: 200, Has: []string{address}},
		scenario{Name: "who has it keeps it", As: apptest.Nobody, URL: at, Headers: []string{"If-None-Match", got.Header.Get("ETag")}, Status: 304},
		scenario{Name: "its header alone", As: apptest.Nobody, Method: "HEAD", URL: at, Status: 200},
		scenario{Name: "clients send its address back", Method: "PATCH", URL: me, Body: object{"avatarUrl": address}, Status: 200, Has: []string{address}},
		send("a text", []byte("a text"), 400, "BAD_REQUEST", "JPEG"),
		send("markup", []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>`), 400, "BAD_REQUEST", "JPEG"),
		send("nothing", nil, 400, "BAD_REQUEST"),
		send("half a picture", photo[:len(photo)/2], 422, "VALIDATION_ERROR"),
		send("2 MB and a byte", append(apptest.JPEG(10, 10, 1), make([]byte, library.MaxAvatar)...), 413, "PAYLOAD_TOO_LARGE", "2 MB"),
		scenario{Name: "no file", Method: "POST", URL: me + "/avatar", Body: parts{apptest.Field("a", "b")}, Status: 400, Code: "BAD_REQUEST"},
		scenario{Name: "two files", Method: "POST", URL: me + "/avatar", Body: parts{apptest.File("a.png", pixel), apptest.File("b.png", pixel)}, Status: 422, Code: "VALIDATION_ERROR"},
		scenario{Name: "no form", Method: "POST", URL: me + "/avatar", Body: `{}`, Status: 400, Code: "BAD_REQUEST"},
		scenario{Name: "without a credential", As: apptest.Nobody, Method: "POST", URL: me + "/avatar", Body: parts{apptest.File("a.png", pixel)}, Status: 401, Code: "UNAUTHORIZED"},
		scenario{Name: "with a key that only reads", As: p.NewKey("owner@example.org", "read"), Method: "POST", URL: me + "/avatar", Body: parts{apptest.File("a.png", pixel)}, Status: 403, Code: "FORBIDDEN"},
		scenario{Name: "after all that it is as it was", As: apptest.Nobody, URL: at, Headers: []string{"If-None-Match", got.Header.Get("ETag")}, Status: 304},
	)
	for name, file := range map[string][]byte{"PNG": apptest.PNG(3, 500, 1), "GIF that moves": apptest.GIF(30, 20, 3, 1), "WebP": got.Body} {
		p.Run(t, send(name, file, 200, ""))
		now := p.Ask(t, scenario{As: apptest.Nobody, URL: at})
		if w, h := webpSize(now.Body); w != 256 || h != 256 || bytes.Contains(now.Body, []byte("ANIM")) {
			t.Errorf("%s: %d x %d", name, w, h)
		}
	}
	one := waitForBlobs(t, p, 1) // the ones before are gone
	p.Run(t,
		scenario{Name: "one elsewhere takes its place", Method: "PATCH", URL: me, Body: `{"avatarUrl":"https://example.org/a.png"}`, Status: 200, Has: []string{`"avatarUrl":"https://example.org/a.png"`}},
		scenario{Name: "it is not here any more", As: apptest.Nobody, URL: at, Status: 404, Code: "NOT_FOUND"},
	)
	waitForBlobs(t, p, 0)
	p.Run(t, send("here again", photo, 200, "", p.URL+at))
	if two := waitForBlobs(t, p, 1); two[0] == one[0] {
		t.Error("the old file is there")
	}
	ban := func(when time.Time) {
		if _, err := p.App.Store().UpdateUser(t.Context(), p.User, func(u *store.User) error { u.Banned = when; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	ban(time.Now())
	p.Run(t, scenario{Name: "of a suspended account it is not shown", As: apptest.Nobody, URL: at, Status: 404, Code: "NOT_FOUND"})
	ban(time.Time{})
	p.Run(t,
		scenario{Name: "of others there is none", As: apptest.Nobody, URL: "/v1/user/avatar/" + p.NewUser("b@example.org"), Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "deleted", Method: "DELETE", URL: me + "/avatar", Status: 200},
		scenario{Name: "it is gone", As: apptest.Nobody, URL: at, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "and again", Method: "DELETE", URL: me + "/avatar", Status: 200},
	)
	waitForBlobs(t, p, 0)
}

// webpSize reads the size from the first chunk of a WebP.
func webpSize(b []byte) (w, h int) {
	if len(b) < 30 || string(b[8:12]) != "WEBP" {
		return 0, 0
	}
	switch string(b[12:16]) {
	case "VP8 ":
		return int(binary.LittleEndian.Uint16(b[26:])) & 0x3fff, int(binary.LittleEndian.Uint16(b[28:])) & 0x3fff
	case "VP8L":
		v := binary.LittleEndian.Uint32(b[21:])
		return int(v&0x3fff) + 1, int(v>>14&0x3fff) + 1
	case "VP8X":
		return int(b[24]) + int(b[25])<<8 + 1, int(b[27]) + int(b[28])<<8 + 1
	}
	return 0, 0
}

// waitForBlobs waits until there are n files.
func waitForBlobs(t *testing.T, p *apptest.Picora, n int) (files []string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if files = p.Blobs(); len(files) == n {
			return files
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d files, want %d", len(files), n)
		}
	}
}

// TestALargeAvatarIsRefusedBeforeItIsRead: its length alone is enough.
func TestALargeAvatarIsRefusedBeforeItIsRead(t *testing.T) {
	p := start(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	fmt.Fprintf(conn, "POST /v1/user/me/avatar HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 9000000\r\n\r\n", p.Key)
	conn.Write(make([]byte, 1<<20+1<<10)) // what the server reads ahead
	b, err := io.ReadAll(io.LimitReader(conn, 13))
	if err != nil || !bytes.HasPrefix(b, []byte("HTTP/1.1 413 ")) {
		t.Errorf("%.80q %v", b, err)
	}
}

func TestOriginals(t *testing.T) {
	p := start(t)
	secret := "taken at my home address"
	photo := withEXIF(apptest.JPEG(60, 40, 1), secret)
	add := func(name string, file []byte) string {
		r := p.Play(t, scenario{Method: "POST", URL: "/v1/images", Body: parts{apptest.File(name, file)}, Status: 201})
		return "/v1/images/" + field(t, r, "id").(string) + "/original"
	}
	at := add("Grüße \\\"海\\\".jpg", photo)
	r := p.Play(t, scenario{URL: at, Status: 200})
	if !bytes.Equal(r.Body, photo) {
		t.Errorf("%d bytes, want the %d that were sent", len(r.Body), len(photo))
	}
	for name, want := range map[string]string{
		"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff", "Content-Type": "application/octet-stream",
		"Accept-Ranges": "bytes", "Content-Security-Policy": "sandbox; default-src 'none'",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	if d := r.Header.Get("Content-Disposition"); !strings.HasPrefix(d, `attachment; filename="`) || !strings.Contains(d, "filename*=UTF-8''Gr%C3%BC%C3%9Fe%20") {
		t.Errorf("Content-Disposition is %q", d)
	}
	ranged := func(name, header string, status int, want []byte) scenario {
		return scenario{Name: name, URL: at, Headers: []string{"Range", header}, Status: status, Check: func(t testing.TB, r apptest.Response) {
			if !bytes.Equal(r.Body, want) {
				t.Errorf("%d bytes, want %d", len(r.Body), len(want))
			}
		}}
	}
	p.NewUser("b@example.org")
	p.Run(t,
		ranged("the first bytes", "bytes=0-9", 206, photo[:10]),
		ranged("the last", "bytes=-7", 206, photo[len(photo)-7:]),
		ranged("several ranges are all of it", "bytes=0-1,3-4", 200, photo),
		scenario{Name: "behind the end", URL: at, Headers: []string{"Range", "bytes=99999999-"}, Status: http.StatusRequestedRangeNotSatisfiable},
		scenario{Name: "its header alone", Method: "HEAD", URL: at, Status: 200, Check: func(t testing.TB, r apptest.Response) {
			if n := r.Header.Get("Content-Length"); n != fmt.Sprint(len(photo)) || len(r.Body) > 0 {
				t.Errorf("%s, and %d bytes", n, len(r.Body))
			}
		}},
		scenario{Name: "somebody else", As: p.NewKey("b@example.org"), URL: at, Status: 404, Code: "NOT_FOUND"},
		scenario{Name: "nobody", As: apptest.Nobody, URL: at, Status: 401, Code: "UNAUTHORIZED"},
		scenario{Name: "a key that only writes", As: p.NewKey("owner@example.org", "media.write"), URL: at, Status: 403, Code: "FORBIDDEN"},
	)
	svg := add("a.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>`))
	if r := p.Play(t, scenario{URL: svg, Status: 200}); bytes.Contains(r.Body, []byte("script")) || r.Header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("%s %s", r.Header.Get("Content-Type"), r.Body)
	}
	large := apptest.PNG(1500, 1500, 7) // a few megabytes, in many pieces
	if r := p.Play(t, scenario{URL: add("large.png", large), Status: 200}); !bytes.Equal(r.Body, large) {
		t.Errorf("%d bytes, want %d", len(r.Body), len(large))
	}
}

// TestAnAvatarNeedsNoRoomForPictures: with all of its storage used up, or no plan at
// all, an account may still have a face.
func TestAnAvatarNeedsNoRoomForPictures(t *testing.T) {
	t.Parallel()
	pic := apptest.PNG(20, 20, 1)
	p := apptest.StartWithWorkers(t, small(func(plan *config.Plan) { plan.ImageStorageBytes = int64(len(pic)) }))
	p.User = p.NewUserOn("pro", "pro@example.org")
	p.Key = p.NewKey("pro@example.org")
	p.Add("a.png", pic)
	notices := func() int {
		t.Helper()
		st, err := p.App.Usage().Standing(t.Context(), p.User)
		if err != nil {
			t.Fatal(err)
		}
		return int(st.Month.Told)
	}
	told := notices()
	large := append(apptest.JPEG(10, 10, 1), make([]byte, 2_200_000)...)
	try := func(name string) {
		p.Run(t,
			scenario{Name: name + ": an avatar", Method: "POST", URL: me + "/avatar", Body: parts{apptest.File("a.png", pixel)}, Status: 200},
			scenario{Name: name + ": one of 2.2 MB", Method: "POST", URL: me + "/avatar", Body: parts{apptest.File("a.jpg", large)}, Status: 413, Code: "PAYLOAD_TOO_LARGE"},
		)
	}
	try("full")
	account(t, p, func(u *store.User) { u.Plan = "none" })
	try("no plan")
	if n := notices(); n != told {
		t.Errorf("the user was told %b, before %b", n, told)
	}
	p.Run(t, scenario{Name: "a picture", Method: "POST", URL: "/v1/images", Body: parts{apptest.File("b.png", pixel)}, Status: 403, Code: "PLAN_INACTIVE"})
}

// TestDownloadsOfOriginalsAreCounted: they are bandwidth like the links.
func TestDownloadsOfOriginalsAreCounted(t *testing.T) {
	p := start(t)
	pic := apptest.PNG(900, 900, 3)
	at := "/v1/images/" + p.Add("a.png", pic).ID + "/original"
	var want int64
	for _, c := range []struct {
		method, ranged string
		bytes          int64
	}{
		{"GET", "", int64(len(pic))}, {"HEAD", "", 0}, {"GET", "bytes=10-29", 20}, {"GET", "bytes=99999999-", 0}, {"GET", "", int64(len(pic))},
	} {
		p.Do(c.method, at, nil, "Range", c.ranged)
		want += c.bytes
		st, err := p.App.Usage().Standing(t.Context(), p.User)
		for end := time.Now().Add(time.Minute); err == nil && st.Month.Served != want && time.Now().Before(end); time.Sleep(time.Millisecond) {
			st, err = p.App.Usage().Standing(t.Context(), p.User)
		}
		if err != nil || st.Month.Served != want {
			t.Fatalf("%s %s: %d bytes are counted, want %d (%v)", c.method, c.ranged, st.Month.Served, want, err)
		}
	}
}
