package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"picora/app/fault"
	"picora/store"
	"picora/store/kv/memkv"
)

// faultOf is the code of an error for a client.
func faultOf(t *testing.T, err error) fault.Code {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) {
		t.Fatalf("no error for a client: %v", err)
	}
	return f.Code
}

func open(t *testing.T) (*Auth, *store.Store) {
	t.Helper()
	s, err := store.Open(context.Background(), memkv.New(), filepath.Join(t.TempDir(), "backups"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(s, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return a, s
}

func TestAPasswordHashIsArgon2WithItsCost(t *testing.T) {
	h, err := HashPassword("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`^\$argon2id\$v=19\$m=47104,t=2,p=1\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$`).FindStringSubmatch(h)
	if m == nil {
		t.Fatalf("not in PHC form: %s", h)
	}
	salt, err := base64.RawStdEncoding.DecodeString(m[1])
	if err != nil {
		t.Fatal(err)
	}
	again := func(password string) string {
		return base64.RawStdEncoding.EncodeToString(argon2.IDKey([]byte(password), salt, 2, 46<<10, 1, 32))
	}
	if again("correct horse") != m[2] {
		t.Error("the hash is not of the password")
	}
	if again("correct horsf") == m[2] {
		t.Error("another password has the hash")
	}
	if twice, _ := HashPassword("correct horse"); twice == h {
		t.Error("two hashes of a password are equal: there is no salt")
	}
}

func TestAPasswordHas8To64Characters(t *testing.T) {
	for password, ok := range map[string]bool{
		"": false, "1234567": false, "12345678": true, "ééééééé": false, "éééééééé": true,
		strings.Repeat("x", 64): true, strings.Repeat("é", 64): true, strings.Repeat("x", 65): false,
	} {
		_, err := HashPassword(password)
		if (err == nil) != ok {
			t.Errorf("%q: %v", password, err)
		}
		if err != nil && (faultOf(t, err) != fault.Invalid || password != "" && strings.Contains(err.Error(), password)) {
			t.Errorf("%q: %v", password, err)
		}
	}
}

const (
	readNames  = "media.read kb.read account.read usage.read collection.read"
	writeNames = "media.read media.write kb.read kb.write account.read usage.read collection.read collection.write episode.write"
	allNames   = "media.read media.write media.delete kb.read kb.write account.read usage.read collection.read collection.write collection.delete episode.write"
)

func TestScopesAddUp(t *testing.T) {
	cases := []struct {
		names []string
		want  string
		err   bool
	}{
		{nil, "", false},
		{[]string{"read"}, readNames, false},
		{[]string{"read_write"}, writeNames, false},
		{[]string{"write"}, writeNames, false},
		{[]string{"read_write_delete"}, allNames, false},
		{[]string{"all"}, allNames, false},
		{[]string{"media.write"}, "media.write", false},
		{[]string{"collection.read", "collection.write", "collection.delete", "episode.write"}, "collection.read collection.write collection.delete episode.write", false},
		{[]string{"images:read"}, "media.read", false},
		{[]string{"videos:write", "audio:delete"}, "media.write media.delete", false},
		{[]string{"media:read", "media:write", "media:delete"}, "media.read media.write media.delete", false},
		{[]string{"docs:read", "usage:read"}, "kb.read usage.read", false},
		{[]string{"docs:write"}, "kb.write", false},
		{[]string{"docs:delete"}, "kb.write", false},
		{[]string{"read:media", "write:kb"}, "media.read kb.write", false},
		{[]string{"image:write", "video:write", "kb:write"}, "media.read media.write kb.read kb.write account.read", false},
		{[]string{"read:account"}, "account.read", false},
		{[]string{"media.delete", "media.read", "media.delete"}, "media.read media.delete", false},
		{[]string{"kb.read", "images:delete", "read:usage"}, "media.delete kb.read usage.read", false},
		{[]string{"admin:write"}, "", true},
		{[]string{"users:read"}, "", true},
		{[]string{"images:admin"}, "", true},
		{[]string{"usage:write"}, "", true},
		{[]string{"openid"}, "", true},
		{[]string{"admin"}, "", true},
		{[]string{""}, "", true},
		{[]string{"READ"}, "", true},
		{[]string{"read", "media.*"}, "", true},
		{[]string{"media.read "}, "", true},
	}
	for _, c := range cases {
		set, err := ParseScopes(c.names)
		if (err != nil) != c.err {
			t.Errorf("%q: %v", c.names, err)
			continue
		}
		if err != nil {
			if faultOf(t, err) != fault.Invalid || set != 0 || !strings.Contains(err.Error(), "media.read") {
				t.Errorf("%q: %v %v", c.names, set, err)
			}
			continue
		}
		if got := strings.Join(set.Names(), " "); got != c.want {
			t.Errorf("%q: %s, want %s", c.names, got, c.want)
		}
		if again, err := ParseScopes(set.Names()); err != nil || again != set {
			t.Errorf("%q read again: %v %v", set.Names(), again, err)
		}
	}
}

func TestACallerMayDoWhatItsScopesSay(t *testing.T) {
	all := []Scope{MediaRead, MediaWrite, MediaDelete, KBRead, KBWrite, AccountRead, UsageRead}
	for tier, may := range map[string][]Scope{
		"read":              {MediaRead, KBRead, AccountRead, UsageRead},
		"read_write":        {MediaRead, KBRead, AccountRead, UsageRead, MediaWrite, KBWrite},
		"read_write_delete": all,
	} {
		set, err := ParseScopes([]string{tier})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			err := Caller{Scopes: set}.Need(s)
			if (err == nil) != slices.Contains(may, s) {
				t.Errorf("%s, %s: %v", tier, s, err)
			}
			if err != nil && (faultOf(t, err) != fault.Forbidden || !strings.Contains(err.Error(), s.String())) {
				t.Errorf("%s, %s: %v", tier, s, err)
			}
		}
	}
	if (Caller{}).Need(0) != nil {
		t.Error("a caller lacks nothing")
	}
	if (Caller{Scopes: MediaRead}).Need(MediaRead|MediaWrite) == nil {
		t.Error("half of what is needed is enough")
	}
}

func TestAKeyIsKnownByItsExactTextUntilItIsRevoked(t *testing.T) {
	ctx := context.Background()
	a, s := open(t)
	u, err := s.CreateUser(ctx, store.User{Email: "a@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	plain, k, err := a.NewKey(ctx, u.ID, "laptop", []string{"read"})
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^sk_live_[A-Za-z0-9_-]{32}$`).MatchString(plain) || k.Prefix != plain[:12] || k.Last4 != plain[36:] {
		t.Errorf("key %s, prefix %s, last %s", plain, k.Prefix, k.Last4)
	}
	if strings.Contains(string(k.Hash), plain[8:]) || len(k.Hash) != 32 {
		t.Error("the key itself is stored")
	}
	for _, header := range []string{"Bearer " + plain, "bearer " + plain, "BEARER  " + plain + " "} {
		who, err := a.Bearer(ctx, header)
		if err != nil || who.User != u.ID || who.KeyID != k.ID || who.Scopes != readOnly {
			t.Errorf("%q: %+v %v", header, who, err)
		}
	}
	for _, header := range []string{
		"", "Bearer", "Bearer ", plain, "Basic " + plain, "Bearer" + plain, "Bearer " + plain[:39], "Bearer " + plain + "x",
		"Bearer " + strings.ToUpper(plain), "Bearer sk_live_" + strings.Repeat("A", 32), "Bearer sk_test_" + plain[8:],
		"Bearer " + plain + "," + plain, "Bearer " + plain + "\x00", "Bearer eyJhbGciOiJub25lIn0.e30.", "Bearer " + strings.Repeat("x", 1<<16),
	} {
		who, err := a.Bearer(ctx, header)
		if err == nil || faultOf(t, err) != fault.Unauthorized || who.User != "" {
			t.Errorf("%.60q: %+v %v", header, who, err)
		}
		if err != nil && strings.Contains(err.Error(), plain[8:]) {
			t.Errorf("the key is in the error: %v", err)
		}
	}
	if err := s.RevokeAPIKey(ctx, k.ID); err != nil {
		t.Fatal(err)
	}
	if who, err := a.Bearer(ctx, "Bearer "+plain); err == nil || faultOf(t, err) != fault.KeyRevoked || who.User != "" {
		t.Errorf("a revoked key: %+v %v", who, err)
	}
}

func TestAKeyNeedsANameAndKnownScopes(t *testing.T) {
	ctx := context.Background()
	a, s := open(t)
	u, err := s.CreateUser(ctx, store.User{Email: "a@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		scopes []string
		ok     bool
	}{
		{"a", nil, true}, {strings.Repeat("é", 64), []string{"read"}, true},
		{"", nil, false}, {strings.Repeat("é", 65), nil, false}, {"a", []string{"root"}, false},
	} {
		plain, k, err := a.NewKey(ctx, u.ID, c.name, c.scopes)
		if (err == nil) != c.ok || (plain != "") != c.ok {
			t.Errorf("%q %q: %q %v", c.name, c.scopes, plain, err)
		}
		if set, _ := ParseScopes(k.Scopes); err == nil && len(c.scopes) == 0 && set != readDelete {
			t.Errorf("a key for which nothing was said may %v", k.Scopes)
		}
	}
}

func TestTheSecretIsMadeOnceAndKept(t *testing.T) {
	ctx := context.Background()
	_, s := open(t)
	first, err := NewSigner(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	second, err := NewSigner(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	_, elsewhere := open(t)
	other, err := NewSigner(ctx, elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	exp := time.Now().Add(time.Hour).Unix()
	if first.Link("abcdefghijk", exp) != second.Link("abcdefghijk", exp) || len(first.secret) != 32 {
		t.Error("a second start has another secret")
	}
	if string(other.secret) == string(first.secret) {
		t.Error("two servers have one secret")
	}
}
