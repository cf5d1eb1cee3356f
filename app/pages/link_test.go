package pages_test

import (
	"bytes"
	"testing"
	"time"

	"picora/app/apptest"
	"picora/app/apptest/browser"
)

func TestALinkToASoundPlaysByItself(t *testing.T) {
	p := apptest.StartWithWorkers(t)
	body, kind := apptest.Form("a.mp3", apptest.Encode(t, "a.mp3", 3, "lame", "--quiet", "IN", "OUT"))
	var in struct{ URL string }
	p.Do("POST", "/v1/audio", bytes.NewReader(body), "Content-Type", kind).Data(t, &in)
	tab := browser.Start(t).Open(t, in.URL, browser.View{})
	playing := `document.querySelector("video, audio").readyState > 0` // such a page runs no script, so it is asked again and again
	for end := time.Now().Add(2 * time.Minute); !browser.Eval[bool](tab, playing); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nothing is played")
		}
	}
	if said := tab.Said(); len(said) > 0 {
		t.Errorf("the browser says %q", said)
	}
}
