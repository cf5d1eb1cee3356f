package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// What the other tests rest on: nothing that a page does goes unnoticed.
func TestNothingThatAPageDoesGoesUnnoticed(t *testing.T) {
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	defer elsewhere.Close()
	here := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<p>seen</p><img src="%s/x.png"><script>console.log("marker"); alert("boo"); throw new Error("thrown")</script>`, elsewhere.URL)
	}))
	defer here.Close()

	tab := Start(t).Open(t, here.URL+"/", View{Phone: true, Dark: true})
	if !strings.Contains(tab.Text(), "seen") {
		t.Errorf("text: %q", tab.Text())
	}
	if got := tab.Outside(here.URL); !slices.Equal(got, []string{elsewhere.URL + "/x.png"}) {
		t.Errorf("outside requests: %q of %q", got, tab.Requests())
	}
	said := strings.Join(tab.Said(), "\n")
	for _, want := range []string{"console: \"marker\"", "dialog: boo", "thrown"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is missing in %q", want, said)
		}
	}
	look := Eval[[]bool](tab, `[matchMedia("(prefers-color-scheme: dark)").matches, screen.width === 390]`)
	if !slices.Equal(look, []bool{true, true}) {
		t.Errorf("looked at with %v", look)
	}
	if pdf := tab.PDF(); !strings.HasPrefix(string(pdf), "%PDF-") {
		t.Errorf("printed: %.20q", pdf)
	}
}
