package api

import (
	"strings"
	"testing"

	"picora/app/auth"
)

// FuzzCursor: unseal takes what seal made for the same user and list, letter by
// letter, and nothing else.
func FuzzCursor(f *testing.F) {
	a := &API{signer: new(auth.Signer)}
	f.Add("V1StGXR8_Z5jdHi6B-myT", `["images" ""]`, "\x00\x00\x01\xa2\x00\xb1\x8a\xb8kT7vBq2_xYz", "")
	f.Add("u", "l", "p", *a.seal("u", "l", "p"))
	f.Add("u", "l", "p", *a.seal("u", "l", "q"))
	f.Add("u", "l", "\x00", "AAAAAAAAAAAAAAAAAAAA")
	f.Add("u", "l", "", "====")
	f.Add("", "", "\xff", "AAAA\r\nAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, user, list, place, junk string) {
		if strings.ContainsRune(user+list, 0) {
			return // ids and quoted filters have none
		}
		if place != "" {
			c := *a.seal(user, list, place)
			if got, err := a.unseal(user, list, c); err != nil || got != place {
				t.Errorf("%q comes back as %q, %v", place, got, err)
			}
			for _, other := range [][2]string{{user + "x", list}, {user, list + "x"}, {list + "y", user}} {
				if got, err := a.unseal(other[0], other[1], c); err == nil {
					t.Errorf("%q opens with %q: %q", c, other, got)
				}
			}
		}
		got, err := a.unseal(user, list, junk)
		switch {
		case junk == "":
			if got != "" || err != nil {
				t.Errorf("no cursor is %q, %v", got, err)
			}
		case err == nil && (got == "" || *a.seal(user, list, got) != junk):
			t.Errorf("%q was taken for %q", junk, got)
		}
	})
}

func TestUploadPath(t *testing.T) {
	for path, want := range map[string]bool{
		"/": true, "/v1/images": true, "/v1/images/": true, "/V1/Images": true,
		"/v1/images/exists": false, "/v1/images/aaaaaaaaaaa": false, "/v1/image": false, "/v1": false, "/v1/media": false,
	} {
		if UploadPath("POST", path) != want {
			t.Errorf("%s: %t", path, !want)
		}
	}
}
