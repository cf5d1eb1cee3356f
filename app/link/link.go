// Package link makes the public addresses of files. They follow the settings,
// or, where those are empty, the host that the client asked.
package link

import (
	"context"
	"net/netip"
	"net/url"
	"strings"
)

// Links makes addresses for requests.
type Links struct {
	base, media         string
	elsewhere           string
	baseHost, mediaHost string
	trusted             []netip.Prefix
}

// Request is what a request says of its own address.
type Request struct {
	Peer           netip.Addr // who is connected to us
	Host           string     // Host header
	ForwardedHost  string     // X-Forwarded-Host
	ForwardedProto string     // X-Forwarded-Proto
	ForwardedFor   string     // X-Forwarded-For
}

// Origin is where the API and the files are, as scheme://host without a slash. Requests of
// files may be led Elsewhere; empty: they are not.
type Origin struct{ API, Media, Elsewhere string }

// Sources are the origins that the bytes of files come from, with spaces between, for the
// policies of pages.
func (o Origin) Sources() string { return strings.TrimSpace(o.Media + " " + o.Elsewhere) }

// New takes the settings' base and media address, each of which may be empty,
// and the proxies whose X-Forwarded headers are believed.
func New(base, media string, trusted []netip.Prefix) *Links {
	base, baseHost := normal(base)
	media, mediaHost := normal(media)
	return &Links{base: base, media: media, baseHost: baseHost, mediaHost: mediaHost, trusted: trusted}
}

// UseElsewhere says where requests of files may be led to. It is called before the start.
func (l *Links) UseElsewhere(origin string) { l.elsewhere = origin }

// Origin answers where r's client finds the API and the files.
func (l *Links) Origin(r Request) Origin {
	o := Origin{l.base, l.media, l.elsewhere}
	if o.API == "" {
		o.API = l.asked(r)
	}
	if o.Media == "" {
		o.Media = o.API
	}
	return o
}

// Host is the host name, with its port, that the client asked for.
func (l *Links) Host(r Request) string {
	if h := first(r.ForwardedHost); h != "" && l.trusts(r.Peer) {
		return h
	}
	return r.Host
}

// Client is the address of the client: the peer, or what a trusted proxy says.
// Of a chain, the last address that is not itself a trusted proxy counts.
func (l *Links) Client(r Request) netip.Addr {
	addr := r.Peer
	hops := strings.Split(r.ForwardedFor, ",")
	for i := len(hops) - 1; i >= 0 && l.trusts(addr); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = next
	}
	return addr
}

// SeparateMedia reports whether files have a host of their own.
func (l *Links) SeparateMedia() bool { return l.mediaHost != "" && l.mediaHost != l.baseHost }

// OnMedia reports whether r asked the host of the files. Proxies drop ports and
// add default ones, so ports count only where both sides name one, or where
// nothing else tells the files' host from the API's.
func (l *Links) OnMedia(r Request) bool {
	name, port := splitPort(strings.ToLower(l.Host(r)))
	if port == "80" || port == "443" {
		port = ""
	}
	if join(name, port) == l.baseHost {
		return false
	}
	mediaName, mediaPort := splitPort(l.mediaHost)
	return name == mediaName && (port == "" || mediaPort == "" || port == mediaPort)
}

func (l *Links) asked(r Request) string {
	proto := "http"
	if strings.EqualFold(first(r.ForwardedProto), "https") && l.trusts(r.Peer) {
		proto = "https"
	}
	host := l.Host(r)
	if !plainHost(host) {
		host = "localhost"
	}
	return proto + "://" + host
}

func (l *Links) trusts(a netip.Addr) bool {
	a = a.Unmap()
	for _, p := range l.trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func first(list string) string {
	f, _, _ := strings.Cut(list, ",")
	return strings.TrimSpace(f)
}

// normal writes an address as browsers do: its host in small letters, without the
// scheme's own port, and no slash at the end.
func normal(address string) (origin, host string) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "", ""
	}
	name, port := splitPort(strings.ToLower(u.Host))
	if u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443" {
		port = ""
	}
	host = join(name, port)
	return u.Scheme + "://" + host, host
}

// splitPort takes the port off a host, which may have none.
func splitPort(host string) (name, port string) {
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		return host[:i], host[i+1:]
	}
	return host, ""
}

func join(name, port string) string {
	if port == "" {
		return name
	}
	return name + ":" + port
}

// plainHost reports whether a Host header can stand in a link as it is.
func plainHost(h string) bool {
	if h == "" || len(h) > 255 {
		return false
	}
	for _, c := range []byte(h) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(".-:[]_", c) >= 0) {
			return false
		}
	}
	return true
}

// Image is the address of a picture.
func (o Origin) Image(id, ext string) string { return o.Media + "/" + id + "." + ext }

// Audio is the address of an audio file.
func (o Origin) Audio(id, ext string) string { return o.Media + "/audio/" + id + "." + ext }

// AudioCover is the address of an audio file's picture.
func (o Origin) AudioCover(id string) string { return o.Media + "/audio-cover/" + id + ".jpg" }

// AudioPeaks is the address of an audio file's waveform.
func (o Origin) AudioPeaks(id string) string { return o.Media + "/audio-peaks/" + id + ".json" }

// AudioLevel is the address of an audio file that was made equally loud.
func (o Origin) AudioLevel(id string) string { return o.Media + "/audio-level/" + id + ".m4a" }

// Video is the address of something of a video: its playlist index.m3u8, poster.jpg and so
// on.
func (o Origin) Video(id, name string) string { return o.Media + "/video/" + id + "/" + name }

// Doc is the address of a document's file.
func (o Origin) Doc(id, ext string) string { return o.Media + "/doc/" + id + "." + ext }

// DocCover is the address of the picture of a PDF's first page.
func (o Origin) DocCover(id string) string { return o.Media + "/doc-cover/" + id + ".jpg" }

// Hosts are the names of the hosts of both, with their ports.
func (o Origin) Hosts() (list []string) {
	for _, origin := range []string{o.API, o.Media} {
		if u, err := url.Parse(origin); err == nil && u.Host != "" {
			list = append(list, u.Host)
		}
	}
	return list
}

// Page is the address of a page for people; path begins with a slash.
func (o Origin) Page(path string) string { return o.API + path }

// Feed is the address of the podcast feed of that name.
func (o Origin) Feed(name string) string { return o.Page("/feed/" + name + ".xml") }

type originKey struct{}

// With keeps the origin of a request in its context.
func With(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// Of is the origin that With kept.
func Of(ctx context.Context) Origin {
	o, _ := ctx.Value(originKey{}).(Origin)
	return o
}

type clientKey struct{}

// WithClient keeps the address of a request's client in its context.
func WithClient(ctx context.Context, a netip.Addr) context.Context {
	return context.WithValue(ctx, clientKey{}, a)
}

// Client is the address that WithClient kept; not valid when there is none.
func Client(ctx context.Context) netip.Addr {
	a, _ := ctx.Value(clientKey{}).(netip.Addr)
	return a
}
