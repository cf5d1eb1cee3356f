package fetch

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"picora/app/fault"
)

// forbidden are addresses that nothing may be fetched from (issue 8, "show" 5), by family.
var forbidden = map[string][]string{
	"loopback":     {"127.0.0.1", "127.0.0.2", "127.255.255.254", "::1"},
	"unspecified":  {"0.0.0.0", "0.1.2.3", "::"},
	"private":      {"10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.0.1", "fc00::1", "fd12:3456::1", "fec0::1"},
	"link-local":   {"169.254.0.1", "169.254.169.254", "fe80::1", "fe80::1%lo", "fe80::5efe:7f00:1"},
	"CGNAT":        {"100.64.0.1", "100.127.255.254"},
	"multicast":    {"224.0.0.1", "239.255.255.250", "ff02::1", "ff0e::1"},
	"reserved":     {"192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.254", "198.51.100.1", "203.0.113.1", "240.0.0.1", "255.255.255.255", "100::1", "2001:db8::1", "3fff::1", "4000::1", "e000::1"},
	"IPv4-mapped":  {"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe"},
	"compatible":   {"::127.0.0.1", "::10.0.0.1", "::7f00:1"},
	"translated":   {"::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::8.8.8.8", "64:ff9b:1::10.0.0.1"},
	"6to4, Teredo": {"2002:7f00:1::", "2002:a00:1::1", "2001:0:4136:e378:8000:63bf:80ff:fffe", "2001::1"},
}

func TestNothingIsConnectedToThatIsNotOnTheInternet(t *testing.T) {
	closed, c := newGuard(nil), New(Options{})
	for family, list := range forbidden {
		for _, ip := range list {
			network := "tcp4"
			if strings.Contains(ip, ":") {
				network = "tcp6"
			}
			for _, port := range []string{"80", "443"} {
				if closed.control(network, net.JoinHostPort(ip, port), nil) == nil {
					t.Errorf("%s: %s may be connected to", family, ip)
				}
			}
			if network == "tcp4" { // and so it is by a client; not every machine has IPv6
				_, err := c.Open(t.Context(), "http://"+ip+"/a.png", 0, "")
				if f := fault.From(err); f.Code != fault.Invalid || !strings.Contains(f.Message, "fetch.allow") {
					t.Errorf("%s: %s: %v", family, ip, err)
				}
			}
		}
	}
	for _, at := range []string{"8.8.8.8:443", "93.184.215.14:80", "[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:443", "[2a00:1450:4001:82b::200e]:80"} {
		network := "tcp4"
		if at[0] == '[' {
			network = "tcp6"
		}
		if err := closed.control(network, at, nil); err != nil {
			t.Errorf("%s: %v", at, err)
		}
	}
	for _, at := range []string{"8.8.8.8:22", "8.8.8.8:8080", "[2a00:1450:4001:82b::200e]:25"} {
		if closed.control("tcp4", at, nil) == nil {
			t.Errorf("the port of %s is open", at)
		}
	}
	if closed.control("udp4", "8.8.8.8:443", nil) == nil || closed.control("tcp4", "8.8.8.8", nil) == nil {
		t.Error("what is no address of TCP may be connected to")
	}
	open := newGuard([]netip.Prefix{netip.MustParsePrefix("192.168.1.0/24"), netip.MustParsePrefix("fd00::/8")})
	for at, may := range map[string]bool{"192.168.1.7:5000": true, "[::ffff:192.168.1.7]:80": true, "[fd00::1]:8080": true, "192.168.2.1:80": false, "127.0.0.1:80": false, "8.8.8.8:22": false, "8.8.8.8:80": true} {
		if err := open.control("tcp4", at, nil); (err == nil) != may {
			t.Errorf("with some networks allowed, %s: %v", at, err)
		}
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	for _, address := range []string{
		"", "x", "//example.org/a.png", "/a.png", "example.org/a.png", "file:///etc/passwd", "ftp://example.org/a", "gopher://example.org/", "data:image/png;base64,AA",
		"javascript:alert(1)", "http:", "http://", "https:///a.png", "http:example.org", "http://user@example.org/", "http://user:password@example.org/", "http://exa mple.org/",
		"http://2130706433/", "http://0x7f000001/", "http://0x7F.0.0.1/", "http://017700000001/", "http://0177.0.0.1/", "http://127.1/", "http://127.0.0x1/", "http://127.0.0.1.2/", "http://1/", "http://a.0x/",
		"http://127.1./", "http://[fe80::1%25lo]/", "http://[::1/", "http://exam%00ple.org/", "http://127.0.0.1%2eexample.org/", "http://a\\b/", "http://example.org:port/",
		"http://example.org/" + strings.Repeat("a", maxAddress),
	} {
		u, err := Parse(address)
		if err == nil {
			t.Errorf("%.60q is %q", address, u)
		} else if f := fault.From(err); f.Code != fault.Invalid {
			t.Errorf("%.60q: %v", address, err)
		}
	}
	for address, want := range map[string]string{
		" https://example.org/a%20b.png?x=1#part ": "https://example.org/a%20b.png?x=1",
		"HTTP://EXAMPLE.org":                       "http://EXAMPLE.org",
		"http://127.0.0.1/":                        "http://127.0.0.1/", // an address; whether it may be connected to is another matter
		"https://[2a00::1]:8443/a":                 "https://[2a00::1]:8443/a",
		"https://bücher.example/":                  "https://b%C3%BCcher.example/",
		"https://0xcafe.example/":                  "https://0xcafe.example/",
	} {
		if u, err := Parse(address); err != nil || u.String() != want {
			t.Errorf("%q is %v, %v; want %q", address, u, err, want)
		}
	}
}

// TestARedirectLeadsNowhereElse sends a client from a server that it may ask to all
// addresses that it may not.
func TestARedirectLeadsNowhereElse(t *testing.T) {
	var to atomic.Value
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/loop" {
			http.Redirect(w, r, "/loop", http.StatusFound)
			return
		}
		http.Redirect(w, r, to.Load().(string), http.StatusTemporaryRedirect)
	}))
	defer s.Close()
	here := netip.MustParseAddrPort(s.Listener.Addr().String()).Addr()
	c := New(Options{Allow: []netip.Prefix{netip.PrefixFrom(here, here.BitLen())}})
	try := func(target string) {
		t.Helper()
		to.Store(target)
		f, err := c.Open(t.Context(), s.URL+"/a.png", 0, "")
		if err == nil {
			f.Close()
			t.Errorf("a redirect to %s was followed", target)
		} else if code := fault.From(err).Code; code != fault.Invalid {
			t.Errorf("a redirect to %s: %v", target, err)
		}
	}
	for _, list := range forbidden {
		for _, ip := range list {
			if !strings.Contains(ip, ":") && ip != here.String() {
				try("http://" + ip + "/")
			}
		}
	}
	for _, target := range []string{"file:///etc/passwd", "http://2130706433/", "http://0177.0.0.1/", "ftp://example.org/", "http://u:p@example.org/"} {
		try(target)
	}
	if _, err := c.Open(t.Context(), s.URL+"/loop", 0, ""); fault.From(err).Code != fault.FetchFailed {
		t.Errorf("redirects without end: %v", err)
	}
}

// TestANameThatChangesItsMeaning has a name that means an address that is open when it is
// first looked up, and one that is closed from then on (DNS rebinding).
func TestANameThatChangesItsMeaning(t *testing.T) {
	open, closed := listenOn(t, "127.0.0.2:0"), netip.MustParseAddr("127.0.0.1")
	port := netip.MustParseAddrPort(open.addr).Port()
	victim := listenOn(t, netip.AddrPortFrom(closed, port).String())
	here := netip.MustParseAddr("127.0.0.2")
	var asked atomic.Int64
	resolver := names(t, func(name string) []netip.Addr {
		switch name {
		case "both.test.":
			return []netip.Addr{closed, here}
		case "rebind.test.":
			if asked.Add(1) == 1 {
				return []netip.Addr{here}
			}
		case "victim.test.", "localhost.":
		default:
			return nil
		}
		return []netip.Addr{closed}
	})
	c := New(Options{Allow: []netip.Prefix{netip.PrefixFrom(here, 32)}, Resolver: resolver})
	at := func(host string) error {
		_, p, _ := net.SplitHostPort(open.addr)
		f, err := c.Open(t.Context(), "http://"+net.JoinHostPort(host, p)+"/a.png", 0, "")
		if err == nil {
			f.Close()
		}
		return err
	}
	if err := at("rebind.test"); err != nil {
		t.Fatalf("when the name means an address that is open: %v", err)
	}
	for _, host := range []string{"rebind.test", "rebind.test", "victim.test", "localhost", "localhost."} {
		if err := at(host); fault.From(err).Code != fault.Invalid {
			t.Errorf("%s: %v", host, err)
		}
	}
	if err := at("both.test"); err != nil { // the one that is open answers
		t.Errorf("a name with two addresses: %v", err)
	}
	if err := at("nobody.test"); fault.From(err).Code != fault.FetchFailed || !strings.Contains(err.Error(), "There is no host") {
		t.Errorf("a name that means nothing: %v", err)
	}
	if n := victim.connections.Load(); n != 0 {
		t.Errorf("%d connections were made to what is closed", n)
	}
	if open.connections.Load() < 2 {
		t.Error("nobody came to what is open")
	}
}

type counted struct {
	addr        string
	connections *atomic.Int64
}

// listenOn serves an empty answer at the address, and counts who comes.
func listenOn(t *testing.T, addr string) counted {
	t.Helper()
	ln, err := net.Listen("tcp4", addr)
	if err != nil {
		t.Skipf("%s: %v", addr, err) // some systems have no 127.0.0.2
	}
	c := counted{ln.Addr().String(), new(atomic.Int64)}
	s := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("here")) }),
		ConnState: func(_ net.Conn, s http.ConnState) {
			if s == http.StateNew {
				c.connections.Add(1)
			}
		},
	}
	go s.Serve(ln)
	t.Cleanup(func() { s.Close() })
	return c
}

// names is a resolver that asks a DNS server of ours.
func names(t *testing.T, meaning func(name string) []netip.Addr) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		b := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFrom(b)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			var m dnsmessage.Message
			if err != nil || m.Unpack(b[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			m.Header.Response, m.Header.Authoritative, m.Additionals = true, true, nil
			if q.Type == dnsmessage.TypeA {
				list := meaning(q.Name.String())
				if list == nil {
					m.Header.RCode = dnsmessage.RCodeNameError
				}
				for _, ip := range list {
					m.Answers = append(m.Answers, dnsmessage.Resource{
						Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
						Body:   &dnsmessage.AResource{A: ip.As4()},
					})
				}
			}
			if out, err := m.Pack(); err == nil {
				conn.WriteTo(out, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp4", conn.LocalAddr().String())
	}}
}
