package api

import (
	"net/url"
	"strings"
	"testing"
)

// Whatever a return path is, a browser that is sent there stays here. Browsers take
// backslashes for slashes and drop tabs and line ends.
func FuzzReturnPath(f *testing.F) {
	for _, s := range []string{"/", "/a?b#c", "//evil.example", "/\\evil.example", "/\t/evil.example", "javascript:alert(1)", "/%2F/evil.example", "/..//evil.example"} {
		f.Add(s)
	}
	base := &url.URL{Scheme: "https", Host: "pics.example.org", Path: "/v1/auth/oidc/a/callback"}
	f.Fuzz(func(t *testing.T, s string) {
		to, err := returnPath(s)
		if err != nil || to == "" {
			return
		}
		seen := strings.NewReplacer("\t", "", "\n", "", "\r", "", "\\", "/").Replace(strings.TrimSpace(to))
		u, err := base.Parse(seen)
		if err != nil || u.Scheme != "https" || u.Host != "pics.example.org" || strings.HasPrefix(seen, "//") {
			t.Errorf("%q leads to %v", to, u)
		}
	})
}
