package api

import (
	"encoding/binary"
	"errors"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/app/link"
	"picora/store"
)

// How many changes an answer has.
const (
	defaultChanges = 100
	maxChanges     = 500
)

// upsert is a record that came or changed (contract 12), and removal one that went.
type upsert struct {
	Op          string  `json:"op"`
	Type        string  `json:"type"`
	ID          string  `json:"id"`
	UpdatedAt   string  `json:"updatedAt"`
	URL         *string `json:"url"`
	ContentHash *string `json:"contentHash"`
	SizeBytes   int64   `json:"sizeBytes"`
	MIMEType    string  `json:"mimeType"`
	Filename    string  `json:"filename"`
	IsPublic    bool    `json:"isPublic"`
}

type removal struct {
	Op        string `json:"op"`
	Type      string `json:"type"`
	ID        string `json:"id"`
	UpdatedAt string `json:"updatedAt"`
}

// syncState handles GET /v1/sync/state.
func (a *API) syncState(c *fiber.Ctx) error {
	var kind store.Kind
	if name := c.Query("type"); name != "" && name != "all" {
		if kind = kindNamed(name); kind == 0 {
			return fault.New(fault.Invalid, "type is image, video, audio, doc or all.")
		}
	}
	limit := defaultChanges
	if s := c.Query("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return fault.New(fault.Invalid, "limit is a whole number from 1 to %d.", maxChanges)
		}
		limit = min(n, maxChanges)
	}
	user, name := caller(c).User, "sync "+kindNames[kind]
	since, err := a.since(user, name, c)
	if err != nil {
		return err
	}
	list, next, more, err := a.changes(c, user, kind, since, limit)
	if errors.Is(err, store.ErrForgotten) {
		return fault.New(fault.BadRequest, "This cursor is too old: what was deleted since then is not known any more. Begin again without since, and drop what does not come.")
	}
	if err != nil {
		return err
	}
	out := struct {
		Changes []any   `json:"changes"`
		Next    *string `json:"nextCursor"`
		More    bool    `json:"hasMore"`
	}{[]any{}, nil, more}
	for i := range list {
		out.Changes = append(out.Changes, changed(link.Of(c.UserContext()), &list[i]))
	}
	if len(list) > 0 || more {
		out.Next = a.seal(user, name, string(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, next.Seq), next.Floor)))
	}
	return ok(c, out)
}

// since reads the cursor, by which the contract has 400 for all that is wrong with it.
func (a *API) since(user, name string, c *fiber.Ctx) (s store.Since, err error) {
	cursor := c.Query("since", c.Query("cursor"))
	place, err := a.unseal(user, name, cursor)
	if err != nil || place != "" && len(place) != 16 {
		return s, fault.New(fault.BadRequest, "since is not a cursor that this server gave for this type. Begin again without it.")
	}
	if place != "" {
		s.Seq, s.Floor = binary.BigEndian.Uint64([]byte(place)), binary.BigEndian.Uint64([]byte(place[8:]))
	}
	return s, nil
}

// changes asks until there are some: among many of another kind, one round may find none.
func (a *API) changes(c *fiber.Ctx, user string, k store.Kind, since store.Since, limit int) (list []store.Changed, next store.Since, more bool, err error) {
	next = since
	for range mostRounds {
		if list, next, more, err = a.store.Changes(c.UserContext(), user, k, next, limit); err != nil || len(list) > 0 || !more {
			break
		}
	}
	return list, next, more, err
}

func changed(o link.Origin, ch *store.Changed) any {
	m := ch.Media
	if m == nil {
		return removal{"delete", kindNames[ch.Kind], ch.ID, stamp(ch.At)}
	}
	return upsert{
		Op: "upsert", Type: kindNames[m.Kind], ID: m.ID, UpdatedAt: stamp(m.Updated), URL: orNull(mediaURL(o, m)),
		ContentHash: hexOrNull(m.Hash), SizeBytes: m.Size, MIMEType: m.MIME, Filename: m.Filename, IsPublic: m.Public,
	}
}
