package api_test

import (
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
)

const watermarks = "/v1/watermarks"

// textMark is the body of one.
const textMark = `{"name":"a","kind":"text","text":"a"}`

// watermark makes one and returns its id.
func watermark(t testing.TB, p *apptest.Picora, body any) string {
	t.Helper()
	r := p.Play(t, scenario{Method: "POST", URL: watermarks, Body: body, Status: 201})
	return field(t, r, "id").(string)
}

func TestWatermarksOfText(t *testing.T) {
	p := start(t)
	p.Play(t, scenario{URL: watermarks, Status: 200, Golden: "watermarks-empty"})
	id := watermark(t, p, object{"name": " Mine ", "kind": "text", "text": "© Ann", "unknown": 1})
	at := watermarks + "/" + id
	p.Run(t,
		scenario{Name: "what is not said has a default", URL: at, Status: 200, Golden: "watermark"},
		scenario{Name: "an empty object changes nothing", Method: "PATCH", URL: at, Body: `{}`, Status: 200, Golden: "watermark"},
		scenario{Name: "no body changes nothing", Method: "PATCH", URL: at, Status: 200, Golden: "watermark"},
		scenario{Name: "null changes nothing", Method: "PATCH", URL: at, Status: 200, Golden: "watermark",
			Body: `{"name":null,"text":null,"color":null,"imageId":null,"scale":null,"position":null,"margin":null,"opacity":null,"tiled":null,"rotation":null}`},
		scenario{Name: "everything at once", Method: "PATCH", URL: at, Status: 200, Golden: "watermark-changed", Body: object{
			"name": "Yours", "text": "Ελλάδα", "color": "#FF8000", "scale": 0.1, "position": "top-left", "margin": 0, "opacity": 1, "tiled": true, "rotation": -45}},
		scenario{Name: "and it is kept", URL: at, Status: 200, Golden: "watermark-changed"},
		scenario{Name: "in the list, too", URL: watermarks, Status: 200, Golden: "watermarks"},
	)
	for body, has := range map[string]string{
		`{"name":""}`: "name", `{"name":"a\u0007"}`: "name", `{"name":"` + strings.Repeat("x", 101) + `"}`: "100", `{"name":1}`: "name",
		`{"text":" "}`: "text", `{"text":"海"}`: "has no '海'", `{"text":"a\nb"}`: "text", `{"text":"` + strings.Repeat("x", 101) + `"}`: "100",
		`{"color":"red"}`: "color", `{"color":"#fff"}`: "color", `{"color":""}`: "color", `{"color":"+fffff"}`: "color",
		`{"scale":0}`: "scale", `{"scale":1.5}`: "scale", `{"scale":"1"}`: "number", `{"scale":1e999}`: "scale",
		`{"position":"middle"}`: "position", `{"position":""}`: "position", `{"margin":-0.1}`: "margin", `{"margin":0.3}`: "margin",
		`{"opacity":0}`: "opacity", `{"opacity":1.1}`: "opacity", `{"tiled":"yes"}`: "tiled", `{"tiled":1}`: "tiled",
		`{"rotation":181}`: "rotation", `{"rotation":1.5}`: "rotation", `{"imageId":"kT7vBq2_xYz"}`: "imageId", `[]`: "object",
	} {
		p.Run(t, scenario{Name: "refused: " + body[:min(40, len(body))], Method: "PATCH", URL: at, Body: body, Status: 422, Code: "VALIDATION_ERROR", Has: []string{has}})
	}
	p.Play(t, scenario{URL: at, Status: 200, Golden: "watermark-changed"})
	p.Play(t, scenario{Method: "DELETE", URL: at, Status: 200, Golden: "delete"})
	p.Play(t, scenario{Method: "DELETE", URL: at, Status: 404, Code: "NOT_FOUND"})
	p.Play(t, scenario{URL: watermarks, Status: 200, Golden: "watermarks-empty"})
}

func TestWatermarksAreRefused(t *testing.T) {
	p := start(t)
	svg := p.Add("a.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`)).ID
	p.NewUser("b@example.org")
	stranger := p.NewKey("b@example.org")
	body, kind := apptest.Parts{apptest.File("a.png", pixel)}.Encode()
	theirs := field(t, p.Do("POST", "/v1/images", strings.NewReader(string(body)), "Content-Type", kind, "Authorization", "Bearer "+stranger), "id").(string)
	for body, has := range map[string]string{
		`{}`: "kind", `null`: "kind", `{"kind":"video","name":"a"}`: "kind", `{"kind":1}`: "kind",
		`{"kind":"text","text":"a"}`: "name", `{"kind":"text","name":"a"}`: "needs a text", `{"kind":"text","name":"a","text":"한국"}`: "Latin",
		`{"kind":"text","name":"a","text":"a","imageId":"aaaaaaaaaaa"}`: "imageId",
		`{"kind":"picture","name":"a"}`:                                 "imageId",
		`{"kind":"picture","name":"a","imageId":"aaaaaaaaaaa"}`:         "no picture", `{"kind":"picture","name":"a","imageId":""}`: "no picture",
		`{"kind":"picture","name":"a","imageId":"` + theirs + `"}`:            "no picture",
		`{"kind":"picture","name":"a","imageId":"` + svg + `"}`:               "SVG",
		`{"kind":"picture","name":"a","imageId":"` + svg + `","text":"a"}`:    "text and color",
		`{"kind":"picture","name":"a","imageId":"` + svg + `","color":"#000"`: "JSON",
	} {
		status, code := 422, "VALIDATION_ERROR"
		if has == "JSON" {
			status, code = 400, "BAD_REQUEST"
		}
		p.Run(t, scenario{Name: body, Method: "POST", URL: watermarks, Body: body, Status: status, Code: code, Has: []string{has}})
	}
	p.Play(t, scenario{Method: "POST", URL: watermarks, Status: 400, Code: "BAD_REQUEST"})
	for range 50 {
		watermark(t, p, textMark)
	}
	p.Play(t, scenario{Method: "POST", URL: watermarks, Body: textMark, Status: 422, Code: "VALIDATION_ERROR", Has: []string{"50"}})
	p.Play(t, scenario{URL: watermarks, Status: 200, Check: func(t testing.TB, r apptest.Response) {
		if n := len(field(t, r, "items").([]any)); n != 50 {
			t.Errorf("%d watermarks", n)
		}
	}})
}

func TestWatermarksBelongToTheirUser(t *testing.T) {
	p := start(t)
	id := watermark(t, p, textMark)
	p.NewUser("b@example.org")
	other := p.NewKey("b@example.org")
	p.Play(t, scenario{As: other, URL: watermarks, Status: 200, Golden: "watermarks-empty"})
	for as, ids := range map[string][]string{other: {id}, p.Key: {"short", "kT7vBq2_xYz", strings.Repeat("a", 21)}} {
		for _, id := range ids {
			for _, method := range []string{"GET", "PATCH", "DELETE"} {
				p.Play(t, scenario{As: as, Method: method, URL: watermarks + "/" + id, Status: 404, Code: "NOT_FOUND"})
			}
		}
	}
}

func TestWatermarksOfPictures(t *testing.T) {
	t.Parallel()
	p := apptest.StartWithWorkers(t)
	first, second := p.Add("a.png", picture(1)).ID, p.Add("b.jpg", apptest.JPEG(2000, 50, 2)).ID
	before := len(p.Blobs())
	id := watermark(t, p, object{"name": "Logo", "kind": "picture", "imageId": first})
	at := watermarks + "/" + id
	p.Play(t, scenario{URL: at, Status: 200, Golden: "watermark-picture"})
	for body, has := range map[string]string{`{"text":"a"}`: "text", `{"color":"#ffffff"}`: "color", `{"imageId":"aaaaaaaaaaa"}`: "no picture", `{"scale":2,"imageId":"` + second + `"}`: "scale"} {
		p.Play(t, scenario{Method: "PATCH", URL: at, Body: body, Status: 422, Code: "VALIDATION_ERROR", Has: []string{has}})
	}
	p.Play(t, scenario{Method: "PATCH", URL: at, Body: object{"imageId": second}, Status: 200, Has: []string{second}})
	p.Play(t, scenario{Method: "DELETE", URL: "/v1/images/" + second, Status: 200})
	p.Play(t, scenario{URL: at, Status: 200, Has: []string{second}})
	p.Play(t, scenario{Method: "DELETE", URL: at, Status: 200})
	for end := time.Now().Add(time.Minute); len(p.Blobs()) != before-1; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d blobs are left of %d, a picture and a watermark later", len(p.Blobs()), before)
		}
	}
}
