package link

import (
	"context"
	"net/netip"
	"strings"
	"testing"
)

func prefixes(list ...string) (p []netip.Prefix) {
	for _, s := range list {
		p = append(p, netip.MustParsePrefix(s))
	}
	return p
}

func TestLinksFollowTheSettingsElseTheRequest(t *testing.T) {
	proxy, stranger := netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("203.0.113.9")
	cases := []struct {
		name, base, media string
		r                 Request
		want              Origin
	}{
		{"nothing is set", "", "", Request{Peer: stranger, Host: "h:3102"}, Origin{API: "http://h:3102", Media: "http://h:3102"}},
		{"the base is set", "https://b/", "", Request{Peer: stranger, Host: "h"}, Origin{API: "https://b", Media: "https://b"}},
		{"both are set", "https://b", "https://m/", Request{Peer: stranger, Host: "h"}, Origin{API: "https://b", Media: "https://m"}},
		{"the settings are in capitals and name default ports", "HTTP://B:80/", "https://M:443", Request{Peer: stranger, Host: "h"}, Origin{API: "http://b", Media: "https://m"}},
		{"another port than the default", "https://b:80", "http://[::1]:443", Request{Peer: stranger, Host: "h"}, Origin{API: "https://b:80", Media: "http://[::1]:443"}},
		{"only the media address is set", "", "https://m", Request{Peer: stranger, Host: "h"}, Origin{API: "http://h", Media: "https://m"}},
		{"a proxy says more", "", "", Request{Peer: proxy, Host: "h", ForwardedHost: "p", ForwardedProto: "https"}, Origin{API: "https://p", Media: "https://p"}},
		{"a proxy says it in capitals", "", "", Request{Peer: proxy, Host: "h", ForwardedProto: "HTTPS"}, Origin{API: "https://h", Media: "https://h"}},
		{"a proxy says it as a list", "", "", Request{Peer: proxy, Host: "h", ForwardedHost: " p , q", ForwardedProto: "https, http"}, Origin{API: "https://p", Media: "https://p"}},
		{"a proxy over IPv6 that carries IPv4", "", "", Request{Peer: netip.MustParseAddr("::ffff:10.1.2.3"), Host: "h", ForwardedProto: "https"}, Origin{API: "https://h", Media: "https://h"}},
		{"a stranger says more", "", "", Request{Peer: stranger, Host: "h", ForwardedHost: "evil", ForwardedProto: "https"}, Origin{API: "http://h", Media: "http://h"}},
		{"a proxy speaks of another scheme", "", "", Request{Peer: proxy, Host: "h", ForwardedProto: "javascript"}, Origin{API: "http://h", Media: "http://h"}},
		{"a proxy's host breaks out", "", "", Request{Peer: proxy, Host: "h", ForwardedHost: `p"/><script>`}, Origin{API: "http://localhost", Media: "http://localhost"}},
		{"the host breaks out", "", "", Request{Peer: stranger, Host: "h/evil?"}, Origin{API: "http://localhost", Media: "http://localhost"}},
		{"the host is empty", "", "", Request{Peer: stranger}, Origin{API: "http://localhost", Media: "http://localhost"}},
		{"the host is too long", "", "", Request{Peer: stranger, Host: strings.Repeat("h", 256)}, Origin{API: "http://localhost", Media: "http://localhost"}},
		{"the host is an address", "", "", Request{Peer: stranger, Host: "[::1]:3102"}, Origin{API: "http://[::1]:3102", Media: "http://[::1]:3102"}},
		{"the settings win over a proxy", "https://b", "https://m", Request{Peer: proxy, Host: "h", ForwardedHost: "p"}, Origin{API: "https://b", Media: "https://m"}},
		{"the peer is unknown", "", "", Request{Host: "h", ForwardedHost: "p"}, Origin{API: "http://h", Media: "http://h"}},
	}
	for _, c := range cases {
		if got := New(c.base, c.media, prefixes("10.0.0.0/8", "fd00::/8")).Origin(c.r); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestTheClientIsTheLastAddressThatIsNoProxyOfOurs(t *testing.T) {
	cases := []struct{ name, peer, forwarded, want string }{
		{"nobody forwards", "203.0.113.9", "", "203.0.113.9"},
		{"a stranger says that he was another", "203.0.113.9", "192.0.2.1", "203.0.113.9"},
		{"our proxy names its client", "10.0.0.1", "192.0.2.1", "192.0.2.1"},
		{"two of our proxies", "10.0.0.1", "192.0.2.1, 10.0.0.2", "192.0.2.1"},
		{"a client that made up the start of the chain", "10.0.0.1", "1.1.1.1, 192.0.2.1", "192.0.2.1"},
		{"a client that claims to be our proxy", "10.0.0.1", "10.9.9.9, 192.0.2.1", "192.0.2.1"},
		{"all are ours", "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"},
		{"no address at all", "10.0.0.1", "unknown", "10.0.0.1"},
		{"no address behind one of ours", "10.0.0.1", "evil, 10.0.0.2", "10.0.0.2"},
		{"IPv6", "fd00::1", "2001:db8::1", "2001:db8::1"},
	}
	l := New("", "", prefixes("10.0.0.0/8", "fd00::/8"))
	for _, c := range cases {
		if got := l.Client(Request{Peer: netip.MustParseAddr(c.peer), ForwardedFor: c.forwarded}); got.String() != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestFilesHaveAHostOfTheirOwnWhenItIsAnother(t *testing.T) {
	cases := []struct {
		base, media string
		yes         bool
	}{
		{"", "", false},
		{"https://a", "", false},
		{"https://a", "https://a", false},
		{"https://a", "https://A", false},
		{"https://a", "https://a:443", false},
		{"http://a:80", "http://a/", false},
		{"https://a", "https://m", true},
		{"https://a", "https://a:8443", true},
		{"", "https://M.example.org", true},
	}
	for _, c := range cases {
		if yes := New(c.base, c.media, nil).SeparateMedia(); yes != c.yes {
			t.Errorf("base %q, media %q: %v", c.base, c.media, yes)
		}
	}
}

func TestARequestIsToTheFilesHostWhateverTheProxyDidToThePort(t *testing.T) {
	cases := []struct {
		base, media, host string
		yes               bool
	}{
		{"https://a", "https://m", "m", true},
		{"https://a", "https://m", "M", true},
		{"https://a", "https://m", "m:443", true},
		{"https://a", "http://m:80", "m", true},
		{"https://a", "https://m:8443", "m:8443", true},
		{"https://a", "https://m:8443", "m", true},
		{"https://a", "https://m:8443", "m:443", true},
		{"https://a", "https://m:8443", "m:9000", false},
		{"https://a", "https://m", "a", false},
		{"https://a", "https://m", "", false},
		{"https://a", "https://m", "mm", false},
		{"https://a", "https://a:8443", "a", false},
		{"https://a", "https://a:8443", "a:443", false},
		{"https://a", "https://a:8443", "a:8443", true},
		{"https://a:8443", "https://a", "a:8443", false},
		{"https://a:8443", "https://a", "a", true},
		{"", "http://[::1]:3102", "[::1]:3102", true},
		{"", "http://[::1]:3102", "[::1]", true},
		{"", "http://[::1]:80", "[::1]:80", true},
		{"", "http://[::1]", "[::2]", false},
	}
	for _, c := range cases {
		if yes := New(c.base, c.media, nil).OnMedia(Request{Host: c.host}); yes != c.yes {
			t.Errorf("base %q, media %q, host %q: %v", c.base, c.media, c.host, yes)
		}
	}
}

func TestAnOriginTravelsInAContext(t *testing.T) {
	o := Origin{API: "https://a", Media: "https://m"}
	if got := Of(With(context.Background(), o)); got != o {
		t.Errorf("Of(With(%v)) = %v", o, got)
	}
	if got := Of(context.Background()); got != (Origin{}) {
		t.Errorf("Of an empty context = %v", got)
	}
	if got, want := o.Image("abc", "png"), "https://m/abc.png"; got != want {
		t.Errorf("Image = %s, want %s", got, want)
	}
}
