package api_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"picora/app/api"
	"picora/app/apptest"
	"picora/store"
)

// owned are the things of the owner's that routes name by an id, by the beginning of
// the routes' paths.
func owned(t *testing.T, p *apptest.Picora) map[string]string {
	ctx, s := context.Background(), p.App.Store()
	owner := p.SignIn("owner@example.org")
	identity, err := s.CreateIdentity(ctx, store.Identity{User: p.User, Issuer: "https://elsewhere", Subject: "owner"})
	if err != nil {
		t.Fatal(err)
	}
	passkey := store.Passkey{ID: store.NewID(store.IDLen), Name: "laptop", Credential: []byte("c")}
	if _, err := s.UpdateFactors(ctx, p.User, func(f *store.Factors) error { f.Passkeys = []store.Passkey{passkey}; return nil }); err != nil {
		t.Fatal(err)
	}
	thrown := p.Add("b.png", picture(2)).ID
	picture := p.Add("a.png", pixel).ID
	sound := store.Media{ID: store.NewID(store.IDLen), User: p.User, Kind: store.Audio, Filename: "a.mp3", MIME: "audio/mpeg", Ext: "mp3", Hash: make([]byte, 32), Blob: "none"}
	if _, _, err := s.CreateMedia(ctx, sound); err != nil {
		t.Fatal(err)
	}
	film := store.Media{
		ID: store.NewID(store.IDLen), User: p.User, Kind: store.Video, Filename: "a.mp4", MIME: "video/mp4", Ext: "mp4", Hash: make([]byte, 32), Blob: "none",
		Film: store.Film{State: store.FilmReady},
	}
	if _, _, err := s.CreateMedia(ctx, film); err != nil {
		t.Fatal(err)
	}
	if _, err := s.TrashMedia(ctx, p.User, []string{thrown}); err != nil {
		t.Fatal(err)
	}
	upload, err := s.CreateUpload(ctx, store.Upload{User: p.User, Kind: store.Image, Length: 10, Expires: time.Now().Add(time.Hour)}, 10)
	if err != nil {
		t.Fatal(err)
	}
	kind := p.Play(t, scenario{Method: "POST", URL: "/v1/collection-types", Body: `{"name":"t","slug":"t","allowedResourceTypes":["doc"]}`, Status: 201})
	return map[string]string{
		"/v1/user/me/sessions/":   owner.Session.ID,
		"/v1/user/me/passkeys/":   passkey.ID,
		"/v1/user/me/identities/": identity.ID,
		"/v1/api-keys/":           makeKey(t, p, owner.Access, object{"name": "mine"}).ID,
		"/v1/images/":             picture,
		"/v1/media/":              picture,
		"/v1/audio/":              sound.ID,
		"/v1/videos/":             film.ID,
		"/v1/trash/":              thrown,
		"/v1/uploads/":            upload.ID,
		"/v1/watermarks/":         watermark(t, p, textMark),
		"/v1/collections/":        makeAlbum(t, p, object{"name": "mine"}).ID,
		"/v1/collection-types/":   field(t, kind, "id").(string),
		"/v1/docs/":               addDoc(t, p, object{"filename": "a.md", "content": "mine", "isPublic": false}).ID,
	}
}

// shared are routes whose ids are nobody's: those of providers, of avatars, of what
// administrators keep, and of what the internal token opens.
var shared = []string{"/v1/auth/oidc/", "/v1/user/me/identities/oidc/", "/v1/user/avatar/", "/v1/admin/"}

// TestThingsOfOthersAreNotThere (threat 19) is made from the table of routes: whatever
// an id names, to others it is not there, and stays as it is.
func TestThingsOfOthersAreNotThere(t *testing.T) {
	p := start(t)
	things := owned(t, p)
	other := p.NewUser("other@example.org")
	session, key := p.SignIn("other@example.org").Access, p.NewKey("other@example.org")
	admin := p.Admin("admin@example.org")
	body := object{"name": "x", "isPublic": true, "title": "x", "text": "x", "kind": "text", "tiled": true}
	tried := 0
	for _, r := range new(api.API).Routes() {
		before, after, named := strings.Cut(r.Path, "/:")
		before += "/"
		if !named || r.Method == "OPTIONS" || r.Who.Kind() == "internal" || startsWithAny(r.Path, shared) {
			continue
		}
		id, known := things[before]
		if !known {
			t.Errorf("%s %s names something that this test does not own", r.Method, r.Path)
			continue
		}
		_, rest, _ := strings.Cut(after, "/")
		if rest != "" {
			rest = fill("/" + rest) // what is within another's thing is as little there
		}
		as := map[string]string{"another user": session, "an administrator": admin}
		if r.Who.Kind() == "scoped" || r.Who.Kind() == "optional" {
			as["another user's key"] = key
		}
		for who, bearer := range as {
			s := scenario{As: bearer, Method: r.Method, URL: before + id + rest, Status: 404, Code: "NOT_FOUND", Headers: []string{"Tus-Resumable", "1.0.0"}}
			if r.Method != "GET" && r.Method != "DELETE" {
				s.Body = body
			}
			if strings.HasSuffix(r.Path, "/tool-configs") { // contract 8: null, as for what is not there
				s.Status, s.Code, s.Has = 200, "", []string{`"data":null`}
			}
			t.Run(r.Method+" "+r.Path+" by "+who, func(t *testing.T) { p.Play(t, s) })
			tried++
		}
	}
	if tried < 30 {
		t.Errorf("only %d requests", tried)
	}
	p.Run(t,
		scenario{Name: "the picture is there", URL: "/v1/images/" + things["/v1/images/"], Status: 200, Has: []string{`"title":null`}},
		scenario{Name: "the watermark is there", URL: "/v1/watermarks/" + things["/v1/watermarks/"], Status: 200},
	)
	s := p.App.Store()
	if list, err := s.Identities(t.Context(), p.User); err != nil || len(list) != 1 {
		t.Errorf("%v %v", list, err)
	}
	if f, err := s.Factors(t.Context(), p.User); err != nil || len(f.Passkeys) != 1 || f.Passkeys[0].Name != "laptop" {
		t.Errorf("%v %v", f, err)
	}
	if _, _, err := s.SignedIn(t.Context(), things["/v1/user/me/sessions/"]); err != nil {
		t.Error(err)
	}
	if k, err := s.APIKey(t.Context(), things["/v1/api-keys/"]); err != nil || !k.Revoked.IsZero() || k.Name != "mine" {
		t.Errorf("%+v %v", k, err)
	}
	if _, err := s.User(t.Context(), other); err != nil {
		t.Error(err)
	}
}

func startsWithAny(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}
