package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Load reads the settings: the defaults, then the file, then the environment,
// then set (the command's flags; may be nil). An empty path reads no file. The
// error joins every problem that was found, one line each.
func Load(path string, environ []string, set func(*Config)) (Config, error) {
	c := Default()
	var problems []error
	if path != "" {
		problems = append(problems, c.readFile(path)...)
	}
	problems = append(problems, c.readEnv(environ)...)
	if set != nil {
		set(&c)
	}
	problems = append(problems, c.Validate()...)
	return c, errors.Join(problems...)
}

// readFile lays the file's values over c and reports every key it does not know.
func (c *Config) readFile(path string) (problems []error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return []error{fmt.Errorf("%s: no such file; copy config.example.toml, or leave --config out", path)}
	}
	if err != nil {
		return []error{err}
	}
	var all map[string]any
	if err := toml.Unmarshal(b, &all); err != nil {
		return []error{fmt.Errorf("%s: %w", place(path, err), err)}
	}
	c.each(func(section, key string, f reflect.Value, _ bool) {
		if _, isTable := all[section].(map[string]any); !isTable {
			return // not given, or one of strays
		}
		one := reflect.New(table(section, table(key, f.Type())))
		v := one.Elem().Field(0).Field(0)
		if f.Type() == reflect.TypeFor[Duration]() {
			one = reflect.New(table(section, table(key, reflect.TypeFor[quoted]())))
			v = one.Elem().Field(0).Field(0).Field(0)
		}
		v.Set(f)
		if err := toml.Unmarshal(b, one.Interface()); err != nil {
			problems = append(problems, fmt.Errorf("%s: %s.%s: %s", place(path, err), section, key, expected(f)))
			return
		}
		f.Set(v)
	})
	problems = append(problems, c.readVariants(path, all)...)
	problems = append(problems, c.readOIDC(path, b, all)...)
	problems = append(problems, c.strays(path, b, all)...)
	return append(problems, c.readPlans(path, all)...)
}

// readVariants adds the file's variants to those of c; one of a known name replaces
// it. Validate says what is wrong inside.
func (c *Config) readVariants(path string, all map[string]any) (problems []error) {
	given, ok := all["variants"].(map[string]any)
	if !ok && all["variants"] != nil {
		return []error{fmt.Errorf("%s: variants: a section for each is expected, such as [variants.thumb]", path)}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		v, ok := given[name].(map[string]any)
		if !ok {
			problems = append(problems, fmt.Errorf("%s: variants.%s: a section is expected, [variants.%s]", path, name, name))
			continue
		}
		c.Variants[name] = v
	}
	return problems
}

// quoted is a Duration that is no number: 30 would be 30 nanoseconds.
type quoted struct{ Duration }

// strays reports everything in the file that is no setting.
func (c *Config) strays(path string, b []byte, all map[string]any) (problems []error) {
	keys, sections := map[string][]reflect.StructField{}, []reflect.StructField{}
	anything := reflect.TypeFor[any]()
	c.each(func(section, key string, _ reflect.Value, _ bool) {
		keys[section] = append(keys[section], member(len(keys[section]), key, anything))
	})
	sections = append(sections, member(0, "variants", anything), member(1, "oidc", reflect.TypeFor[oidcStrays]()), member(2, "plans", anything))
	for _, section := range slices.Sorted(maps.Keys(keys)) {
		t := reflect.StructOf(keys[section])
		if v, given := all[section]; given {
			if _, isTable := v.(map[string]any); !isTable {
				problems = append(problems, fmt.Errorf("%s: %s: a section is expected, [%s]", path, section, section))
				t = anything
			}
		}
		sections = append(sections, member(len(sections), section, t))
	}
	d := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields()
	var strict *toml.StrictMissingError
	if errors.As(d.Decode(reflect.New(reflect.StructOf(sections)).Interface()), &strict) {
		for _, e := range strict.Errors {
			row, _ := e.Position()
			problems = append(problems, fmt.Errorf("%s: line %d: unknown setting %q", path, row, strings.Join(e.Key(), ".")))
		}
	}
	return problems
}

// table is the type of a TOML table with one key. The settings are read one by
// one because a decoder stops at its first error.
func table(key string, t reflect.Type) reflect.Type {
	return reflect.StructOf([]reflect.StructField{member(0, key, t)})
}

func member(n int, key string, t reflect.Type) reflect.StructField {
	return reflect.StructField{Name: "K" + strconv.Itoa(n), Type: t, Tag: reflect.StructTag(`toml:"` + key + `"`)}
}

// place is where in the file err is.
func place(path string, err error) string {
	if bad, ok := errors.AsType[*toml.DecodeError](err); ok {
		row, _ := bad.Position()
		return fmt.Sprintf("%s: line %d", path, row)
	}
	return path
}

// expected says how a setting is written.
func expected(f reflect.Value) string {
	switch f.Interface().(type) {
	case string:
		return "a text in quotes is expected"
	case bool:
		return "true or false is expected"
	case []string:
		return `a list of texts is expected, such as ["a", "b"]`
	case []int:
		return "a list of whole numbers is expected, such as [360, 720]"
	case Duration:
		return `a duration is expected, such as "30s" or "5m"`
	}
	return "a whole number is expected, such as 1000 or 1_000"
}

// readEnv lays PICORA_SECTION_KEY over c, and PICORA_SECTION_KEY_FILE for
// secrets: the trimmed content of the file it names.
func (c *Config) readEnv(environ []string) (problems []error) {
	given := ours(environ)
	c.each(func(section, key string, f reflect.Value, secret bool) {
		name := variable(section, key)
		v, ok := given[name]
		delete(given, name)
		if file, has := given[name+"_FILE"]; has && secret {
			delete(given, name+"_FILE")
			b, err := os.ReadFile(file)
			if err != nil {
				problems = append(problems, fmt.Errorf("%s_FILE: %w", name, err))
				return
			}
			v, ok = strings.TrimSpace(string(b)), true
		}
		if !ok {
			return
		}
		if err := setText(f, v); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
		}
	})
	problems = append(problems, c.readOIDCEnv(given)...)
	problems = append(problems, c.readPlansEnv(given)...)
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if c.inSection(name) {
			problems = append(problems, fmt.Errorf("%s: no such setting", name))
		}
	}
	return problems
}

// UnknownEnv lists the variables PICORA_… that begin with no section: a setting
// spelt wrong, or another program's. Load does not refuse those, only the ones of
// a section.
func UnknownEnv(environ []string) (names []string) {
	c := Default()
	for _, name := range slices.Sorted(maps.Keys(ours(environ))) {
		if !c.inSection(name) {
			names = append(names, name)
		}
	}
	return names
}

// kubernetes matches what Kubernetes sets for a Service named picora, or picora-…
var kubernetes = regexp.MustCompile(`^PICORA_(\w+_)?(SERVICE_HOST=|SERVICE_PORT(_\w+)?=|PORT=\w+://|PORT_\d+_)`)

// ours are the variables that may be meant for Picora.
func ours(environ []string) map[string]string {
	given := map[string]string{}
	for _, kv := range environ {
		if k, v, ok := strings.Cut(kv, "="); ok && strings.HasPrefix(k, "PICORA_") && !kubernetes.MatchString(kv) {
			given[k] = v
		}
	}
	return given
}

// variable is the name of a setting's variable, or with no key how those of the
// section begin.
func variable(section, key string) string { return "PICORA_" + strings.ToUpper(section+"_"+key) }

// inSection reports whether a variable's name begins with a section.
func (c *Config) inSection(name string) (yes bool) {
	yes = strings.HasPrefix(name, variable("plans", ""))
	c.each(func(section, _ string, _ reflect.Value, _ bool) {
		yes = yes || strings.HasPrefix(name, variable(section, ""))
	})
	return yes || strings.HasPrefix(name, oidcPrefix)
}

// each calls fn for every setting, in the order of the structs.
func (c *Config) each(fn func(section, key string, f reflect.Value, secret bool)) {
	top := reflect.ValueOf(c).Elem()
	for i := range top.NumField() {
		section := top.Type().Field(i).Tag.Get("toml")
		s := top.Field(i)
		if s.Kind() != reflect.Struct {
			continue // the variants, providers and plans, which have readers of their own
		}
		for j := range s.NumField() {
			t := s.Type().Field(j)
			fn(section, t.Tag.Get("toml"), s.Field(j), t.Tag.Get("secret") != "")
		}
	}
}

func setText(f reflect.Value, v string) error {
	switch p := f.Addr().Interface().(type) {
	case *string:
		*p = v
	case *bool:
		b, err := strconv.ParseBool(v)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", v)
		}
		*p = b
	case *int:
		n, err := strconv.Atoi(v)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", v)
		}
		*p = n
	case *int64:
		n, err := strconv.ParseInt(strings.ReplaceAll(v, "_", ""), 10, 64)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", v)
		}
		*p = n
	case *[]string:
		*p = strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' })
	case *[]int:
		*p = []int{}
		for _, word := range strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' }) {
			n, err := strconv.Atoi(word)
			if err != nil {
				return fmt.Errorf("%q is no list of whole numbers such as 360, 720", v)
			}
			*p = append(*p, n)
		}
	case *Duration:
		if err := p.UnmarshalText([]byte(v)); err != nil {
			return fmt.Errorf("%q is not a duration such as 30s", v)
		}
	default:
		return fmt.Errorf("settings of type %T cannot be set by a variable", p)
	}
	return nil
}
