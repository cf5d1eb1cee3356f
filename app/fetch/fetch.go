// Package fetch gets files from other servers, at addresses that users name. It connects
// to nothing that such an address must not reach (see guard.go), and bounds how long
// everything may take; how large a file may be is the caller's to say.
package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"path"
	"strconv"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"

	"picora/app/fault"
)

const (
	// patience is how long the head of an answer may take, redirects included, and how
	// long the next least bytes of a body may.
	patience     = time.Minute
	dialTime     = 15 * time.Second
	maxHeader    = 64 << 10 // bytes of the head of an answer
	maxRedirects = 5
	maxPause     = time.Minute // that a server may ask for
)

// Options is what a Client is told.
type Options struct {
	// Allow are networks that may be fetched from, at any port, though they are not on the
	// internet.
	Allow []netip.Prefix
	// Resolver is for tests; nil: the machine's.
	Resolver *net.Resolver

	patience time.Duration // for tests; 0: as above
}

// Client gets files.
type Client struct {
	http     *http.Client
	patience time.Duration
}

// New makes a client. It uses no proxy: one would connect to what is forbidden here.
func New(o Options) *Client {
	g := newGuard(o.Allow)
	dialer := net.Dialer{Timeout: dialTime, Control: g.control, Resolver: o.Resolver}
	c := &Client{patience: patience, http: &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: dialTime, ForceAttemptHTTP2: true,
			DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxHeader,
		},
		CheckRedirect: redirect,
	}}
	if o.patience > 0 {
		c.patience = o.patience
	}
	return c
}

// redirect checks where a server sends us. Whether the address may be connected to is
// checked when it is, as always.
func redirect(r *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fault.New(fault.FetchFailed, "The address leads on to others, and these again, more than %d times.", maxRedirects)
	}
	r.Header.Del("Referer") // the address before may hold a secret
	_, err := Parse(r.URL.String())
	return err
}

// File is a file on another server, or the rest of one. Whoever gets it closes it.
type File struct {
	io.ReadCloser        // its errors, but for io.EOF, are Broken
	From          int64  // the first byte is this one of the file
	Size          int64  // bytes of the whole file; -1: nobody knows
	Name          string // as the server calls it; may be empty
	// Validator tells this file from what may stand at the address later: bytes of two
	// answers belong together only when it is the same. Empty: nothing does.
	Validator string
}

// Broken is an error that may be over when the file is asked for again, but not before
// After.
type Broken struct {
	Fault *fault.Error
	After time.Duration
}

func (b *Broken) Error() string { return b.Fault.Error() }

// Unwrap gives the fault.
func (b *Broken) Unwrap() error { return b.Fault }

// Open asks for the file at the address, from its byte From on if it is still what
// validator says; else File.From is 0. An error is Broken, or a fault for good, or that
// of ctx.
func (c *Client) Open(ctx context.Context, address string, from int64, validator string) (*File, error) {
	u, err := Parse(address)
	if err != nil {
		return nil, err
	}
	within, cancel := context.WithCancel(ctx)
	timer := time.AfterFunc(c.patience, cancel)
	req, err := http.NewRequestWithContext(within, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		cancel()
		return nil, notAnAddress()
	}
	req.Header.Set("User-Agent", "Picora")
	req.Header.Set("Accept", "*/*")
	req.Header.Set("Accept-Encoding", "identity")
	if from > 0 {
		req.Header.Set("Range", "bytes="+strconv.FormatInt(from, 10)+"-")
		req.Header.Set("If-Range", validator)
	}
	res, err := c.http.Do(req)
	timer.Stop()
	if err != nil {
		cancel()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, explain(err, u.Host)
	}
	f, err := answer(res, from)
	if err != nil {
		cancel()
		res.Body.Close()
		if err == errElsewhere {
			return c.Open(ctx, address, 0, "")
		}
		return nil, err
	}
	f.ReadCloser = watch(res.Body, cancel, c.patience, res.Request.URL.Host)
	return f, nil
}

// errElsewhere says that a server did not give the part of the file that it was asked for.
var errElsewhere = errors.New("fetch: another part")

// answer reads the head of an answer to the question for a file, from a byte on.
func answer(res *http.Response, from int64) (*File, error) {
	f := &File{Size: res.ContentLength, Name: name(res), Validator: validator(res.Header)}
	switch {
	case res.StatusCode == http.StatusPartialContent && from > 0:
		begin, size, ok := contentRange(res.Header.Get("Content-Range"))
		if !ok || begin != from {
			return nil, errElsewhere
		}
		f.From, f.Size = begin, size
	case res.StatusCode == http.StatusRequestedRangeNotSatisfiable && from > 0:
		return nil, errElsewhere
	case res.StatusCode != http.StatusOK:
		return nil, refusal(res)
	}
	if e := res.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return nil, fault.New(fault.FetchFailed, "%s sends the file compressed (%.20s), which nobody asked for. Download it and upload the file itself.", res.Request.URL.Host, e)
	}
	return f, nil
}

// refusal is what an answer says that has no file.
func refusal(res *http.Response) error {
	host, code := res.Request.URL.Host, res.StatusCode
	switch {
	case code == http.StatusNotFound || code == http.StatusGone:
		return fault.New(fault.FetchFailed, "%s has no file at this address (%d). Check the address.", host, code)
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return fault.New(fault.FetchFailed, "%s lets only some have the file (%d). Download it and upload the file itself.", host, code)
	case code == http.StatusRequestTimeout || code == http.StatusTooManyRequests || code >= 500:
		after, _ := strconv.Atoi(res.Header.Get("Retry-After")) // a date is 0
		return &Broken{fault.New(fault.FetchFailed, "%s cannot give the file at the moment (%d). Try again later.", host, code),
			min(max(time.Duration(after)*time.Second, 0), maxPause)}
	}
	return fault.New(fault.FetchFailed, "%s did not answer with a file (%d). Check the address.", host, code)
}

// explain says why there is no answer.
func explain(err error, host string) error {
	var f *fault.Error
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var timeout net.Error
	last := func(format string, args ...any) *fault.Error {
		f := fault.New(fault.FetchFailed, format, args...)
		f.Cause = err
		return f
	}
	switch {
	case errors.As(err, &f): // of a redirect
		return f
	case errors.Is(err, ssrf.ErrProhibitedPort):
		return fault.New(fault.Invalid, "Files are fetched from the usual ports 80 and 443 only. The server's owner can allow others (fetch.allow).")
	case errors.Is(err, ssrf.ErrProhibitedIP), errors.Is(err, ssrf.ErrProhibitedNetwork), errors.Is(err, ssrf.ErrInvalidHostPort):
		return fault.New(fault.Invalid, "The address leads into a network that this server does not fetch from. Files on the internet can be fetched; the server's owner can allow others (fetch.allow).")
	case errors.As(err, &dns) && dns.IsNotFound:
		return last("There is no host %s. Check the address.", host)
	case errors.As(err, &cert):
		return last("%s cannot prove who it is: its certificate is not valid.", host)
	case errors.Is(err, http.ErrSchemeMismatch):
		return last("%s does not speak https there. Check the address.", host)
	case errors.Is(err, syscall.ECONNREFUSED):
		return &Broken{Fault: last("Nothing answers at %s. Check the address, or try again later.", host)}
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.Canceled):
		return &Broken{Fault: last("%s did not answer in time. Try again later.", host)}
	}
	return &Broken{Fault: last("The connection to %s broke. Try again later.", host)}
}

// contentRange reads "bytes 5-9/10" (RFC 9110, section 14.4); the size is -1 for "*".
func contentRange(s string) (begin, size int64, ok bool) {
	s, ok = strings.CutPrefix(s, "bytes ")
	span, whole, slash := strings.Cut(s, "/")
	first, _, dash := strings.Cut(span, "-")
	begin, err := strconv.ParseInt(first, 10, 64)
	if whole == "*" {
		return begin, -1, ok && slash && dash && err == nil
	}
	size, e := strconv.ParseInt(whole, 10, 64)
	return begin, size, ok && slash && dash && err == nil && e == nil && size >= begin
}

// validator is what If-Range may name: a strong ETag, or a time that is a minute before
// that of the answer (RFC 9110, sections 8.8.2.2 and 13.1.5).
func validator(h http.Header) string {
	if tag := h.Get("ETag"); strings.HasPrefix(tag, `"`) && len(tag) <= 256 {
		return tag
	}
	changed, err := http.ParseTime(h.Get("Last-Modified"))
	now, e := http.ParseTime(h.Get("Date"))
	if err != nil || e != nil || now.Sub(changed) < time.Minute {
		return ""
	}
	return h.Get("Last-Modified")
}

// name is how the server calls the file, or the end of its path.
func name(res *http.Response) string {
	if _, params, err := mime.ParseMediaType(res.Header.Get("Content-Disposition")); err == nil && params["filename"] != "" {
		return params["filename"]
	}
	if n := path.Base(res.Request.URL.Path); n != "/" && n != "." {
		return n
	}
	return ""
}

// IsPage reports whether a file that begins so is a web page.
func IsPage(head []byte) bool {
	return strings.HasPrefix(http.DetectContentType(head), "text/html")
}
