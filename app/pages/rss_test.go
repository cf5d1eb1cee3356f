package pages

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"picora/app/link"
	"picora/store"
)

// FuzzTextsInFeeds: whatever people write, the feed stays XML and says what is left of it.
func FuzzTextsInFeeds(f *testing.F) {
	for _, s := range []string{"plain", "]]>", "<script>", "a\x00b", "\xff", "\u202e", "🎙️", "&#x0;", "\ufffe", "\ud7ff\ue000"} {
		f.Add(s, s, "https://example.org")
	}
	f.Fuzz(func(t *testing.T, name, text, site string) {
		s := show{Collection: store.Collection{ID: "i", Name: name, Description: text, Feed: store.Feed{Author: name, Email: "a@b", Link: site, Category: text}}, origin: link.Origin{API: "http://a"}}
		var items, b bytes.Buffer
		item := rssItem{Title: clean(name, 255, false), Description: clean(text, 4000, true), GUID: rssGUID{false, "x"}}
		if err := xml.NewEncoder(&items).Encode(item); err != nil {
			t.Fatal(err)
		}
		if err := wrap(&b, s.head(site, s.Updated), &items); err != nil {
			t.Fatal(err)
		}
		var out struct {
			Title string `xml:"channel>title"`
			Items []struct {
				Title string `xml:"title"`
			} `xml:"channel>item"`
		}
		d := xml.NewDecoder(&b)
		if err := d.Decode(&out); err != nil {
			t.Fatalf("%v of %q, %q", err, name, text)
		}
		if _, err := d.Token(); err != io.EOF {
			t.Fatalf("something follows: %v", err)
		}
		want := clean(name, 255, false)
		if out.Title != want || len(out.Items) != 1 || out.Items[0].Title != want || !utf8.ValidString(want) || len(want) > 255 || strings.ContainsAny(want, "\n\x00\u202e") {
			t.Fatalf("%q became %q", name, out.Title)
		}
	})
}

// FuzzAddressesToEmbed: only addresses of ours are.
func FuzzAddressesToEmbed(f *testing.F) {
	for _, s := range []string{"http://a/x", "http://a@b/x", "//a/x", "http://a:80/", "HTTP://A/..//%2e", "javascript:a", "http://a\\@b/", "http://b/http://a/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, address string) {
		at, ours := local(address, link.Origin{API: "http://a", Media: "https://m:1"})
		if ours && !strings.HasPrefix(strings.ToLower(address), "http") || !ours && at != "" {
			t.Errorf("%q: %q", address, at)
		}
	})
}
