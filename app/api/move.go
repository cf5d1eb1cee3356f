package api

import (
	"encoding/hex"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/store"
)

// move is the body of a batch-move.
type move struct {
	ids  []string
	into string // id of a collection; empty: out of all
}

func readMove(c *fiber.Ctx) (m move, err error) {
	var in fields
	if err := readJSON(c, &in, false); err != nil {
		return m, err
	}
	ids, err := take[[]string](in, "ids")
	if err != nil {
		return m, err
	}
	if ids != nil {
		m.ids = *ids
	}
	if err := checkCount("ids", len(m.ids), 50); err != nil {
		return m, err
	}
	if _, given := in["kbId"]; !given {
		return m, fault.New(fault.Invalid, "kbId is the id of a collection, or null to take things out of theirs.")
	}
	into, err := emptied[string](in, "kbId")
	if err != nil {
		return m, err
	}
	m.into = *into
	return m, nil
}

// moveImages handles POST /v1/images/batch-move.
func (a *API) moveImages(c *fiber.Ctx) error {
	in, err := readMove(c)
	if err != nil {
		return err
	}
	moved, _, err := a.library.Move(c.UserContext(), caller(c).User, store.Image, in.ids, in.into)
	if err != nil {
		return err
	}
	return ok(c, map[string]int{"moved": len(moved)})
}

// moveDocs handles POST /v1/docs/batch-move.
func (a *API) moveDocs(c *fiber.Ctx) error {
	in, err := readMove(c)
	if err != nil {
		return err
	}
	moved, failed, err := a.library.Move(c.UserContext(), caller(c).User, store.Doc, in.ids, in.into)
	if err != nil {
		return err
	}
	type failure struct {
		ID     string `json:"id"`
		Reason string `json:"reason"`
	}
	missed := []failure{}
	for _, f := range failed {
		missed = append(missed, failure{f.ID, f.Reason})
	}
	return ok(c, map[string]any{"moved": moved, "failed": missed})
}

func hexOrNull(b []byte) *string { return orNull(hex.EncodeToString(b)) }
