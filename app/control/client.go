package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"picora/app/fault"
	"picora/app/storage"
)

// Client sends the command line's requests.
type Client struct{ http *http.Client }

// Dial connects to the server that runs on the data folder; running is false
// when none does.
func Dial(data string) (c *Client, running bool) {
	path := filepath.Join(data, socketName)
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}
	conn, err := dial(context.Background(), "", "")
	if err != nil {
		return nil, false
	}
	conn.Close()
	return &Client{&http.Client{Transport: &http.Transport{DialContext: dial}, Timeout: time.Minute}}, true
}

// Local answers requests in this process.
func Local(h http.Handler) *Client {
	return &Client{&http.Client{Transport: local{h}}}
}

// local is a round trip without a connection.
type local struct{ h http.Handler }

func (l local) RoundTrip(r *http.Request) (*http.Response, error) {
	w := &answer{header: http.Header{}, status: http.StatusOK}
	l.h.ServeHTTP(w, r)
	return &http.Response{StatusCode: w.status, Header: w.header, Body: io.NopCloser(&w.Buffer), Request: r}, nil
}

// answer is a response in memory.
type answer struct {
	bytes.Buffer
	header http.Header
	status int
}

func (a *answer) Header() http.Header    { return a.header }
func (a *answer) WriteHeader(status int) { a.status = status }

// AddUser makes an account.
func (c *Client) AddUser(ctx context.Context, in NewUser) (u User, err error) {
	err = c.call(ctx, http.MethodPost, "/users", in, &u)
	return u, err
}

// Users lists the accounts.
func (c *Client) Users(ctx context.Context) (list []User, err error) {
	err = c.call(ctx, http.MethodGet, "/users", nil, &list)
	return list, err
}

// SetPassword sets a user's password, and ends all their sessions.
func (c *Client) SetPassword(ctx context.Context, in NewPassword) (e Ended, err error) {
	err = c.call(ctx, http.MethodPut, "/users/password", in, &e)
	return e, err
}

// RotateSessionKeys has access tokens signed with a new key. Nobody is signed out.
func (c *Client) RotateSessionKeys(ctx context.Context) error {
	return c.call(ctx, http.MethodPost, "/session-keys", nil, &struct{}{})
}

// AddKey makes a key; its text is in Plain, this once.
func (c *Client) AddKey(ctx context.Context, in NewKey) (k Key, err error) {
	err = c.call(ctx, http.MethodPost, "/keys", in, &k)
	return k, err
}

// Keys lists the keys of the user with that address, or everybody's.
func (c *Client) Keys(ctx context.Context, email string) (list []Key, err error) {
	err = c.call(ctx, http.MethodGet, "/keys?user="+url.QueryEscape(email), nil, &list)
	return list, err
}

// RevokeKey ends a key, named by its id or its first 12 characters.
func (c *Client) RevokeKey(ctx context.Context, name string) (k Key, err error) {
	err = c.call(ctx, http.MethodDelete, "/keys/"+url.PathEscape(name), nil, &k)
	return k, err
}

// Recount counts anew what the user with that address has, or everybody.
func (c *Client) Recount(ctx context.Context, email string) (out Recounted, err error) {
	patient := *c.http
	patient.Timeout = 0 // there may be millions of records
	err = (&Client{&patient}).call(ctx, http.MethodPost, "/recount?user="+url.QueryEscape(email), nil, &out)
	return out, err
}

// RebuildSearch makes the index of words of the user with that address, or of everybody,
// anew.
func (c *Client) RebuildSearch(ctx context.Context, email string) (out Rebuilt, err error) {
	patient := *c.http
	patient.Timeout = 0 // as for Recount
	err = (&Client{&patient}).call(ctx, http.MethodPost, "/search/rebuild?user="+url.QueryEscape(email), nil, &out)
	return out, err
}

// Blobs says where the files are, and how far a move is.
func (c *Client) Blobs(ctx context.Context) (s storage.Status, err error) {
	err = c.call(ctx, http.MethodGet, "/blobs", nil, &s)
	return s, err
}

// UseBlobs has the database say that the files are in a place, see storage.Storage.Use.
func (c *Client) UseBlobs(ctx context.Context, at string) (s storage.Status, err error) {
	err = c.call(ctx, http.MethodPut, "/blobs", place{at}, &s)
	return s, err
}

// PlanBlobs says what a move of the files to a place would do.
func (c *Client) PlanBlobs(ctx context.Context, to string) (p storage.Plan, err error) {
	patient := *c.http
	patient.Timeout = 0 // as for Recount
	err = (&Client{&patient}).call(ctx, http.MethodPost, "/blobs/plan", place{to}, &p)
	return p, err
}

// CopyBlobs begins to move the files to a place; Blobs tells how far that is.
func (c *Client) CopyBlobs(ctx context.Context, to string) (s storage.Status, err error) {
	patient := *c.http
	patient.Timeout = 0 // a bucket that does not answer is tried for a minute
	err = (&Client{&patient}).call(ctx, http.MethodPost, "/blobs/copy", place{to}, &s)
	return s, err
}

// CancelBlobs ends the move, see storage.Storage.Cancel.
func (c *Client) CancelBlobs(ctx context.Context) (s storage.Status, err error) {
	patient := *c.http
	patient.Timeout = 0 // until what is being copied breaks off
	err = (&Client{&patient}).call(ctx, http.MethodDelete, "/blobs/copy", place{}, &s)
	return s, err
}

// StartScrub begins a check of all files, which also puts right what can be with repair.
func (c *Client) StartScrub(ctx context.Context, repair bool) (out Scrub, err error) {
	err = c.call(ctx, http.MethodPost, fmt.Sprintf("/scrub?repair=%t", repair), nil, &out)
	return out, err
}

// Scrub is how far a check of the files is.
func (c *Client) Scrub(ctx context.Context) (out Scrub, err error) {
	err = c.call(ctx, http.MethodGet, "/scrub", nil, &out)
	return out, err
}

// StopScrub ends a check of the files.
func (c *Client) StopScrub(ctx context.Context) error {
	return c.call(ctx, http.MethodDelete, "/scrub", nil, &Scrub{})
}

// Findings lists files with which something is wrong, those behind the blob after.
func (c *Client) Findings(ctx context.Context, after string) (out Findings, err error) {
	err = c.call(ctx, http.MethodGet, "/scrub/findings?after="+url.QueryEscape(after), nil, &out)
	return out, err
}

func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://picora"+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	res, err := c.http.Do(r)
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusOK {
		return json.NewDecoder(res.Body).Decode(out)
	}
	var f failure
	if err := json.NewDecoder(res.Body).Decode(&f); err != nil {
		return fmt.Errorf("control: status %d", res.StatusCode)
	}
	return fault.New(f.Code, "%s", f.Message)
}
