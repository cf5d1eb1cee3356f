// Package api is the REST surface: it translates HTTP to library calls and
// their results and errors back, as the wire contract says.
package api

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"picora/app/auth"
	"picora/app/config"
	"picora/app/library"
	"picora/app/limit"
	"picora/app/scrub"
	"picora/app/settings"
	"picora/app/storage"
	"picora/app/usage"
	"picora/media"
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
	Scrub    *scrub.Scrub
	Storage  *storage.Storage

	Version   string
	Database  string          // path of the file of the records
	Announced chan<- struct{} // has room for one signal: there is something to announce
}

// API serves /v1 and the OpenAPI document.
type API struct {
	store             *store.Store
	settings          *settings.Settings
	auth              *auth.Auth
	signer            *auth.Signer
	library           *library.Library
	limits            *limit.Limiter
	usage             *usage.Usage
	scrub             *scrub.Scrub
	storage           *storage.Storage
	upload            config.Upload
	internal          string   // token of the internal endpoints; empty: closed
	signAll           bool     // thumbnails need a signature, too
	variants          []string // names of the prepared transforms
	thumb             media.Spec
	version, database string
	site              config.Server // for its addresses
	announced         chan<- struct{}
	started           time.Time
	totals            totals
}

// New puts the surface together.
func New(p Parts, cfg config.Config) *API {
	thumb, _ := cfg.Variants["thumb"].Query() // which the settings must have
	return &API{
		store: p.Store, settings: p.Settings, auth: p.Auth, signer: p.Signer, library: p.Library, usage: p.Usage, scrub: p.Scrub, storage: p.Storage,
		limits: limit.New(cfg.Limits, func() time.Time { return p.Store.Now() }),
		upload: cfg.Upload, internal: cfg.Server.InternalToken, signAll: cfg.Images.Transforms == "signed",
		variants: slices.Sorted(maps.Keys(cfg.Variants)), thumb: thumb.Spec,
		version: p.Version, database: p.Database, site: cfg.Server, announced: p.Announced, started: time.Now(),
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
	docsRead, docsChange := Scoped(auth.KBRead), Scoped(auth.KBWrite).Active()
	return []Route{
		{"GET", "/openapi.yaml", Public, limit.Free, a.openAPI},

		// Signing in: session.go
		{"POST", "/v1/auth/refresh", Cookie, limit.SignIn, a.refresh},
		{"POST", "/v1/auth/logout", Cookie, limit.SignIn, a.logout},
		{"GET", "/v1/auth/verify", Anyone, limit.Read, a.verify},
		{"POST", "/v1/auth/send-code", Public, limit.SignIn, a.sendCode}, // signin.go
		{"GET", "/v1/auth/register", Public, limit.Read, a.registration},
		{"POST", "/v1/auth/register", Public, limit.SignIn, fromHere(a.register)},
		{"POST", "/v1/auth/login", Public, limit.SignIn, fromHere(a.login)},
		{"POST", "/v1/auth/login/code", Public, limit.SignIn, fromHere(a.loginCode)},
		{"POST", "/v1/auth/forgot-password", Public, limit.SignIn, a.forgotPassword},
		{"POST", "/v1/auth/reset-password", Public, limit.SignIn, a.resetPassword},
		{"POST", "/v1/auth/firebase", Public, limit.SignIn, notHere("Sign-in by Firebase")},
		{"POST", "/v1/auth/wechat", Public, limit.SignIn, notHere("Sign-in by WeChat")},
		{"POST", "/v1/auth/sms/send-code", Public, limit.SignIn, notHere("Sign-in by SMS")},
		{"POST", "/v1/auth/sms/login", Public, limit.SignIn, notHere("Sign-in by SMS")},
		{"POST", "/v1/auth/create-export-token", Person, limit.Mutation, a.createExport}, // sessions.go
		{"POST", "/v1/auth/exchange-export-token", Public, limit.SignIn, a.useExport},
		{"GET", "/v1/user/me/sessions", Person, limit.Read, a.listSessions},
		{"DELETE", "/v1/user/me/sessions", Person, limit.Mutation, a.endSessions},
		{"DELETE", "/v1/user/me/sessions/:id", Person, limit.Mutation, a.endSession},
		{"POST", "/v1/user/me/change-password", Person, limit.SignIn, a.changePassword},
		{"POST", "/v1/user/me/set-password", Proven, limit.SignIn, a.setPassword},
		{"GET", "/v1/setup", Public, limit.Read, a.setupNeeded}, // setup.go
		{"POST", "/v1/setup", Public, limit.SignIn, fromHere(a.setup)},

		// Confirming, second factors, passkeys, sign-in by OpenID Connect: factors.go, oidc.go
		{"GET", "/v1/auth/confirm", Person, limit.Read, a.confirmWays},
		{"POST", "/v1/auth/confirm", Person, limit.SignIn, a.confirm},
		{"POST", "/v1/auth/confirm/send-code", Person, limit.SignIn, a.confirmSendCode},
		{"POST", "/v1/auth/confirm/options", Person, limit.Mutation, a.confirmOptions},
		{"GET", "/v1/user/me/totp", Person, limit.Read, a.getTOTP},
		{"POST", "/v1/user/me/totp", Proven, limit.Mutation, a.createTOTP},
		{"POST", "/v1/user/me/totp/enable", Proven, limit.Mutation, a.enableTOTP},
		{"DELETE", "/v1/user/me/totp", Proven, limit.Mutation, a.deleteTOTP},
		{"POST", "/v1/user/me/recovery-codes", Proven, limit.Mutation, a.createRecoveryCodes},
		{"GET", "/v1/user/me/passkeys", Person, limit.Read, a.listPasskeys},
		{"POST", "/v1/user/me/passkeys/options", Proven, limit.Mutation, a.passkeyOptions},
		{"POST", "/v1/user/me/passkeys", Proven, limit.Mutation, a.createPasskey},
		{"PATCH", "/v1/user/me/passkeys/:id", Person, limit.Mutation, a.updatePasskey},
		{"DELETE", "/v1/user/me/passkeys/:id", Proven, limit.Mutation, a.deletePasskey},
		{"POST", "/v1/auth/passkey/options", Public, limit.SignIn, a.passkeySignInOptions},
		{"POST", "/v1/auth/passkey", Public, limit.SignIn, a.passkeySignIn},
		{"GET", "/v1/auth/oidc", Public, limit.Read, a.listProviders},
		{"GET", "/v1/auth/oidc/:name/start", Public, limit.SignIn, a.startOIDC},
		{"GET", "/v1/auth/oidc/:name/callback", Public, limit.SignIn, a.finishOIDC},
		{"POST", "/v1/user/me/identities/oidc/:name", Proven, limit.Mutation, a.linkOIDC},

		// The signed-in user: user.go, avatar.go
		{"GET", "/v1/user/me", Scoped(auth.AccountRead), limit.Read, a.getMe},
		{"PATCH", "/v1/user/me", write, limit.Mutation, a.updateMe},
		{"DELETE", "/v1/user/me", Proven, limit.Mutation, a.deleteMe},
		{"GET", "/v1/user/me/identities", Person, limit.Read, a.listIdentities},
		{"DELETE", "/v1/user/me/identities/:id", Proven, limit.Mutation, a.deleteIdentity},
		{"DELETE", "/v1/user/me/doc-revisions", remove, limit.Mutation, a.deleteDocRevisions},
		{"POST", "/v1/user/me/avatar", write, limit.Upload, a.uploadAvatar},
		{"DELETE", "/v1/user/me/avatar", write, limit.Mutation, a.removeAvatar},
		{"GET", "/v1/user/avatar/:id", Public, limit.Read, a.getAvatar},

		// Usage and plans: usage.go
		{"GET", "/v1/user/me/usage", Scoped(auth.UsageRead), limit.Read, a.getUsage},
		{"GET", "/v1/user/me/usage/months", Scoped(auth.UsageRead), limit.Read, a.getUsageMonths},
		{"GET", "/v1/me/subscription", Scoped(auth.AccountRead), limit.Read, a.getMySubscription},
		{"GET", "/v1/billing/plans", Public, limit.Read, a.listPlans},
		{"GET", "/v1/billing/subscription", Person, limit.Read, a.getSubscription},
		{"GET", "/v1/billing/orders", Person, limit.Read, a.listOrders},
		{"GET", "/v1/billing/history", Person, limit.Read, a.listHistory},

		// Rate limits and API keys: limit.go, apikeys.go, tools.go
		{"GET", "/v1/user/me/rate-limits", Anyone, limit.Free, a.rateLimits},
		{"POST", "/v1/api-keys", Proven, limit.Mutation, a.createAPIKey},
		{"GET", "/v1/api-keys", Person, limit.Read, a.listAPIKeys},
		{"PATCH", "/v1/api-keys/:id", Proven, limit.Mutation, a.updateAPIKey},
		{"DELETE", "/v1/api-keys/:id", Person, limit.Mutation, a.deleteAPIKey},
		{"GET", "/v1/api-keys/:id/tool-configs", Person, limit.Read, a.getToolConfigs},

		// Administration: admin.go and what begins with its name
		{"GET", "/v1/admin/users", Admin, limit.Read, a.listUsers},
		{"POST", "/v1/admin/users", AdminProven, limit.Mutation, a.createUser},
		{"GET", "/v1/admin/users/:id", Admin, limit.Read, a.getUser},
		{"PATCH", "/v1/admin/users/:id", AdminProven, limit.Mutation, a.updateUser},
		{"DELETE", "/v1/admin/users/:id", AdminProven, limit.Mutation, a.deleteUser},
		{"POST", "/v1/admin/users/:id/ban", Admin, limit.Mutation, a.banUser},
		{"POST", "/v1/admin/users/:id/unban", Admin, limit.Mutation, a.unbanUser},
		{"POST", "/v1/admin/users/:id/sign-out", Admin, limit.Mutation, a.signOutUser},
		{"POST", "/v1/admin/users/:id/reset-second-factor", AdminProven, limit.Mutation, a.resetSecondFactor},
		{"GET", "/v1/admin/invites", Admin, limit.Read, a.listInvites},
		{"POST", "/v1/admin/invites", Admin, limit.Mutation, a.createInvite},
		{"PATCH", "/v1/admin/invites/:id", Admin, limit.Mutation, a.updateInvite},
		{"DELETE", "/v1/admin/invites/:id", Admin, limit.Mutation, a.deleteInvite},
		{"GET", "/v1/admin/stats", Admin, limit.Read, a.getStats},
		{"GET", "/v1/admin/settings", Admin, limit.Read, a.getSettings},
		{"PATCH", "/v1/admin/settings", AdminProven, limit.Mutation, a.updateSettings},
		{"POST", "/v1/admin/storage-check", Admin, limit.Mutation, a.checkStorage}, // admincheck.go
		{"GET", "/v1/admin/address", Admin, limit.Read, a.getAddress},
		{"GET", "/v1/admin/announcements", Admin, limit.Read, a.listAnnouncements},
		{"POST", "/v1/admin/announcements", Admin, limit.Mutation, a.createAnnouncement},
		{"DELETE", "/v1/admin/announcements/:id", Admin, limit.Mutation, a.deleteAnnouncement},
		{"GET", "/v1/admin/jobs", Admin, limit.Read, a.listJobs},
		{"GET", "/v1/admin/jobs/:id", Admin, limit.Read, a.getJob},
		{"POST", "/v1/admin/jobs/:id/retry", Admin, limit.Mutation, a.retryJob},
		{"DELETE", "/v1/admin/jobs/:id", Admin, limit.Mutation, a.cancelJob},
		{"GET", "/v1/admin/scrub", Admin, limit.Read, a.getScrub}, // adminscrub.go
		{"POST", "/v1/admin/scrub", Admin, limit.Mutation, a.startScrub},
		{"DELETE", "/v1/admin/scrub", Admin, limit.Mutation, a.stopScrub},
		{"GET", "/v1/admin/scrub/findings", Admin, limit.Read, a.listFindings},
		{"GET", "/v1/admin/storage", Admin, limit.Read, a.getStorage}, // adminstorage.go
		{"DELETE", "/v1/admin/storage/move", Admin, limit.Mutation, a.cancelMove},
		{"GET", "/v1/admin/audit", Admin, limit.Read, a.listEvents},
		{"GET", "/v1/admin/audit/export", Admin, limit.Read, a.exportEvents},

		// Notifications: notifications.go
		{"GET", "/v1/notifications", Person, limit.Read, a.listNotifications},
		{"GET", "/v1/notifications/unread-count", Person, limit.Read, a.countNotifications},
		{"GET", "/v1/notifications/preferences", Person, limit.Read, a.noticePreferences},
		{"PATCH", "/v1/notifications/preferences", Person, limit.Mutation, a.preferNotices},
		{"POST", "/v1/notifications/read", Person, limit.Mutation, a.readNotifications},
		{"POST", "/v1/notifications/read-all", Person, limit.Mutation, a.readAllNotifications},

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
		{"GET", "/v1/images/:id/original", read, limit.Read, a.getOriginal},
		{"GET", "/v1/images/:id/public-meta", Internal, limit.Free, a.imagePublicMeta},

		// watermarks.go
		{"GET", "/v1/watermarks", read, limit.Read, a.listWatermarks},
		{"POST", "/v1/watermarks", change, limit.Mutation, a.createWatermark},
		{"GET", "/v1/watermarks/:id", read, limit.Read, a.getWatermark},
		{"PATCH", "/v1/watermarks/:id", change, limit.Mutation, a.updateWatermark},
		{"DELETE", "/v1/watermarks/:id", remove, limit.Mutation, a.deleteWatermark},

		// Audio: audio.go
		{"POST", "/v1/audio", write, limit.Upload, a.createAudio}, // a plan without audio has an answer of its own
		{"GET", "/v1/audio/:id", read, limit.Read, a.getAudio},
		{"PATCH", "/v1/audio/:id", change, limit.Mutation, a.updateAudio},
		{"DELETE", "/v1/audio/:id", remove, limit.Mutation, a.deleteAudio},
		{"POST", "/v1/audio/:id/sign", write, limit.Upload, a.signAudio},
		{"GET", "/v1/audio/:id/waveform", read, limit.Read, a.getWaveform},
		{"POST", "/v1/audio/:id/normalize", change, limit.Mutation, a.normalizeAudio},
		{"DELETE", "/v1/audio/:id/normalize", change, limit.Mutation, a.dropNormalized},
		{"GET", "/v1/audio/:id/public-meta", Internal, limit.Free, a.audioPublicMeta},

		// Videos: videos.go, videoparts.go
		{"POST", "/v1/videos", write, limit.Upload, a.createVideo}, // a plan without video has an answer of its own
		{"GET", "/v1/videos", read, limit.Read, a.listVideos},
		{"GET", "/v1/videos/:id", Optional(auth.MediaRead), limit.Read, a.getVideo},
		{"GET", "/v1/videos/:id/status", read, limit.Read, a.getVideoStatus},
		{"PATCH", "/v1/videos/:id", change, limit.Mutation, a.updateVideo},
		{"DELETE", "/v1/videos/:id", remove, limit.Mutation, a.deleteVideo},
		{"POST", "/v1/videos/:id/thumbnail", change, limit.Mutation, a.setThumbnail},
		{"DELETE", "/v1/videos/:id/thumbnail", change, limit.Mutation, a.dropThumbnail},
		{"GET", "/v1/videos/:id/captions", read, limit.Read, a.listCaptions},
		{"POST", "/v1/videos/:id/captions", change, limit.Mutation, a.addCaptions},
		{"DELETE", "/v1/videos/:id/captions/:track", change, limit.Mutation, a.dropCaptions},
		{"POST", "/v1/videos/:id/sign", write, limit.Upload, a.signVideo},
		{"POST", "/v1/videos/:id/retry", change, limit.Mutation, a.retryVideo},
		{"GET", "/v1/videos/:id/original", read, limit.Read, a.getVideoOriginal},
		{"GET", "/v1/videos/:id/public-meta", Internal, limit.Free, a.videoPublicMeta},

		// Documents: docs.go and what begins with its name
		{"POST", "/v1/docs", docsChange, limit.Upload, a.createDoc},
		{"GET", "/v1/docs", docsRead, limit.Read, a.listDocs},
		{"DELETE", "/v1/docs", remove, limit.Mutation, a.deleteDocs},
		{"POST", "/v1/docs/raw\\:batch", Optional(auth.KBRead), limit.Read, a.readDocs}, // the backslash is for the router
		{"POST", "/v1/docs/preview", docsRead, limit.Read, a.previewDoc},                // docpreview.go
		{"GET", "/v1/docs/:id", Optional(auth.KBRead), limit.Read, a.getDoc},
		{"GET", "/v1/docs/:id/raw", Optional(auth.KBRead), limit.Read, a.getDocRaw},
		{"PATCH", "/v1/docs/:id", docsChange, limit.Mutation, a.updateDoc},
		{"DELETE", "/v1/docs/:id", remove, limit.Mutation, a.deleteDoc},
		{"GET", "/v1/docs/:id/revisions", docsRead, limit.Read, a.listRevisions},
		{"GET", "/v1/docs/:id/revisions/:revision", docsRead, limit.Read, a.getRevision},
		{"POST", "/v1/docs/:id/revisions/:revision/restore", docsChange, limit.Upload, a.restoreRevision},

		// Collections: collections.go, collectiontypes.go, move.go
		{"POST", "/v1/images/batch-move", change, limit.Mutation, a.moveImages},
		{"POST", "/v1/docs/batch-move", Scoped(auth.KBWrite).Active(), limit.Mutation, a.moveDocs},
		{"GET", "/v1/collections", Scoped(auth.CollectionRead), limit.Read, a.listCollections},
		{"POST", "/v1/collections", Scoped(auth.CollectionWrite).Active(), limit.Mutation, a.createCollection},
		{"GET", "/v1/collections/:id", Scoped(auth.CollectionRead), limit.Read, a.getCollection},
		{"PATCH", "/v1/collections/:id", Scoped(auth.CollectionWrite).Active(), limit.Mutation, a.updateCollection},
		{"DELETE", "/v1/collections/:id", Scoped(auth.CollectionDelete), limit.Mutation, a.deleteCollection},
		{"POST", "/v1/collections/:id/restore", Scoped(auth.CollectionWrite).Active(), limit.Mutation, a.restoreCollection},
		{"GET", "/v1/collections/:id/manifest", Scoped(auth.CollectionRead), limit.Read, a.getManifest},
		{"POST", "/v1/collections/:id/feed-token", Scoped(auth.CollectionWrite).Active(), limit.Mutation, a.renewFeed}, // feeds.go
		{"DELETE", "/v1/collections/:id/feed-token", Scoped(auth.CollectionWrite), limit.Mutation, a.endFeed},
		{"GET", "/v1/collection-types", Scoped(auth.CollectionRead), limit.Read, a.listCollectionTypes},
		{"POST", "/v1/collection-types", Scoped(auth.CollectionWrite).Active(), limit.Mutation, a.createCollectionType},
		{"DELETE", "/v1/collection-types/:id", Scoped(auth.CollectionDelete), limit.Mutation, a.deleteCollectionType},

		// Uploads in pieces: uploads.go, and by address: fetch.go
		{"OPTIONS", "/v1/uploads", Public, limit.Free, a.uploadOptions},
		{"OPTIONS", "/v1/uploads/:id", Public, limit.Free, a.uploadOptions},
		{"POST", "/v1/uploads", change, limit.Mutation, tus(a.createUpload, a.createAnyFetch)},
		{"GET", "/v1/uploads/:id", write, limit.Read, tus(a.getUpload, a.uploadStatus)},
		{"PATCH", "/v1/uploads/:id", change, limit.Free, tus(a.appendUpload, nil)}, // small pieces cost a call, see there
		{"DELETE", "/v1/uploads/:id", write, limit.Mutation, tus(a.deleteUpload, a.deleteUpload)},

		// Trash and sync: trash.go, sync.go
		{"GET", "/v1/trash", read, limit.Read, a.listTrash},
		{"DELETE", "/v1/trash", remove, limit.Mutation, a.emptyTrash},
		{"POST", "/v1/trash/restore", change, limit.Mutation, a.restoreMany},
		{"GET", "/v1/trash/:id/thumbnail", read, limit.Free, a.getTrashThumbnail}, // one for each line of the list
		{"POST", "/v1/trash/:id/restore", change, limit.Mutation, a.restoreTrash},
		{"DELETE", "/v1/trash/:id", remove, limit.Mutation, a.purgeTrash},
		{"GET", "/v1/sync/state", read, limit.Read, a.syncState},

		// media.go, timeline.go, batch.go
		{"GET", "/v1/media", read, limit.Read, a.listMedia},
		{"PATCH", "/v1/media", change, limit.Mutation, a.updateMany},
		{"DELETE", "/v1/media", remove, limit.Mutation, a.deleteMedia},
		{"GET", "/v1/media/timeline", read, limit.Read, a.getTimeline},
		{"GET", "/v1/media/:id", read, limit.Read, a.getMedia},
	}
}

// Mount adds the routes.
func (a *API) Mount(r fiber.Router) {
	for _, t := range a.Routes() {
		r.Add(t.Method, t.Path, a.admit(t), t.handle)
		if t.Method == fiber.MethodGet {
			r.Head(t.Path, a.admit(t), t.handle)
		}
	}
}

// uploads are the paths at which a POST brings a file, and its kind.
var uploads = map[string]store.Kind{
	"":           store.Image,
	"/v1/images": store.Image,
	"/v1/audio":  store.Audio,
	"/v1/videos": store.Video,
	"/v1/docs":   store.Doc,
}

// UploadPath reports whether such a request to the path brings a file. Such bodies are
// bounded and timed by the handler, all others by the server. Like the router, it
// takes capital letters and a slash at the end for no difference.
func UploadPath(method, path string) bool {
	return method == fiber.MethodPost && (uploadKind(path) != 0 || avatarPath(path) || videoFile(path) != "") || uploadPath(method, path)
}

// uploadKind is the kind of media that a POST to the path brings; 0: none.
func uploadKind(path string) store.Kind {
	return uploads[strings.ToLower(strings.TrimRight(path, "/"))]
}

// avatarPath reports whether the file that a POST to the path brings is an avatar.
func avatarPath(path string) bool {
	return strings.EqualFold(strings.TrimRight(path, "/"), "/v1/user/me/avatar")
}
