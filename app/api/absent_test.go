package api_test

import (
	"fmt"
	"strings"
	"testing"

	"picora/app/api"
)

// What is not there yet cannot be attacked. These tests fail with the first route of its
// kind, whose author then owes the threat's own test.

// TestThereAreNoStreamsOfEvents (threat 22: streams that tell others' news).
func TestThereAreNoStreamsOfEvents(t *testing.T) {
	t.Parallel()
	for _, o := range readDocument(t).Operations {
		if text := fmt.Sprint(o.Value["responses"]); strings.Contains(text, "event-stream") || strings.Contains(text, "101") {
			t.Errorf("%s %s streams: test that it tells each user only their own", o.Method, o.Path)
		}
	}
}

// TestPicoraIsNoOAuthProviderYet (threat 24: open redirects, open registration), and
// takes no payments (threat 34: replayed webhooks; its race for quota is
// app/quota_test.go).
func TestPicoraIsNoOAuthProviderYet(t *testing.T) {
	p := start(t)
	for _, r := range new(api.API).Routes() {
		for _, begin := range []string{"/oauth", "/v1/oauth", "/.well-known", "/webhooks", "/v1/billing/checkout", "/v1/activate"} {
			if strings.HasPrefix(r.Path, begin) {
				t.Errorf("%s %s: write the tests of threats 24 and 34", r.Method, r.Path)
			}
		}
	}
	for _, path := range []string{"/oauth/authorize?client_id=x&redirect_uri=https://evil.example", "/oauth/register", "/.well-known/oauth-authorization-server", "/webhooks/polar"} {
		p.Play(t, scenario{URL: path, Status: 404, Code: "NOT_FOUND"})
	}
}
