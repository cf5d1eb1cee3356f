// Package browser opens pages in a headless Chromium, for tests: it does what it is
// told, and notes what the page did. Only tests import it; it is apart from apptest
// because what drives Chromium is large, and most tests need none.
package browser

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Browser is a running Chromium.
type Browser struct{ ctx context.Context }

// Start starts a Chromium that ends with the test. The test fails where there is none.
func Start(t testing.TB) *Browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("no chromium here: ./.ci/need chromium installs it")
	}
	home, err := os.MkdirTemp("", "picora-browser") // not of the test: processes of the browser may write a moment longer
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WSURLReadTimeout(patience), chromedp.Env("HOME="+home),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"), chromedp.Flag("mute-audio", true),
		// A mouse, which no headless browser has by itself.
		chromedp.Flag("blink-settings", "primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4"))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, closeIt := chromedp.NewContext(ctx)
	t.Cleanup(func() { closeIt(); stop() })
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("chromium does not start: %v", err)
	}
	return &Browser{ctx}
}

// View is how the reader looks at a page. Zero fields are a desktop's.
type View struct {
	Width, Height int64
	Phone, Dark   bool
	Language      string // Accept-Language
	Bearer        string // sent as Authorization with every request
}

// Tab is a tab, and the notes of what happened in it.
type Tab struct {
	ctx context.Context
	t   testing.TB

	mu       sync.Mutex
	requests []string
	said     []string
}

// New opens an empty tab, which closes with the test.
func (b *Browser) New(t testing.TB, v View) *Tab {
	t.Helper()
	ctx, closeIt := chromedp.NewContext(b.ctx)
	t.Cleanup(closeIt)
	tab := &Tab{ctx: ctx, t: t}
	if err := chromedp.Listen(ctx, tab.note); err != nil {
		t.Fatalf("in chromium: %v", err)
	}
	Call(tab, network.Enable, network.EnableParams{})
	Call(tab, runtime.Enable, cdp.Empty{})
	Call(tab, page.Enable, page.EnableParams{})
	Call(tab, log.Enable, cdp.Empty{})
	tab.look(v)
	return tab
}

// Open opens the address in a new tab and waits until it has loaded.
func (b *Browser) Open(t testing.TB, url string, v View) *Tab {
	t.Helper()
	tab := b.New(t, v)
	tab.Do(chromedp.Navigate(url))
	return tab
}

func (tab *Tab) look(v View) {
	if v.Width == 0 {
		v.Width, v.Height = 1280, 900
		if v.Phone {
			v.Width, v.Height = 390, 844
		}
	}
	scheme := "light"
	if v.Dark {
		scheme = "dark"
	}
	Call(tab, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: v.Width, Height: v.Height, DeviceScaleFactor: 1, Mobile: v.Phone})
	if v.Phone {
		Call(tab, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true})
	}
	Call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	headers := network.Headers{}
	if v.Language != "" {
		headers["Accept-Language"] = v.Language
	}
	if v.Bearer != "" {
		headers["Authorization"] = "Bearer " + v.Bearer
	}
	Call(tab, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: headers})
}

// note keeps what happened. Dialogs are answered, for the page waits for it.
func (tab *Tab) note(ev any) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	switch e := ev.(type) {
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "data:") {
			tab.requests = append(tab.requests, e.Request.URL)
		}
	case *runtime.EventConsoleAPICalled:
		text := "console:"
		for _, a := range e.Args {
			text += " " + string(a.Value)
		}
		tab.said = append(tab.said, text)
	case *log.EventEntryAdded:
		if !strings.HasSuffix(e.Entry.URL, "/favicon.ico") { // which no page asked for
			tab.said = append(tab.said, "log: "+e.Entry.Text+" "+e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		tab.said = append(tab.said, "exception: "+thrown(e.ExceptionDetails))
	case *page.EventJavascriptDialogOpening:
		tab.said = append(tab.said, "dialog: "+e.Message)
		go chromedp.Call(tab.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
	}
}

// patience is how long the browser may take for one thing.
const patience = 2 * time.Minute

// Call gives the browser one command of its protocol, which must not fail.
func Call[P, R any](tab *Tab, command cdp.Command[P, R], params P) R {
	tab.t.Helper()
	ctx, stop := context.WithTimeout(tab.ctx, patience)
	defer stop()
	r, err := chromedp.Call(ctx, command, params)
	if err != nil {
		tab.t.Fatalf("in chromium: %v", err)
	}
	return r
}

// Run does an action that gives something. It must not fail.
func Run[T any](tab *Tab, action chromedp.Action[T]) T {
	tab.t.Helper()
	ctx, stop := context.WithTimeout(tab.ctx, patience)
	defer stop()
	r, err := chromedp.Run(ctx, action)
	if err != nil {
		tab.t.Fatalf("in chromium: %v", err)
	}
	return r
}

// Do does the actions in turn, which must not fail.
func (tab *Tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	for _, a := range actions {
		Run(tab, a)
	}
}

// Eval evaluates the expression, waiting for a promise. It works on pages that may
// run no scripts of their own.
func Eval[T any](tab *Tab, expression string) T {
	tab.t.Helper()
	return Run(tab, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// Until waits until the expression is true.
func (tab *Tab) Until(expression string) {
	tab.t.Helper()
	Run(tab, chromedp.Poll[bool](expression, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(0))) // patience ends it
}

// Text is the text that a reader sees of the page.
func (tab *Tab) Text() (text string) {
	tab.t.Helper()
	return Eval[string](tab, "document.body.innerText")
}

// Requests are the addresses that the page asked for so far, its own first.
func (tab *Tab) Requests() []string {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	return append([]string(nil), tab.requests...)
}

// Outside are the requests that did not go to the origin (http://host:port).
func (tab *Tab) Outside(origin string) (list []string) {
	for _, r := range tab.Requests() {
		if r != origin && !strings.HasPrefix(r, origin+"/") && !strings.HasPrefix(r, "about:") {
			list = append(list, r)
		}
	}
	return list
}

// Said are the console's messages, uncaught exceptions and dialogs so far, and what
// Chromium complains of (log: …).
func (tab *Tab) Said() []string {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	return append([]string(nil), tab.said...)
}

// Screenshot writes what the reader sees into the folder that PICORA_SCREENSHOTS
// names, as a PNG; without that variable it does nothing.
func (tab *Tab) Screenshot(name string) {
	tab.t.Helper()
	folder := os.Getenv("PICORA_SCREENSHOTS")
	if folder == "" {
		return
	}
	if err := os.WriteFile(folder+"/"+name+".png", Run(tab, chromedp.CaptureScreenshot()), 0o644); err != nil {
		tab.t.Fatal(err)
	}
}

// PDF is the page as printed.
func (tab *Tab) PDF() []byte {
	tab.t.Helper()
	return Run(tab, chromedp.PrintToPDF())
}

func thrown(e *runtime.ExceptionDetails) string {
	if e.Exception != nil {
		return e.Exception.Description
	}
	return e.Text
}

// Go goes to the address and waits until it has loaded.
func (tab *Tab) Go(url string) {
	tab.t.Helper()
	tab.Do(chromedp.Navigate(url))
}

// Before has the script run in every page of the tab before anything of its own does.
func (tab *Tab) Before(script string) {
	tab.t.Helper()
	Call(tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
}
