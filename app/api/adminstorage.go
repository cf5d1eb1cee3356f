package api

import (
	"github.com/gofiber/fiber/v2"
)

// storageState is where files are kept, on the wire.
type storageState struct {
	At       string       `json:"at"`
	Settings string       `json:"settings"`
	Set      []string     `json:"set"`
	Move     *storageMove `json:"move"`
	Left     *string      `json:"left"`
	Remove   *string      `json:"remove"`
	MovedAt  *string      `json:"movedAt"`
}

// storageMove is a move of all files to another place.
type storageMove struct {
	To          string  `json:"to"`
	Phase       string  `json:"phase"`
	Files       int64   `json:"files"`
	Bytes       int64   `json:"bytes"`
	FilesToCopy *int64  `json:"filesToCopy"`
	BytesToCopy *int64  `json:"bytesToCopy"`
	Waiting     *string `json:"waiting"`
	Failed      int     `json:"failed"`
}

// getStorage handles GET /v1/admin/storage.
func (a *API) getStorage(c *fiber.Ctx) error {
	s, err := a.storage.Status()
	if err != nil {
		return err
	}
	out := storageState{At: s.At, Settings: s.Settings, Set: append([]string{}, s.Set...), Left: orNull(s.Left), Remove: orNull(s.Remove), MovedAt: stampOrNull(s.Moved)}
	if s.To != "" {
		out.Move = &storageMove{To: s.To, Phase: s.Phase, Files: s.Files, Bytes: s.Bytes, Waiting: orNull(s.Waiting), Failed: s.Failed}
		if s.AllFiles > 0 {
			out.Move.FilesToCopy, out.Move.BytesToCopy = &s.AllFiles, &s.AllBytes
		}
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return ok(c, out)
}

// cancelMove handles DELETE /v1/admin/storage/move.
func (a *API) cancelMove(c *fiber.Ctx) error {
	before, err := a.storage.Status()
	if err != nil {
		return err
	}
	if err := a.storage.Cancel(c.UserContext()); err != nil {
		return err
	}
	a.audit(c, "blobs.copy_ended", "", map[string]string{"at": before.At, "to": before.To})
	return a.getStorage(c)
}
