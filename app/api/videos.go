package api

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/app/library"
	"picora/app/link"
	"picora/app/usage"
	"picora/store"
)

// ownVideo is the caller's video that the path names.
func (a *API) ownVideo(c *fiber.Ctx) (m store.Media, err error) {
	id, err := id(c, store.IDLen)
	if err != nil {
		return m, err
	}
	m, err = a.library.Own(c.UserContext(), caller(c).User, id)
	if err == nil && m.Kind != store.Video {
		err = store.ErrNotFound
	}
	return m, err
}

// videoTags refuses tags that a video may not have.
func videoTags(ch library.Change) error {
	if ch.Tags == nil {
		return nil
	}
	return library.CheckVideoTags(*ch.Tags)
}

// takenVideo is the answer to a video that was sent: two clients read its id under two
// names (contract 11).
type takenVideo struct {
	VideoID string `json:"videoId"`
	video
}

// createVideo handles POST /v1/videos.
func (a *API) createVideo(c *fiber.Ctx) error {
	if isJSON(c) {
		return a.createFetch(c, store.Video)
	}
	f, err := a.openForm(c, func(length int) error { return a.room(c.UserContext(), caller(c).User, store.Video, length) })
	if err != nil {
		return err
	}
	defer f.close()
	m, fresh, err := a.addForm(c, f, store.Video)
	if err == nil && !fresh && m.Film.State == store.FilmFailed { // whoever sends it again wants that
		m, err = a.library.RetryFilm(c.UserContext(), m.User, m.ID)
	}
	if err != nil {
		return err
	}
	return a.sendAdded(c, &m, fresh)
}

// listVideos handles GET /v1/videos.
func (a *API) listVideos(c *fiber.Ctx) error {
	return a.sendMedia(c, "videos", store.Video, func(m *store.Media) (any, error) { return a.video(c, m) }, "items", "videos")
}

// getVideo handles GET /v1/videos/:id, which everybody may read of a public video.
func (a *API) getVideo(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	m, err := a.library.Any(c.UserContext(), id)
	if err == nil && (m.Kind != store.Video || !m.Public && m.User != caller(c).User) {
		err = store.ErrNotFound
	}
	if err != nil {
		return err
	}
	return a.sendVideo(c, &m)
}

func (a *API) sendVideo(c *fiber.Ctx, m *store.Media) error {
	out, err := a.video(c, m)
	if err != nil {
		return err
	}
	return ok(c, out)
}

// getVideoStatus handles GET /v1/videos/:id/status.
func (a *API) getVideoStatus(c *fiber.Ctx) error {
	m, err := a.ownVideo(c)
	if err != nil {
		return err
	}
	state, err := a.usage.Bandwidth(c.UserContext(), m.User)
	if err != nil {
		return err
	}
	if state == usage.Suspended {
		return usage.ErrSuspended
	}
	at, err := a.addresses(c, &m)
	if err != nil {
		return err
	}
	return ok(c, map[string]any{
		"id": m.ID, "status": filmStatus(&m.Film, "error"), "playbackUrl": at.playback(&m), "thumbnailUrl": at.poster(&m),
		"durationSeconds": wholeDuration(&m.Film), "progress": a.filmProgress(&m), "error": orNull(m.Film.Fault),
	})
}

// updateVideo handles PATCH /v1/videos/:id.
func (a *API) updateVideo(c *fiber.Ctx) error {
	m, err := a.ownVideo(c)
	if err != nil {
		return err
	}
	var in fields
	if err := readJSON(c, &in, true); err != nil {
		return err
	}
	change, err := in.change()
	if err == nil {
		err = videoTags(change)
	}
	if err != nil {
		return err
	}
	change.KeepMetadata = nil // nothing of a video is delivered as it came
	if _, err := a.library.Edit(c.UserContext(), m.User, m.ID, change); err != nil {
		return err
	}
	return ok(c, nil)
}

// deleteVideo handles DELETE /v1/videos/:id.
func (a *API) deleteVideo(c *fiber.Ctx) error {
	m, err := a.ownVideo(c)
	if err != nil {
		return err
	}
	if err := a.discard(c, m.ID); err != nil {
		return err
	}
	return ok(c, nil)
}

// signVideo handles POST /v1/videos/:id/sign. The signature opens all of the video, and its
// player.
func (a *API) signVideo(c *fiber.Ctx) error {
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
	m, err := a.ownVideo(c)
	if err != nil {
		return err
	}
	at, err := a.addresses(c, &m)
	if err != nil {
		return err
	}
	exp := time.Now().Unix() + seconds
	query := "?" + a.signer.Link(m.ID, exp)
	at.sign = func(string) string { return query }
	play := at.playback(&m)
	return ok(c, map[string]any{
		"signedUrl": play, "playbackUrl": play, "mp4Url": at.has(&m, store.FilePart, "video.mp4"), "thumbnailUrl": at.poster(&m),
		"embedUrl":  link.Of(c.UserContext()).Page("/embed/video/"+m.ID) + query,
		"expiresAt": stamp(time.Unix(exp, 0)), "exp": exp,
	})
}

// retryVideo handles POST /v1/videos/:id/retry.
func (a *API) retryVideo(c *fiber.Ctx) error {
	m, err := a.ownVideo(c)
	if err != nil {
		return err
	}
	if m, err = a.library.RetryFilm(c.UserContext(), m.User, m.ID); err != nil {
		return err
	}
	out, err := a.video(c, &m)
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusAccepted).JSON(success{true, out})
}

// getVideoOriginal handles GET /v1/videos/:id/original.
func (a *API) getVideoOriginal(c *fiber.Ctx) error {
	m, err := a.ownVideo(c)
	if err != nil {
		return err
	}
	if m.Blob == "" {
		return fault.New(fault.NotFound, "The file of this video was not kept when all was made of it.")
	}
	return a.sendOriginal(c, &m)
}

// videoPublicMeta handles GET /v1/videos/:id/public-meta, see imagePublicMeta.
func (a *API) videoPublicMeta(c *fiber.Ctx) error {
	m, err := a.publicMedia(c, store.Video)
	if err != nil {
		return err
	}
	key, mime, size := m.Blob, m.MIME, m.Size
	if file, has := m.Part(store.FilePart); key == "" && has { // the original was not kept
		key, mime, size = file.Blob, file.MIME, file.Size
	}
	return c.JSON(map[string]any{"storageKey": key, "mimeType": mime, "sizeBytes": size, "filename": m.Filename, "isPublic": m.Public})
}
