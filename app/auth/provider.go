package auth

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"picora/app/config"
	"picora/app/fault"
)

const (
	flowAge = 10 * time.Minute
	// What we ask of a provider, and how often when it does not answer.
	providerTimeout = 10 * time.Second
	providerBytes   = 1 << 20
	providerRetry   = 5 * time.Second
)

// providers are the OpenID Connect providers of the settings.
type providers struct {
	named map[string]*provider
	flows *begun[flow] // by state
}

// provider is one of them. It is asked for its addresses when somebody first needs
// them: one that is down at our start does not keep us from starting.
type provider struct {
	name string
	cfg  config.OIDC

	mu     sync.Mutex
	found  *oidc.Provider // nil: not yet
	failed time.Time
	err    error
}

// Provider is one with whose accounts people may sign in.
type Provider struct{ Name, Title string }

func newProviders(cfg map[string]config.OIDC) *providers {
	ps := &providers{named: map[string]*provider{}, flows: newBegun[flow](flowAge)}
	for name, c := range cfg {
		if c.Title == "" {
			c.Title = name
		}
		if len(c.Scopes) == 0 {
			c.Scopes = []string{oidc.ScopeOpenID, "email", "profile"}
		}
		ps.named[name] = &provider{name: name, cfg: c}
	}
	return ps
}

// UseProviders lets people sign in with accounts of these OpenID Connect providers.
func (a *Auth) UseProviders(cfg map[string]config.OIDC) { a.providers = newProviders(cfg) }

// Providers lists them by name.
func (a *Auth) Providers() (list []Provider) {
	for _, name := range slices.Sorted(maps.Keys(a.providers.named)) {
		list = append(list, Provider{name, a.providers.named[name].cfg.Title})
	}
	return list
}

func (a *Auth) provider(name string) (*provider, error) {
	p, known := a.providers.named[name]
	if !known {
		return nil, fault.New(fault.NotFound, "This server knows no sign-in of this name. GET /v1/auth/oidc lists them.")
	}
	return p, nil
}

// discover asks the provider for its addresses, once. When it does not answer, we say
// so for a moment without asking again: many may wait for it.
func (p *provider) discover(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	if time.Since(p.failed) > providerRetry {
		ctx, cancel := context.WithTimeout(outward(ctx), providerTimeout)
		defer cancel()
		p.found, p.err = oidc.NewProvider(ctx, p.cfg.Issuer)
		p.failed = time.Now()
	}
	if p.found == nil {
		return nil, &fault.Error{Code: fault.Busy, Cause: p.err,
			Message: p.cfg.Title + " cannot be reached at the moment. Sign in another way, or try again in a minute."}
	}
	return p.found, nil
}

func (p *provider) oauth(found *oidc.Provider, redirect string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.cfg.ClientID, ClientSecret: p.cfg.ClientSecret, Endpoint: found.Endpoint(),
		RedirectURL: redirect, Scopes: p.cfg.Scopes,
	}
}

// outward is ctx with the client that talks to providers: it has a time limit, reads
// no more than a document needs, and follows no redirects, which could lead anywhere.
func outward(ctx context.Context) context.Context { return oidc.ClientContext(ctx, providerClient) }

var providerClient = &http.Client{
	Timeout:       providerTimeout,
	Transport:     bounded{http.DefaultTransport.(*http.Transport).Clone()},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// bounded is a transport whose answers end after providerBytes.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	res.Body = &boundedBody{ReadCloser: res.Body, left: providerBytes}
	return res, nil
}

var errLongAnswer = errors.New("auth: the provider's answer is too long")

type boundedBody struct {
	io.ReadCloser
	left int
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errLongAnswer
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
