// Package api is the REST surface: it translates HTTP to library calls and
// their results and errors back, as the wire contract says.
package api

import (
	"maps"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"picora/app/auth"
	"picora/app/config"
	"picora/app/library"
	"picora/app/limit"
	"picora/app/settings"
	"picora/app/usage"
	"picora/store"
)

// Parts is what the surface translates to.
type Parts struct {
	Store    *store.Store
	Settings *settings.Settings
	Auth     *auth.Auth
	Signer   *auth.Signer
	Library  *library.Library
	Usage    *usage.Usage
}

// API serves /v1 and the OpenAPI document.
type API struct {
	store    *store.Store
	settings *settings.Settings
	auth     *auth.Auth
	signer   *auth.Signer
	library  *library.Library
	usage    *usage.Usage
	upload   config.Upload
	internal string   // token of the internal endpoints; empty: closed
	signAll  bool     // thumbnails need a signature, too
	variants []string // names of the prepared transforms
}

// New puts the surface together.
func New(p Parts, cfg config.Config) *API {
	return &API{
		store: p.Store, settings: p.Settings, auth: p.Auth, signer: p.Signer, library: p.Library, usage: p.Usage,
		upload: cfg.Upload, internal: cfg.Server.InternalToken, signAll: cfg.Images.Transforms == "signed",
		variants: slices.Sorted(maps.Keys(cfg.Variants)),
	}
}

// Route is a line of the table below: a method and path, who may call it, and which
// bucket a call is taken from.
type Route struct {
	Method, Path string
	Who          Who
	Tier         limit.Tier
	handle       fiber.Handler
}

// Routes lists every route: the index of this package. A literal path stands before
// one with a parameter that would match it.
func (a *API) Routes() []Route {
	read, write, remove := Scoped(auth.MediaRead), Scoped(auth.MediaWrite), Scoped(auth.MediaDelete)
	change := write.Active()
	return []Route{
		{"GET", "/openapi.yaml", Public, limit.Free, a.openAPI},

		// Signing in: session.go
		{"POST", "/v1/auth/refresh", Cookie, limit.SignIn, a.refresh},
		{"POST", "/v1/auth/logout", Cookie, limit.SignIn, a.logout},
		{"GET", "/v1/auth/verify", Anyone, limit.Read, a.verify},

		// Confirming, second factors, passkeys, sign-in by OpenID Connect

		// The signed-in user: user.go

		// Usage and plans: usage.go
		{"GET", "/v1/user/me/usage", Scoped(auth.UsageRead), limit.Read, a.getUsage},
		{"GET", "/v1/me/subscription", Scoped(auth.AccountRead), limit.Read, a.getMySubscription},
		{"GET", "/v1/billing/plans", Public, limit.Read, a.listPlans},
		{"GET", "/v1/billing/subscription", Person, limit.Read, a.getSubscription},
		{"GET", "/v1/billing/orders", Person, limit.Read, a.listOrders},
		{"GET", "/v1/billing/history", Person, limit.Read, a.listHistory},

		// API keys: apikeys.go

		// Administration: admin.go

		// Notifications: notifications.go

		// Pictures: images.go
		{"POST", "/", change, limit.Upload, a.createImage}, // clients that keep only the host of the upload address
		{"POST", "/v1/images", change, limit.Upload, a.createImage},
		{"GET", "/v1/images", read, limit.Read, a.listImages},
		{"DELETE", "/v1/images", remove, limit.Mutation, a.deleteImages},
		{"POST", "/v1/images/exists", write, limit.Upload, a.imagesExist},
		{"GET", "/v1/images/:id", read, limit.Read, a.getImage},
		{"PATCH", "/v1/images/:id", change, limit.Mutation, a.updateImage},
		{"DELETE", "/v1/images/:id", remove, limit.Mutation, a.deleteImage},
		{"POST", "/v1/images/:id/sign", write, limit.Upload, a.signImage},
		{"GET", "/v1/images/:id/public-meta", Internal, limit.Free, a.imagePublicMeta},

		// watermarks.go
		{"GET", "/v1/watermarks", read, limit.Read, a.listWatermarks},
		{"POST", "/v1/watermarks", change, limit.Mutation, a.createWatermark},
		{"GET", "/v1/watermarks/:id", read, limit.Read, a.getWatermark},
		{"PATCH", "/v1/watermarks/:id", change, limit.Mutation, a.updateWatermark},
		{"DELETE", "/v1/watermarks/:id", remove, limit.Mutation, a.deleteWatermark},

		// media.go
		{"GET", "/v1/media", read, limit.Read, a.listMedia},
		{"DELETE", "/v1/media", remove, limit.Mutation, a.deleteMedia},
		{"GET", "/v1/media/:id", read, limit.Read, a.getMedia},
	}
}

// Mount adds the routes.
func (a *API) Mount(r fiber.Router) {
	for _, t := range a.Routes() {
		r.Add(t.Method, t.Path, a.admit(t.Who), t.handle)
		if t.Method == fiber.MethodGet {
			r.Head(t.Path, a.admit(t.Who), t.handle)
		}
	}
}

// UploadPath reports whether a POST to the path brings a file. Such bodies are
// bounded and timed by the handler, all others by the server. Like the router, it
// takes capital letters and a slash at the end for no difference.
func UploadPath(path string) bool {
	path = strings.TrimRight(path, "/")
	return path == "" || strings.EqualFold(path, "/v1/images")
}
