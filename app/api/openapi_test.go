package api_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"picora/app/api"
	"picora/app/apptest"
	"picora/app/dashboard"
)

func TestRoutesAndDocumentAreTheSame(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	routes := map[string]bool{}
	for _, r := range p.App.Server().App().GetRoutes(true) {
		routes[r.Method+" "+pathTemplate(r.Path)] = true
	}
	documented := map[string]bool{}
	for _, o := range p.Document().Operations {
		documented[o.Method+" "+o.Path] = true
	}
	if len(routes) < 20 || len(documented) < 20 {
		t.Fatalf("%d routes, %d operations: the comparison would mean nothing", len(routes), len(documented))
	}
	for o := range documented {
		if !routes[o] {
			t.Errorf("the document has %s, the server has not", o)
		}
	}
	for _, p := range dashboard.Paths() { // pages for people
		delete(routes, "GET "+pathTemplate(p))
		delete(routes, "HEAD "+pathTemplate(p))
	}
	for r := range routes {
		get, isHead := strings.CutPrefix(r, "HEAD ")
		if !documented[r] && !(isHead && documented["GET "+get]) {
			t.Errorf("the server has %s, the document has not", r)
		}
	}
}

// parameter is one in a route's path. A backslash takes a colon's meaning away.
var parameter = regexp.MustCompile(`(^|[^\\]):(\w+)(<[^>]*>)?`)

// pathTemplate is a route's path as the document has it.
func pathTemplate(path string) string {
	return strings.ReplaceAll(parameter.ReplaceAllString(path, "$1{$2}"), `\:`, ":")
}

// TestDocumentSaysWhoMayCall compares x-required-scope, and x-access where more than
// a scope is asked for, with the route table.
func TestDocumentSaysWhoMayCall(t *testing.T) {
	t.Parallel()
	documented := map[string]map[string]any{}
	for _, o := range readDocument(t).Operations {
		documented[o.Method+" "+o.Path] = o.Value
	}
	for _, r := range new(api.API).Routes() {
		name := r.Method + " " + pathTemplate(r.Path)
		o, found := documented[name]
		if !found {
			t.Errorf("the document has no %s", name)
			continue
		}
		scope, kind := "none", any(r.Who.Kind())
		if r.Who.Scope != 0 {
			scope = r.Who.Scope.String()
		}
		if kind == "scoped" {
			kind = nil
		}
		if o["x-required-scope"] != scope || o["x-access"] != kind {
			t.Errorf("%s: the document says %v and %v, the table %s and %v", name, o["x-required-scope"], o["x-access"], scope, kind)
		}
	}
}

// The schema in testdata is the OpenAPI Initiative's, of OpenAPI 3.1
// (https://spec.openapis.org/oas/3.1/schema/2022-10-07, Apache License 2.0).
func TestDocumentIsOpenAPI31(t *testing.T) {
	t.Parallel()
	d := readDocument(t)
	f, err := os.Open("testdata/openapi-3.1-schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	meta, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("mem:///meta.json", meta); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("mem:///meta.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(any(d.Root)); err != nil {
		t.Errorf("%v", err)
	}
	if v, _ := d.Root["openapi"].(string); !strings.HasPrefix(v, "3.1.") {
		t.Errorf("openapi is %q", v)
	}
}

func TestEveryOperationIsComplete(t *testing.T) {
	t.Parallel()
	d := readDocument(t)
	scope := regexp.MustCompile(`^(none|(media|collection)\.(read|write|delete)|kb\.(read|write)|(account|usage)\.read)$`)
	ids := map[string]bool{}
	for _, o := range d.Operations {
		name := o.Method + " " + o.Path
		id, _ := o.Value["operationId"].(string)
		if id == "" || ids[id] {
			t.Errorf("%s: operationId %q is empty or not its own", name, id)
		}
		ids[id] = true
		for _, field := range []string{"summary", "description"} {
			if s, _ := o.Value[field].(string); strings.TrimSpace(s) == "" {
				t.Errorf("%s has no %s", name, field)
			}
		}
		needs, _ := o.Value["x-required-scope"].(string)
		if !scope.MatchString(needs) {
			t.Errorf("%s: x-required-scope is %q", name, needs)
		}
		responses, _ := o.Value["responses"].(map[string]any)
		_, says := o.Value["security"]
		for status, must := range map[string]bool{"400": true, "408": true, "431": true, "500": true, "401": !says, "403": !says} {
			if _, listed := responses[status]; must && !listed {
				t.Errorf("%s does not list status %s", name, status)
			}
		}
	}
}

func TestEveryReferenceLeadsSomewhere(t *testing.T) {
	t.Parallel()
	d := readDocument(t)
	used := map[string]bool{}
	walk("", d.Root, func(at string, v map[string]any) {
		ref, is := v["$ref"].(string)
		if !is {
			return
		}
		pointer, local := strings.CutPrefix(ref, "#")
		if !local {
			t.Errorf("%s: %s leads out of the document", at, ref)
			return
		}
		used[pointer] = true
		if _, err := d.At(pointer); err != nil {
			t.Errorf("%s: %v", at, err)
		}
	})
	used["/components/responses/MethodNotAllowed"] = true // of no operation
	used["/components/responses/RateLimited"] = true      // of every operation
	components, _ := d.Root["components"].(map[string]any)
	for kind, list := range components {
		for name := range list.(map[string]any) {
			if at := "/components/" + kind + "/" + name; kind != "securitySchemes" && !used[at] {
				t.Errorf("nothing refers to %s", at)
			}
		}
	}
}

func TestEveryExampleFitsItsSchema(t *testing.T) {
	t.Parallel()
	d := readDocument(t)
	n := 0
	try := func(at, schema string, v any) {
		n++
		if err := d.Validate(schema, v); err != nil {
			t.Errorf("%s: %v", at, err)
		}
	}
	walk("", d.Root, func(at string, v map[string]any) {
		_, hasSchema := v["schema"]
		if example, is := v["example"]; is && hasSchema {
			try(at+"/example", at+"/schema", example)
		}
		if examples, is := v["examples"].(map[string]any); is && hasSchema {
			for name, e := range examples {
				try(at+"/examples/"+name, at+"/schema", e.(map[string]any)["value"])
			}
		}
		if examples, is := v["examples"].([]any); is {
			for _, e := range examples {
				try(at+"/examples", at, e)
			}
		}
		if hasSchema {
			if _, err := d.Schema(at + "/schema"); err != nil {
				t.Errorf("%v", err)
			}
		}
	})
	if n < 40 {
		t.Errorf("only %d examples", n)
	}
}

func TestDocumentNamesNobodysServer(t *testing.T) {
	t.Parallel()
	text := string(readFile(t, "openapi.yaml"))
	for _, m := range regexp.MustCompile(`https?://[^\s"'/]+`).FindAllString(text, -1) {
		if m != "http://localhost:3102" {
			t.Errorf("the document names %s", m)
		}
	}
	if servers := fmt.Sprint(readDocument(t).Root["servers"]); !strings.Contains(servers, "url:/]") {
		t.Errorf("servers are %s", servers)
	}
}

func TestDocumentIsServedToAnybody(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	r := p.Play(t, apptest.Scenario{URL: "/openapi.yaml", As: apptest.Nobody, Status: http.StatusOK})
	if string(r.Body) != string(readFile(t, "openapi.yaml")) {
		t.Error("what is served is not the file")
	}
}

// The check is worth something only if it finds what is wrong.
func TestCheckFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	d := readDocument(t)
	header := func(pairs ...string) http.Header {
		h := http.Header{"X-Request-Id": {"0123456789abcdef"}, "Content-Type": {"application/json"}}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	const gone = `{"success":true,"data":null}`
	for _, c := range []struct {
		name, method, path string
		response           apptest.Response
		want               string // empty: nothing wrong
	}{
		{"a right answer passes", "DELETE", "/v1/images/aaaaaaaaaaa", apptest.Response{Status: 200, Header: header(), Body: []byte(gone)}, ""},
		{"a status that is not listed", "DELETE", "/v1/images/aaaaaaaaaaa", apptest.Response{Status: 204, Header: header()}, "does not list status 204"},
		{"an operation that is not listed", "PUT", "/v1/images/aaaaaaaaaaa", apptest.Response{Status: 200, Header: header(), Body: []byte(gone)}, "has no PUT"},
		{"another content type", "DELETE", "/v1/images/aaaaaaaaaaa", apptest.Response{Status: 200, Header: header("Content-Type", "text/html"), Body: []byte(gone)}, "text/html"},
		{"a missing header", "GET", "/v1/auth/verify", apptest.Response{Status: 401, Header: header(), Body: []byte(`{"success":false,"error":"No.","code":"UNAUTHORIZED"}`)}, "WWW-Authenticate is missing"},
		{"another code", "DELETE", "/v1/images/aaaaaaaaaaa", apptest.Response{Status: 404, Header: header(), Body: []byte(`{"success":false,"error":"No.","code":"FORBIDDEN"}`)}, "code"},
		{"an error that is an object", "DELETE", "/v1/images/aaaaaaaaaaa", apptest.Response{Status: 404, Header: header(), Body: []byte(`{"success":false,"error":{"message":"No."},"code":"NOT_FOUND"}`)}, "error"},
		{"a field that is not listed", "DELETE", "/v1/images/aaaaaaaaaaa", apptest.Response{Status: 200, Header: header(), Body: []byte(`{"success":true,"data":null,"more":1}`)}, "more"},
		{"a field that is missing", "DELETE", "/v1/images", apptest.Response{Status: 200, Header: header(), Body: []byte(`{"success":true,"data":{"deleted":1}}`)}, "failed"},
		{"a body where there is none", "GET", "/aaaaaaaaaaa.jpg", apptest.Response{Status: 304, Header: header("ETag", `"00000000000000000000000000000000"`, "Cache-Control", "private, no-store"), Body: []byte("x")}, "a body"},
	} {
		err := d.Check(c.method, c.path, c.response)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// walk visits every object that is no example, with its pointer.
func walk(at string, v any, visit func(at string, v map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		visit(at, v)
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if k != "example" && k != "examples" {
				walk(at+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(k), v[k], visit)
			}
		}
	case []any:
		for i, c := range v {
			walk(fmt.Sprintf("%s/%d", at, i), c, visit)
		}
	}
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readDocument(t testing.TB) *apptest.Document {
	t.Helper()
	d, err := apptest.ParseDocument(readFile(t, "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}
