package api_test

import (
	"context"
	"strings"
	"testing"

	"picora/app/apptest"
	"picora/app/config"
)

// What changes how somebody signs in goes to their dashboard and by mail, in their
// language.
func TestSecurityNoticesAreMailedInTheUsersLanguage(t *testing.T) {
	for lang, want := range map[string][]string{
		"en":    {"An authenticator app was set up", "A recovery code was used", "You have new recovery codes", "A passkey was added", "A passkey was removed", "A new API key", "Your second factors were removed"},
		"zh-CN": {"已启用身份验证器", "有恢复码被使用", "恢复码已更换", "已添加通行密钥", "通行密钥已移除", "新的 API 密钥", "您的两步验证已被移除"},
	} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			in := apptest.NewInbox(t)
			p := apptest.Start(t, in.Use, func(c *config.Config) { c.Server.BaseURL = rp.Origin })
			admin := p.Admin("admin@example.org")
			u, s := member(t, p, "a@example.org")
			as := func(method, path string, body any, status int) {
				t.Helper()
				p.Play(t, scenario{As: s.Access, Method: method, URL: path, Body: body, Status: status})
			}
			as("PATCH", "/v1/user/me", object{"locale": lang}, 200)
			_, recovery := enableTOTP(t, p, s.Access)
			p.Play(t, scenario{As: apptest.Nobody, Method: "POST", URL: "/v1/auth/login", Body: object{"email": u.Email, "password": password, "otp": recovery[0]}, Status: 200})
			as("POST", "/v1/user/me/recovery-codes", nil, 200)
			as("DELETE", passkeys+"/"+addPasskey(t, p, s.Access, newDevice(u)), nil, 200)
			as("POST", "/v1/api-keys", object{"name": "PicGo"}, 201)
			p.Play(t, scenario{As: admin, Method: "POST", URL: "/v1/admin/users/" + u.ID + "/reset-second-factor", Status: 200})

			notices, _, err := p.App.Store().Notifications(context.Background(), u.ID, "", 50)
			if err != nil {
				t.Fatal(err)
			}
			in.Wait(t, u.Email, len(notices))
			for _, title := range want {
				body := ""
				for _, n := range notices {
					if n.Title == title {
						body = n.Body
					}
				}
				if body == "" {
					t.Errorf("there is no %q in %+v", title, notices)
					continue
				}
				mailed := false
				for _, l := range in.Letters(u.Email) {
					mailed = mailed || strings.Contains(strings.ReplaceAll(l.Text, "\r\n", "\n"), body)
				}
				if !mailed {
					t.Errorf("%q was not mailed", title)
				}
			}
		})
	}
}
