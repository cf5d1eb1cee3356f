package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
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
func (c *Config) readFile(path string) []error {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return []error{fmt.Errorf("%s: no such file; copy config.example.toml, or leave --config out", path)}
	}
	if err != nil {
		return []error{err}
	}
	if err := toml.Unmarshal(b, c); err != nil {
		var bad *toml.DecodeError
		if errors.As(err, &bad) {
			row, _ := bad.Position()
			return []error{fmt.Errorf("%s: line %d: %s: %w", path, row, strings.Join(bad.Key(), "."), err)}
		}
		return []error{fmt.Errorf("%s: %w", path, err)}
	}
	return unknownKeys(path, b)
}

func unknownKeys(path string, b []byte) (problems []error) {
	var scratch Config
	d := toml.NewDecoder(strings.NewReader(string(b))).DisallowUnknownFields()
	var strict *toml.StrictMissingError
	if errors.As(d.Decode(&scratch), &strict) {
		for _, e := range strict.Errors {
			row, _ := e.Position()
			problems = append(problems, fmt.Errorf("%s: line %d: unknown setting %q", path, row, strings.Join(e.Key(), ".")))
		}
	}
	return problems
}

// readEnv lays PICORA_SECTION_KEY over c, and PICORA_SECTION_KEY_FILE for
// secrets: the trimmed content of the file it names.
func (c *Config) readEnv(environ []string) (problems []error) {
	given := map[string]string{}
	for _, kv := range environ {
		if k, v, ok := strings.Cut(kv, "="); ok && strings.HasPrefix(k, "PICORA_") {
			given[k] = v
		}
	}
	c.each(func(section, key string, f reflect.Value, secret bool) {
		name := "PICORA_" + strings.ToUpper(section+"_"+key)
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
	for name := range given {
		problems = append(problems, fmt.Errorf("%s: no such setting", name))
	}
	return problems
}

// each calls fn for every setting, in the order of the structs.
func (c *Config) each(fn func(section, key string, f reflect.Value, secret bool)) {
	top := reflect.ValueOf(c).Elem()
	for i := range top.NumField() {
		section := top.Type().Field(i).Tag.Get("toml")
		s := top.Field(i)
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
	case *Duration:
		if err := p.UnmarshalText([]byte(v)); err != nil {
			return fmt.Errorf("%q is not a duration such as 30s", v)
		}
	default:
		return fmt.Errorf("settings of type %T cannot be set by a variable", p)
	}
	return nil
}
