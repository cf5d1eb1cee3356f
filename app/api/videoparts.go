package api

import (
	"context"
	"strings"

	"github.com/gofiber/fiber/v2"

	"picora/app/library"
	"picora/store"
)

// What POSTs below a video bring: the last part of their paths.
const (
	thumbnailFile = "thumbnail"
	captionsFile  = "captions"
)

// videoFile is what a POST to the path brings a video; empty: nothing.
func videoFile(path string) string {
	rest, below := strings.CutPrefix(strings.ToLower(strings.TrimRight(path, "/")), "/v1/videos/")
	id, file, named := strings.Cut(rest, "/")
	if !below || !named || id == "" || file != thumbnailFile && file != captionsFile {
		return ""
	}
	return file
}

// videoFileRoom refuses, before it is read, a body of that length (-1: unknown) that brings
// a video something. It counts for no quota.
func (a *API) videoFileRoom(ctx context.Context, file string, length int) error {
	switch {
	case file == captionsFile && length > library.MaxCaptions+formOverhead:
		return library.CaptionsTooLarge()
	case file == thumbnailFile && int64(length) > a.library.MaxUpload()+formOverhead:
		return a.library.TooLarge()
	}
	return a.library.Room(ctx, int64(length))
}

// setThumbnail handles POST /v1/videos/:id/thumbnail.
func (a *API) setThumbnail(c *fiber.Ctx) error {
	m, err := a.ownVideo(c)
	if err != nil {
		return err
	}
	f, err := a.openForm(c, func(length int) error { return a.videoFileRoom(c.UserContext(), thumbnailFile, length) })
	if err != nil {
		return err
	}
	defer f.close()
	if m, err = a.library.SetPoster(c.UserContext(), m.User, m.ID, f.file, f.rest); err != nil {
		return err
	}
	return a.sendVideo(c, &m)
}

// dropThumbnail handles DELETE /v1/videos/:id/thumbnail.
func (a *API) dropThumbnail(c *fiber.Ctx) error {
	m, err := a.ownVideo(c)
	if err != nil {
		return err
	}
	if m, err = a.library.DropPoster(c.UserContext(), m.User, m.ID); err != nil {
		return err
	}
	return a.sendVideo(c, &m)
}

// listCaptions handles GET /v1/videos/:id/captions.
func (a *API) listCaptions(c *fiber.Ctx) error {
	m, err := a.ownVideo(c)
	if err != nil {
		return err
	}
	return a.sendCaptions(c, fiber.StatusOK, &m)
}

func (a *API) sendCaptions(c *fiber.Ctx, status int, m *store.Media) error {
	at, err := a.addresses(c, m)
	if err != nil {
		return err
	}
	return c.Status(status).JSON(success{true, map[string]any{"items": at.captions(&m.Film)}})
}

// addCaptions handles POST /v1/videos/:id/captions.
func (a *API) addCaptions(c *fiber.Ctx) error {
	m, err := a.ownVideo(c)
	if err != nil {
		return err
	}
	f, err := a.openForm(c, func(length int) error { return a.videoFileRoom(c.UserContext(), captionsFile, length) })
	if err != nil {
		return err
	}
	defer f.close()
	m, added, err := a.library.AddCaptions(c.UserContext(), m.User, m.ID, f.file, func() (is library.Captions, err error) {
		if err := f.rest(); err != nil {
			return is, err
		}
		by, err := f.bool("default", nil)
		return library.Captions{Lang: strings.TrimSpace(f.values["lang"]), Label: f.values["label"], Default: by != nil && *by}, err
	})
	if err != nil {
		return err
	}
	at, err := a.addresses(c, &m)
	if err != nil {
		return err
	}
	return created(c, at.caption(&added))
}

// dropCaptions handles DELETE /v1/videos/:id/captions/:track: a track's name, or its language.
func (a *API) dropCaptions(c *fiber.Ctx) error {
	m, err := a.ownVideo(c)
	if err != nil {
		return err
	}
	if _, err = a.library.DropCaptions(c.UserContext(), m.User, m.ID, strings.Clone(c.Params("track"))); err != nil {
		return err
	}
	return ok(c, nil)
}
