package api_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"picora/app"
	"picora/app/apptest"
	"picora/app/config"
)

// tusSend is a request of the protocol, with the headers that all have.
func tusSend(p *apptest.Picora, method, at string, body []byte, headers ...string) apptest.Response {
	return p.Do(method, at, bytes.NewReader(body), append([]string{"Tus-Resumable", "1.0.0"}, headers...)...)
}

// metadata is Upload-Metadata of names and values.
func metadata(pairs ...string) string {
	var out []string
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, pairs[i]+" "+base64.StdEncoding.EncodeToString([]byte(pairs[i+1])))
	}
	return strings.Join(out, ",")
}

// began begins an upload of n bytes and returns its address.
func began(t testing.TB, p *apptest.Picora, n int, headers ...string) string {
	t.Helper()
	all := append([]string{"Upload-Length", strconv.Itoa(n), "Upload-Metadata", metadata("filename", "a.png", "resourceType", "image")}, headers...)
	r := tusSend(p, "POST", "/v1/uploads", nil, all...)
	at := r.Header.Get("Location")
	if r.Status != http.StatusCreated || !strings.HasPrefix(at, p.URL+"/v1/uploads/") || r.Header.Get("Tus-Resumable") != "1.0.0" || r.Header.Get("Upload-Expires") == "" && r.Header.Get("Picora-Media-Id") == "" {
		t.Fatalf("%d %v %s", r.Status, r.Header, r.Body)
	}
	return at
}

func piece(p *apptest.Picora, at string, offset int, body []byte, headers ...string) apptest.Response {
	return tusSend(p, "PATCH", at, body, append([]string{"Content-Type", "application/offset+octet-stream", "Upload-Offset", strconv.Itoa(offset)}, headers...)...)
}

// offset is how much of an upload is there, as HEAD says.
func offset(t testing.TB, p *apptest.Picora, at string) int {
	t.Helper()
	r := tusSend(p, "HEAD", at, nil)
	n, err := strconv.Atoi(r.Header.Get("Upload-Offset"))
	if r.Status != 200 || err != nil || r.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v", r.Status, r.Header)
	}
	return n
}

func TestAnUploadInPieces(t *testing.T) {
	p := start(t)
	picture := apptest.PNG(60, 40, 7)
	at := began(t, p, len(picture), "Upload-Metadata", metadata("filename", "holiday.png", "filetype", "image/png", "title", "By the sea", "isPublic", "false", "tags", "sea, 2026"))
	if n := offset(t, p, at); n != 0 {
		t.Errorf("%d bytes are there", n)
	}
	half := len(picture) / 2
	r := piece(p, at, 0, picture[:half])
	if r.Status != 204 || r.Header.Get("Upload-Offset") != strconv.Itoa(half) || r.Header.Get("Upload-Expires") == "" || r.Header.Get("Picora-Media-Id") != "" {
		t.Fatalf("%d %v", r.Status, r.Header)
	}
	if r = piece(p, at, 0, picture); r.Status != 409 || r.Code() != "CONFLICT" {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	if r = piece(p, at, half, append(bytes.Clone(picture[half:]), 0)); r.Status != 413 {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	if r = tusSend(p, "PATCH", at, picture[half:], "Content-Type", "image/png", "Upload-Offset", strconv.Itoa(half)); r.Status != 415 {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	p.Restart()
	at = p.URL + at[strings.Index(at, "/v1/"):]
	if n := offset(t, p, at); n != half {
		t.Fatalf("%d bytes are there after a restart, want %d", n, half)
	}
	r = piece(p, at, half, picture[half:])
	id := r.Header.Get("Picora-Media-Id")
	if r.Status != 204 || r.Header.Get("Upload-Offset") != strconv.Itoa(len(picture)) || len(id) != 11 || r.Header.Get("Picora-Duplicate") != "false" {
		t.Fatalf("%d %v %s", r.Status, r.Header, r.Body)
	}
	p.Play(t, scenario{URL: "/v1/images/" + id, Status: 200, Has: []string{`"title":"By the sea"`, `"filename":"holiday.png"`, `"isPublic":false`, `"sea","2026"`}})
	h := tusSend(p, "HEAD", at, nil)
	if h.Status != 200 || h.Header.Get("Picora-Media-Id") != id || h.Header.Get("Upload-Offset") != strconv.Itoa(len(picture)) || !strings.Contains(h.Header.Get("Picora-Media-Url"), id) {
		t.Errorf("%d %v", h.Status, h.Header)
	}
	if left := pieceFiles(t, p); len(left) != 0 {
		t.Errorf("files that are left: %v", left)
	}
	again := tusSend(p, "POST", "/v1/uploads", picture, "Upload-Length", strconv.Itoa(len(picture)), "Content-Type", "application/offset+octet-stream", "Upload-Metadata", metadata("filename", "b.png"))
	if again.Status != 201 || again.Header.Get("Picora-Media-Id") != id || again.Header.Get("Picora-Duplicate") != "true" || again.Header.Get("Upload-Offset") != strconv.Itoa(len(picture)) {
		t.Errorf("%d %v %s", again.Status, again.Header, again.Body)
	}
	p.Advance(25 * time.Hour)
	if r := tusSend(p, "HEAD", at, nil); r.Status != 404 {
		t.Errorf("%d after a day", r.Status)
	}
}

func pieceFiles(t testing.TB, p *apptest.Picora) (names []string) {
	t.Helper()
	files, err := os.ReadDir(filepath.Join(p.Data, "uploads"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		names = append(names, f.Name())
	}
	return names
}

func TestWhatAPowerFailureMaySpoilIsSentAgain(t *testing.T) {
	p := start(t)
	film := make([]byte, 65<<20)
	rand.NewChaCha8([32]byte{}).Read(film)
	begin := func(n int) (at, file string) {
		r := tusSend(p, "POST", "/v1/uploads", nil, "Upload-Length", strconv.Itoa(n), "Upload-Concat", "partial")
		if r.Status != 201 {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		at = r.Header.Get("Location")
		return at[strings.Index(at, "/v1/"):], filepath.Join(p.Data, "uploads", at[strings.LastIndex(at, "/")+1:])
	}
	add := func(at string, from, to int) {
		t.Helper()
		if r := piece(p, at, from, film[from:to]); r.Status != 204 {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
	}
	slow, slowFile := begin(len(film))
	add(slow, 0, 1000)
	small, smallFile := begin(len(film))
	add(small, 0, 500)
	p.Advance(61 * time.Second)
	add(slow, 1000, 2000)
	add(slow, 2000, 3000)
	whole, wholeFile := begin(5000)
	add(whole, 0, 5000)
	long, longFile := begin(len(film) + 1)
	add(long, 0, len(film))

	expect := func(when string, want map[string]int) {
		t.Helper()
		for at, want := range want {
			if n := offset(t, p, at); n != want {
				t.Errorf("%s %d bytes are there, want %d", when, n, want)
			}
		}
	}
	p.Restart()
	expect("after a restart", map[string]int{slow: 3000, small: 500, whole: 5000, long: len(film)})

	stopIn(t, p, "an earlier run of the machine")
	for file, at := range map[string]int64{slowFile: 2000, smallFile: 0, longFile: 64 << 20} { // as file systems leave what never reached the disk
		fi, err := os.Stat(file)
		if err == nil {
			err = errors.Join(os.Truncate(file, at), os.Truncate(file, fi.Size()))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	p.Restart()
	after := map[string]int{slow: 2000, small: 0, whole: 5000, long: 64 << 20}
	expect("after a power failure", after)
	p.Restart()
	expect("after one more restart", after)
	for at, from := range map[string]int{slow: 2000, small: 0} {
		add(at, from, len(film))
	}
	for file, want := range map[string][]byte{slowFile: film, smallFile: film, wholeFile: film[:5000], longFile: film[:64<<20]} {
		if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes, want %d, or others: %v", len(got), len(want), err)
		}
	}
}

func TestWhatUploadsInPiecesRefuse(t *testing.T) {
	p := start(t)
	length := []string{"Upload-Length", "10"}
	image := []string{"Upload-Metadata", metadata("filename", "a.png")}
	post := func(headers ...[]string) scenario {
		all := []string{"Tus-Resumable", "1.0.0"}
		for _, h := range headers {
			all = append(all, h...)
		}
		return scenario{Method: "POST", URL: "/v1/uploads", Headers: all}
	}
	for name, s := range map[string]struct {
		scenario
		status int
		code   string
	}{
		"no version":                   {scenario{Method: "POST", URL: "/v1/uploads", Headers: length}, 412, "UNSUPPORTED_VERSION"},
		"another version":              {scenario{Method: "POST", URL: "/v1/uploads", Headers: []string{"Tus-Resumable", "0.2.2"}}, 412, "UNSUPPORTED_VERSION"},
		"no length":                    {post(image), 400, "BAD_REQUEST"},
		"a length that is none":        {post(image, []string{"Upload-Length", "-1"}), 400, "BAD_REQUEST"},
		"nothing":                      {post(image, []string{"Upload-Length", "0"}), 422, "VALIDATION_ERROR"},
		"more than a plan lets":        {post(image, []string{"Upload-Length", "999999999"}), 413, "PAYLOAD_TOO_LARGE"},
		"more than anybody has":        {post(image, []string{"Upload-Length", "9999999999999"}), 413, "PAYLOAD_TOO_LARGE"},
		"a length to be told later":    {post(image, []string{"Upload-Defer-Length", "1"}), 400, "BAD_REQUEST"},
		"nothing about what it is":     {post(length), 422, "VALIDATION_ERROR"},
		"another kind":                 {post(length, []string{"Upload-Metadata", metadata("resourceType", "program")}), 422, "VALIDATION_ERROR"},
		"metadata that is no Base64":   {post(length, []string{"Upload-Metadata", "filename a.png"}), 400, "BAD_REQUEST"},
		"metadata that is no text":     {post(length, []string{"Upload-Metadata", metadata("filename", "\xff\xfe")}), 400, "BAD_REQUEST"},
		"too much metadata":            {post(length, []string{"Upload-Metadata", metadata("filename", strings.Repeat("a", 5000))}), 400, "BAD_REQUEST"},
		"visibility that is none":      {post(length, []string{"Upload-Metadata", metadata("filename", "a.png", "isPublic", "perhaps")}), 422, "VALIDATION_ERROR"},
		"a collection that is none":    {post(length, []string{"Upload-Metadata", metadata("filename", "a.png", "kbId", strings.Repeat("a", 21))}), 404, "NOT_FOUND"},
		"a join that is none":          {post(length, image, []string{"Upload-Concat", "all"}), 400, "BAD_REQUEST"},
		"a join of nothing":            {post(image, []string{"Upload-Concat", "final; "}), 400, "BAD_REQUEST"},
		"a join of what is not there":  {post(image, []string{"Upload-Concat", "final;/v1/uploads/" + strings.Repeat("a", 21)}), 422, "VALIDATION_ERROR"},
		"an upload that is not there":  {scenario{Method: "HEAD", URL: "/v1/uploads/" + strings.Repeat("a", 21), Headers: []string{"Tus-Resumable", "1.0.0"}}, 404, ""},
		"a piece of what is not there": {scenario{Method: "PATCH", URL: "/v1/uploads/" + strings.Repeat("a", 21), Headers: []string{"Tus-Resumable", "1.0.0"}}, 404, "NOT_FOUND"},
	} {
		t.Run(name, func(t *testing.T) {
			s.Status, s.Code = s.status, s.code
			p.Play(t, s.scenario)
		})
	}
	if left := pieceFiles(t, p); len(left) != 0 {
		t.Errorf("files that are left: %v", left)
	}
	if list, err := p.App.Store().Uploads(t.Context(), "", 10); err != nil || len(list) != 0 {
		t.Errorf("%v %v", list, err)
	}
}

func TestUploadsInPiecesSayWhatTheyCanDo(t *testing.T) {
	p := start(t)
	for _, path := range []string{"/v1/uploads", "/v1/uploads/" + strings.Repeat("a", 21)} {
		r := p.Do("OPTIONS", path, nil, "Authorization", "")
		if r.Status != 204 || r.Header.Get("Tus-Version") != "1.0.0" || !strings.Contains(r.Header.Get("Tus-Extension"), "concatenation") || r.Header.Get("Tus-Checksum-Algorithm") != "sha1,sha256" || r.Header.Get("Tus-Max-Size") == "" {
			t.Errorf("%d %v", r.Status, r.Header)
		}
		r = p.Do("OPTIONS", path, nil, "Authorization", "", "Origin", "https://elsewhere.example", "Access-Control-Request-Method", "PATCH", "Access-Control-Request-Headers", "tus-resumable,upload-offset")
		if r.Status != 204 || !strings.Contains(r.Header.Get("Access-Control-Allow-Headers"), "Upload-Offset") || !strings.Contains(r.Header.Get("Access-Control-Allow-Methods"), "PATCH") {
			t.Errorf("to a page elsewhere: %d %v", r.Status, r.Header)
		}
	}
}

func TestAPieceWithASumIsTakenWholeOrNotAtAll(t *testing.T) {
	p := start(t)
	picture := apptest.PNG(60, 40, 8)
	at := began(t, p, len(picture))
	one, two := sha1.Sum(picture[:100]), sha256.Sum256(picture[100:])
	sum := func(name string, b []byte) []string {
		return []string{"Upload-Checksum", name + " " + base64.StdEncoding.EncodeToString(b)}
	}
	for _, wrong := range [][]string{{"Upload-Checksum", "md5 AAAA"}, {"Upload-Checksum", "sha1 ///"}, {"Upload-Checksum", "sha1"}} {
		if r := piece(p, at, 0, picture[:100], wrong...); r.Status != 400 {
			t.Errorf("%v: %d %s", wrong, r.Status, r.Body)
		}
	}
	if r := piece(p, at, 0, picture[:99], sum("sha1", one[:])...); r.Status != 460 || r.Code() != "CHECKSUM_MISMATCH" {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	if n := offset(t, p, at); n != 0 {
		t.Errorf("%d bytes of a wrong piece are kept", n)
	}
	if r := piece(p, at, 0, picture[:100], sum("sha1", one[:])...); r.Status != 204 {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	if r := piece(p, at, 100, picture[100:], sum("sha256", two[:])...); r.Status != 204 || r.Header.Get("Picora-Media-Id") == "" {
		t.Errorf("%d %s", r.Status, r.Body)
	}
}

// stopIn stops the program, and makes it one that did not end in order, in that run of the
// machine.
func stopIn(t *testing.T, p *apptest.Picora, run string) {
	t.Helper()
	p.Stop()
	s, err := app.OpenStore(t.Context(), p.Data)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := s.Setting(t.Context(), "uploads.boot"); err != nil || len(b) != 0 {
		t.Errorf("after a stop in order the run is %q %v", b, err)
	}
	if err := errors.Join(s.PutSetting(t.Context(), "uploads.boot", []byte(run)), s.Close()); err != nil {
		t.Fatal(err)
	}
}

// Of a program that was killed all is there. Its next start brings that to the disk, where
// even a power failure later leaves it.
func TestWhatAKilledProgramLeftIsBroughtToTheDisk(t *testing.T) {
	p := start(t)
	boot, err := p.App.Store().Setting(t.Context(), "uploads.boot")
	if err != nil || len(boot) == 0 {
		t.Fatalf("the run of the machine is %q, %v", boot, err)
	}
	at := began(t, p, 5000)
	at = at[strings.Index(at, "/v1/"):] // the port changes
	add := func(from, to int) {
		t.Helper()
		if r := piece(p, at, from, make([]byte, to-from)); r.Status != 204 {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
	}
	ended := func(run string) {
		t.Helper()
		stopIn(t, p, run)
		p.Restart()
	}
	add(0, 1000)
	ended(string(boot))
	ended("an earlier run of the machine")
	if n := offset(t, p, at); n != 1000 {
		t.Errorf("%d bytes are there, want 1000", n)
	}
	add(1000, 2000)
	ended("a run before that") // before anything brought these to the disk for certain
	if n := offset(t, p, at); n != 1000 {
		t.Errorf("%d bytes are there, want 1000", n)
	}
}

func TestWhatArrivedOfABrokenPieceIsKept(t *testing.T) {
	p := start(t)
	picture := apptest.PNG(400, 300, 9)
	for range 2 {
		picture = append(picture, picture...) // bytes behind the end of a PNG do no harm
	}
	at := began(t, p, len(picture))
	send := func(from, to int, then func(net.Conn)) {
		t.Helper()
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "PATCH %s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nTus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\nUpload-Offset: %d\r\nContent-Length: %d\r\n\r\n",
			at[strings.Index(at, "/v1/"):], p.Key, from, len(picture)-from)
		if _, err := conn.Write(picture[from:to]); err != nil {
			t.Fatal(err)
		}
		then(conn)
	}
	arrives := func(n int) {
		t.Helper()
		for end := time.Now().Add(time.Minute); offset(t, p, at) != n || piece(p, at, n, nil).Status != 204; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d bytes are there, want %d", offset(t, p, at), n)
			}
		}
	}
	third := len(picture) / 3
	send(0, third, func(c net.Conn) { c.Close() })
	arrives(third)
	// A connection that is dead but does not say so: asking about the upload ends it.
	// Until it is dead, a byte comes now and then.
	var dead net.Conn
	const last = 1000
	send(third, 2*third-last, func(c net.Conn) { dead = c })
	defer dead.Close()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		rest, tick := picture[2*third-last:2*third], time.NewTicker(100*time.Millisecond)
		defer tick.Stop()
		for len(rest) > 1 {
			select {
			case <-tick.C:
				dead.Write(rest[:1])
				rest = rest[1:]
				continue
			case <-stop:
			}
			break
		}
		dead.Write(rest)
	}()
	for end := time.Now().Add(time.Minute); piece(p, at, third+1, nil).Status != 423; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it has not been begun")
		}
	}
	if r := piece(p, at, third, picture[third:]); r.Status != 423 || r.Code() != "LOCKED" {
		t.Errorf("a second sender at the same time: %d %s", r.Status, r.Body)
	}
	close(stop)
	<-stopped
	arrives(2 * third)
	var r apptest.Response
	for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if r = piece(p, at, 2*third, picture[2*third:]); r.Status != 423 || time.Now().After(end) {
			break
		}
	}
	if r.Status != 204 || r.Header.Get("Picora-Media-Id") == "" {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	id := r.Header.Get("Picora-Media-Id")
	if back := p.Do("GET", "/v1/images/"+id+"/original", nil); !bytes.Equal(back.Body, picture) && back.Status != 200 {
		t.Errorf("%d, %d bytes", back.Status, len(back.Body))
	}
}

func TestPartsAreJoined(t *testing.T) {
	p := start(t)
	picture := apptest.PNG(80, 60, 10)
	third := len(picture) / 3
	var parts []string
	for i, b := range [][]byte{picture[:third], picture[third : 2*third], picture[2*third:]} {
		r := tusSend(p, "POST", "/v1/uploads", nil, "Upload-Length", strconv.Itoa(len(b)), "Upload-Concat", "partial")
		if r.Status != 201 {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		parts = append(parts, r.Header.Get("Location"))
		if i == 2 {
			break
		}
		if r = piece(p, parts[i], 0, b); r.Status != 204 || r.Header.Get("Picora-Media-Id") != "" {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
	}
	final := []string{"Upload-Concat", "final;" + strings.Join(parts, " "), "Upload-Metadata", metadata("filename", "joined.png")}
	if r := tusSend(p, "POST", "/v1/uploads", nil, final...); r.Status != 422 || !strings.Contains(string(r.Body), "not complete") {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	if r := piece(p, parts[2], 0, picture[2*third:]); r.Status != 204 {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	r := tusSend(p, "POST", "/v1/uploads", nil, final...)
	id := r.Header.Get("Picora-Media-Id")
	if r.Status != 201 || id == "" {
		t.Fatalf("%d %v %s", r.Status, r.Header, r.Body)
	}
	p.Play(t, scenario{URL: "/v1/images/" + id, Status: 200, Has: []string{`"filename":"joined.png"`}})
	if h := tusSend(p, "HEAD", r.Header.Get("Location"), nil); h.Status != 200 || !strings.HasPrefix(h.Header.Get("Upload-Concat"), "final;") || h.Header.Get("Upload-Length") != strconv.Itoa(len(picture)) {
		t.Errorf("%d %v", h.Status, h.Header)
	}
	if r := piece(p, r.Header.Get("Location"), len(picture), nil); r.Status != 403 {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	if left := pieceFiles(t, p); len(left) != 0 {
		t.Errorf("files that are left: %v", left)
	}
}

func TestAFileThatIsNoneIsRefusedAtItsEnd(t *testing.T) {
	p := start(t)
	at := began(t, p, 5)
	if r := piece(p, at, 0, []byte("hello")); r.Status != 422 || r.Code() != "VALIDATION_ERROR" {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	if r := tusSend(p, "HEAD", at, nil); r.Status != 404 {
		t.Errorf("%d", r.Status)
	}
	if left := pieceFiles(t, p); len(left) != 0 {
		t.Errorf("files that are left: %v", left)
	}
}

func TestUploadsInPiecesKeepTheirRoom(t *testing.T) {
	p := apptest.Start(t, func(c *config.Config) {
		plan := c.Plans["trial"]
		plan.ImageStorageBytes = 1000
		c.Plans["trial"] = plan
	})
	p.NewUserOn("trial", "poor@example.org")
	p.Key = p.NewKey("poor@example.org")
	full := func(want int) {
		t.Helper()
		r := tusSend(p, "POST", "/v1/uploads", nil, "Upload-Length", "600", "Upload-Metadata", metadata("filename", "a.png"))
		if r.Status != want || want == 403 && r.Code() != "QUOTA_EXCEEDED" {
			t.Fatalf("%d %s, want %d", r.Status, r.Body, want)
		}
		if r.Status == 201 {
			tusSend(p, "DELETE", r.Header.Get("Location"), nil)
		}
	}
	full(201)
	at := began(t, p, 600)
	full(403)
	piece(p, at, 0, make([]byte, 100))
	p.Restart()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) { // it is taken up in the background
		r := tusSend(p, "POST", "/v1/uploads", nil, "Upload-Length", "600", "Upload-Metadata", metadata("filename", "a.png"))
		if r.Status == 403 {
			break
		}
		tusSend(p, "DELETE", p.URL+r.Header.Get("Location")[strings.Index(r.Header.Get("Location"), "/v1/"):], nil)
		if time.Now().After(end) {
			t.Fatal("the room is not kept after a restart")
		}
	}
	at = p.URL + at[strings.Index(at, "/v1/"):]
	if r := tusSend(p, "DELETE", at, nil); r.Status != 204 {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	full(201)
	began(t, p, 600)
	full(403)
	p.Advance(25 * time.Hour)
	if n, err := p.App.Library().ExpireUploads(t.Context()); err != nil || n != 1 {
		t.Errorf("%d %v", n, err)
	}
	full(201)
	if left := pieceFiles(t, p); len(left) != 0 {
		t.Errorf("files that are left: %v", left)
	}
}
