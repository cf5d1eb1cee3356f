package api

import (
	"encoding/json"

	"github.com/gofiber/fiber/v2"

	"picora/app/auth"
	"picora/app/fault"
	"picora/app/library"
	"picora/app/link"
	"picora/store"
)

// feed is what a collection says of its podcast feed.
type feed struct {
	Author   *string `json:"author"`
	Email    *string `json:"email"`
	Category *string `json:"category"`
	Language *string `json:"language"`
	Link     *string `json:"link"`
	Explicit bool    `json:"explicit"`
	Type     string  `json:"type"`
}

// wireFeed writes what a collection's feed says, and adds its addresses, as far as there
// are such feeds. That of the private one is for those who may hear all that is in it.
func wireFeed(c *fiber.Ctx, k *store.Collection, out *collection) {
	f := &k.Feed
	out.Feed = feed{
		Author: orNull(f.Author), Email: orNull(f.Email), Category: orNull(f.Category), Language: orNull(f.Language), Link: orNull(f.Link),
		Explicit: f.Explicit, Type: "episodic",
	}
	if f.Serial {
		out.Feed.Type = "serial"
	}
	if !k.Live() || !k.Takes(store.Audio) {
		return
	}
	o := link.Of(c.UserContext())
	if k.Public {
		out.FeedURL = orNull(o.Feed(k.ID))
	}
	if f.Token != "" && caller(c).Need(auth.MediaRead) == nil {
		out.PrivateFeedURL = orNull(o.Feed(k.ID + "." + f.Token))
	}
}

// feedChange reads the field feed; nil when it is not there.
func (f fields) feedChange() (*library.FeedChange, error) {
	raw, err := take[json.RawMessage](f, "feed")
	if err != nil || raw == nil {
		return nil, err
	}
	var inner fields
	if err := json.Unmarshal(*raw, &inner); err != nil {
		return nil, fault.New(fault.Invalid, "feed is an object.")
	}
	in := fields{} // errors say where a field is
	for name, v := range inner {
		in["feed."+name] = v
	}
	var ch library.FeedChange
	for name, to := range map[string]**string{"author": &ch.Author, "email": &ch.Email, "category": &ch.Category, "language": &ch.Language, "link": &ch.Link} {
		if *to, err = emptied[string](in, "feed."+name); err != nil {
			return nil, err
		}
	}
	if ch.Type, err = take[string](in, "feed.type"); err != nil {
		return nil, err
	}
	ch.Explicit, err = take[bool](in, "feed.explicit")
	return &ch, err
}

// renewFeed handles POST /v1/collections/:id/feed-token.
func (a *API) renewFeed(c *fiber.Ctx) error {
	return a.changeFeed(c, func(k *store.Collection) (store.Collection, error) {
		if !k.Takes(store.Audio) {
			return *k, fault.New(fault.Invalid, "This collection takes no audio, so it has no feed. Add audio to its allowedResourceTypes.")
		}
		return a.library.RenewFeed(c.UserContext(), k.User, k.ID)
	})
}

// endFeed handles DELETE /v1/collections/:id/feed-token.
func (a *API) endFeed(c *fiber.Ctx) error {
	return a.changeFeed(c, func(k *store.Collection) (store.Collection, error) {
		return a.library.EndFeed(c.UserContext(), k.User, k.ID)
	})
}

func (a *API) changeFeed(c *fiber.Ctx, change func(*store.Collection) (store.Collection, error)) error {
	k, err := a.ownCollection(c)
	if err != nil {
		return err
	}
	if k, err = change(&k); err != nil {
		return err
	}
	return a.sendCollection(c, ok, &k)
}
