package pages

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/access"
	"picora/app/auth"
	"picora/app/link"
	"picora/media"
	"picora/store"
)

// pictures is how pages show pictures smaller than they are.
type pictures struct {
	signer   *auth.Signer
	signAll  bool                   // variants need a signature, too
	variants map[string]media.Query // by name
}

// UsePictures tells which variants of pictures there are, and whether each needs a signature.
// It is called before the start.
func (p *Pages) UsePictures(s *auth.Signer, signAll bool, variants map[string]media.Query) {
	p.pictures = pictures{s, signAll, variants}
}

// galleryPage is how many things a page of a gallery has.
const galleryPage = 48

// gallery is what the page of a collection shows.
type gallery struct {
	Name, Description string
	Counts            []string // for people
	Page              string   // its own address
	Listed            bool     // everybody may find it
	Picture           *tile    // that stands for it
	Feed              string   // address; empty: none
	Tiles             []tile
	First             bool   // it is the first page
	Start             string // address of that
	Next              string // address of the next; empty: none
}

// tile is one thing in a gallery.
type tile struct {
	ID, Kind     string
	Title, Sub   string
	Href         string // what it leads to without a script
	Src          string // a picture of it; empty: none
	Srcset       template.Srcset
	Sizes        string
	Full         string // the picture as large as screens are
	FullW, FullH int
	W, H         int
	Ratio        int // class of its form
	Colour, Blur string
	Filename     string
	open         bool // everybody may show it everywhere
}

// gallery handles GET /c/{slug}: the page of a collection, for everybody when it is
// public, else for whoever has its key.
func (p *Pages) gallery(c *fiber.Ctx) error {
	name, err := url.PathUnescape(c.Params("slug"))
	if err != nil {
		return refuse(c, store.ErrNotFound)
	}
	k, err := p.library.ShownCollection(c.UserContext(), name)
	if err != nil {
		return refuse(c, err)
	}
	key := c.Query("key")
	shared := key != "" && k.Share != "" && subtle.ConstantTimeCompare([]byte(key), []byte(k.Share)) == 1
	if !shared && !k.Public {
		return refuse(c, store.ErrNotFound)
	}
	after, err := base64.RawURLEncoding.DecodeString(c.Query("cursor"))
	if err != nil || len(after) > 256 {
		return refuse(c, store.ErrNotFound)
	}
	g, err := p.newGallery(c, &k, string(after), shared)
	if err != nil {
		return refuse(c, err)
	}
	c.Set(fiber.HeaderCacheControl, "no-cache")
	if !g.Listed {
		c.Set(fiber.HeaderCacheControl, string(access.Personal))
		c.Set("X-Robots-Tag", "noindex")
	}
	if err := render(c, fiber.StatusOK, "gallery", link.Of(c.UserContext()).Sources(), true, false, g); err != nil {
		return err
	}
	// Files that only some pages may show look at the referer, also on a host of their own.
	c.Set(fiber.HeaderReferrerPolicy, "strict-origin-when-cross-origin")
	return nil
}

func (p *Pages) newGallery(c *fiber.Ctx, k *store.Collection, after string, shared bool) (g gallery, err error) {
	o, lang := link.Of(c.UserContext()), language(c)
	v := &viewer{p, c, o, lang, shared, time.Now()}
	at := "/c/" + k.Slug
	g = gallery{
		Name: k.Name, Description: k.Description, Counts: counted(lang, k, shared),
		Page: o.Page(at), Listed: !shared, First: after == "",
	}
	if k.Public && k.Count(store.Audio).Public > 0 {
		g.Feed = o.Feed(k.ID)
	}
	q := store.Query{Collection: &k.ID, After: after, Limit: galleryPage}
	if !shared {
		public := true
		q.Public = &public
	}
	var page store.Page
	for range 5 { // what may not be shown may fill pages
		if page, err = p.library.List(c.UserContext(), k.User, q); err != nil {
			return g, err
		}
		for i := range page.Items {
			if m := &page.Items[i]; v.may(m) {
				g.Tiles = append(g.Tiles, v.tile(m))
			}
		}
		if q.After = page.Next; len(g.Tiles) > 0 || page.Next == "" {
			break
		}
	}
	g.Start = at
	if shared {
		g.Start += "?" + url.Values{"key": {k.Share}}.Encode()
	}
	if page.Next != "" {
		next := url.Values{"cursor": {base64.RawURLEncoding.EncodeToString([]byte(page.Next))}}
		if shared {
			next.Set("key", k.Share)
		}
		g.Next = at + "?" + next.Encode()
	}
	g.Picture = v.cover(k, g.Tiles)
	return g, nil
}

// viewer is somebody who looks at a gallery.
type viewer struct {
	pages  *Pages
	c      *fiber.Ctx
	origin link.Origin
	lang   string
	shared bool // has the collection's key, which opens all that is in it
	now    time.Time
}

// may reports whether the gallery may show m.
func (v *viewer) may(m *store.Media) bool {
	if m.Kind == store.Video && !m.Film.Plays() {
		return false
	}
	return v.shared || access.Shown(v.c, m)
}

// cover is the picture that stands for the collection: the one that its owner chose, or
// the first. Others show it on pages of theirs, so everybody must be let have it.
func (v *viewer) cover(k *store.Collection, tiles []tile) *tile {
	if k.Cover != "" {
		m, err := v.pages.library.Own(v.c.UserContext(), k.User, k.Cover)
		if err == nil && m.Kind == store.Image && access.Open(&m) {
			t := v.tile(&m)
			return &t
		}
	}
	for i := range tiles {
		if t := &tiles[i]; t.Kind == "image" && t.open {
			return t
		}
	}
	return nil
}

// counted says how much is in a collection.
func counted(lang string, k *store.Collection, all bool) (list []string) {
	for _, w := range []struct {
		kind      store.Kind
		one, many string
	}{
		{store.Image, "1 picture", "%d pictures"}, {store.Video, "1 video", "%d videos"}, {store.Audio, "1 recording", "%d recordings"}, {store.Doc, "1 document", "%d documents"},
	} {
		n := k.Count(w.kind).Public
		if all {
			n = k.Count(w.kind).N
		}
		list = append(list, some(numbered(lang, n, w.one, w.many))...)
	}
	return list
}

// numbered says how many; empty for none.
func numbered(lang string, n int64, one, many string) string {
	switch n {
	case 0:
		return ""
	case 1:
		return say(lang, one)
	}
	return fmt.Sprintf(say(lang, many), n)
}

// some are the texts that are not empty.
func some(texts ...string) (list []string) {
	for _, s := range texts {
		if s != "" {
			list = append(list, s)
		}
	}
	return list
}
