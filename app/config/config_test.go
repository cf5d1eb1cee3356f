package config

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"
)

const example = "../../config.example.toml"

func TestTheExampleHoldsEverySettingWithItsDefault(t *testing.T) {
	c, err := Load(example, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := Default(); !reflect.DeepEqual(c, want) {
		t.Errorf("the example gives\n%+v\nand the defaults are\n%+v", c, want)
	}
	b, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	var given map[string]map[string]any
	if err := toml.Unmarshal(b, &given); err != nil {
		t.Fatal(err)
	}
	c.each(func(section, key string, _ reflect.Value, secret bool) {
		if section == "" || key == "" {
			t.Errorf("a setting has no name: section %q, key %q", section, key)
		}
		if _, ok := given[section][key]; !ok {
			t.Errorf("%s.%s is not in the example", section, key)
		}
		delete(given[section], key)
		name := "\n# PICORA_" + strings.ToUpper(section+"_"+key)
		if !strings.Contains(string(b), name) {
			t.Errorf("the example does not name %s", name)
		}
		if secret != strings.Contains(string(b), name[3:]+"_FILE") {
			t.Errorf("%s.%s: the example is wrong about its _FILE", section, key)
		}
	})
	delete(given, "variants") // compared above
	delete(given, "plans")
	for section, keys := range given {
		if len(keys) > 0 {
			t.Errorf("the example has settings in [%s] that do not exist: %v", section, slices.Collect(maps.Keys(keys)))
		}
	}
}

func TestEveryLineOfTheExampleIsNeeded(t *testing.T) {
	// A default that changes in the code only is found because each value of the
	// example, not only their sum, is compared after the defaults are wiped.
	b, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	var c Config
	if err := toml.NewDecoder(strings.NewReader(string(b))).DisallowUnknownFields().Decode(&c); err != nil {
		t.Fatal(err)
	}
	if want := Default(); !reflect.DeepEqual(c, want) {
		t.Errorf("over an empty Config the example gives\n%+v, want\n%+v", c, want)
	}
}

// file writes a settings file and returns its path.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "picora.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheEnvironmentWinsOverTheFileAndFlagsOverBoth(t *testing.T) {
	path := file(t, `
[server]
listen = "127.0.0.1:1"
data = "/from/file"
base_url = "https://file.example.org"
`)
	env := []string{"HOME=/root", "PICORA_SERVER_DATA=/from/env", "PICORA_SERVER_LISTEN=127.0.0.1:2"}
	c, err := Load(path, env, func(c *Config) { c.Server.Listen = "127.0.0.1:3" })
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Server.Listen, want.Server.Data, want.Server.BaseURL = "127.0.0.1:3", "/from/env", "https://file.example.org"
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got\n%+v, want\n%+v", c, want)
	}
}

func TestEverySettingCanBeAVariable(t *testing.T) {
	values := map[string]string{
		"server_listen": "[::1]:80", "server_data": "/d", "server_base_url": "https://a.example", "server_media_url": "http://b.example:8080",
		"server_trusted_proxies": "10.0.0.0/8, ::1,192.168.1.7", "server_internal_token": "0123456789abcdef", "server_shutdown_timeout": "2m",
		"accounts_registration": "open", "accounts_plan": "trial",
		"limits_enabled": "false", "limits_read_per_minute": "11", "limits_read_burst": "12", "limits_mutation_per_minute": "13", "limits_mutation_burst": "14",
		"limits_upload_per_minute": "15", "limits_upload_burst": "16", "limits_hourly": "17", "limits_sign_in_per_minute": "18", "limits_sign_in_burst": "19",
		"upload_max_bytes": "1_000", "upload_max_megapixels": "7", "upload_keep_metadata": "true", "upload_idle_timeout": "5s",
		"fetch_enabled": "false", "fetch_allow": "192.168.1.0/24",
		"blobs_backend": "s3", "blobs_folder": "/f", "s3_endpoint": "https://s3.example", "s3_region": "eu", "s3_bucket": "b", "s3_prefix": "p/", "s3_access_key": "a", "s3_secret_key": "s",
		"s3_session_token": "t", "s3_path_style": "false", "s3_encryption": "AES256", "s3_storage_class": "COLD",
		"s3_serve": "redirect", "s3_public_endpoint": "https://s3.example.org", "s3_cache_bytes": "21",
		"blobs_min_free_bytes": "0", "scrub_hour": "5", "scrub_read_days": "6", "cdn_cache_bytes": "12", "log_level": "debug", "log_format": "json", "metrics_listen": ":9102",
		"images_transforms": "any", "images_cache_bytes": "5", "images_workers": "3", "images_queue": "4", "images_timeout": "6s",
		"video_ladder": "360, 720", "video_quality": "20", "video_preset": "fast", "video_max_frame_rate": "30", "video_keep_original": "false",
		"video_jobs": "2", "video_priority": "low", "video_tries": "3",
		"mail_host": "smtp.example.org", "mail_port": "465", "mail_tls": "tls", "mail_user": "u", "mail_password": "p", "mail_from": "Picora <p@example.org>",
	}
	var env []string
	for k, v := range values {
		env = append(env, "PICORA_"+strings.ToUpper(k)+"="+v)
	}
	c, err := Load("", env, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Server: Server{
			Listen: "[::1]:80", Data: "/d", BaseURL: "https://a.example", MediaURL: "http://b.example:8080",
			TrustedProxies: []string{"10.0.0.0/8", "::1", "192.168.1.7"}, InternalToken: "0123456789abcdef", ShutdownTimeout: Duration(2 * time.Minute),
		},
		Accounts: Accounts{Registration: "open", Plan: "trial"},
		Limits: Limits{
			ReadPerMinute: 11, ReadBurst: 12, MutationPerMinute: 13, MutationBurst: 14, UploadPerMinute: 15, UploadBurst: 16,
			Hourly: 17, SignInPerMinute: 18, SignInBurst: 19,
		},

		Upload:  Upload{MaxBytes: 1000, MaxMegapixels: 7, KeepMetadata: true, IdleTimeout: Duration(5 * time.Second)},
		Fetch:   Fetch{Allow: []string{"192.168.1.0/24"}},
		Blobs:   Blobs{Backend: "s3", Folder: "/f"},
		S3:      S3{Endpoint: "https://s3.example", Region: "eu", Bucket: "b", Prefix: "p/", AccessKey: "a", SecretKey: "s", SessionToken: "t", Encryption: "AES256", StorageClass: "COLD", Serve: "redirect", PublicEndpoint: "https://s3.example.org", CacheBytes: 21},
		Scrub:   Scrub{Hour: 5, ReadDays: 6},
		CDN:     CDN{CacheBytes: 12},
		Log:     Log{Level: "debug", Format: "json"},
		Metrics: Metrics{Listen: ":9102"},
		Images:  Images{Transforms: "any", CacheBytes: 5, Workers: 3, Queue: 4, Timeout: Duration(6 * time.Second)},
		Video:   Video{Ladder: []int{360, 720}, Quality: 20, Preset: "fast", MaxFrameRate: 30, Jobs: 2, Priority: "low", Tries: 3},
		Mail:    Mail{Host: "smtp.example.org", Port: 465, TLS: "tls", User: "u", Password: "p", From: "Picora <p@example.org>"},

		Variants: Default().Variants, Plans: Default().Plans,
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got\n%+v, want\n%+v", c, want)
	}
	c.each(func(section, key string, f reflect.Value, _ bool) {
		if _, ok := values[section+"_"+key]; !ok {
			t.Errorf("%s.%s was not tried", section, key)
		}
	})
}

func TestASecretMayComeFromAFile(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(secret, []byte("\n  a token with 16+ \n\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load("", []string{"PICORA_SERVER_INTERNAL_TOKEN_FILE=" + secret}, nil)
	if err != nil || c.Server.InternalToken != "a token with 16+" {
		t.Errorf("token %q, %v", c.Server.InternalToken, err)
	}
	for name, env := range map[string]string{
		"a file that is missing": "PICORA_SERVER_INTERNAL_TOKEN_FILE=" + secret + ".not",
		"a setting of no secret": "PICORA_SERVER_DATA_FILE=" + secret,
		"the file of no setting": "PICORA_SERVER_TOKEN_FILE=" + secret,
		"a file of a wrong kind": "PICORA_SERVER_INTERNAL_TOKEN_FILE=" + filepath.Dir(secret),
	} {
		variable, _, _ := strings.Cut(env, "=")
		if _, err := Load("", []string{env}, nil); err == nil || !strings.Contains(err.Error(), variable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryProblemIsReportedAtOnce(t *testing.T) {
	path := file(t, `colour = "red"
[server]
listen = 3102
base_url = "https://pics.example.org/picora"
bsae_url = "https://pics.example.org"
shutdown_timeout = 30
trusted_proxies = "127.0.0.1"

[upload]
max_bytes = "50 MB"
keep_metadata = "yes"

[cache]
bytes = 3

[log]
level = "verbose"
`)
	env := []string{"PICORA_UPLOAD_MAX_MEGAPIXELS=many", "PICORA_LOG_COLOUR=1", "PICORA_BLOBS_MIN_FREE_BYTES=-1", "PICORA_CDN_CACHE_BYTES=1GB", "PICORA_UPLOAD_IDLE_TIMEOUT=60"}
	_, err := Load(path, env, nil)
	if err == nil {
		t.Fatal("no error")
	}
	want := []string{
		path + ": line 3: server.listen: a text in quotes is expected",
		path + ": line 7: server.trusted_proxies: a list of texts is expected, such as [\"a\", \"b\"]",
		path + ": server.shutdown_timeout: a duration is expected, such as \"30s\" or \"5m\"",
		path + ": line 10: upload.max_bytes: a whole number is expected, such as 1000 or 1_000",
		path + ": line 11: upload.keep_metadata: true or false is expected",
		path + `: line 1: unknown setting "colour"`,
		path + `: line 5: unknown setting "server.bsae_url"`,
		path + `: line 13: unknown setting "cache"`,
		`PICORA_UPLOAD_MAX_MEGAPIXELS: "many" is not a whole number`,
		`PICORA_UPLOAD_IDLE_TIMEOUT: "60" is not a duration such as 30s`,
		`PICORA_CDN_CACHE_BYTES: "1GB" is not a whole number`,
		`PICORA_LOG_COLOUR: no such setting`,
		`server.base_url: "https://pics.example.org/picora" is not an address such as https://pics.example.org, without a path`,
		`blobs.min_free_bytes: must not be negative`,
		`log.level: "verbose" is none of debug, info, warn, error`,
	}
	if got := strings.Split(err.Error(), "\n"); !slices.Equal(got, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func TestOnlyVariablesOfASectionMustBeSettings(t *testing.T) {
	kubernetes := []string{
		"PICORA_PORT=tcp://10.0.0.1:3102", "PICORA_SERVICE_HOST=10.0.0.1", "PICORA_SERVICE_PORT=3102", "PICORA_SERVICE_PORT_HTTP=3102",
		"PICORA_PORT_3102_TCP=tcp://10.0.0.1:3102", "PICORA_PORT_3102_TCP_PROTO=tcp", "PICORA_PORT_3102_TCP_PORT=3102", "PICORA_PORT_3102_TCP_ADDR=10.0.0.1",
		"PICORA_METRICS_PORT=tcp://10.0.0.1:9102", "PICORA_METRICS_SERVICE_HOST=10.0.0.1", "PICORA_SERVER_PORT_3102_TCP_ADDR=10.0.0.1",
	}
	others := []string{"PICORA_SEVRER_DATA=/d", "PICORA_PORT=8080", "PICORA_LOGO=1", "HOME=/root", "PICORA_SERVER_DATA=/d", "PICORA_SERVER_NONE=1"}
	env := append(kubernetes, others[:len(others)-1]...)
	if _, err := Load("", env, nil); err != nil {
		t.Error(err)
	}
	if got, want := UnknownEnv(append(env, others...)), []string{"PICORA_LOGO", "PICORA_PORT", "PICORA_SEVRER_DATA"}; !slices.Equal(got, want) {
		t.Errorf("unknown are %v, want %v", got, want)
	}
	for _, wrong := range []string{"PICORA_SERVER_PORT=8080", "PICORA_SERVER_NONE=1", "PICORA_LOG_=1"} {
		name, _, _ := strings.Cut(wrong, "=")
		if _, err := Load("", []string{wrong}, nil); err == nil || err.Error() != name+": no such setting" {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

func TestAFileThatCannotBeReadSaysWhy(t *testing.T) {
	for name, text := range map[string]string{
		": line 2: ":               "[server]\nlisten = \n",
		": line 3: ":               "[log]\nlevel = \"info\"\nlevel = \"info\"\n",
		": log: a section is expe": "log = \"debug\"\n[metrics]\nlisten = \"\"\n",
		": upload: a section is e": "[[upload]]\nmax_bytes = 3\n",
	} {
		if _, err := Load(file(t, text), nil, nil); err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q gives: %v", text, err)
		}
	}
	missing := filepath.Join(t.TempDir(), "none.toml")
	if _, err := Load(missing, nil, nil); err == nil || !strings.Contains(err.Error(), missing+": no such file") {
		t.Errorf("a missing file: %v", err)
	}
}

func TestValuesAreValidated(t *testing.T) {
	type values []string
	tests := []struct {
		setting   string
		good, bad values
	}{
		{"SERVER_LISTEN", values{":3102", "127.0.0.1:0", "[::1]:3102", "localhost:http", "0.0.0.0:65535"},
			values{"", "3102", "127.0.0.1", "127.0.0.1:", "::1:3102", ":65536", ":-1", "http://localhost:3102", "local host:3102"}},
		{"METRICS_LISTEN", values{"", "127.0.0.1:9102"}, values{"9102", "localhost"}},
		{"SERVER_DATA", values{"data", "/srv/with space"}, values{""}},
		{"SERVER_BASE_URL", values{"", "http://localhost:3102", "https://pics.example.org", "https://pics.example.org/", "http://[::1]:3102"},
			values{"pics.example.org", "ftp://pics.example.org", "https://", "https://pics.example.org/picora", "https://pics.example.org?a=b", "https://pics.example.org#a", "https://me:pw@pics.example.org"}},
		{"SERVER_MEDIA_URL", values{"", "https://media.example.org"}, values{"media.example.org", "https://media.example.org/files"}},
		{"SERVER_TRUSTED_PROXIES", values{"", "127.0.0.1", "10.0.0.0/8,fd00::/8"}, values{"localhost", "10.0.0.0/33", "10.0.0.*"}},
		{"SERVER_INTERNAL_TOKEN", values{"", "0123456789abcdef"}, values{"short"}},
		{"SERVER_SHUTDOWN_TIMEOUT", values{"1s", "1m30s", "1h"}, values{"", "0", "30", "999ms", "1h1s", "-5s", "1 minute"}},
		{"UPLOAD_IDLE_TIMEOUT", values{"1s", "1h"}, values{"0s", "2h"}},
		{"UPLOAD_MAX_BYTES", values{"1", "53_000_000"}, values{"", "0", "-1", "1.5", "50MB"}},
		{"UPLOAD_MAX_MEGAPIXELS", values{"1", "10000"}, values{"0", "10001"}},
		{"UPLOAD_KEEP_METADATA", values{"true", "false", "1", "0"}, values{"", "yes"}},
		{"BLOBS_MIN_FREE_BYTES", values{"0", "9223372036854775807"}, values{"-1", "9223372036854775808"}},
		{"SCRUB_HOUR", values{"-1", "0", "23"}, values{"", "-2", "24"}},
		{"SCRUB_READ_DAYS", values{"0", "365"}, values{"-1", "366"}},
		{"CDN_CACHE_BYTES", values{"0"}, values{"-1"}},
		{"VIDEO_LADDER", values{"144", "360,720", "240 360, 4320"}, values{"", "0", "361", "142", "4322", "720,360", "360,360", "360p"}},
		{"VIDEO_QUALITY", values{"16", "32"}, values{"15", "33", "good"}},
		{"VIDEO_PRESET", values{"ultrafast", "slow"}, values{"", "placebo"}},
		{"VIDEO_MAX_FRAME_RATE", values{"24", "120"}, values{"23", "121"}},
		{"VIDEO_JOBS", values{"1", "16"}, values{"0", "17"}},
		{"VIDEO_PRIORITY", values{"idle", "low", "normal"}, values{"", "high"}},
		{"VIDEO_TRIES", values{"1", "100"}, values{"0", "101"}},
		{"LOG_LEVEL", values{"debug", "info", "warn", "error"}, values{"", "INFO", "trace"}},
		{"LOG_FORMAT", values{"text", "json"}, values{"", "xml"}},
	}
	for _, test := range tests {
		for _, v := range test.good {
			if _, err := Load("", []string{"PICORA_" + test.setting + "=" + v}, nil); err != nil {
				t.Errorf("%s=%q: %v", test.setting, v, err)
			}
		}
		for _, v := range test.bad {
			_, err := Load("", []string{"PICORA_" + test.setting + "=" + v}, nil)
			section, key, _ := strings.Cut(strings.ToLower(test.setting), "_")
			if err == nil || !strings.Contains(err.Error(), section+"."+key) && !strings.Contains(err.Error(), "PICORA_"+test.setting) {
				t.Errorf("%s=%q: %v", test.setting, v, err)
			}
		}
	}
}

func TestDurationsReadWhatTheyWrite(t *testing.T) {
	for _, d := range []time.Duration{0, time.Second, 90 * time.Second, time.Hour, 1500 * time.Millisecond} {
		b, err := Duration(d).MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back Duration
		if err := back.UnmarshalText(b); err != nil || time.Duration(back) != d {
			t.Errorf("%s was written as %q and read as %s, %v", d, b, back, err)
		}
	}
}

func TestProxiesAreAddressesAndNetworks(t *testing.T) {
	list, err := Server{TrustedProxies: []string{"127.0.0.1", "10.1.2.3/8", "::1"}}.Proxies()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range list {
		got = append(got, p.String())
	}
	if want := []string{"127.0.0.1/32", "10.0.0.0/8", "::1/128"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestVariantsOfTheFileJoinOurs(t *testing.T) {
	c, err := Load(file(t, "[variants.thumb]\nw = 100\n[variants.og-image]\nw = 1200\nh = 630\nfit = \"cover\"\ncrop = \"smart\"\nfmt = \"jpeg\"\n"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Variants["thumb"] = Variant{"w": int64(100)}
	want.Variants["og-image"] = Variant{"w": int64(1200), "h": int64(630), "fit": "cover", "crop": "smart", "fmt": "jpeg"}
	if !reflect.DeepEqual(c.Variants, want.Variants) {
		t.Errorf("got %v, want %v", c.Variants, want.Variants)
	}
	if q, err := c.Variants["og-image"].Query(); err != nil || q.Width != 1200 || !q.Smart || q.Format != "jpeg" {
		t.Errorf("%+v %v", q, err)
	}
}

func TestWrongVariantsAreAllReported(t *testing.T) {
	_, err := Load(file(t, "[variants.Big]\nw = 1\n[variants.a]\nw = 5000\n[variants.b]\nwidth = 1\n[variants.c]\npreview = 1\n[variants.d]\nw = 1.5\n[variants.e]\nwm = \"V1StGXR8_Z5jdHi6B-myT\"\n"), nil, nil)
	for _, words := range []string{"variants.Big: a name", "variants.a: w is a whole", "variants.b: width is no", "variants.c: preview has no place", "variants.d: w is a whole", "variants.e: wm has no place"} {
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%v does not say %q", err, words)
		}
	}
	for _, text := range []string{"variants = 3\n", "[variants]\nthumb = 3\n"} {
		if _, err := Load(file(t, text), nil, nil); err == nil || !strings.Contains(err.Error(), "a section") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestMailSettingsThatCannotWork(t *testing.T) {
	right := Mail{Host: "smtp.example.org", Port: 587, TLS: "starttls", User: "u", Password: "p", From: "p@example.org"}
	for name, c := range map[string]struct {
		edit func(*Mail)
		want string // empty: right
	}{
		"all of it":                    {func(*Mail) {}, ""},
		"no mail":                      {func(m *Mail) { *m = Default().Mail }, ""},
		"a local server":               {func(m *Mail) { m.Host, m.TLS = "localhost", "none" }, ""},
		"a local address of IPv6":      {func(m *Mail) { m.Host, m.TLS = "::1", "none" }, ""},
		"an address of IPv6":           {func(m *Mail) { m.Host = "2001:db8::25" }, ""},
		"one in brackets":              {func(m *Mail) { m.Host = "[2001:db8::25]" }, "mail.host"},
		"one with a port":              {func(m *Mail) { m.Host = "[2001:db8::25]:25" }, "mail.host"},
		"a port in the host":           {func(m *Mail) { m.Host = "smtp.example.org:25" }, "mail.host"},
		"no sender":                    {func(m *Mail) { m.From = "" }, "mail.from"},
		"a sender with a header in it": {func(m *Mail) { m.From = "a@example.org\r\nBcc: b@example.org" }, "mail.from"},
		"port 0":                       {func(m *Mail) { m.Port = 0 }, "mail.port"},
		"unknown encryption":           {func(m *Mail) { m.TLS = "ssl" }, "mail.tls"},
		"a password in the clear":      {func(m *Mail) { m.TLS = "none" }, "mail.tls"},
		"a password for nobody":        {func(m *Mail) { m.User = "" }, "mail.user"},
	} {
		cfg := Default()
		cfg.Mail = right
		c.edit(&cfg.Mail)
		problems := cfg.Validate()
		if c.want == "" && len(problems) > 0 || c.want != "" && (len(problems) != 1 || !strings.HasPrefix(problems[0].Error(), c.want+":")) {
			t.Errorf("%s: %v, want %q", name, problems, c.want)
		}
	}
}
