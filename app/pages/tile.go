package pages

import (
	"fmt"
	"html/template"
	"math"
	"net/url"
	"strings"

	"picora/app/access"
	"picora/media"
	"picora/store"
)

// tile makes what the page shows of m.
func (v *viewer) tile(m *store.Media) tile {
	t := tile{ID: m.ID, Title: title(m), Filename: m.Filename, Colour: "#8882", Ratio: shape(4, 5), open: access.Open(m)}
	query := v.signed(m)
	switch m.Kind {
	case store.Audio:
		t.Kind, t.Sub = "audio", strings.Join(some(m.Sound.Artist, clock(m.Sound.Duration)), " · ")
		t.Href, t.Src = v.origin.Page("/embed/audio/"+m.ID)+query, v.origin.AudioCover(m.ID)+query
	case store.Video:
		t.Kind, t.Sub, t.Href = "video", clock(m.Film.Duration), v.origin.Page("/embed/video/"+m.ID)+query
		if m.Width > 0 && m.Height > 0 {
			t.Ratio = shape(m.Width, m.Height)
		}
		if hasPart(m, store.PosterPart) || hasPart(m, store.UploadPart) {
			t.Src = v.origin.Video(m.ID, "poster.jpg") + query
		}
	case store.Doc:
		t.Kind, t.Href, t.Sub = "doc", v.origin.Page("/d/"+m.ID)+query, v.length(m)
		if _, ok := m.Part(store.CoverPart); ok {
			t.Src = v.origin.Media + "/doc-cover/" + m.ID + ".jpg" + query
		}
	default:
		v.picture(&t, m, query)
	}
	return t
}

func hasPart(m *store.Media, name string) bool {
	_, has := m.Part(name)
	return has
}

// picture fills in the tile of a picture.
func (v *viewer) picture(t *tile, m *store.Media, query string) {
	t.Kind = "image"
	t.W, t.H = m.Width, m.Height
	if t.W == 0 || t.H == 0 {
		t.W, t.H = 1, 1 // an SVG need not say
	}
	t.Ratio = shape(t.W, t.H)
	if m.Look.Colour != "" && !m.Look.Alpha { // what shines through would stay
		t.Colour, t.Blur = m.Look.Colour, m.Look.BlurHash
	}
	t.Href = v.origin.Image(m.ID, m.Ext) + query
	t.Src, t.Full, t.FullW, t.FullH = t.Href, t.Href, t.W, t.H
	t.Sizes = fmt.Sprintf("(max-width: 640px) 60vw, %dpx", int(300*float64(t.W)/float64(t.H)))
	if m.MIME == media.SVG.MIME {
		return
	}
	var set []string
	for _, name := range []string{"thumb", "small", "medium", "large"} {
		u, w, h := v.variant(m, name)
		if u == "" {
			continue
		}
		switch name {
		case "small":
			t.Src = u
		case "large":
			t.Full, t.FullW, t.FullH = u, w, h
		}
		set = append(set, fmt.Sprintf("%s %dw", u, w))
		if w == m.Width { // the next would be no larger
			if name != "large" {
				t.Full, t.FullW, t.FullH = u, w, h
			}
			break
		}
	}
	t.Srcset = template.Srcset(strings.Join(set, ", "))
}

// variant is the address of a prepared smaller version of m, and its size; empty when
// there is none.
func (v *viewer) variant(m *store.Media, name string) (address string, w, h int) {
	q, there := v.pages.pictures.variants[name]
	if !there || q.Width == 0 && q.Height == 0 {
		return "", 0, 0
	}
	scale := 1.0
	if q.Width > 0 {
		scale = min(scale, float64(q.Width)/float64(max(m.Width, 1)))
	}
	if q.Height > 0 {
		scale = min(scale, float64(q.Height)/float64(max(m.Height, 1)))
	}
	w, h = max(int(math.Round(float64(m.Width)*scale)), 1), max(int(math.Round(float64(m.Height)*scale)), 1)
	params, p := url.Values{"variant": {name}}, &v.pages.pictures
	query := params.Encode()
	switch {
	case !access.Shown(v.c, m):
		query = p.signer.TransformLink(m.ID, params, v.until())
	case p.signAll:
		query = p.signer.TransformLink(m.ID, params, 0)
	}
	return v.origin.Image(m.ID, m.Ext) + "?" + query, w, h
}

// signed is the query that opens m to somebody who has the collection's key; empty when
// it needs none.
func (v *viewer) signed(m *store.Media) string {
	if access.Shown(v.c, m) {
		return ""
	}
	return "?" + v.pages.pictures.signer.Link(m.ID, v.until())
}

// until is the day after next: an address stays the same for a day, and good for another.
func (v *viewer) until() int64 {
	const day = 86400
	return (v.now.Unix()/day + 2) * day
}

// length is how long a document is, for people.
func (v *viewer) length(m *store.Media) string {
	if m.Text.Format == "pdf" {
		return strings.Join(some("PDF", numbered(v.lang, int64(m.Text.Pages), "1 page", "%d pages")), " · ")
	}
	return numbered(v.lang, int64(m.Text.Words), "1 word", "%d words")
}

// shape is the class of a form: pictures of nearly the same have the same. Each is a
// twelfth of an octave wide; gallery.css has what they are.
func shape(w, h int) int {
	n := int(math.Round(12 * math.Log2(float64(w)/float64(h))))
	return min(max(n, -15), 24) + 15
}
