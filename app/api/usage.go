package api

import (
	"github.com/gofiber/fiber/v2"

	"picora/app/usage"
	"picora/store"
)

// unlimited53 is a limit that is none, as clients read it: the largest whole number that
// JavaScript knows exactly, 2^53 - 1.
const unlimited53 = 1<<53 - 1

// bound is a limit on the wire.
func bound(n int64) int64 {
	if n < 0 || n > unlimited53 {
		return unlimited53
	}
	return n
}

// usageStats is how much an account has (contract 7). Clients read every number as a
// whole one, and ignore it all when one of planLimits is missing.
type usageStats struct {
	Plan        string     `json:"plan"`
	PlanExpires *string    `json:"planExpiresAt"`
	Images      imageUsage `json:"images"`
	Videos      struct {
		StorageUsed   int64 `json:"storageUsed"`
		BandwidthUsed int64 `json:"bandwidthUsed"`
		TotalCount    int64 `json:"totalCount"`
		// Bandwidth is how much of the videos is delivered: ok, degraded or suspended.
		Bandwidth      string `json:"bandwidthStatus"`
		BandwidthLimit int64  `json:"bandwidthLimit"`
	} `json:"videos"`
	Audio struct {
		StorageUsed int64 `json:"storageUsed"`
		TotalCount  int64 `json:"totalCount"`
	} `json:"audio"`
	Docs struct {
		TotalCount    int64 `json:"totalCount"`
		StorageUsed   int64 `json:"storageUsed"`
		RevisionCount int64 `json:"revisionCount"`
		RevisionBytes int64 `json:"revisionBytes"`
	} `json:"docs"`
	KBs struct {
		TotalCount int64 `json:"totalCount"`
	} `json:"kbs"`
	PlanLimits planLimits `json:"planLimits"`
	UpdatedAt  string     `json:"updatedAt"`
}

type imageUsage struct {
	StorageUsed      int64 `json:"storageUsed"`
	BandwidthUsed    int64 `json:"bandwidthUsed"`
	UploadCountToday int64 `json:"uploadCountToday"`
	UploadCountMonth int64 `json:"uploadCountMonth"`
	TotalCount       int64 `json:"totalCount"`
	PublicCount      int64 `json:"publicCount"`
	PrivateCount     int64 `json:"privateCount"`
}

type planLimits struct {
	ImageStorage int64 `json:"imgStorageBytes"`
	ImageMonth   int64 `json:"imgUploadMonth"`
	Docs         int64 `json:"docCount"`
	AudioStorage int64 `json:"audioStorageBytes"`
	VideoStorage int64 `json:"videoStorageBytes"`
	KBs          int64 `json:"kbCount"`
}

// planEnds is when the account's plan ends or ended, nil for never.
func planEnds(u *store.User) *string {
	if u.PlanEnds.IsZero() {
		return nil
	}
	return orNull(stamp(u.PlanEnds))
}

// getUsage handles GET /v1/user/me/usage.
func (a *API) getUsage(c *fiber.Ctx) error {
	st, err := a.usage.Standing(c.UserContext(), caller(c).User)
	if err != nil {
		return err
	}
	l := a.usage.Limits(st.User)
	pictures, sounds := st.Count[store.Image], st.Count[store.Audio]
	revisions, err := a.library.CountRevisions(c.UserContext(), st.User.ID)
	if err != nil {
		return err
	}
	docs := st.Count[store.Doc]
	out := usageStats{
		Plan: l.Name, PlanExpires: planEnds(&st.User),
		Images: imageUsage{
			StorageUsed: pictures.Bytes, BandwidthUsed: st.Month.Served,
			UploadCountToday: st.Month.Today, UploadCountMonth: st.Month.Uploads,
			TotalCount: pictures.N - pictures.Trash, PublicCount: pictures.Public, PrivateCount: pictures.N - pictures.Trash - pictures.Public,
		},
		PlanLimits: planLimits{
			ImageStorage: bound(l.ImageStorageBytes), ImageMonth: bound(l.ImageUploadsPerMonth), Docs: bound(l.DocCount),
			AudioStorage: bound(l.AudioStorageBytes), VideoStorage: bound(l.VideoStorageBytes), KBs: bound(l.KBCount),
		},
		UpdatedAt: stamp(a.store.Now()),
	}
	films := st.Count[store.Video]
	out.Videos.StorageUsed, out.Videos.TotalCount = films.Bytes, films.N-films.Trash
	out.Videos.BandwidthUsed, out.Videos.BandwidthLimit = st.Month.Played, bound(l.MediaBandwidthBytes)
	out.Videos.Bandwidth = a.usage.BandwidthOf(&st).String()
	out.Audio.StorageUsed, out.Audio.TotalCount = sounds.Bytes, sounds.N-sounds.Trash
	out.Docs.TotalCount, out.Docs.StorageUsed = docs.N, docs.Bytes
	out.Docs.RevisionCount, out.Docs.RevisionBytes = revisions.N, revisions.Bytes
	return ok(c, out)
}

// monthWire is what went in and out in a month.
type monthWire struct {
	Month   string `json:"month"`
	Uploads int64  `json:"uploads"`
	Served  int64  `json:"servedBytes"`
	Played  int64  `json:"playedBytes"`
}

func wireMonths(list []store.Traffic) []monthWire {
	out := make([]monthWire, len(list))
	for i, t := range list {
		out[i] = monthWire{t.Month, t.Uploads, bound(t.Served), bound(t.Played)}
	}
	return out
}

// usageMonths is how many months a user is told of.
const usageMonths = 6

// getUsageMonths handles GET /v1/user/me/usage/months.
func (a *API) getUsageMonths(c *fiber.Ctx) error {
	list, err := a.usage.Months(c.UserContext(), caller(c).User, usageMonths)
	if err != nil {
		return err
	}
	return ok(c, map[string]any{"months": wireMonths(list)})
}

// planTitles are the plans as people call them.
var planTitles = map[string]string{"none": "None", "trial": "Trial", "pro": "Pro", "pro_plus": "Pro+"}

// subscriptionWire holds what two clients read at this address, under the names of both
// (contract 7).
type subscriptionWire struct {
	Plan             string           `json:"plan"`
	PlanName         string           `json:"planName"`
	Usage            map[string]int64 `json:"usage"`
	Limits           map[string]any   `json:"limits"`
	Features         map[string]any   `json:"features"`
	TrialActivated   bool             `json:"trialActivated"`
	CurrentPeriodEnd *string          `json:"currentPeriodEnd"`
	CachedAt         string           `json:"cachedAt"`
}

// getMySubscription handles GET /v1/me/subscription.
func (a *API) getMySubscription(c *fiber.Ctx) error {
	st, err := a.usage.Standing(c.UserContext(), caller(c).User)
	if err != nil {
		return err
	}
	l := a.usage.Limits(st.User)
	return ok(c, subscriptionWire{
		Plan: l.Name, PlanName: planTitles[l.Name], Limits: wireLimits(&l),
		Usage: map[string]int64{
			"imgStorageBytes": st.Count[store.Image].Bytes, "imgBandwidthBytes": st.Month.Served,
			"videoStorageBytes": st.Count[store.Audio].Bytes + st.Count[store.Video].Bytes, "videoBandwidthBytes": st.Month.Played,
		},
		Features: map[string]any{
			"video_enabled": l.Video, "kb_enabled": false, "custom_domain": l.CustomDomains, "watermarks": l.Watermarks, "api_keys_max": bound(l.APIKeys),
		},
		TrialActivated: l.Name != "none", CurrentPeriodEnd: planEnds(&st.User), CachedAt: stamp(a.store.Now()),
	})
}

func wireLimits(l *usage.Limits) map[string]any {
	return map[string]any{
		"imgStorageBytes": bound(l.ImageStorageBytes), "imgBandwidthBytes": bound(l.ImageBandwidthBytes), "videoEnabled": l.Video,
		"videoStorageBytes": bound(l.VideoStorageBytes), "videoBandwidthBytes": bound(l.MediaBandwidthBytes),
		"img_storage_bytes": bound(l.ImageStorageBytes), "img_bandwidth_bytes": bound(l.ImageBandwidthBytes),
		"media_storage_bytes": bound(l.MediaStorageBytes), "media_bandwidth_bytes": bound(l.MediaBandwidthBytes),
		"doc_count_limit": bound(l.DocCount), "doc_max_file_bytes": bound(l.DocFileBytes), "doc_max_images_per_doc": bound(l.DocImages),
		"kb_count_limit": bound(l.KBCount), "uploadsPerDay": bound(l.ImageUploadsPerDay), "uploadsPerMonth": bound(l.ImageUploadsPerMonth),
	}
}

// listPlans handles GET /v1/billing/plans. This server takes no money.
func (a *API) listPlans(c *fiber.Ctx) error {
	free := map[string]any{"monthly": 0, "yearly": 0, "currency": "USD"}
	return ok(c, map[string]any{"pro": free, "pro_plus": free})
}

// getSubscription handles GET /v1/billing/subscription. The administrator gives plans.
func (a *API) getSubscription(c *fiber.Ctx) error {
	u := caller(c).Account
	now := a.store.Now()
	status, provider := "active", orNull("manual")
	switch plan := u.PlanAt(now); {
	case plan == "none" && !u.PlanEnds.IsZero() && !u.PlanEnds.After(now):
		status = "expired"
	case plan == "none":
		status, provider = "none", nil
	}
	return ok(c, struct {
		Plan     string  `json:"plan"`
		Status   string  `json:"status"`
		Ends     *string `json:"currentPeriodEnd"`
		Provider *string `json:"provider"`
		Cancels  bool    `json:"cancelAtPeriodEnd"`
	}{u.PlanAt(now), status, planEnds(&u), provider, u.PlanEnds.After(now)})
}

// listOrders handles GET /v1/billing/orders.
func (a *API) listOrders(c *fiber.Ctx) error { return ok(c, []any{}) }

// listHistory handles GET /v1/billing/history.
func (a *API) listHistory(c *fiber.Ctx) error { return ok(c, []any{}) }
