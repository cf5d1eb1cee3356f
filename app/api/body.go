package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
)

// readJSON reads the body, one JSON object, into v. The server has bounded the
// body's size. Fields that v does not know are ignored, for clients newer than
// this server send them. An empty body is an empty object when optional.
func readJSON(c *fiber.Ctx, v any, optional bool) error { return decode(c.Body(), v, optional) }

func decode(b []byte, v any, optional bool) error {
	b = bytes.TrimSpace(b)
	if len(b) == 0 && optional {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(b))
	err := d.Decode(v)
	if err == nil {
		if _, e := d.Token(); e != io.EOF {
			err = errors.New("there is more after the object")
		}
	}
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		return fault.New(fault.Invalid, "The field %s has the wrong type: %s is expected.", orBody(wrong.Field), kindOf(wrong.Type.String()))
	case errors.Is(err, io.EOF):
		return fault.New(fault.BadRequest, "The request needs a JSON object as its body.")
	}
	return fault.New(fault.BadRequest, "The body is not valid JSON: %s.", strings.TrimPrefix(err.Error(), "json: "))
}

func orBody(field string) string {
	if field == "" {
		return "(the whole body)"
	}
	return field
}

// kindOf says a Go type in JSON's words, with the article.
func kindOf(t string) string {
	switch t = strings.TrimPrefix(t, "*"); {
	case strings.HasPrefix(t, "[]"):
		return "a list"
	case t == "string", t == "bool":
		return "a " + strings.Replace(t, "bool", "boolean", 1)
	case strings.HasPrefix(t, "int"):
		return "a whole number"
	case strings.HasPrefix(t, "float"):
		return "a number"
	}
	return "an object"
}

// checkCount refuses a list that is empty or too long.
func checkCount(what string, n, most int) error {
	if n < 1 || n > most {
		return fault.New(fault.Invalid, "%s needs 1 to %d entries.", what, most)
	}
	return nil
}

// fields are the members of a JSON object of which each may be absent, null or
// a value.
type fields map[string]json.RawMessage

// readKnown reads the body of a route that only our own programs and people use, in
// whose body everything means something: a field of another name is a typing error.
func readKnown(c *fiber.Ctx, optional bool, known ...string) (fields, error) {
	var in fields
	if err := readJSON(c, &in, optional); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		if !slices.Contains(known, name) {
			return nil, fault.New(fault.Invalid, "There is no field %.64q. There are: %s.", name, strings.Join(known, ", "))
		}
	}
	return in, nil
}

// readChange is readKnown for what changes a thing: it must say how.
func readChange(c *fiber.Ctx, known ...string) (fields, error) {
	in, err := readKnown(c, true, known...)
	if err == nil && len(in) == 0 {
		err = fault.New(fault.Invalid, "Say what is to be different: %s.", strings.Join(known, ", "))
	}
	return in, err
}

// take reads the first of the named members that is there; nil when none is, or
// when it is null.
func take[T any](f fields, names ...string) (*T, error) {
	for _, n := range names {
		raw, given := f[n]
		if !given {
			continue
		}
		var v *T
		if json.Unmarshal(raw, &v) != nil {
			return nil, fault.New(fault.Invalid, "The field %s has the wrong type: %s is expected.", n, kindOf(fmt.Sprintf("%T", *new(T))))
		}
		return v, nil
	}
	return nil, nil
}

// emptied is take, but a null that was sent is an empty value.
func emptied[T any](f fields, name string) (*T, error) {
	v, err := take[T](f, name)
	if _, given := f[name]; err == nil && v == nil && given {
		v = new(T)
	}
	return v, err
}
