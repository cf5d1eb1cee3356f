package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
)

// readJSON reads the body, one JSON object, into v. The server has bounded the
// body's size. Fields that v does not know are ignored, for clients newer than
// this server send them. An empty body is an empty object when optional.
func readJSON(c *fiber.Ctx, v any, optional bool) error {
	b := bytes.TrimSpace(c.Body())
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
		return fault.New(fault.Invalid, "The field %s has the wrong type: a %s is expected.", orBody(wrong.Field), kindOf(wrong.Type.String()))
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

// kindOf says a Go type in JSON's words.
func kindOf(t string) string {
	switch t = strings.TrimPrefix(t, "*"); {
	case strings.HasPrefix(t, "[]"):
		return "list"
	case t == "string", t == "bool":
		return strings.Replace(t, "bool", "boolean", 1)
	case strings.HasPrefix(t, "int"):
		return "whole number"
	case strings.HasPrefix(t, "float"):
		return "number"
	}
	return "object"
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
			return nil, fault.New(fault.Invalid, "The field %s has the wrong type: a %s is expected.", n, kindOf(fmt.Sprintf("%T", *new(T))))
		}
		return v, nil
	}
	return nil, nil
}
