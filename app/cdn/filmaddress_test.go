package cdn

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"picora/store"
)

// String is the address again, so that a test sees that there is one way to write it.
func (at *address) String() string {
	f, base := &at.film, "/video/"+at.id+"/"
	if f.track != "" && f.what != captionFile {
		base += f.track + "/"
	}
	switch f.what {
	case trackList:
		return base + "media.m3u8"
	case trackInit:
		return base + f.tag + "-init.mp4"
	case trackPiece:
		return fmt.Sprintf("%s%s-%d.m4s", base, f.tag, f.n)
	case captionFile:
		return base + f.track + ".vtt"
	case boardSheet:
		return fmt.Sprintf("%sstoryboard-%d.jpg", base, f.n)
	}
	for name, what := range filmNames {
		if what == f.what {
			return base + name
		}
	}
	return "?"
}

const someID = "V1StGXR8_Z5jdHi6B-myT"

func TestAddressesOfFilmsAreTakenApart(t *testing.T) {
	for path, want := range map[string]filmAddress{
		"index.m3u8":             {what: masterList},
		"360p/index.m3u8":        {what: masterList, track: "360p"},
		"sound-1/media.m3u8":     {what: trackList, track: "sound-1"},
		"360p/0123abcd-init.mp4": {what: trackInit, track: "360p", tag: "0123abcd"},
		"360p/0123abcd-0.m4s":    {what: trackPiece, track: "360p", tag: "0123abcd"},
		"360p/0123abcd-1799.m4s": {what: trackPiece, track: "360p", tag: "0123abcd", n: 1799},
		"text-zh-Hans.vtt":       {what: captionFile, track: "text-zh-Hans"},
		"storyboard.vtt":         {what: boardText},
		"storyboard-12.jpg":      {what: boardSheet, n: 12},
		"poster.jpg":             {what: posterFile},
		"preview.mp4":            {what: previewFile},
		"video.mp4":              {what: wholeFile},
	} {
		path = "/video/" + someID + "/" + path
		at, ok := split(path)
		if !ok || at.film != want || at.id != someID || at.kind != store.Video || at.String() != path {
			t.Errorf("%s: %+v %v, again %s", path, at, ok, at.String())
		}
	}
}

var safe = regexp.MustCompile(`^/video/[A-Za-z0-9_-]{21}(/[A-Za-z0-9-]{1,64})?/[A-Za-z0-9-]+\.[a-z0-9]+$`)

func FuzzSplit(f *testing.F) {
	for _, name := range []string{"index.m3u8", "360p/index.m3u8", "a/media.m3u8", "360p/0123abcd-init.mp4", "360p/0123abcd-10.m4s", "text-1.vtt", "storyboard-0.jpg", "../x.vtt", "%2e%2e/index.m3u8", "a/b/c.m4s"} {
		f.Add("/video/" + someID + "/" + name)
	}
	f.Add("/dQw4w9WgXcQ.png")
	f.Add("/audio/" + someID + ".mp3")
	f.Fuzz(func(t *testing.T, path string) {
		at, ok := split(path)
		if !ok {
			return
		}
		length := store.IDLen
		if at.kind == store.Image {
			length = store.ImageIDLen
		}
		if !store.ValidID(at.id, length) {
			t.Errorf("%q: the id %q", path, at.id)
		}
		if at.kind == store.Video && (at.String() != path || !safe.MatchString(path)) {
			t.Errorf("%q is also %q", path, at.String())
		}
		if strings.Contains(path, "..") && at.kind == store.Video {
			t.Errorf("%q", path)
		}
	})
}
