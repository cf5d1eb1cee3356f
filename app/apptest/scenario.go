package apptest

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// Nobody, as the key of a scenario, sends none.
const Nobody = "nobody"

// Scenario is one request, and what must come back. Whatever it says, the answer
// must be as the OpenAPI document describes it.
type Scenario struct {
	Name    string
	As      string   // key; empty: the owner's; Nobody: none
	Method  string   // empty: GET
	URL     string   // path with query, or whole
	Body    any      // nil, Parts (a form), string or []byte as they are, else JSON
	Headers []string // name and value in turn

	Status int      // always compared
	Code   string   // in the envelope; empty: none
	Has    []string // texts that the body holds
	Golden string   // file under testdata/golden, without its ending
	Check  func(testing.TB, Response)
}

// Part is a field of a form. One with a File name is a file.
type Part struct {
	Name, File, Type string
	Value            []byte
}

// Parts is the body of a form, in this order.
type Parts []Part

// Field is a part without a file name.
func Field(name, value string) Part { return Part{Name: name, Value: []byte(value)} }

// File is the part that clients send, named file.
func File(name string, data []byte) Part { return Part{Name: "file", File: name, Value: data} }

// Encode makes the body and its content type.
func (ps Parts) Encode() (body []byte, contentType string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range ps {
		h := textproto.MIMEHeader{}
		d := `form-data; name="` + p.Name + `"`
		if p.File != "" {
			d += `; filename="` + p.File + `"`
		}
		h.Set("Content-Disposition", d)
		if p.Type != "" {
			h.Set("Content-Type", p.Type)
		}
		f, _ := w.CreatePart(h) // a bytes.Buffer does not fail
		f.Write(p.Value)
	}
	w.Close()
	return b.Bytes(), w.FormDataContentType()
}

// Run plays the scenarios one after the other, each as a test of its own.
func (p *Picora) Run(t *testing.T, scenarios ...Scenario) {
	t.Helper()
	for _, s := range scenarios {
		t.Run(s.Name, func(t *testing.T) { p.Play(t, s) })
	}
}

// Ask sends the request of s and returns the answer, of which it checks only that it is
// as the OpenAPI document describes it.
func (p *Picora) Ask(t testing.TB, s Scenario) Response {
	t.Helper()
	here := *p
	here.t = t
	if s.Method == "" {
		s.Method = http.MethodGet
	}
	r := here.Do(s.Method, s.URL, s.body(t), s.Headers...)
	here.check(t, s, r)
	return r
}

// Play sends the request, checks the answer and returns it.
func (p *Picora) Play(t testing.TB, s Scenario) Response {
	t.Helper()
	r := p.Ask(t, s)
	if r.Status != s.Status {
		t.Fatalf("%s %s: status %d, want %d: %.500s", s.Method, s.URL, r.Status, s.Status, r.Body)
	}
	if code := r.Code(); code != s.Code {
		t.Errorf("%s %s: code %q, want %q: %s", s.Method, s.URL, code, s.Code, r.Body)
	}
	for _, text := range s.Has {
		if !strings.Contains(string(r.Body), text) {
			t.Errorf("%s %s: the body has no %q: %s", s.Method, s.URL, text, r.Body)
		}
	}
	if s.Golden != "" {
		Golden(t, s.Golden, r.Body)
	}
	if s.Check != nil {
		s.Check(t, r)
	}
	return r
}

// body encodes the body, and completes the headers by what belongs to it.
func (s *Scenario) body(t testing.TB) io.Reader {
	t.Helper()
	own := []string{}
	switch s.As {
	case "":
	case Nobody:
		own = append(own, "Authorization", "")
	default:
		own = append(own, "Authorization", "Bearer "+s.As)
	}
	var b []byte
	switch v := s.Body.(type) {
	case nil:
		s.Headers = append(own, s.Headers...)
		return nil
	case Parts:
		var contentType string
		b, contentType = v.Encode()
		own = append(own, "Content-Type", contentType)
	case []byte:
		b = v
	case string:
		b = []byte(v)
		own = append(own, "Content-Type", "application/json")
	default:
		var err error
		if b, err = json.Marshal(v); err != nil {
			t.Fatal(err)
		}
		own = append(own, "Content-Type", "application/json")
	}
	s.Headers = append(own, s.Headers...) // later ones win
	return bytes.NewReader(b)
}

var requestID = regexp.MustCompile(`^[0-9a-f]{16}$`)

// check holds the answer against the document and against what every answer has.
func (p *Picora) check(t testing.TB, s Scenario, r Response) {
	t.Helper()
	if id := r.Header.Get("X-Request-Id"); !requestID.MatchString(id) {
		t.Errorf("%s %s: X-Request-Id is %q", s.Method, s.URL, id)
	}
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Document().Check(s.Method, u.Path, r); err != nil {
		t.Errorf("%s %s: not as documented: %v\n%.1000s", s.Method, s.URL, err, r.Body)
	}
}

// documents are the parsed documents, by the Picora that serves them and by their
// text: all Picoras of a test run serve the same.
var documents sync.Map

// Document is the OpenAPI document that this Picora serves.
func (p *Picora) Document() *Document {
	p.t.Helper()
	if d, ok := documents.Load(p.App); ok {
		return d.(*Document)
	}
	r := p.Do(http.MethodGet, "/openapi.yaml", nil)
	d, ok := documents.Load(string(r.Body))
	if !ok {
		parsed, err := ParseDocument(r.Body)
		if err != nil {
			p.t.Fatalf("openapi.yaml: %v", err)
		}
		d, _ = documents.LoadOrStore(string(r.Body), parsed)
	}
	documents.Store(p.App, d)
	return d.(*Document)
}
