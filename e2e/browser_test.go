//go:build unix

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// tab is a tab of a real browser.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	requests []string // all that the pages in it asked for
	errors   []string // what their scripts complained about
}

// inBrowser opens a tab in Chromium. Without Chromium the test is skipped, or
// fails if ASPECTOP_REQUIRE_CHROMIUM is 1.
func inBrowser(t *testing.T) *tab {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		lacking(t, "Chromium (apt-get install chromium)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.Flag("hide-scrollbars", true), chromedp.WSURLReadTimeout(patience))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Minute)
	ctx, free := chromedp.NewExecAllocator(ctx, options...)
	ctx, _ = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		chromedp.Cancel(ctx) // waits for the browser's end
		free()
		stop()
	})
	b := &tab{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, b.heard); err != nil {
		t.Fatalf("%s does not start: %v", path, err)
	}
	call(b, network.Enable, network.EnableParams{})
	return b
}

// lacking skips a test for which something is not installed here.
func lacking(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("ASPECTOP_REQUIRE_CHROMIUM") == "1" {
		t.Fatalf("there is no %s here", what)
	}
	t.Skipf("runs where there is %s, as in the gate", what)
}

func (b *tab) heard(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	case *runtime.EventExceptionThrown:
		b.errors = append(b.errors, fmt.Sprint(e.ExceptionDetails))
	}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatalf("the browser: %v", err)
	}
}

// call sends a command of the browser's protocol.
func call[P, R any](b *tab, command cdp.Command[P, R], params P) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, command, params); err != nil {
		b.t.Fatalf("the browser: %v", err)
	}
}

// size makes the window so large, and the system dark or light.
func (b *tab) size(w, h int64, scheme string) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(w, h))
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

func (b *tab) open(url string) {
	b.t.Helper()
	b.do(chromedp.Navigate(url))
}

func (b *tab) click(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

// run has the page run a script.
func (b *tab) run(script string) {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](script))
}

// value is what an expression yields in the page.
func value[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// until waits for an expression to hold in the page.
func (b *tab) until(expression string) {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	for !value[bool](b, "!!("+expression+")") {
		if time.Now().After(deadline) {
			b.t.Fatalf("it never holds that %s; the page says\n%s", expression, b.text())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (b *tab) text() string { return value[string](b, "document.body.innerText") }

// picture keeps a screenshot of the window, with go test -artifacts.
func (b *tab) picture(name string) {
	b.t.Helper()
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.t.ArtifactDir(), name+".png"), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// stays checks that the page asked for nothing but what begins with a prefix, and
// that its scripts did not complain.
func (b *tab) stays(prefix string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, url := range b.requests {
		if !strings.HasPrefix(url, prefix) && url != "data:," {
			b.t.Errorf("the page asked for %s", url)
		}
	}
	for _, e := range b.errors {
		b.t.Errorf("a script in the page failed: %s", e)
	}
}

// accessible checks that axe-core finds no barrier in the page as it is now.
func (b *tab) accessible() {
	b.t.Helper()
	axe, err := os.ReadFile(filepath.Join(modules(b.t), "axe-core", "axe.min.js"))
	if err != nil {
		b.t.Fatal(err)
	}
	b.run(string(axe))
	found := value[string](b, `axe.run({resultTypes: ["violations"]}).then((r) => JSON.stringify(r.violations.map((v) =>
		({rule: v.id, impact: v.impact, at: v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200) + " " + n.failureSummary)}))))`)
	var violations []struct {
		Rule, Impact string
		At           []string
	}
	if err := json.Unmarshal([]byte(found), &violations); err != nil {
		b.t.Fatal(err)
	}
	for _, v := range violations {
		b.t.Errorf("axe-core: %s (%s): %s", v.Rule, v.Impact, strings.Join(v.At, "\n"))
	}
}

// modules is the folder of what comes from npm.
func modules(t *testing.T) string {
	t.Helper()
	const folder = "testdata/browser"
	if _, err := os.Stat(filepath.Join(folder, "node_modules", "axe-core")); err != nil {
		lacking(t, "what npm ci --prefix e2e/"+folder+" installs")
	}
	return filepath.Join(folder, "node_modules")
}
