package config

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"picora/media"
)

// Validate reports everything that is wrong with c, each with the setting's name.
func (c *Config) Validate() (problems []error) {
	bad := func(key, format string, args ...any) {
		problems = append(problems, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
	}
	if !listenable(c.Server.Listen) {
		bad("server.listen", "%q is not an address such as :3102 or 127.0.0.1:3102", c.Server.Listen)
	}
	if c.Server.Data == "" {
		bad("server.data", "a folder is needed")
	}
	if !origin(c.Server.BaseURL) {
		bad("server.base_url", "%q is not an address such as https://pics.example.org, without a path", c.Server.BaseURL)
	}
	if !origin(c.Server.MediaURL) {
		bad("server.media_url", "%q is not an address such as https://media.example.org, without a path", c.Server.MediaURL)
	}
	if _, err := c.Server.Proxies(); err != nil {
		bad("server.trusted_proxies", "%v", err)
	}
	if t := c.Server.InternalToken; t != "" && len(t) < 16 {
		bad("server.internal_token", "16 characters at least")
	}
	if d := time.Duration(c.Server.ShutdownTimeout); d < time.Second || d > time.Hour {
		bad("server.shutdown_timeout", "between 1s and 1h")
	}
	if !slices.Contains([]string{"closed", "invite", "open"}, c.Accounts.Registration) {
		bad("accounts.registration", "%q is none of closed, invite, open", c.Accounts.Registration)
	}
	if !slices.Contains(PlanNames, c.Accounts.Plan) {
		bad("accounts.plan", "%q is none of none, trial, pro, pro_plus", c.Accounts.Plan)
	}
	if !slices.Contains([]string{"disk", "s3"}, c.Blobs.Backend) {
		bad("blobs.backend", "%q is none of disk, s3", c.Blobs.Backend)
	}
	if c.Blobs.Backend == "s3" {
		problems = append(problems, c.S3.Problems()...)
	}
	for key, n := range c.Limits.numbers() {
		if n < 0 || n > 1_000_000 {
			bad("limits."+key, "between 0 and 1000000; 0 is no limit")
		}
	}
	if c.Upload.MaxBytes < 1 {
		bad("upload.max_bytes", "must be positive")
	}
	if c.Upload.MaxMegapixels < 1 || c.Upload.MaxMegapixels > 10_000 {
		bad("upload.max_megapixels", "between 1 and 10000")
	}
	if d := time.Duration(c.Upload.IdleTimeout); d < time.Second || d > time.Hour {
		bad("upload.idle_timeout", "between 1s and 1h")
	}
	if _, err := c.Fetch.Networks(); err != nil {
		bad("fetch.allow", "%v", err)
	}
	if c.Blobs.MinFreeBytes < 0 {
		bad("blobs.min_free_bytes", "must not be negative")
	}
	if c.Scrub.Hour < -1 || c.Scrub.Hour > 23 {
		bad("scrub.hour", "between 0 and 23, or -1 for never")
	}
	if c.Scrub.ReadDays < 0 || c.Scrub.ReadDays > 365 {
		bad("scrub.read_days", "between 1 and 365, or 0 for never")
	}
	if c.CDN.CacheBytes < 0 {
		bad("cdn.cache_bytes", "must not be negative")
	}
	if !slices.Contains([]string{"named", "signed", "any"}, c.Images.Transforms) {
		bad("images.transforms", "%q is none of named, signed, any", c.Images.Transforms)
	}
	if c.Images.CacheBytes < 0 {
		bad("images.cache_bytes", "must not be negative")
	}
	if c.Images.Workers < 0 || c.Images.Workers > 256 {
		bad("images.workers", "between 0 and 256")
	}
	if c.Images.Queue < 1 || c.Images.Queue > 100_000 {
		bad("images.queue", "between 1 and 100000")
	}
	if d := time.Duration(c.Images.Timeout); d < time.Second || d > 10*time.Minute {
		bad("images.timeout", "between 1s and 10m")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Variants)) {
		if _, err := c.Variants[name].Query(); !media.VariantName(name) {
			bad("variants."+name, "a name has small letters, digits and hyphens, at most 32")
		} else if err != nil {
			bad("variants."+name, "%v", err)
		}
	}
	if _, there := c.Variants["thumb"]; !there {
		bad("variants.thumb", "is needed: the links to thumbnails name it")
	}
	c.Video.validate(bad)
	c.Mail.validate(bad)
	c.validateOIDC(bad)
	for _, name := range PlanNames {
		plan := c.Plans[name]
		plan.each(func(key string, f reflect.Value) {
			if f.Kind() == reflect.Int64 && f.Int() < -1 {
				bad("plans."+name+"."+key, "0 or more, or -1 for no limit")
			}
		})
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level) {
		bad("log.level", "%q is none of debug, info, warn, error", c.Log.Level)
	}
	if !slices.Contains([]string{"text", "json"}, c.Log.Format) {
		bad("log.format", "%q is neither text nor json", c.Log.Format)
	}
	if c.Metrics.Listen != "" && !listenable(c.Metrics.Listen) {
		bad("metrics.listen", "%q is not an address such as 127.0.0.1:9102", c.Metrics.Listen)
	}
	return problems
}

func (v Video) validate(bad func(key, format string, args ...any)) {
	before := 143
	for _, n := range v.Ladder {
		if n <= before || n > 4320 || n%2 != 0 {
			before = -1
			break
		}
		before = n
	}
	if before < 0 || len(v.Ladder) == 0 {
		bad("video.ladder", "even numbers from 144 to 4320, ascending, such as [360, 720, 1080]")
	}
	if v.Quality < 16 || v.Quality > 32 {
		bad("video.quality", "between 16 and 32")
	}
	if presets := []string{"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow"}; !slices.Contains(presets, v.Preset) {
		bad("video.preset", "%q is none of %s", v.Preset, strings.Join(presets, ", "))
	}
	if v.MaxFrameRate < 24 || v.MaxFrameRate > 120 {
		bad("video.max_frame_rate", "between 24 and 120")
	}
	if v.Jobs < 1 || v.Jobs > 16 {
		bad("video.jobs", "between 1 and 16")
	}
	if !slices.Contains([]string{"idle", "low", "normal"}, v.Priority) {
		bad("video.priority", "%q is none of idle, low, normal", v.Priority)
	}
	if v.Tries < 1 || v.Tries > 100 {
		bad("video.tries", "between 1 and 100")
	}
}

func (m Mail) validate(bad func(key, format string, args ...any)) {
	if _, err := netip.ParseAddr(m.Host); err != nil && strings.ContainsAny(m.Host, " /:@") {
		bad("mail.host", "%q is not a host name such as smtp.example.org; the port is a setting of its own", m.Host)
	}
	if m.Port < 1 || m.Port > 65535 {
		bad("mail.port", "between 1 and 65535")
	}
	if !slices.Contains([]string{"starttls", "tls", "none"}, m.TLS) {
		bad("mail.tls", "%q is none of starttls, tls, none", m.TLS)
	}
	if m.Host != "" || m.From != "" {
		if _, err := mail.ParseAddress(m.From); err != nil {
			bad("mail.from", "%q is not an address such as Picora <picora@example.org>", m.From)
		}
	}
	if m.Password != "" && m.User == "" {
		bad("mail.user", "is needed with a password")
	}
	if m.User != "" && m.TLS == "none" && m.Host != "localhost" && m.Host != "127.0.0.1" && m.Host != "::1" {
		bad("mail.tls", "a password must not cross the network unencrypted")
	}
}

// numbers are the settings by their names, in their order.
func (l Limits) numbers() iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for _, n := range []struct {
			key   string
			value int
		}{
			{"read_per_minute", l.ReadPerMinute}, {"read_burst", l.ReadBurst},
			{"mutation_per_minute", l.MutationPerMinute}, {"mutation_burst", l.MutationBurst},
			{"upload_per_minute", l.UploadPerMinute}, {"upload_burst", l.UploadBurst},
			{"hourly", l.Hourly},
			{"sign_in_per_minute", l.SignInPerMinute}, {"sign_in_burst", l.SignInBurst},
		} {
			if !yield(n.key, n.value) {
				return
			}
		}
	}
}

// Query is the transform that a variant stands for.
func (v Variant) Query() (media.Query, error) {
	var p media.QueryParser
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if name == "variant" || name == "preview" || name == "wm" {
			return media.Query{}, fmt.Errorf("%s has no place in a variant", name)
		}
		if err := p.Add(name, fmt.Sprint(v[name])); errors.Is(err, media.ErrNotParam) {
			return media.Query{}, fmt.Errorf("%s is no parameter of a transform", name)
		} else if err != nil {
			return media.Query{}, err
		}
	}
	return p.Query()
}

// Proxies parses TrustedProxies.
func (s Server) Proxies() ([]netip.Prefix, error) { return networks(s.TrustedProxies) }

// Networks parses Allow.
func (f Fetch) Networks() ([]netip.Prefix, error) { return networks(f.Allow) }

func networks(texts []string) (list []netip.Prefix, err error) {
	for _, t := range texts {
		p, err := netip.ParsePrefix(t)
		if a, e := netip.ParseAddr(t); e == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("%q is neither an address nor a network such as 10.0.0.0/8", t)
		}
		list = append(list, p.Masked())
	}
	return list, nil
}

func listenable(addr string) bool {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || port == "" {
		return false
	}
	n, err := net.LookupPort("tcp", port)
	return err == nil && n >= 0 && !strings.ContainsAny(host, " /")
}

// origin reports whether s is empty or scheme://host[:port]. Clients derive the
// API base by keeping scheme and host, so a path would break them.
func origin(s string) bool {
	if s == "" {
		return true
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" &&
		strings.Trim(u.Path, "/") == "" && u.RawQuery == "" && u.Fragment == "" && u.User == nil
}

// Problems are what keeps a bucket from being used.
func (s *S3) Problems() (list []error) {
	bad := func(key, format string, args ...any) {
		list = append(list, fmt.Errorf("s3.%s: %s", key, fmt.Sprintf(format, args...)))
	}
	if s.Endpoint == "" || !origin(s.Endpoint) {
		bad("endpoint", "%q is not an address such as https://s3.eu-central-1.amazonaws.com or http://nas.local:9000, without a path", s.Endpoint)
	}
	if s.Bucket == "" {
		bad("bucket", "a bucket is needed")
	}
	if s.AccessKey == "" || s.SecretKey == "" {
		bad("access_key", "a key and its secret (s3.secret_key) are needed")
	}
	if strings.HasPrefix(s.Prefix, "/") || strings.ContainsFunc(s.Prefix, func(r rune) bool { return r < ' ' || r > '~' }) {
		bad("prefix", "%q begins with a slash, or has other than plain letters", s.Prefix)
	}
	if e := s.Encryption; e != "" && e != "AES256" && e != "aws:kms" && !strings.HasPrefix(e, "aws:kms:") {
		bad("encryption", "%q is none of AES256, aws:kms, aws:kms:KEY", e)
	}
	if s.Serve != "proxy" && s.Serve != "redirect" {
		bad("serve", "%q is none of proxy, redirect", s.Serve)
	}
	if !origin(s.PublicEndpoint) {
		bad("public_endpoint", "%q is not an address such as https://s3.example.org, without a path", s.PublicEndpoint)
	}
	if s.PublicEndpoint != "" && s.Region == "" {
		bad("region", "is needed with s3.public_endpoint")
	}
	if s.CacheBytes < 0 {
		bad("cache_bytes", "must not be negative")
	}
	return list
}
