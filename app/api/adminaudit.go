package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/fault"
	"picora/store"
)

// event is a line of the audit log on the wire.
type event struct {
	ID      string            `json:"id"`
	Time    string            `json:"time"`
	Actor   *string           `json:"actor"`
	Via     *string           `json:"via"`
	Action  string            `json:"action"`
	Subject *string           `json:"subject"`
	Address *string           `json:"address"`
	Agent   *string           `json:"agent"`
	Detail  map[string]string `json:"detail"`
}

func wireEvent(e *store.Event) event {
	w := event{
		ID: e.ID, Time: stamp(e.Time), Actor: orNull(e.Actor), Via: orNull(e.Via), Action: e.Action,
		Subject: orNull(e.Subject), Address: orNull(e.Address), Agent: orNull(e.Agent), Detail: e.Detail,
	}
	if w.Detail == nil {
		w.Detail = map[string]string{}
	}
	return w
}

func (a *API) eventFilter(c *fiber.Ctx) (q store.EventQuery, err error) {
	q.Action = c.Query("action")
	if q.Actor, err = a.named(c, "actor"); err != nil {
		return q, err
	}
	if q.Subject, err = a.named(c, "subject"); err != nil {
		return q, err
	}
	if q.From, _, err = date(c, "from"); err != nil {
		return q, err
	}
	day := false
	if q.To, day, err = date(c, "to"); day {
		q.To = q.To.AddDate(0, 0, 1) // the day itself is included
	}
	return q, err
}

// named reads a filter that is an id, or the e-mail address of a user, whose id it is
// then. Ids of somebody or something that is gone are in the log, addresses are not.
func (a *API) named(c *fiber.Ctx, name string) (string, error) {
	s := strings.TrimSpace(c.Query(name))
	if !strings.Contains(s, "@") {
		if s != "" && !store.ValidID(s, store.IDLen) {
			return "", fault.New(fault.Invalid, "%s is an id, or the e-mail address of an account.", name)
		}
		return s, nil
	}
	u, err := a.store.UserByEmail(c.UserContext(), s)
	if errors.Is(err, store.ErrNotFound) {
		return "", fault.New(fault.Invalid, "%s: there is no account with this e-mail address. If it was deleted, use its id.", name)
	}
	return u.ID, err
}

// listEvents handles GET /v1/admin/audit.
func (a *API) listEvents(c *fiber.Ctx) error {
	q, err := a.eventFilter(c)
	if err != nil {
		return err
	}
	if q.Limit, err = pageSize(c); err != nil {
		return err
	}
	name := strings.Join([]string{"admin.audit", q.Actor, q.Subject, q.Action, c.Query("from"), c.Query("to")}, "\x00")
	if q.After, err = a.unseal(caller(c).User, name, c.Query("cursor")); err != nil {
		return err
	}
	found, next, err := untilSome(q.After, func(after string) ([]store.Event, string, error) {
		q.After = after
		return a.store.Events(c.UserContext(), q)
	})
	if err != nil {
		return err
	}
	items := make([]event, len(found))
	for i := range found {
		items[i] = wireEvent(&found[i])
	}
	return list(c, page{items: items, keys: []string{"items", "events"}, next: a.seal(caller(c).User, name, next)})
}

// exportEvents handles GET /v1/admin/audit/export.
func (a *API) exportEvents(c *fiber.Ctx) error {
	q, err := a.eventFilter(c)
	if err != nil {
		return err
	}
	format := c.Query("format", "csv")
	if err := oneOf("format", format, "csv", "jsonl"); err != nil {
		return err
	}
	who := caller(c)
	e := store.Event{Actor: who.User, Via: who.Session, Action: "audit.exported", Detail: map[string]string{"format": format}}
	if err := a.addEvent(c, e); err != nil { // nothing was sent yet
		return err
	}
	encode, kind := encodeCSV, "text/csv; charset=utf-8; header=present"
	if format == "jsonl" {
		encode, kind = encodeLines, "application/jsonl"
	}
	q.Limit = exportPage
	c.Set(fiber.HeaderContentType, kind)
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="picora-audit-`+a.store.Now().Format(time.DateOnly)+"."+format+`"`)
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Context().SetBodyStream(&export{store: a.store, query: q, encode: encode, conn: c.Context().Conn()}, -1)
	return nil
}

const (
	exportPage = 200             // lines that are in memory at once
	exportTime = 2 * time.Minute // for the client to take a page
)

// export reads the audit log for a client, a page at a time: neither the log's length
// nor a client that reads slowly takes memory or holds up the database.
type export struct {
	store  *store.Store
	query  store.EventQuery
	encode func(w io.Writer, page []store.Event, first bool) error
	conn   net.Conn
	buf    bytes.Buffer
	begun  bool
	ended  bool
}

func (x *export) Read(p []byte) (int, error) {
	for x.buf.Len() == 0 {
		if x.ended {
			return 0, io.EOF
		}
		if err := x.fill(); err != nil {
			slog.Error("the export of the audit log was cut off", "err", err)
			return 0, err
		}
	}
	return x.buf.Read(p)
}

func (x *export) fill() error {
	if err := x.conn.SetWriteDeadline(time.Now().Add(exportTime)); err != nil {
		return err
	}
	list, next, err := x.store.Events(context.Background(), x.query)
	if err != nil {
		return err
	}
	err = x.encode(&x.buf, list, !x.begun)
	x.begun, x.query.After, x.ended = true, next, next == ""
	return err
}

func encodeLines(w io.Writer, list []store.Event, _ bool) error {
	e := json.NewEncoder(w)
	for i := range list {
		if err := e.Encode(wireEvent(&list[i])); err != nil {
			return err
		}
	}
	return nil
}

func encodeCSV(w io.Writer, list []store.Event, first bool) error {
	out := csv.NewWriter(w)
	if first {
		out.Write([]string{"time", "id", "actor", "via", "action", "subject", "address", "agent", "detail"}) // Error has what fails
	}
	for _, e := range list {
		detail, err := json.Marshal(wireEvent(&e).Detail)
		if err != nil {
			return err
		}
		row := []string{stamp(e.Time), e.ID, e.Actor, e.Via, e.Action, e.Subject, e.Address, e.Agent, string(detail)}
		for i := range row {
			row[i] = plainCell(row[i])
		}
		out.Write(row)
	}
	out.Flush()
	return out.Error()
}

// plainCell is s as a spreadsheet takes it for text: what begins like a formula would be
// run, and people write some of these cells themselves, such as User-Agent.
func plainCell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0])) {
		return "'" + s
	}
	return s
}
