package pages

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
)

// The page of a document may have some megabytes, and takes several times as much while
// it is made. Anybody may ask for it, and read it slowly: so few are made at a time,
// and what is on its way is bounded.
const (
	sheetsAtOnce = 4
	sheetWait    = 5 * time.Second
	sheetsHeld   = 128 << 20 // bytes of all that are being sent
)

var errSheets = fault.New(fault.Busy, "Too many people read here just now. Try again in a moment.")

// sheets are the pages of documents that are in memory.
type sheets struct {
	making chan struct{}
	held   *atomic.Int64 // bytes
}

func newSheets() sheets {
	return sheets{make(chan struct{}, sheetsAtOnce), &atomic.Int64{}}
}

// turn is that of one request to make a page.
type turn struct {
	sheets *sheets
	ctx    context.Context
	begun  bool
}

func (s *sheets) turn(ctx context.Context) *turn { return &turn{sheets: s, ctx: ctx} }

// begin waits until the page may be made, unless it may already. It is called when
// there is nothing else to wait for.
func (t *turn) begin() error {
	if t.begun {
		return nil
	}
	late := time.NewTimer(sheetWait)
	defer late.Stop()
	select {
	case t.sheets.making <- struct{}{}:
		t.begun = true
		return nil
	case <-late.C:
		return errSheets
	case <-t.ctx.Done():
		return t.ctx.Err()
	}
}

func (t *turn) end() {
	if t.begun {
		<-t.sheets.making
	}
}

// send has the answer's body, which is made, count until it was sent.
func (s *sheets) send(c *fiber.Ctx) error {
	body := c.Response().Body()
	n := int64(len(body))
	if s.held.Add(n) > sheetsHeld {
		s.held.Add(-n)
		c.Response().ResetBody()
		return errSheets
	}
	out := &sheet{Reader: bytes.NewReader(body)}
	out.sent = sync.OnceFunc(func() { s.held.Add(-n) })
	c.Response().SetBodyStream(out, len(body))
	return nil
}

// sheet is a body that is told when it was sent, or cannot be.
type sheet struct {
	*bytes.Reader
	sent func()
}

func (s *sheet) Close() error {
	s.sent()
	return nil
}
