//go:build unix

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"aspectop/model"
	"aspectop/printer/report"
)

// reported writes a report about the deliveries, as of a moment, and returns its
// URL.
func reported(t *testing.T, deliveries kept, at time.Time) string {
	t.Helper()
	var page bytes.Buffer
	if _, err := report.Write(t.Context(), &page, deliveries, report.PageOptions{Options: report.Options{Now: at}}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(path, page.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return "file://" + path
}

func TestAReportIsReadInABrowser(t *testing.T) {
	t.Parallel()
	deliveries, end := played(t, 7, 6*time.Minute)
	url := reported(t, deliveries, end)
	b := inBrowser(t)
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{360, 1280, 2560} {
			b.size(width, 1600, scheme)
			b.open(url)
			b.click(".group.failed summary")
			b.run("scrollTo(0, 0)")
			b.picture(fmt.Sprintf("report-%d-%s", width, scheme))
			if over := value[int](b, "document.documentElement.scrollWidth - innerWidth"); over > 0 {
				t.Errorf("at %d the page is %d pixels too wide", width, over)
			}
			if width == 1280 {
				b.accessible()
			}
		}
	}
	b.until(`document.querySelector("details[open] .timeline rect").getBoundingClientRect().width > 0`)
	all := value[int](b, `document.querySelectorAll(".tasks > li").length`)
	b.do(chromedp.SendKeys(chromedp.CSS("input[name=filter]"), "failed visual"))
	b.until(`/^\d+ of \d+ tasks$/.test(document.querySelector("output").textContent)`)
	if shown := value[int](b, `[...document.querySelectorAll(".tasks > li")].filter((r) => r.offsetHeight > 0).length`); shown == 0 || shown >= all {
		t.Errorf("the filter shows %d of %d tasks", shown, all)
	}
	first := func() string {
		return value[string](b, `document.querySelector(".features tbody tr th").textContent`)
	}
	if first() != "proxy" {
		t.Errorf("the first feature is %s", first())
	}
	b.click(".features th:nth-child(1) button")
	if first() == "proxy" {
		t.Error("pressing the title of a column does not sort by it")
	}
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	b.picture("report-print")
	b.stays(url)
}

func TestAReportIsReadWithoutJavaScript(t *testing.T) {
	deliveries, end := played(t, 7, 2*time.Minute)
	url := reported(t, deliveries, end)
	b := inBrowser(t)
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.size(1280, 900, "light")
	b.open(url)
	if value[bool](b, `document.documentElement.classList.contains("js")`) {
		t.Fatal("the page's script runs")
	}
	b.run(`document.querySelector(".group.completed summary").focus()`)
	b.do(chromedp.KeyEvent(" "))
	b.until(`document.querySelector("details[open] .timeline rect").getBoundingClientRect().width > 0`)
	if value[int](b, `document.querySelector(".controls").offsetHeight`) > 0 {
		t.Error("there are controls, which do nothing")
	}
	b.stays(url)
}

// hostileTexts would like to be more than text on a page.
var hostileTexts = []string{
	`</script><script>window.owned = 1</script>`, `javascript:window.owned=2`, `"><img src=https://evil.example/x onerror="window.owned=3">`,
	`' onmouseover='window.owned=4`, "\u202eevil\u2066", "\x1b]52;c;AAAA\x07\u009b2J", `{{.}}<b>bold</b>&lt;i&gt;`, strings.Repeat("long", 1<<10),
}

// hostileBody is an event about a task in which every text is the given one; one
// feature is in a state.
func hostileBody(at time.Time, text, state string) []byte {
	body, err := json.Marshal(map[string]any{
		"timestamp": at, "user_id": "somebody-else", "event_id": text, "event_type": text,
		"data": map[string]any{"task": map[string]any{
			"id": text, "asset_id": text, "user_id": "somebody-else", "created": at.Add(-time.Minute), "updated": at,
			"features": map[string]any{text: map[string]any{"state": text}, "proxy": map[string]any{"state": state}},
		}},
	})
	if err != nil {
		panic(err)
	}
	return body
}

// hostile are deliveries of tasks in which every text is hostile.
func hostile(at time.Time) (deliveries kept) {
	for i, text := range hostileTexts {
		body := hostileBody(at, text, []string{"failed", "completed"}[i%2])
		deliveries.keep(model.Delivery{ID: text, Source: model.SourceWebhook, Secret: text, Received: at, Body: body})
	}
	return deliveries
}

// harmless checks that hostile texts stayed text in the page.
func (b *tab) harmless() {
	b.t.Helper()
	if owned := value[int](b, "window.owned || 0"); owned != 0 {
		b.t.Errorf("text %d ran as a script", owned)
	}
	if n := value[int](b, `document.querySelectorAll("main img, main script, main a:not([href^='#']), main [onmouseover], main [onerror], main li b b").length`); n > 0 {
		b.t.Errorf("%d elements came out of texts", n)
	}
	text := value[string](b, "document.body.textContent")
	for _, shown := range []string{"javascript:window.owned=2", "</script><script>window.owned = 1</script>", "{{.}}<b>bold</b>&lt;i&gt;"} {
		if !strings.Contains(text, shown) {
			b.t.Errorf("%q is not shown as it is", shown)
		}
	}
	if i := strings.IndexAny(text, "\u202e\u2066\x1b\x07\u009b"); i >= 0 {
		b.t.Errorf("the page holds %q", text[i:i+8])
	}
}

func TestHostileTextStaysTextInABrowser(t *testing.T) {
	at := time.Now()
	url := reported(t, hostile(at), at)
	b := inBrowser(t)
	b.size(360, 900, "light")
	b.open(url)
	b.run(`document.querySelectorAll("details").forEach((d) => d.open = true)`)
	b.harmless()
	if over := value[int](b, "document.documentElement.scrollWidth - innerWidth"); over > 0 {
		t.Errorf("long names make the page %d pixels too wide", over)
	}
	b.picture("hostile")
	b.stays(url)
}

func TestAReportOfTenThousandTasksIsQuickToShow(t *testing.T) {
	t.Parallel()
	var deliveries kept
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for i := range 30_000 {
		task, step := i/3, i%3
		when, state, typ := at.Add(time.Duration(i)*time.Second), "processing", "task.progress"
		switch {
		case step == 0:
			state = "queued"
		case step == 2 && task%20 == 0:
			state, typ = "failed", "task.failed"
		case step == 2:
			state, typ = "completed", "task.completed"
		}
		deliveries = append(deliveries, model.Delivery{
			Seq: int64(i + 1), Message: int64(i + 1), Attempt: 1, ID: fmt.Sprintf("msg_%027d", i), Source: model.SourceWebhook, Secret: "default", Received: when,
			Body: fmt.Appendf(nil, `{"timestamp":%[1]q,"user_id":"3f5d7e38-8c7c-4a22-9a7d-5702a8c3a111","event_id":"e%[2]d","event_type":%[3]q,"data":{"task":{`+
				`"id":"2e1c7e42-0000-4000-8000-%012[4]d","asset_id":"9f3c5d11-0000-4000-8000-%012[4]d","user_id":"3f5d7e38-8c7c-4a22-9a7d-5702a8c3a111",`+
				`"features":{"proxy":{"state":%[5]q},"preview":{"state":%[5]q},"visual":{"state":%[5]q},"transcription":{"state":"processing"}},"created":%[1]q,"updated":%[1]q}}}`,
				when.Format(time.RFC3339), i, typ, task, state),
		})
	}
	url := reported(t, deliveries, at.Add(14*time.Hour))
	info, err := os.Stat(strings.TrimPrefix(url, "file://"))
	if err != nil || info.Size() > 20_000_000 {
		t.Errorf("the page has %d bytes, %v", info.Size(), err)
	}
	b := inBrowser(t)
	b.size(1280, 900, "light")
	b.open(url)
	b.until(`performance.getEntriesByName("first-contentful-paint").length`)
	paint := value[float64](b, `performance.getEntriesByName("first-contentful-paint")[0].startTime`)
	loaded := value[float64](b, `performance.getEntriesByType("navigation")[0].loadEventEnd`)
	t.Logf("%d bytes, first paint after %.0f ms, all there after %.0f ms", info.Size(), paint, loaded)
	if paint > loaded/2 { // it does not wait for the rest
		t.Errorf("the first paint comes after %.0f ms, and all is there after %.0f ms", paint, loaded)
	}
	b.stays(url)
}
