package api

import (
	"net/netip"
	"path/filepath"

	"github.com/gofiber/fiber/v2"

	"picora/app/link"
)

// storageCheck is what a trial of the storage found.
type storageCheck struct {
	OK      bool          `json:"ok"`
	Folder  string        `json:"folder"`
	Steps   []storageStep `json:"steps"`
	Bytes   int64         `json:"bytes"` // of the file that was tried
	Free    int64         `json:"freeBytes"`
	Total   *int64        `json:"totalBytes"`
	MinFree int64         `json:"minFreeBytes"`
}

type storageStep struct {
	Name         string  `json:"name"`
	OK           bool    `json:"ok"`
	Milliseconds float64 `json:"milliseconds"`
	Problem      *string `json:"problem"`
}

// checkStorage handles POST /v1/admin/storage-check.
func (a *API) checkStorage(c *fiber.Ctx) error {
	p, err := a.library.Probe(c.UserContext())
	if err != nil {
		return err
	}
	folder := filepath.Dir(a.database)
	if whole, err := filepath.Abs(folder); err == nil {
		folder = whole
	}
	out := storageCheck{OK: p.OK(), Folder: folder, Bytes: p.Bytes, Free: p.Free, MinFree: p.Keep}
	if p.Total > 0 {
		out.Total = &p.Total
	}
	for _, s := range p.Steps {
		out.Steps = append(out.Steps, storageStep{s.Name, s.Problem == "", float64(s.Took.Microseconds()) / 1000, orNull(s.Problem)})
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return ok(c, out)
}

// address is where the server thinks that it is, and why.
type address struct {
	API       string  `json:"api"`
	Media     string  `json:"media"`
	BaseURL   *string `json:"baseUrl"`
	MediaURL  *string `json:"mediaUrl"`
	Client    string  `json:"client"`
	Peer      string  `json:"peer"`
	Forwarded bool    `json:"forwarded"`
	Trusted   bool    `json:"trusted"`
}

// getAddress handles GET /v1/admin/address: a page compares it with what the browser calls
// this server.
func (a *API) getAddress(c *fiber.Ctx) error {
	o := link.Of(c.UserContext())
	out := address{API: o.API, Media: o.Media, BaseURL: orNull(a.site.BaseURL), MediaURL: orNull(a.site.MediaURL)}
	peer, _ := netip.AddrFromSlice(c.Context().RemoteIP())
	peer = peer.Unmap()
	out.Peer, out.Client = peer.String(), link.Client(c.UserContext()).Unmap().String()
	for _, name := range []string{fiber.HeaderXForwardedFor, fiber.HeaderXForwardedProto, fiber.HeaderXForwardedHost} {
		out.Forwarded = out.Forwarded || c.Get(name) != ""
	}
	proxies, err := a.site.Proxies() // they were right at the start
	if err != nil {
		return err
	}
	for _, p := range proxies {
		out.Trusted = out.Trusted || p.Contains(peer)
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return ok(c, out)
}
