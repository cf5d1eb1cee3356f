package api

import (
	"fmt"
	"io"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/app/library"
	"picora/app/link"
	"picora/media"
	"picora/store"
)

// ownAudio is the caller's audio file that the path names.
func (a *API) ownAudio(c *fiber.Ctx) (m store.Media, err error) {
	id, err := id(c, store.IDLen)
	if err != nil {
		return m, err
	}
	m, err = a.library.Own(c.UserContext(), caller(c).User, id)
	if err == nil && m.Kind != store.Audio {
		err = store.ErrNotFound
	}
	return m, err
}

// createAudio handles POST /v1/audio.
func (a *API) createAudio(c *fiber.Ctx) error {
	if isJSON(c) {
		return a.createFetch(c, store.Audio)
	}
	f, err := a.openForm(c, func(length int) error { return a.room(c.UserContext(), caller(c).User, store.Audio, length) })
	if err != nil {
		return err
	}
	defer f.close()
	m, fresh, err := a.addForm(c, f, store.Audio)
	if err != nil {
		return err
	}
	return a.sendAdded(c, &m, fresh)
}

// getAudio handles GET /v1/audio/:id.
func (a *API) getAudio(c *fiber.Ctx) error {
	m, err := a.ownAudio(c)
	if err != nil {
		return err
	}
	return ok(c, a.audio(c, &m))
}

// updateAudio handles PATCH /v1/audio/:id.
func (a *API) updateAudio(c *fiber.Ctx) error {
	m, err := a.ownAudio(c)
	if err != nil {
		return err
	}
	var in fields
	if err := readJSON(c, &in, true); err != nil {
		return err
	}
	change, err := in.change()
	if err != nil {
		return err
	}
	if m, err = a.library.Edit(c.UserContext(), m.User, m.ID, change); err != nil {
		return err
	}
	return ok(c, a.audio(c, &m))
}

// deleteAudio handles DELETE /v1/audio/:id.
func (a *API) deleteAudio(c *fiber.Ctx) error {
	m, err := a.ownAudio(c)
	if err != nil {
		return err
	}
	if err := a.discard(c, m.ID); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// signAudio handles POST /v1/audio/:id/sign. The signature opens the file, all that
// belongs to it, and its player.
func (a *API) signAudio(c *fiber.Ctx) error {
	var in struct {
		Seconds *int64 `json:"expSeconds"`
	}
	if err := readJSON(c, &in, true); err != nil {
		return err
	}
	seconds, err := expSeconds(in.Seconds)
	if err != nil {
		return err
	}
	m, err := a.ownAudio(c)
	if err != nil {
		return err
	}
	exp := time.Now().Unix() + seconds
	o, query := link.Of(c.UserContext()), "?"+a.signer.Link(m.ID, exp)
	return ok(c, map[string]any{
		"signedUrl": o.Audio(m.ID, m.Ext) + query, "embedUrl": o.Page("/embed/audio/"+m.ID) + query,
		"expiresAt": stamp(time.Unix(exp, 0)), "exp": exp,
	})
}

// audioPublicMeta handles GET /v1/audio/:id/public-meta, see imagePublicMeta.
func (a *API) audioPublicMeta(c *fiber.Ctx) error { return a.publicMeta(c, store.Audio) }

// getWaveform handles GET /v1/audio/:id/waveform: the bare JSON that players read.
func (a *API) getWaveform(c *fiber.Ctx) error {
	m, err := a.ownAudio(c)
	if err != nil {
		return err
	}
	p, has := m.Part(store.PeaksPart)
	switch {
	case !has && m.Sound.Measured:
		return fault.New(fault.NotFound, "This file has no waveform: its sound could not be decoded.")
	case !has:
		a.library.HearSoon(m.ID)
		c.Set(fiber.HeaderRetryAfter, "2")
		c.Set(fiber.HeaderCacheControl, "no-store")
		return c.Status(fiber.StatusAccepted).JSON(success{true, map[string]any{"status": "processing", "progress": rounded(a.library.Hearing(m.ID), 3)}})
	}
	d := a.library.Part(p)
	c.Set(fiber.HeaderETag, d.ETag)
	c.Set(fiber.HeaderCacheControl, "private, no-cache")
	if c.Get(fiber.HeaderIfNoneMatch) == d.ETag {
		return c.SendStatus(fiber.StatusNotModified)
	}
	content, err := a.library.Open(c.UserContext(), d, 0, d.Size)
	if err != nil {
		return err
	}
	defer content.Close()
	b, err := io.ReadAll(io.LimitReader(content, media.MaxWaveform))
	if err != nil {
		return fmt.Errorf("api: waveform of %s: %w", m.ID, err)
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(b)
}

// The loudness that normalizeAudio makes files: unless asked otherwise what podcasts
// have, and not below what broadcasters want, nor so loud that nothing is left of it.
const (
	levelTarget = -16.0
	levelLeast  = -23.0
	levelMost   = -9.0
)

// normalizeAudio handles POST /v1/audio/:id/normalize.
func (a *API) normalizeAudio(c *fiber.Ctx) error {
	m, err := a.ownAudio(c)
	if err != nil {
		return err
	}
	var in struct {
		Target *float64 `json:"targetLufs"`
	}
	if err := readJSON(c, &in, true); err != nil {
		return err
	}
	target := levelTarget
	if in.Target != nil {
		target = rounded(*in.Target, 1)
	}
	if target < levelLeast || target > levelMost {
		return fault.New(fault.Invalid, "targetLufs is a number from %g to %g.", levelLeast, levelMost)
	}
	if m, err = a.library.LevelSound(c.UserContext(), m.User, m.ID, target); err != nil {
		return err
	}
	return c.Status(fiber.StatusAccepted).JSON(success{true, a.audio(c, &m)})
}

// dropNormalized handles DELETE /v1/audio/:id/normalize.
func (a *API) dropNormalized(c *fiber.Ctx) error {
	m, err := a.ownAudio(c)
	if err != nil {
		return err
	}
	if m, err = a.library.DropLevel(c.UserContext(), m.User, m.ID); err != nil {
		return err
	}
	return ok(c, a.audio(c, &m))
}

// addForm takes the form's file in, with what its other fields say of it.
func (a *API) addForm(c *fiber.Ctx, f *form, k store.Kind) (m store.Media, fresh bool, err error) {
	length := c.Request().Header.ContentLength()
	return a.library.Add(c.UserContext(), library.Upload{
		User: caller(c).User, Kind: k, Filename: f.filename, Body: f.file,
		Length: int64(length), Least: least(length),
		Describe: func(m *store.Media) error {
			if err := f.rest(); err != nil {
				return err
			}
			change, err := f.change()
			if err == nil && k == store.Video {
				err = videoTags(change)
			}
			if err != nil {
				return err
			}
			if id := change.Collection; id != nil {
				if err := a.library.CollectionFor(c.UserContext(), caller(c).User, *id, k); err != nil {
					return err
				}
			}
			return change.Apply(m)
		},
	})
}

// sendAdded answers with a file that was sent. Fresh: the account did not have it before.
func (a *API) sendAdded(c *fiber.Ctx, m *store.Media, fresh bool) error {
	status, out := fiber.StatusCreated, any(nil)
	switch m.Kind {
	case store.Image:
		out = a.image(c, m)
	case store.Audio:
		out = a.audio(c, m)
	case store.Video:
		v, err := a.video(c, m)
		if err != nil {
			return err
		}
		status, out = fiber.StatusAccepted, takenVideo{m.ID, v}
	case store.Doc:
		return a.sendPDF(c, m, fresh)
	}
	if !fresh {
		c.Set("X-Picora-Duplicate", "true")
		status = fiber.StatusOK
	}
	return c.Status(status).JSON(success{true, out})
}
