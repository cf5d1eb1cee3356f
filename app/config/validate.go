package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
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
	if c.Upload.MaxBytes < 1 {
		bad("upload.max_bytes", "must be positive")
	}
	if c.Upload.MaxMegapixels < 1 || c.Upload.MaxMegapixels > 10_000 {
		bad("upload.max_megapixels", "between 1 and 10000")
	}
	if d := time.Duration(c.Upload.IdleTimeout); d < time.Second || d > time.Hour {
		bad("upload.idle_timeout", "between 1s and 1h")
	}
	if c.Blobs.MinFreeBytes < 0 {
		bad("blobs.min_free_bytes", "must not be negative")
	}
	if c.CDN.CacheBytes < 0 {
		bad("cdn.cache_bytes", "must not be negative")
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

// Proxies parses TrustedProxies.
func (s Server) Proxies() (list []netip.Prefix, err error) {
	for _, t := range s.TrustedProxies {
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
