package apptest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// Document is an OpenAPI 3.1 document against which answers are checked.
type Document struct {
	Root       map[string]any
	Operations []Operation

	compiler *jsonschema.Compiler
	mu       sync.Mutex
	compiled map[string]*jsonschema.Schema // by pointer
}

// Operation is one method at one path of the document.
type Operation struct {
	Method, Path string // GET, /v1/images/{id}
	Value        map[string]any

	pattern *regexp.Regexp
	at      string // pointer
}

// documentURL stands for the document in references; nothing is fetched.
const documentURL = "mem:///openapi.yaml"

var methods = []string{"get", "head", "post", "put", "patch", "delete", "options", "trace"}

// ParseDocument reads the document. Its objects become closed: a field that an
// answer has and the document has not is an error here, though clients should
// bear it.
func ParseDocument(text []byte) (*Document, error) {
	var tree any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return nil, err
	}
	b, err := json.Marshal(tree) // to JSON's own types
	if err != nil {
		return nil, err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	root, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the document is not an object")
	}
	d := &Document{Root: root, compiler: jsonschema.NewCompiler(), compiled: map[string]*jsonschema.Schema{}}
	d.compiler.AssertFormat()
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	if again, err := jsonschema.UnmarshalJSON(bytes.NewReader(b)); err != nil {
		return nil, err
	} else if err := d.compiler.AddResource(documentURL, closed(again)); err != nil {
		return nil, err
	}
	paths, _ := root["paths"].(map[string]any)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item, _ := paths[path].(map[string]any)
		for _, m := range methods {
			if op, ok := item[m].(map[string]any); ok {
				d.Operations = append(d.Operations, Operation{
					Method: strings.ToUpper(m), Path: path, Value: op,
					pattern: pathPattern(path), at: "/paths/" + escape(path) + "/" + m,
				})
			}
		}
	}
	return d, nil
}

// closed forbids fields that are not listed, in every schema that lists some.
func closed(v any) any {
	switch v := v.(type) {
	case map[string]any:
		_, lists := v["properties"].(map[string]any)
		_, open := v["additionalProperties"]
		if lists && !open && v["type"] == "object" {
			v["additionalProperties"] = false
		}
		for _, c := range v {
			closed(c)
		}
	case []any:
		for _, c := range v {
			closed(c)
		}
	}
	return v
}

// pathPattern matches the addresses of a path template. Ids and endings have
// their form; others are any segment.
func pathPattern(path string) *regexp.Regexp {
	p := regexp.QuoteMeta(path)
	p = strings.NewReplacer(`\{id\}\.\{ext\}`, `[A-Za-z0-9_-]{11}\.[^/.]{2,5}`, `\{id\}`, `[^/]+`, `\{name\}`, `[^/]+`, `\{revision\}`, `[^/]+`, `\{track\}`, `[^/]+`).Replace(p)
	return regexp.MustCompile("^" + p + "$")
}

// Operation finds what the document says of a request; nil when nothing. HEAD is
// GET where it is not listed. Known tells whether the address has other methods.
func (d *Document) Operation(method, path string) (op *Operation, known bool) {
	var get *Operation
	best := func(o, than *Operation) bool { // a path without parameters wins
		return than == nil || strings.Count(o.Path, "{") < strings.Count(than.Path, "{")
	}
	for i := range d.Operations {
		o := &d.Operations[i]
		if !o.pattern.MatchString(path) {
			continue
		}
		known = true
		if o.Method == method && best(o, op) {
			op = o
		}
		if o.Method == http.MethodGet && best(o, get) {
			get = o
		}
	}
	if op == nil && method == http.MethodHead {
		op = get
	}
	return op, known
}

// Check says what in an answer is not as the document has it.
func (d *Document) Check(method, path string, r Response) error {
	op, known := d.Operation(method, path)
	switch {
	case op != nil:
		responses, _ := op.Value["responses"].(map[string]any)
		status := strconv.Itoa(r.Status)
		if _, listed := responses[status]; !listed && r.Status == http.StatusTooManyRequests {
			return d.checkResponse("/components/responses/RateLimited", method, r)
		} else if !listed {
			return fmt.Errorf("%s %s does not list status %s", op.Method, op.Path, status)
		}
		return d.checkResponse(op.at+"/responses/"+status, method, r)
	case method == http.MethodOptions && r.Status == http.StatusNoContent:
		return nil // a preflight
	case known && r.Status == http.StatusMethodNotAllowed:
		return d.checkResponse("/components/responses/MethodNotAllowed", method, r)
	case !known && r.Status == http.StatusNotFound:
		return d.checkResponse("/components/responses/NotFound", method, r)
	}
	return fmt.Errorf("the document has no %s %s, yet it answers %d", method, path, r.Status)
}

func (d *Document) checkResponse(at, method string, r Response) error {
	response, at, err := d.object(at)
	if err != nil {
		return err
	}
	headers, _ := response["headers"].(map[string]any)
	for name := range headers {
		if err := d.checkHeader(at+"/headers/"+escape(name), name, r.Header); err != nil {
			return err
		}
	}
	content, _ := response["content"].(map[string]any)
	if len(content) == 0 || method == http.MethodHead {
		if len(r.Body) > 0 {
			return fmt.Errorf("%s: a body of %d bytes where there is none", at, len(r.Body))
		}
		return nil
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("%s: content type %q: %w", at, r.Header.Get("Content-Type"), err)
	}
	name := kind
	if _, listed := content[name]; !listed {
		main, _, _ := strings.Cut(kind, "/")
		name = main + "/*"
	}
	if _, listed := content[name]; !listed {
		return fmt.Errorf("%s does not list the content type %s", at, kind)
	}
	if kind != "application/json" {
		return nil
	}
	body, err := jsonschema.UnmarshalJSON(bytes.NewReader(r.Body))
	if err != nil {
		return fmt.Errorf("%s: %w in %s", at, err, r.Body)
	}
	return d.Validate(at+"/content/"+escape(name)+"/schema", body)
}

func (d *Document) checkHeader(at, name string, h http.Header) error {
	header, at, err := d.object(at)
	if err != nil {
		return err
	}
	values := h.Values(name)
	if len(values) == 0 {
		if header["required"] == true {
			return fmt.Errorf("the header %s is missing", name)
		}
		return nil
	}
	return d.Validate(at+"/schema", values[0])
}

// Validate checks a value against the schema at a pointer of the document.
func (d *Document) Validate(at string, v any) error {
	s, err := d.Schema(at)
	if err != nil {
		return err
	}
	if err := s.Validate(v); err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	return nil
}

// Schema compiles the schema at a pointer.
func (d *Document) Schema(at string) (*jsonschema.Schema, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s, ok := d.compiled[at]; ok {
		return s, nil
	}
	s, err := d.compiler.Compile(documentURL + "#" + at)
	if err != nil {
		return nil, fmt.Errorf("schema %s: %w", at, err)
	}
	d.compiled[at] = s
	return s, nil
}

// object reads the object at a pointer, and follows it when it is a reference.
func (d *Document) object(at string) (o map[string]any, where string, err error) {
	for range 10 {
		v, err := d.At(at)
		if err != nil {
			return nil, at, err
		}
		o, ok := v.(map[string]any)
		if !ok {
			return nil, at, fmt.Errorf("%s is not an object", at)
		}
		ref, isRef := o["$ref"].(string)
		if !isRef {
			return o, at, nil
		}
		at = strings.TrimPrefix(ref, "#")
	}
	return nil, at, fmt.Errorf("%s: references in a circle", at)
}

// At reads the value at a JSON pointer.
func (d *Document) At(pointer string) (any, error) {
	var v any = d.Root
	for step := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		o, ok := v.(map[string]any)
		step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		if v, ok = o[step], ok && o[step] != nil; !ok {
			return nil, fmt.Errorf("the document has nothing at %s", pointer)
		}
	}
	return v, nil
}

// escape writes a name as a step of a JSON pointer in a URL's fragment.
func escape(s string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(s)
}
