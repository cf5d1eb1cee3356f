package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestProvidersAreReadFromTheFileAndTheEnvironment(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(" hush \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := file(t, `
[oidc.company]
title = "Company login"
issuer = "https://login.example.org/o/picora/"
client_id = "picora"
client_secret = "in the file"
[oidc.other-one]
issuer = "http://127.0.0.1:9000"
client_id = "x"
scopes = ["openid", "email"]
`)
	c, err := Load(path, []string{
		"PICORA_OIDC_COMPANY_CLIENT_SECRET_FILE=" + secret, "PICORA_OIDC_OTHER_ONE_CLIENT_ID=y",
		"PICORA_OIDC_GOOGLE_ISSUER=https://accounts.google.com", "PICORA_OIDC_GOOGLE_CLIENT_ID=z", "PICORA_OIDC_GOOGLE_SCOPES=openid, email",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]OIDC{
		"company":   {Title: "Company login", Issuer: "https://login.example.org/o/picora/", ClientID: "picora", ClientSecret: "hush"},
		"other-one": {Issuer: "http://127.0.0.1:9000", ClientID: "y", Scopes: []string{"openid", "email"}},
		"google":    {Issuer: "https://accounts.google.com", ClientID: "z", Scopes: []string{"openid", "email"}},
	}
	if !reflect.DeepEqual(c.OIDC, want) {
		t.Errorf("got %+v\nwant %+v", c.OIDC, want)
	}
}

func TestAProviderThatCannotWorkIsReported(t *testing.T) {
	good := "issuer = \"https://a.example\"\nclient_id = \"x\"\n"
	for _, c := range []struct{ name, text, want string }{
		{"a name that cannot be in an address", "[oidc.\"a b\"]\n" + good, "oidc.a b"},
		{"no issuer", "[oidc.a]\nclient_id = \"x\"", "oidc.a.issuer"},
		{"an issuer that is no address", "[oidc.a]\nissuer = \"a.example\"\nclient_id = \"x\"", "oidc.a.issuer"},
		{"the address of the document", "[oidc.a]\nissuer = \"https://a.example/.well-known/openid-configuration\"\nclient_id = \"x\"", "leave out"},
		{"no client id", "[oidc.a]\nissuer = \"https://a.example\"", "oidc.a.client_id"},
		{"scopes without openid", "[oidc.a]\n" + good + "scopes = [\"email\"]", "oidc.a.scopes"},
		{"a key spelt wrong", "[oidc.a]\n" + good + "clientsecret = \"x\"", "line 4: unknown setting \"oidc.a.clientsecret\""},
		{"a value of the wrong type", "[oidc.a]\nissuer = 1\nclient_id = \"x\"", "oidc"},
		{"no section", "oidc = 1", "a section for each provider"},
		{"no section of a name", "[oidc]\na = 1", "oidc.a: a section is expected"},
	} {
		_, err := Load(file(t, c.text), nil, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, env := range []string{"PICORA_OIDC_A_CLIENTID=x", "PICORA_OIDC_ISSUER=x", "PICORA_OIDC_A_ISSUER_FILE=x"} {
		if _, err := Load("", []string{env}, nil); err == nil || !strings.Contains(err.Error(), "no such setting") {
			t.Errorf("%s: %v", env, err)
		}
	}
	if _, err := Load("", []string{"PICORA_OIDC_A_CLIENT_SECRET_FILE=/nowhere"}, nil); err == nil || !strings.Contains(err.Error(), "/nowhere") {
		t.Errorf("a file that is not there: %v", err)
	}
}
