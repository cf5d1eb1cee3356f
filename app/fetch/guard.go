package fetch

import (
	"net/netip"
	"net/url"
	"strings"
	"syscall"

	"code.dny.dev/ssrf"

	"picora/app/fault"
)

// maxAddress is the longest address, in bytes: signed ones are long.
const maxAddress = 4096

// guard decides what may be connected to. It is asked for every connection, after names
// were looked up: whatever an address is written like, whatever a name meant a moment
// ago and wherever a redirect leads, this is the address that the connection is for.
type guard struct {
	allow  []netip.Prefix
	public *ssrf.Guardian
}

// newGuard makes a guard. The library lets pass what IANA's registries have on the internet,
// at the ports 80 and 443, and no address of IPv6 that holds one of IPv4.
func newGuard(allow []netip.Prefix) *guard { return &guard{allow, ssrf.New()} }

// control is a net.Dialer's.
func (g *guard) control(network, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return ssrf.ErrInvalidHostPort
	}
	ip := at.Addr().Unmap().WithZone("") // no network contains an address with a zone
	for _, p := range g.allow {
		if p.Contains(ip) {
			return nil
		}
	}
	return g.public.Safe(network, netip.AddrPortFrom(ip, at.Port()).String(), nil)
}

// Parse reads the address of a file, and refuses what is none.
func Parse(address string) (*url.URL, error) {
	address = strings.TrimSpace(address)
	if len(address) > maxAddress {
		return nil, fault.New(fault.Invalid, "url: an address has at most %d characters.", maxAddress)
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return nil, notAnAddress()
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fault.New(fault.Invalid, "url: addresses begin with https:// or http://.")
	case u.User != nil:
		return nil, fault.New(fault.Invalid, "url: an address with a name or password in it is not fetched. Download the file and upload it.")
	case !hostname(u.Hostname()):
		return nil, fault.New(fault.Invalid, "url: %.100q is no host: write its name, or its address in the usual way.", u.Hostname())
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

func notAnAddress() error {
	return fault.New(fault.Invalid, "url: this is not the address of a file, such as https://example.org/picture.jpg.")
}

// hostname refuses hosts that some programs take for an address of IPv4 and others for a
// name: 2130706433, 0x7f.1 and 0177.0.0.1 are 127.0.0.1 to many (WHATWG URL, section 3.5),
// and addresses that hold only on one link.
func hostname(h string) bool {
	h = strings.TrimSuffix(h, ".")
	if h == "" || strings.ContainsAny(h, "% \\") {
		return false
	}
	last := strings.ToLower(h[strings.LastIndexByte(h, '.')+1:])
	digits := "0123456789"
	if hex, is := strings.CutPrefix(last, "0x"); is {
		last, digits = hex, "0123456789abcdef"
	}
	if strings.Trim(last, digits) != "" {
		return true
	}
	_, err := netip.ParseAddr(h)
	return err == nil
}
