package api_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"picora/app/apptest"
)

// FuzzForm sends any bytes as a form to a real server: whatever they are, the
// answer is the envelope, and never the server's fault.
func FuzzForm(f *testing.F) {
	p := apptest.Start(f)
	url, key := p.URL+"/v1/images", p.Key
	seed := func(ps parts) {
		body, contentType := ps.Encode()
		_, boundary, _ := strings.Cut(contentType, "boundary=")
		f.Add(body, boundary)
		f.Add(body[:len(body)/2], boundary)
		f.Add(body, "other")
	}
	seed(parts{apptest.File("a.png", pixel)})
	seed(parts{apptest.Field("title", "x"), apptest.Field("tags", `["a"]`), apptest.File("a.png", pixel), apptest.Field("isPublic", "false")})
	seed(parts{apptest.Field("tags", "a,b"), apptest.Field("tags", `["a"`)})
	seed(parts{{Name: "file", File: "a.svg", Value: []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`)}})
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"file\"; filename*=UTF-8''%ff\r\n\r\n\r\n--b--"), "b")
	f.Add([]byte("--b\nContent-Disposition: form-data; name=file; filename=\"\\\"\n\nGIF89a\n--b--\n"), "b")
	f.Add([]byte("--b\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: form-data; name=file\r\n\r\n!!\r\n--b--\r\n"), "b")
	f.Add([]byte("preamble\r\n--b \t\r\n\r\n--b--epilogue"), "b")
	f.Add([]byte("--b"+strings.Repeat("\r\nA: b", 2000)+"\r\n\r\nx\r\n--b--"), "b")
	f.Add([]byte{}, "b")
	f.Add([]byte("----\r\n\r\n"), "")
	f.Add([]byte("--b--"), strings.Repeat("b", 71))
	f.Fuzz(func(t *testing.T, body []byte, boundary string) {
		if strings.ContainsFunc(boundary, func(r rune) bool { return r < ' ' || r > '~' }) || len(boundary) > 4000 {
			return // the client would not send such a header
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+key)
		req.Header.Set("Content-Type", `multipart/form-data; boundary="`+boundary+`"`)
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		var answer struct {
			Success bool
			Error   string
			Code    string
		}
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatalf("%d %q: %v", res.StatusCode, text, err)
		}
		switch res.StatusCode {
		case http.StatusOK, http.StatusCreated:
			if !answer.Success {
				t.Errorf("%d %s", res.StatusCode, text)
			}
		case http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity:
			if answer.Success || answer.Error == "" || answer.Code == "" {
				t.Errorf("%d %s", res.StatusCode, text)
			}
		default:
			t.Errorf("%d %s", res.StatusCode, text)
		}
	})
}
