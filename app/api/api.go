// Package api is the REST surface: it translates HTTP to library calls and
// their results and errors back, as the wire contract says.
package api

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"picora/app/auth"
	"picora/app/config"
	"picora/app/library"
)

// API serves /v1 and the OpenAPI document.
type API struct {
	auth     *auth.Auth
	signer   *auth.Signer
	library  *library.Library
	upload   config.Upload
	internal string // token of the internal endpoints; empty: closed
	signAll  bool   // thumbnails need a signature, too
}

// New puts the surface together.
func New(a *auth.Auth, s *auth.Signer, l *library.Library, cfg config.Config) *API {
	return &API{a, s, l, cfg.Upload, cfg.Server.InternalToken, cfg.Images.Transforms == "signed"}
}

// Mount lists every route: the index of this package. A literal path stands
// before one with a parameter that would match it.
func (a *API) Mount(r fiber.Router) {
	read, write, remove := a.need(auth.MediaRead), a.need(auth.MediaWrite), a.need(auth.MediaDelete)

	r.Get("/openapi.yaml", a.openAPI)

	r.Get("/v1/auth/verify", a.need(0), a.verify)

	r.Post("/", write, a.createImage) // clients that keep only the host of the upload address
	r.Post("/v1/images", write, a.createImage)
	r.Get("/v1/images", read, a.listImages)
	r.Delete("/v1/images", remove, a.deleteImages)
	r.Post("/v1/images/exists", write, a.imagesExist)
	r.Get("/v1/images/:id", read, a.getImage)
	r.Patch("/v1/images/:id", write, a.updateImage)
	r.Delete("/v1/images/:id", remove, a.deleteImage)
	r.Post("/v1/images/:id/sign", write, a.signImage)
	r.Get("/v1/images/:id/public-meta", a.imagePublicMeta)

	r.Get("/v1/watermarks", read, a.listWatermarks)
	r.Post("/v1/watermarks", write, a.createWatermark)
	r.Get("/v1/watermarks/:id", read, a.getWatermark)
	r.Patch("/v1/watermarks/:id", write, a.updateWatermark)
	r.Delete("/v1/watermarks/:id", remove, a.deleteWatermark)

	r.Get("/v1/media", read, a.listMedia)
	r.Delete("/v1/media", remove, a.deleteMedia)
	r.Get("/v1/media/:id", read, a.getMedia)
}

// UploadPath reports whether a POST to the path brings a file. Such bodies are
// bounded and timed by the handler, all others by the server. Like the router, it
// takes capital letters and a slash at the end for no difference.
func UploadPath(path string) bool {
	path = strings.TrimRight(path, "/")
	return path == "" || strings.EqualFold(path, "/v1/images")
}
