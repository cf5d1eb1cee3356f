package config

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// OIDC is an OpenID Connect provider with whose accounts people may sign in.
type OIDC struct {
	// Title is what people see, such as "Company login"; empty: the section's name.
	Title string `toml:"title"`
	// Issuer is the provider's address, without /.well-known/openid-configuration.
	Issuer string `toml:"issuer"`
	// ClientID and ClientSecret are what the provider gave for this server.
	ClientID     string `toml:"client_id"`
	ClientSecret string `toml:"client_secret" secret:"yes"`
	// Scopes are asked for; empty: openid, email and profile.
	Scopes []string `toml:"scopes"`
}

// oidcName is what a section [oidc.NAME] may be called: the name is in addresses.
var oidcName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// readOIDC reads the file's sections [oidc.NAME].
func (c *Config) readOIDC(path string, b []byte, all map[string]any) (problems []error) {
	given, isTable := all["oidc"].(map[string]any)
	if !isTable && all["oidc"] != nil {
		return []error{fmt.Errorf("%s: oidc: a section for each provider is expected, such as [oidc.company]", path)}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, isTable := given[name].(map[string]any); !isTable {
			return []error{fmt.Errorf("%s: oidc.%s: a section is expected, [oidc.%s]", path, name, name)}
		}
	}
	var in struct {
		OIDC map[string]OIDC `toml:"oidc"`
	}
	if err := toml.Unmarshal(b, &in); err != nil {
		return []error{fmt.Errorf("%s: oidc: %w", place(path, err), err)}
	}
	c.OIDC = in.OIDC
	return nil
}

// oidcStrays is the form of a section for strays: any value, only these keys.
type oidcStrays map[string]struct {
	Title        any `toml:"title"`
	Issuer       any `toml:"issuer"`
	ClientID     any `toml:"client_id"`
	ClientSecret any `toml:"client_secret"`
	Scopes       any `toml:"scopes"`
}

const oidcPrefix = "PICORA_OIDC_"

// readOIDCEnv lays PICORA_OIDC_NAME_KEY over c, and takes what it read out of given.
// NAME has an underscore for each hyphen.
func (c *Config) readOIDCEnv(given map[string]string) (problems []error) {
	for _, variable := range slices.Sorted(maps.Keys(given)) {
		rest, ours := strings.CutPrefix(variable, oidcPrefix)
		if !ours {
			continue
		}
		field, name, fromFile := oidcField(rest)
		if field < 0 {
			continue // reported as unknown
		}
		v := given[variable]
		delete(given, variable)
		if fromFile {
			b, err := os.ReadFile(v)
			if err != nil {
				problems = append(problems, fmt.Errorf("%s: %w", variable, err))
				continue
			}
			v = strings.TrimSpace(string(b))
		}
		one := c.OIDC[name]
		if err := setText(reflect.ValueOf(&one).Elem().Field(field), v); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", variable, err))
			continue
		}
		all := maps.Clone(c.OIDC)
		if all == nil {
			all = map[string]OIDC{}
		}
		all[name] = one
		c.OIDC = all
	}
	return problems
}

// oidcField finds the field and the provider that NAME_KEY or NAME_KEY_FILE means;
// -1: none.
func oidcField(rest string) (field int, name string, fromFile bool) {
	t := reflect.TypeFor[OIDC]()
	for i := range t.NumField() {
		f := t.Field(i)
		suffix := "_" + strings.ToUpper(f.Tag.Get("toml"))
		name, ok := strings.CutSuffix(rest, suffix)
		if !ok && f.Tag.Get("secret") != "" {
			name, ok = strings.CutSuffix(rest, suffix+"_FILE")
			fromFile = ok
		}
		if ok && name != "" {
			return i, strings.ReplaceAll(strings.ToLower(name), "_", "-"), fromFile
		}
	}
	return -1, "", false
}

// validateOIDC reports what is wrong with the providers.
func (c *Config) validateOIDC(bad func(key, format string, args ...any)) {
	for _, name := range slices.Sorted(maps.Keys(c.OIDC)) {
		p := c.OIDC[name]
		if !oidcName.MatchString(name) {
			bad("oidc."+name, "a name has small letters, digits and hyphens, at most 32")
		}
		u, err := url.Parse(p.Issuer)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			bad("oidc."+name+".issuer", "%q is not an address such as https://login.example.org", p.Issuer)
		}
		if strings.HasSuffix(p.Issuer, "/.well-known/openid-configuration") {
			bad("oidc."+name+".issuer", "leave out /.well-known/openid-configuration")
		}
		if p.ClientID == "" {
			bad("oidc."+name+".client_id", "is needed: the provider gives it to you when you register this server there")
		}
		if len(p.Scopes) > 0 && !slices.Contains(p.Scopes, "openid") {
			bad("oidc."+name+".scopes", `need "openid"`)
		}
	}
}
