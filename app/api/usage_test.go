package api_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/config"
	"picora/store"
)

// small makes the plans as small as tests need them.
func small(edit func(*config.Plan)) func(*config.Config) {
	return func(c *config.Config) {
		p := c.Plans["pro"]
		edit(&p)
		c.Plans["pro"] = p
	}
}

// onPro starts a Picora whose owner is a person on the plan pro.
func onPro(t *testing.T, edit func(*config.Plan)) *apptest.Picora {
	t.Helper()
	p := apptest.Start(t, small(edit))
	p.User = p.NewUserOn("pro", "pro@example.org")
	p.Key = p.NewKey("pro@example.org")
	return p
}

// account changes the owner.
func account(t *testing.T, p *apptest.Picora, edit func(*store.User)) {
	t.Helper()
	if _, err := p.App.Store().UpdateUser(context.Background(), p.User, func(u *store.User) error { edit(u); return nil }); err != nil {
		t.Fatal(err)
	}
}

type usageStats struct {
	Plan   string
	Images struct {
		StorageUsed, BandwidthUsed, UploadCountToday, UploadCountMonth, TotalCount, PublicCount, PrivateCount int64
	}
	PlanLimits map[string]int64
}

func usageOf(t *testing.T, p *apptest.Picora) (u usageStats) {
	t.Helper()
	p.Play(t, apptest.Scenario{URL: "/v1/user/me/usage", Status: 200}).Data(t, &u)
	return u
}

func TestUsageOfSixMonths(t *testing.T) {
	t.Parallel()
	p := onPro(t, func(*config.Plan) {})
	p.Add("a.png", apptest.PNG(8, 8, 1))
	var u struct {
		Months []struct {
			Month                             string
			Uploads, ServedBytes, PlayedBytes int64
		}
	}
	p.Play(t, apptest.Scenario{URL: "/v1/user/me/usage/months", Status: 200}).Data(t, &u)
	if n := len(u.Months); n != 6 || u.Months[5].Uploads != 1 || u.Months[5].Month != p.App.Store().Now().UTC().Format("2006-01") || u.Months[4].Uploads != 0 {
		t.Errorf("%+v", u)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	p := onPro(t, func(*config.Plan) {})
	a, b := apptest.PNG(8, 8, 1), apptest.PNG(8, 8, 2)
	p.Add("a.png", a)
	gone := p.Add("b.png", b, "isPublic", "false")
	p.Add("b.png", b) // a duplicate
	only := p.NewKey("pro@example.org", "usage.read")
	account := p.NewKey("pro@example.org", "account.read")
	jwt := p.SignIn("pro@example.org").Access
	p.Run(t,
		apptest.Scenario{Name: "what there is", As: only, URL: "/v1/user/me/usage", Status: 200, Check: func(t testing.TB, r apptest.Response) {
			var u usageStats
			r.Data(t, &u)
			i := u.Images
			if i.StorageUsed != int64(len(a)+len(b)) || i.TotalCount != 2 || i.PublicCount != 1 || i.PrivateCount != 1 || i.UploadCountToday != 2 || i.UploadCountMonth != 2 {
				t.Errorf("%+v", u)
			}
			if u.Plan != "pro" || len(u.PlanLimits) != 6 || u.PlanLimits["imgStorageBytes"] != 5<<30 {
				t.Errorf("%+v", u)
			}
			for _, block := range []string{"videos", "audio", "docs", "kbs"} {
				if !strings.Contains(string(r.Body), `"`+block+`":{"`) {
					t.Errorf("no %s in %s", block, r.Body)
				}
			}
		}},
		apptest.Scenario{Name: "for a person", As: jwt, URL: "/v1/user/me/usage", Status: 200},
		apptest.Scenario{Name: "without the scope", As: account, URL: "/v1/user/me/usage", Status: 403, Code: "FORBIDDEN"},
		apptest.Scenario{Name: "the subscription", As: account, URL: "/v1/me/subscription", Status: 200, Has: []string{
			`"planName":"Pro"`, `"img_storage_bytes":5368709120`, `"imgStorageBytes":5368709120`, `"api_keys_max":3`, `"video_enabled":true`, `"currentPeriodEnd":null`}},
		apptest.Scenario{Name: "the subscription without the scope", As: only, URL: "/v1/me/subscription", Status: 403, Code: "FORBIDDEN"},
		apptest.Scenario{Name: "prices", As: apptest.Nobody, URL: "/v1/billing/plans", Status: 200, Has: []string{`"pro_plus":{`, `"currency":"USD"`}},
		apptest.Scenario{Name: "billing with a key", URL: "/v1/billing/subscription", Status: 403, Code: "FORBIDDEN"},
		apptest.Scenario{Name: "billing", As: jwt, URL: "/v1/billing/subscription", Status: 200, Has: []string{`"status":"active"`, `"provider":"manual"`}},
		apptest.Scenario{Name: "orders", As: jwt, URL: "/v1/billing/orders", Status: 200, Has: []string{`"data":[]`}},
		apptest.Scenario{Name: "history", As: jwt, URL: "/v1/billing/history", Status: 200, Has: []string{`"data":[]`}},
		apptest.Scenario{Name: "a deletion frees at once", Method: "DELETE", URL: "/v1/images/" + gone.ID, Status: 200, Check: func(t testing.TB, _ apptest.Response) {
			var u usageStats
			p.Do("GET", "/v1/user/me/usage", nil).Data(t, &u)
			if u.Images.StorageUsed != int64(len(a)) || u.Images.TotalCount != 1 || u.Images.PrivateCount != 0 || u.Images.UploadCountMonth != 2 {
				t.Errorf("%+v", u.Images)
			}
		}},
	)
}

func TestAnAccountWithoutLimitsIsToldTheLargestNumber(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t)
	u := usageOf(t, p)
	for name, n := range u.PlanLimits {
		if n != 1<<53-1 {
			t.Errorf("%s is %d", name, n)
		}
	}
	if u.Plan != "pro_plus" {
		t.Error(u.Plan)
	}
}

func TestWithoutAPlanOneReadsAndDeletesOnly(t *testing.T) {
	t.Parallel()
	p := onPro(t, func(*config.Plan) {})
	i := p.Add("a.png", apptest.PNG(8, 8, 1))
	other := p.Add("b.png", apptest.PNG(8, 8, 2))
	jwt := p.SignIn("pro@example.org").Access
	form := apptest.Parts{apptest.File("c.png", apptest.PNG(8, 8, 3))}
	gate := func(t testing.TB, r apptest.Response) {
		if !strings.Contains(strings.ToLower(string(r.Body[:min(200, len(r.Body))])), "upgrade") {
			t.Errorf("clients do not see that it is about the plan: %s", r.Body)
		}
	}
	refused := func(t *testing.T) {
		p.Run(t,
			apptest.Scenario{Name: "upload", Method: "POST", URL: "/v1/images", Body: form, Status: 403, Code: "PLAN_INACTIVE", Check: gate},
			apptest.Scenario{Name: "upload at the root", Method: "POST", URL: "/", Body: form, Status: 403, Code: "PLAN_INACTIVE", Check: gate},
			apptest.Scenario{Name: "change", Method: "PATCH", URL: "/v1/images/" + i.ID, Body: `{"title":"x"}`, Status: 403, Code: "PLAN_INACTIVE", Check: gate},
			apptest.Scenario{Name: "a watermark", Method: "POST", URL: "/v1/watermarks", Body: `{"kind":"text","text":"x"}`, Status: 403, Code: "PLAN_INACTIVE", Check: gate},
			apptest.Scenario{Name: "list", URL: "/v1/images", Status: 200, Has: []string{i.ID}},
			apptest.Scenario{Name: "sign", Method: "POST", URL: "/v1/images/" + i.ID + "/sign", Status: 200},
			apptest.Scenario{Name: "usage", URL: "/v1/user/me/usage", Status: 200, Has: []string{`"plan":"none"`}},
			apptest.Scenario{Name: "verify", URL: "/v1/auth/verify", Status: 200, Has: []string{`"plan":"none"`}},
		)
	}
	t.Run("the plan none", func(t *testing.T) {
		account(t, p, func(u *store.User) { u.Plan = "none" })
		refused(t)
		p.Run(t, apptest.Scenario{Name: "billing", As: jwt, URL: "/v1/billing/subscription", Status: 200, Has: []string{`"status":"none"`, `"provider":null`}})
	})
	t.Run("a plan that ended", func(t *testing.T) {
		account(t, p, func(u *store.User) { u.Plan, u.PlanEnds = "pro", time.Now().Add(-time.Second) })
		refused(t)
		p.Run(t,
			apptest.Scenario{Name: "billing", As: jwt, URL: "/v1/billing/subscription", Status: 200, Has: []string{`"status":"expired"`}},
			apptest.Scenario{Name: "delete", Method: "DELETE", URL: "/v1/images/" + other.ID, Status: 200},
		)
	})
	t.Run("a plan that will end", func(t *testing.T) {
		account(t, p, func(u *store.User) { u.PlanEnds = time.Now().Add(time.Hour) })
		p.Add("c.png", apptest.PNG(8, 8, 3))
		p.Run(t, apptest.Scenario{Name: "billing", As: jwt, URL: "/v1/billing/subscription", Status: 200, Has: []string{`"status":"active"`, `"cancelAtPeriodEnd":true`}})
	})
}

func TestEachLimitRefusesUploadsAndSaysWhat(t *testing.T) {
	t.Parallel()
	pic := apptest.PNG(20, 20, 1)
	for name, c := range map[string]struct {
		edit        func(*config.Plan)
		kind        string
		used, limit float64
	}{
		"storage":          {func(p *config.Plan) { p.ImageStorageBytes = int64(len(pic)) }, "img_storage_bytes", float64(len(pic)), float64(len(pic))},
		"uploads a day":    {func(p *config.Plan) { p.ImageUploadsPerDay = 1 }, "uploadsPerDay", 1, 1},
		"uploads a month":  {func(p *config.Plan) { p.ImageUploadsPerMonth = 1 }, "uploadsPerMonth", 1, 1},
		"bandwidth, which": {func(p *config.Plan) { p.ImageBandwidthBytes = 10 }, "img_bandwidth_bytes", float64(len(pic)), 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := onPro(t, c.edit)
			i := p.Add("a.png", pic)
			if r := p.Do("GET", i.URL, nil); r.Status != 200 {
				t.Fatal(r.Status)
			}
			r := p.Play(t, apptest.Scenario{Method: "POST", URL: "/v1/images", Body: apptest.Parts{apptest.File("b.png", apptest.PNG(20, 20, 2))},
				Status: 403, Code: "QUOTA_EXCEEDED", Has: []string{`"type":"` + c.kind + `"`}})
			if !strings.Contains(strings.ToLower(string(r.Body[:min(200, len(r.Body))])), "quota") {
				t.Errorf("clients do not see what it is about: %s", r.Body)
			}
			var e struct{ Meta map[string]any }
			if err := json.Unmarshal(r.Body, &e); err != nil {
				t.Fatal(err)
			}
			if e.Meta["used"] != c.used || e.Meta["limit"] != c.limit {
				t.Errorf("%v", e.Meta)
			}
			if r := p.Do("GET", i.URL, nil); r.Status != 200 {
				t.Errorf("the link broke: %d", r.Status)
			}
			if n := len(p.Blobs()); n != 1 {
				t.Errorf("%d files are left", n)
			}
		})
	}
}
