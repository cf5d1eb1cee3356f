package server_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/config"
	"picora/store"
)

// What runs has its room: another upload beside it is refused before its body when the
// two cannot both fit, and taken when the first has gone.
func TestAnUploadUnderWayKeepsItsRoom(t *testing.T) {
	p := apptest.Start(t, func(c *config.Config) {
		plan := c.Plans["pro"]
		plan.ImageStorageBytes = 8 << 20
		c.Plans["pro"] = plan
	})
	p.User = p.NewUserOn("pro", "pro@example.org")
	p.Key = p.NewKey("pro@example.org")
	length := "Content-Length: " + strconv.Itoa(6<<20) + "\r\n"
	first := dial(t, p.URL)
	// The framework reads a few KB of a body before it asks anybody.
	first.send(request("POST", "/v1/images", bearer(p.Key)+formType+length, form(string(apptest.JPEG(400, 400, 1)))[:20_000]))

	ask := func() answer {
		w := dial(t, p.URL)
		w.send(request("POST", "/v1/images", bearer(p.Key)+formType+length+"Expect: 100-continue\r\n", ""))
		a, _ := w.next()
		w.Close()
		return a
	}
	until := func(status int) (a answer) {
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			if a = ask(); a.status == status {
				return a
			}
		}
		t.Fatalf("it is %d %s, not %d", a.status, a.body, status)
		return a
	}
	a := until(403)
	if a.code(t) != "QUOTA_EXCEEDED" || !strings.Contains(a.body, `"img_storage_bytes"`) || !a.close {
		t.Errorf("%s, close %v", a.body, a.close)
	}
	first.Close()
	until(100)
	st, err := p.App.Usage().Standing(context.Background(), p.User)
	if err != nil || st.Count[store.Image].N != 0 {
		t.Error(st, err)
	}
	nothingKept(t, p)
}
