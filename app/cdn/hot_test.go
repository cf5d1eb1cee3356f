package cdn_test

import (
	"maps"
	"testing"

	"picora/app/apptest"
)

// The hot path and the ordinary one must say the same of a file.
func TestAFileFromMemorySaysWhatTheFirstAnswerSaid(t *testing.T) {
	p := apptest.Start(t)
	url := p.Add("a.png", apptest.PNG(40, 40, 1)).URL
	for _, method := range []string{"GET", "HEAD"} {
		first := get(p, method, url+"?v=1") // a query is not for the hot path
		for range 3 {
			again := get(p, method, url)
			if again.Header.Get("X-Request-Id") == "" || again.Header.Get("X-Request-Id") == first.Header.Get("X-Request-Id") {
				t.Errorf("%s: request id %q after %q", method, again.Header.Get("X-Request-Id"), first.Header.Get("X-Request-Id"))
			}
			for _, h := range []map[string][]string{first.Header, again.Header} {
				delete(h, "X-Request-Id")
				delete(h, "Date")
			}
			if again.Status != first.Status || string(again.Body) != string(first.Body) ||
				!maps.EqualFunc(first.Header, again.Header, func(a, b []string) bool { return len(a) == 1 && len(b) == 1 && a[0] == b[0] }) {
				t.Errorf("%s: %d %v (%d bytes), then %d %v (%d bytes)", method, first.Status, first.Header, len(first.Body), again.Status, again.Header, len(again.Body))
			}
		}
	}
}
