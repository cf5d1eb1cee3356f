package api

import (
	"context"
	"log/slog"

	"github.com/gofiber/fiber/v2"

	"picora/app/auth"
	"picora/app/library"
	"picora/app/limit"
	"picora/app/link"
	"picora/store"
)

// Who says whom a route lets in.
type Who struct {
	access access
	Scope  auth.Scope // that an API key must have
	active bool       // the account's plan must let it write
}

type access string

const (
	public   access = "public"
	cookie   access = "cookie"   // the handler reads the refresh cookie
	internal access = "internal" // the handler compares the internal token
	optional access = "optional" // everybody, and whoever sends a credential is known by it
	scoped   access = "scoped"
	person   access = "person"
	proven   access = "proven"
	admin    access = "admin"

	adminProven access = "admin-proven"
)

// The kinds of routes.
var (
	Public   = Who{access: public}   // everybody
	Cookie   = Who{access: cookie}   // whose browser has a session, from our own pages
	Internal = Who{access: internal} // who knows the internal token
	Anyone   = Scoped(0)             // every valid credential
	Person   = Who{access: person}   // who signed in, not with an API key
	Proven   = Who{access: proven}   // … and has lately shown who they are
	Admin    = Who{access: admin}    // who signed in and administers the server

	AdminProven = Who{access: adminProven} // … and has lately shown who they are
)

// Scoped admits who signed in, and API keys with the scope.
func Scoped(s auth.Scope) Who { return Who{access: scoped, Scope: s} }

// Optional admits everybody. A credential that is sent must be valid, and an API key have
// the scope.
func Optional(s auth.Scope) Who { return Who{access: optional, Scope: s} }

// Active admits only those whose account's plan lets it write.
func (w Who) Active() Who { w.active = true; return w }

// Kind is the name of the kind of route, for tests.
func (w Who) Kind() string { return string(w.access) }

// admit lets only these callers through, takes the call from their buckets, and keeps
// the caller for caller. Calls that are refused for another reason cost as much: else
// they could be sent without end.
func (a *API) admit(t Route) fiber.Handler {
	return func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		switch t.Who.access {
		case public, internal, cookie:
			if err := a.take(c, limit.Caller{Address: link.Client(ctx)}, t.Tier); err != nil {
				return err
			}
			if t.Who.access == cookie {
				if err := ownPage(c); err != nil {
					return err
				}
			}
			return c.Next()
		case optional:
			if c.Get(fiber.HeaderAuthorization) == "" {
				if err := a.take(c, limit.Caller{Address: link.Client(ctx)}, t.Tier); err != nil {
					return err
				}
				return c.Next()
			}
		}
		who, err := a.auth.Bearer(ctx, c.Get(fiber.HeaderAuthorization))
		if err != nil {
			s, err := a.wrong(ctx, err)
			showLimit(c, s, a.store.Now())
			return err
		}
		if err := a.take(c, rationOf(ctx, who, t.Tier), t.Tier); err != nil {
			return err
		}
		if err := a.may(who, t.Who); err != nil {
			return err
		}
		c.Locals(callerKey{}, who)
		return c.Next()
	}
}

func (a *API) may(who auth.Caller, w Who) error {
	switch w.access {
	case person:
		return who.NeedPerson()
	case proven:
		return who.NeedProof(a.store.Now())
	case admin:
		return who.NeedAdmin()
	case adminProven:
		if err := who.NeedAdmin(); err != nil {
			return err
		}
		return who.NeedProof(a.store.Now())
	}
	if err := who.Need(w.Scope); err != nil || !w.active {
		return err
	}
	return a.usage.MayWrite(who.Account)
}

type callerKey struct{}

// caller is who admit let through.
func caller(c *fiber.Ctx) auth.Caller {
	who, _ := c.Locals(callerKey{}).(auth.Caller)
	return who
}

// device is where the request comes from.
func device(c *fiber.Ctx) auth.Device {
	d := auth.Device{Agent: c.Get(fiber.HeaderUserAgent), Language: c.Get(fiber.HeaderAcceptLanguage)}
	if addr := link.Client(c.UserContext()); addr.IsValid() {
		d.Address = addr.String()
	}
	return d
}

// audit writes what was done into the audit log, with who did it and from where. The
// subject is the id of the user or thing it was done to.
func (a *API) audit(c *fiber.Ctx, action, subject string, detail map[string]string) {
	who := caller(c)
	a.record(c, store.Event{Actor: who.User, Via: who.Session, Action: action, Subject: subject, Detail: detail})
}

// record writes e into the audit log, with where the request comes from. What it tells
// of is done, so a failure goes to the server's log only: clients repeat what was
// answered with an error.
func (a *API) record(c *fiber.Ctx, e store.Event) {
	if err := a.addEvent(c, e); err != nil {
		slog.Error("the audit log lacks an event", "action", e.Action, "subject", e.Subject, "actor", e.Actor, "err", err)
	}
}

func (a *API) addEvent(c *fiber.Ctx, e store.Event) error {
	d := device(c)
	e.Address, e.Agent = d.Address, d.Agent
	return a.store.AddEvent(c.UserContext(), e)
}

// Admit says whether an upload to the path may begin, from its headers alone: the server
// asks before it tells a client that waits (Expect: 100-continue) to go on. An upload
// that may is taken from the buckets when it begins; one that is refused ends here, so
// it is taken here.
func (a *API) Admit(ctx context.Context, authorization, method, path string, length int) error {
	who, err := a.auth.Bearer(ctx, authorization)
	if err != nil {
		s, err := a.wrong(ctx, err)
		return &rationed{err, s, a.store.Now()}
	}
	tier := limit.Upload
	if videoFile(path) != "" || uploadPath(method, path) {
		tier = limit.Mutation // as in the table of routes
	}
	ration := rationOf(ctx, who, tier)
	s := a.limits.Peek(ration, tier)
	if err := exceeded(s); err != nil {
		return &rationed{err, s, a.store.Now()}
	}
	scope := auth.MediaWrite
	if uploadKind(path) == store.Doc {
		scope = auth.KBWrite
	}
	err = who.Need(scope)
	switch {
	case err != nil:
	case uploadPath(method, path):
		err = a.usage.MayWrite(who.Account) // the room is kept when it is begun
	case avatarPath(path):
		err = a.avatarRoom(ctx, length)
	case videoFile(path) != "":
		if err = a.usage.MayWrite(who.Account); err == nil {
			err = a.videoFileRoom(ctx, videoFile(path), length)
		}
	default:
		err = a.room(ctx, who.User, uploadKind(path), length)
	}
	if err != nil {
		return &rationed{err, a.limits.Take(ration, tier), a.store.Now()}
	}
	return nil
}

// room refuses a file of the kind in a body of that length (-1: unknown) before it is
// read.
func (a *API) room(ctx context.Context, user string, k store.Kind, length int) error {
	if k == store.Image && int64(length) > a.library.MaxUpload()+formOverhead {
		return a.library.TooLarge()
	}
	if k == store.Audio {
		if err := a.library.SoundRoom(ctx, user, least(length)); err != nil {
			return err
		}
	}
	if k == store.Video {
		if err := a.library.FilmRoom(ctx, user, least(length)); err != nil {
			return err
		}
	}
	if k == store.Doc { // whether it takes another's place, and what it is, is in its body
		if int64(length) > a.library.MaxUpload()+formOverhead {
			return a.library.TooLarge()
		}
		return a.library.Room(ctx, int64(length))
	}
	if err := a.usage.MayBegin(ctx, user, k, least(length)); err != nil {
		return err
	}
	return a.library.Room(ctx, int64(length))
}

// avatarRoom is room for an avatar, which is no picture of the account's: it counts for no
// quota, and every plan has it.
func (a *API) avatarRoom(ctx context.Context, length int) error {
	if length > library.MaxAvatar+formOverhead {
		return library.AvatarTooLarge()
	}
	return a.library.Room(ctx, int64(length))
}

// least is how many bytes the file in a form of that length has at least. The fields
// may stand behind the file, so only their bound is known.
func least(length int) int64 { return max(int64(length)-formOverhead, 0) }
