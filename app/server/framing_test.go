package server_test

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"picora/app/apptest"
)

// Each case is one request; a second, last, follows it on the same connection at
// once. What comes back must be the answer to the first and either the answer to
// the second or the end: bytes of a body are never a request.
func TestEveryRequestEndsWhereItSaysItEnds(t *testing.T) {
	p := apptest.Start(t)
	key, stranger := bearer(p.Key), bearer("sk_live_"+strings.Repeat("x", 32))
	const isJSON, isChunked = "Content-Type: application/json\r\n", "Transfer-Encoding: chunked\r\n"
	picture := func(seed uint64) string { return form(string(apptest.JPEG(40, 40, seed))) }
	large := form(string(apptest.JPEG(16, 16, 9)) + strings.Repeat("x", 10<<20))
	hidden := request("DELETE", "/v1/images", key+isJSON, `{"ids":["AAAAAAAAAAA"]}`) + last

	cases := []struct {
		name, request string
		want          []int // 200 at the end is the answer to last
	}{
		{"a small JSON body that is read", request("POST", "/v1/images/exists", key+isJSON, `{"hashes":["`+strings.Repeat("0", 64)+`"]}`), []int{200, 200}},
		{"a small body refused for its key", request("POST", "/v1/images/exists", stranger+isJSON, `{"hashes":[]}`), []int{401, 200}},
		{"a small body at an unknown address", request("POST", "/v1/nothing", key, "x"), []int{404, 200}},
		{"a body behind a GET", request("GET", "/health", "", hidden), []int{200, 200}},
		{"a body behind a DELETE", request("DELETE", "/v1/images/AAAAAAAAAAA", key, hidden), []int{404, 200}},
		{"an upload that is read whole", request("POST", "/v1/images", key+formType, picture(1)), []int{201, 200}},
		{"an upload without a key", request("POST", "/v1/images", formType, picture(2)), []int{401, 200}},
		{"an upload without a key that is larger than what is read ahead", request("POST", "/v1/images", formType, form(strings.Repeat(hidden, 100))), []int{401, 200}},
		{"an upload without a key of 10 MB", request("POST", "/v1/images", formType, large), []int{401}},
		{"an upload that is no form", request("POST", "/v1/images", key+isJSON, hidden), []int{400, 200}},
		{"an upload that is no picture", request("POST", "/v1/images", key+formType, form(strings.Repeat(hidden, 200))), []int{422, 200}},
		{"a form with bytes behind its end", request("POST", "/v1/images", key+formType, picture(3)+strings.Repeat(hidden, 100)), []int{201, 200}},
		{"a chunked upload that is read whole", request("POST", "/v1/images", key+formType+isChunked, chunked(picture(4), 700)), []int{201, 200}},
		{"a chunked upload in one chunk", request("POST", "/v1/images", key+formType+isChunked, chunked(picture(5), 1<<20)), []int{201, 200}},
		{"a chunked upload without a key", request("POST", "/v1/images", formType+isChunked, chunked(strings.Repeat(hidden, 300), 1000)), []int{401, 200}},
		{"a chunked upload without a key of 10 MB", request("POST", "/v1/images", formType+isChunked, chunked(large, 64<<10)), []int{401}},
		{"a chunked JSON body", request("POST", "/v1/images/exists", key+isJSON+isChunked, chunked(`{"hashes":["`+strings.Repeat("0", 64)+`"]}`, 7)), []int{200, 200}},
		{"a chunked JSON body that is refused", request("POST", "/v1/images/exists", stranger+isJSON+isChunked, chunked(hidden, 9)), []int{401, 200}},
		{"a chunked body with a trailer", request("POST", "/v1/images/exists", key+isJSON+isChunked, "2\r\n{}\r\n0\r\nX-Sum: 1\r\n\r\n"), []int{400, 200}},
		{"a JSON body above its limit", request("POST", "/v1/images/exists", key+isJSON, `"`+strings.Repeat("x", 2<<20)+`"`), []int{413}},
		{"a chunked JSON body above its limit", request("POST", "/v1/images/exists", key+isJSON+isChunked, chunked(strings.Repeat("x", 4<<20), 1000)), []int{413}},
		{"an unknown method with a body", request("FOO", "/", key, strings.Repeat(hidden, 200)), []int{405, 200}},
		{"an unknown method with a chunked body", request("FOO", "/", key+isChunked, chunked(hidden, 1<<20)), []int{405, 200}},
		{"an unknown method with a body of 10 MB", request("FOO", "/", key, strings.Repeat(hidden, 10<<20/len(hidden))), []int{405}},
		{"a body under Connection: close", request("POST", "/v1/images", "Connection: close\r\n", hidden), []int{401}},
		{"a Content-Length and chunks", request("POST", "/v1/images", formType+"Content-Length: 5\r\n"+isChunked, chunked(hidden, 1<<20)), []int{400}},
		{"chunks and a Content-Length", request("POST", "/v1/images", formType+isChunked+"content-length: 5\r\n", chunked(hidden, 1<<20)), []int{400}},
		{"two Content-Lengths", request("POST", "/v1/images", "Content-Length: 5\r\nContent-Length: 6\r\n", hidden), []int{400}},
		{"two equal Content-Lengths", request("POST", "/v1/images", "Content-Length: 5\r\nContent-Length: 5\r\n", hidden), []int{400}},
		{"a list as Content-Length", request("POST", "/v1/images", "Content-Length: 5, 5\r\n", hidden), []int{400}},
		{"a negative Content-Length", request("POST", "/v1/images", "Content-Length: -5\r\n", hidden), []int{400}},
		{"a Content-Length with a sign", request("POST", "/v1/images", "Content-Length: +5\r\n", hidden), []int{400}},
		{"a hexadecimal Content-Length", request("POST", "/v1/images", "Content-Length: 0x5\r\n", hidden), []int{400}},
		{"a Content-Length beyond all numbers", request("POST", "/v1/images", "Content-Length: 99999999999999999999999\r\n", hidden), []int{400}},
		{"space before the colon of Content-Length", request("POST", "/v1/images", "Content-Length : 5\r\n", hidden), []int{400}},
		{"a transfer coding that is not known", request("POST", "/v1/images", "Transfer-Encoding: gzip, chunked\r\n", hidden), []int{400}},
		{"two transfer codings", request("POST", "/v1/images", isChunked+"Transfer-Encoding: identity\r\n", hidden), []int{400}},
		{"a chunk size that is no number", request("POST", "/v1/images", key+formType+isChunked, "zz\r\n"+hidden), []int{400}},
		{"a chunk longer than its size", request("POST", "/v1/images", key+formType+isChunked, "5\r\n"+hidden), []int{400}},
		{"a chunk size beyond all numbers", request("POST", "/v1/images", key+formType+isChunked, "ffffffffffffffffff\r\n"+hidden), []int{400}},
		{"a chunked body under HTTP/1.0", "POST /v1/images HTTP/1.0\r\nHost: a\r\n" + isChunked + "\r\n" + chunked(hidden, 1<<20), []int{400}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := dial(t, p.URL)
			go w.send(c.request + last)
			as := w.all()
			wantStatuses(t, as, c.want...)
			if len(c.want) == 2 && len(as) == 2 && !as[1].healthy() {
				t.Errorf("the second answer is of another request: %d %q", as[1].status, as[1].body)
			}
			if as[0].status >= 400 {
				as[0].code(t)
				if as[0].header.Get("X-Request-Id") == "" {
					t.Error("a refusal without X-Request-Id")
				}
			}
		})
	}
}

// The rest of a body whose Content-Length is too small is a request of its own to
// every server; what must not happen is that a longer one hides a request.
func TestARequestHiddenInABodyIsNeverRun(t *testing.T) {
	p := apptest.Start(t)
	victim := p.Add("victim.png", apptest.PNG(8, 8, 1))
	hidden := "\r\n\r\n" + request("DELETE", "/v1/images/"+victim.ID, bearer(p.Key), "") + request("GET", "/v1/images", bearer(p.Key), "")
	for _, size := range []int{1, 10 << 10, 100 << 10, 900 << 10, 3 << 20} {
		many := strings.Repeat(hidden, size/len(hidden)+1)
		for name, first := range map[string]string{
			"refused with a length":    request("POST", "/v1/images", formType, many),
			"refused in chunks":        request("POST", "/v1/images", formType+"Transfer-Encoding: chunked\r\n", chunked(many, 4096)),
			"to a method of no server": request("PRY", "/v1/images", "", many),
			"to a missing page":        request("PUT", "/v1/images/a/b/c", "", many),
			"to a page with a GET":     request("GET", "/v1/images", "", many),
			"to a file":                request("GET", "/"+victim.ID+".png", "", many),
			"not to be continued":      request("POST", "/v1/images", formType+"Expect: 100-continue\r\n", many),
			"in two framings":          request("POST", "/v1/images", formType+"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", chunked(many, 4096)),
		} {
			t.Run(fmt.Sprintf("%s, %d bytes", name, size), func(t *testing.T) {
				w := dial(t, p.URL)
				go w.send(first + last)
				as := w.all()
				if n := len(as); n > 2 || n == 2 && !as[1].healthy() {
					t.Errorf("answers %v: bytes of a body were taken for requests", statuses(as))
				}
			})
		}
	}
	if r := p.Do("GET", "/v1/images/"+victim.ID, nil); r.Status != http.StatusOK {
		t.Errorf("the picture is gone: %d", r.Status)
	}
}

func TestRequestsThatOnlyAttackersWrite(t *testing.T) {
	p := apptest.Start(t)
	cases := []struct {
		name, request string
		want          []int
	}{
		// Unfolded, as RFC 9112, section 5.2 allows; what is folded counts.
		{"a header line that goes on in the next", "GET /health HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n 2\r\n\r\n", []int{200, 200}},
		{"a folded Content-Length", "POST /v1/images HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n 5\r\n\r\nhello", []int{401, 200}},
		{"chunks and a folded Content-Length", "POST /v1/images HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\nContent-Length:\r\n 5\r\n\r\n0\r\n\r\n", []int{400}},
		{"NUL in a header", "GET /health HTTP/1.1\r\nHost: a\r\nX-A: 1\x002\r\n\r\n", []int{400}},
		{"CR alone in a header", "GET /health HTTP/1.1\r\nHost: a\r\nX-A: 1\rX-B: 2\r\n\r\n", []int{400}},
		{"a header without a colon", "GET /health HTTP/1.1\r\nHost: a\r\nX-A\r\n\r\n", []int{400}},
		{"a header without a name", "GET /health HTTP/1.1\r\nHost: a\r\n: 1\r\n\r\n", []int{400}},
		{"a header that looks like a Content-Length", "POST /v1/images HTTP/1.1\r\nHost: a\r\nContent Length: 500\r\nX-Content-Length: 500\r\n\r\n", []int{401, 200}},
		{"chunks and a header that ends like a Content-Length", "POST /v1/images HTTP/1.1\r\nHost: a\r\nX-Content-Length: 500\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", []int{401, 200}},
		{"a header whose name ends in a space", "GET /health HTTP/1.1\r\nHost: a\r\nX-A : 1\r\n\r\n", []int{400}},
		{"no Host", "GET /health HTTP/1.1\r\n\r\n", []int{400}},
		{"two Hosts", "GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", []int{400}},
		{"NUL in the address", "GET /heal\x00th HTTP/1.1\r\nHost: a\r\n\r\n", []int{400}},
		{"an address without a slash", "GET health HTTP/1.1\r\nHost: a\r\n\r\n", []int{400}},
		{"no address", "GET  HTTP/1.1\r\nHost: a\r\n\r\n", []int{400}},
		{"no version", "GET /health\r\nHost: a\r\n\r\n", []int{400}},
		{"a version of no HTTP", "GET /health HTTQ/1.1\r\nHost: a\r\n\r\n", []int{400}},
		{"a method in brackets", "<GET> /health HTTP/1.1\r\nHost: a\r\n\r\n", []int{400}},
		{"no HTTP at all", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", []int{400}},
		{"HTTP/1.0, which closes", "GET /health HTTP/1.0\r\nHost: a\r\n\r\n", []int{200}},
		{"HTTP/1.0 that stays", "GET /health HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", []int{200, 200}},
		{"the address with scheme and host", "GET http://b/health HTTP/1.1\r\nHost: a\r\n\r\n", []int{200, 200}},
		{"the address *", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", []int{404, 200}},
		{"empty lines before a request", "\r\n\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n", []int{200, 200}},
		{"a method in small letters", "get /health HTTP/1.1\r\nHost: a\r\n\r\n", []int{405, 200}},
		{"CONNECT", "CONNECT example.org:443 HTTP/1.1\r\nHost: a\r\n\r\n", []int{404, 200}},
		{"TRACE", "TRACE /health HTTP/1.1\r\nHost: a\r\nX-Secret: 1\r\n\r\n", []int{405, 200}},
		{"a header of 15 KB", "GET /health HTTP/1.1\r\nHost: a\r\nCookie: " + strings.Repeat("x", 15<<10) + "\r\n\r\n", []int{200, 200}},
		{"a header of 17 KB", "GET /health HTTP/1.1\r\nHost: a\r\nCookie: " + strings.Repeat("x", 17<<10) + "\r\n\r\n", []int{431}},
		{"a header of many lines", "GET /health HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X-A: b\r\n", 3000) + "\r\n", []int{431}},
		{"an address of 20 KB", "GET /" + strings.Repeat("x", 20<<10) + " HTTP/1.1\r\nHost: a\r\n\r\n", []int{431}},
		{"a header that never ends", "GET /health HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X", 1<<20), []int{431}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := dial(t, p.URL)
			go w.send(c.request + last)
			as := w.all()
			wantStatuses(t, as, c.want...)
			if len(as) == 0 {
				return
			}
			if as[0].status >= 400 {
				as[0].code(t)
			}
			if strings.Contains(as[0].body, "X-Secret") {
				t.Errorf("the request comes back: %q", as[0].body)
			}
		})
	}
	w := dial(t, p.URL)
	w.send("GET /health HTTP/1.1\r\nHost: a\r\nCookie: " + strings.Repeat("x", 17<<10) + "\r\n\r\n")
	if as := w.all(); len(as) != 1 || as[0].code(t) != "HEADER_TOO_LARGE" {
		t.Errorf("answers to a large header: %v", as)
	}
}

// Lines that end in LF alone are taken or refused (RFC 9112, section 2.2 allows
// both), but never in a way that makes more requests of them than there are.
func TestBareLineFeedsMakeNoRequests(t *testing.T) {
	p := apptest.Start(t)
	for _, r := range []string{
		strings.ReplaceAll(last, "\r\n", "\n"),
		strings.Replace(last, "a\r\n", "a\n", 1),
		"GET /health HTTP/1.1\r\nHost: a\r\nX-A: 1\nConnection: close\r\n\r\n",
		"POST /v1/images HTTP/1.1\r\nHost: a\r\nX-A: 1\nContent-Length: " + strconv.Itoa(len(last)) + "\r\nConnection: close\r\n\r\n" + last,
	} {
		w := dial(t, p.URL)
		w.send(r)
		w.Conn.(*net.TCPConn).CloseWrite() // or a server that awaits a CRLF waits on
		as := w.all()
		if len(as) != 1 || !slices.Contains([]int{200, 400, 401}, as[0].status) {
			t.Errorf("%q: answers %v", r, statuses(as))
		}
	}
}
