package api

import (
	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/app/library"
	"picora/store"
)

// The kinds of watermarks.
const (
	textMark    = "text"
	pictureMark = "picture"
)

// watermark is one on the wire.
type watermark struct {
	ID        string  `json:"id"`
	Name      string  `json:"name"`
	Kind      string  `json:"kind"`
	Text      *string `json:"text"`
	Color     *string `json:"color"`
	ImageID   *string `json:"imageId"`
	Scale     float64 `json:"scale"`
	Position  string  `json:"position"`
	Margin    float64 `json:"margin"`
	Opacity   float64 `json:"opacity"`
	Tiled     bool    `json:"tiled"`
	Rotation  int     `json:"rotation"`
	CreatedAt string  `json:"createdAt"`
	UpdatedAt string  `json:"updatedAt"`
}

// wireWatermark writes a record.
func wireWatermark(w *store.Watermark) watermark {
	out := watermark{
		ID: w.ID, Name: w.Name, Kind: kindOfMark(w), ImageID: orNull(w.Image), Text: orNull(w.Text),
		Scale: w.Scale, Position: w.Place, Margin: w.Margin, Opacity: w.Opacity, Tiled: w.Tiled, Rotation: w.Rotate,
		CreatedAt: stamp(w.Created), UpdatedAt: stamp(w.Updated),
	}
	if w.Colour != "" {
		out.Color = orNull("#" + w.Colour)
	}
	return out
}

func kindOfMark(w *store.Watermark) string {
	if w.Blob != "" {
		return pictureMark
	}
	return textMark
}

// watermarkChange reads what the body says of a watermark.
func (f fields) watermarkChange() (c library.WatermarkChange, err error) {
	for name, to := range map[string]**string{
		"name": &c.Name, "text": &c.Text, "color": &c.Colour, "imageId": &c.Image, "position": &c.Place,
	} {
		if *to, err = take[string](f, name); err != nil {
			return c, err
		}
	}
	for name, to := range map[string]**float64{"scale": &c.Scale, "margin": &c.Margin, "opacity": &c.Opacity} {
		if *to, err = take[float64](f, name); err != nil {
			return c, err
		}
	}
	if c.Tiled, err = take[bool](f, "tiled"); err != nil {
		return c, err
	}
	c.Rotate, err = take[int](f, "rotation")
	return c, err
}

// listWatermarks handles GET /v1/watermarks. There are so few that they are one page.
func (a *API) listWatermarks(c *fiber.Ctx) error {
	ws, err := a.library.Watermarks(c.UserContext(), caller(c).User)
	if err != nil {
		return err
	}
	items, total := make([]watermark, len(ws)), int64(len(ws))
	for i := range ws {
		items[i] = wireWatermark(&ws[i])
	}
	return list(c, page{items: items, keys: []string{"items"}, total: &total})
}

// createWatermark handles POST /v1/watermarks.
func (a *API) createWatermark(c *fiber.Ctx) error {
	if err := a.usage.MayWatermark(caller(c).Account); err != nil {
		return err
	}
	var in fields
	if err := readJSON(c, &in, false); err != nil {
		return err
	}
	kind, err := take[string](in, "kind")
	if err != nil {
		return err
	}
	if kind == nil || *kind != textMark && *kind != pictureMark {
		return fault.New(fault.Invalid, "kind is text or picture.")
	}
	change, err := in.watermarkChange()
	if err != nil {
		return err
	}
	w, err := a.library.AddWatermark(c.UserContext(), caller(c).User, *kind == pictureMark, change)
	if err != nil {
		return err
	}
	return created(c, wireWatermark(&w))
}

// getWatermark handles GET /v1/watermarks/:id.
func (a *API) getWatermark(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	w, err := a.library.Watermark(c.UserContext(), caller(c).User, id)
	if err != nil {
		return err
	}
	return ok(c, wireWatermark(&w))
}

// updateWatermark handles PATCH /v1/watermarks/:id.
func (a *API) updateWatermark(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	var in fields
	if err := readJSON(c, &in, true); err != nil {
		return err
	}
	change, err := in.watermarkChange()
	if err != nil {
		return err
	}
	w, err := a.library.EditWatermark(c.UserContext(), caller(c).User, id, change)
	if err != nil {
		return err
	}
	return ok(c, wireWatermark(&w))
}

// deleteWatermark handles DELETE /v1/watermarks/:id.
func (a *API) deleteWatermark(c *fiber.Ctx) error {
	id, err := id(c, store.IDLen)
	if err != nil {
		return err
	}
	if err := a.library.RemoveWatermark(c.UserContext(), caller(c).User, id); err != nil {
		return err
	}
	return ok(c, nil)
}
