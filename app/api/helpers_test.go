package api_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/config"
)

// Short names for what nearly every line of these tests has.
type (
	scenario = apptest.Scenario
	parts    = apptest.Parts
	object   = map[string]any
)

// internalToken opens the internal endpoints of the Picoras that start makes.
const internalToken = "let me in, I live next door"

func TestMain(m *testing.M) {
	time.Local = time.FixedZone("elsewhere", -7*3600) // what depends on the local zone fails
	os.Exit(m.Run())
}

func start(t *testing.T) *apptest.Picora {
	t.Helper()
	t.Parallel()
	return apptest.Start(t, func(c *config.Config) { c.Server.InternalToken = internalToken })
}

// pixel is a PNG of one pixel whose bytes never change, for goldens.
var pixel, _ = base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==")

// picture is a small PNG, another for each seed.
func picture(seed uint64) []byte { return apptest.PNG(4, 3, seed) }

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// page is a list on the wire.
type page struct {
	Items      []apptest.Image
	NextCursor *string
	HasMore    bool
	Total      *int
}

// readPage asks for one page.
func readPage(t testing.TB, p *apptest.Picora, path string, query url.Values) (out page) {
	t.Helper()
	r := p.Play(t, scenario{URL: path + "?" + query.Encode(), Status: 200})
	r.Data(t, &out)
	if out.HasMore != (out.NextCursor != nil) {
		t.Errorf("hasMore is %t with the cursor %v", out.HasMore, out.NextCursor)
	}
	if len(out.Items) == 0 && out.NextCursor != nil {
		t.Error("an empty page has a cursor: clients would stop here")
	}
	return out
}

// ids are the ids of all pages of a list.
func ids(t testing.TB, p *apptest.Picora, path string, query url.Values) (all []string) {
	t.Helper()
	q := url.Values{}
	for k, v := range query {
		q[k] = v
	}
	for {
		one := readPage(t, p, path, q)
		for _, i := range one.Items {
			all = append(all, i.ID)
		}
		if one.NextCursor == nil {
			return all
		}
		q.Set("cursor", *one.NextCursor)
	}
}

// revoke ends a key.
func revoke(t testing.TB, p *apptest.Picora, key string) {
	t.Helper()
	keys, err := p.Control().Keys(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if strings.HasPrefix(key, k.Prefix) && strings.HasSuffix(key, k.Last4) {
			if _, err := p.Control().RevokeKey(t.Context(), k.ID); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("there is no key %.12s…", key)
}

// field reads one field of the envelope's data.
func field(t testing.TB, r apptest.Response, name string) any {
	t.Helper()
	var data map[string]json.RawMessage
	r.Data(t, &data)
	raw, there := data[name]
	if !there {
		t.Fatalf("data has no %s: %s", name, r.Body)
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
