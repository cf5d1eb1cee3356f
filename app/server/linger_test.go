package server_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"picora/app/apptest"
)

// A client that is still sending when it is refused must see why, not a reset.
func TestARefusedUploadShowsItsAnswerEveryTime(t *testing.T) {
	p := apptest.Start(t)
	body, kind := apptest.Form("p.png", make([]byte, 20<<20))
	for n := range 20 {
		r := p.Do("POST", "/v1/images", bytes.NewReader(body), "Content-Type", kind, "Authorization", "Bearer wrong")
		if r.Status != http.StatusUnauthorized || r.Code() != "UNAUTHORIZED" {
			t.Fatalf("try %d: %d %s", n, r.Status, r.Body)
		}
	}
}

func TestALargeJSONBodyShowsItsRefusalEveryTime(t *testing.T) {
	p := apptest.Start(t)
	for n := range 20 {
		r := p.JSON("POST", "/v1/images/exists", `{"hashes":["`+strings.Repeat("a", 5<<20)+`"]}`)
		if r.Status != http.StatusRequestEntityTooLarge || r.Code() != "PAYLOAD_TOO_LARGE" {
			t.Fatalf("try %d: %d %s", n, r.Status, r.Body)
		}
	}
}

func TestPicGoIsLetGoAfterItsUpload(t *testing.T) {
	p := apptest.Start(t)
	for agent, want := range map[string]bool{"PicGo": true, "curl/8": false} {
		body, kind := apptest.Form("p.png", apptest.PNG(8, 8, 1))
		req, err := http.NewRequest("POST", p.URL+"/v1/images", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", kind)
		req.Header.Set("Authorization", "Bearer "+p.Key)
		req.Header.Set("User-Agent", agent)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || !json.Valid(b) || res.Close != want {
			t.Errorf("%s: closed %v, want %v (%v, %s)", agent, res.Close, want, err, b)
		}
	}
}
