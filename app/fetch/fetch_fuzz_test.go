package fetch

import (
	"strings"
	"testing"
)

func FuzzParse(f *testing.F) {
	f.Add("https://user@example.org:8443/a%20b?x#y")
	f.Add("http://0x7f.1/")
	f.Add("http://[::ffff:127.0.0.1%25lo]/")
	f.Fuzz(func(t *testing.T, s string) {
		u, err := Parse(s)
		if err != nil {
			return
		}
		if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.Contains(u.Hostname(), "%") {
			t.Errorf("%q is taken as %q", s, u)
		}
		if again, err := Parse(u.String()); err == nil && again.String() != u.String() {
			t.Errorf("%q is %q, and that %q", s, u, again)
		}
	})
}

func FuzzContentRange(f *testing.F) {
	f.Add("bytes 5-9/10")
	f.Add("bytes 5-9/*")
	f.Add("bytes -9/10")
	f.Fuzz(func(t *testing.T, s string) {
		begin, size, ok := contentRange(s)
		if ok && (begin < 0 || size < -1 || size >= 0 && size < begin) {
			t.Errorf("%q is %d of %d", s, begin, size)
		}
	})
}
