package report

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"aspectop/model"
)

// page is the report about what the journal holds, an hour after noon.
func page(t *testing.T, journal memory, change ...func(*PageOptions)) string {
	t.Helper()
	o := PageOptions{Options: Options{Now: noon.Add(time.Hour)}}
	for _, c := range change {
		c(&o)
	}
	var out bytes.Buffer
	if _, err := Write(t.Context(), &out, journal, o); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// inOrder holds a text to parts that it must have in this order.
func inOrder(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		i := strings.Index(text, part)
		if i < 0 {
			t.Fatalf("there is no %q (in its place) in\n%.9000s", part, text)
		}
		text = text[i+len(part):]
	}
}

// some are four tasks: one completed, one failed, one under way, and one that
// nobody has heard of for long.
func some() (j memory) {
	j.keep(told("task.progress", "silent", 1, "visual", "processing"))
	j.keep(told("task.progress", "good", 10, "proxy", "queued", "visual", "queued"))
	j.keep(told("task.progress", "good", 30, "proxy", "processing", "visual", "queued"))
	j.keep(told("task.completed", "good", 100, "proxy", "completed", "visual", "na"))
	j.keep(told("task.progress", "good", 20, "proxy", "queued", "visual", "na")) // late
	j.keep(told("task.completed", "good", 100, "proxy", "completed", "visual", "na"))
	j.keep(told("task.progress", "bad", 200, "proxy", "processing"))
	j.keep(told("task.failed", "bad", 205, "proxy", "failed"))
	j.keep(told("task.progress", "busy", 3590, "proxy", "queued"))
	j.keep(model.Delivery{ID: "ping", Source: model.SourceWebhook, Received: noon, Body: []byte(`{"success":true}`)})
	return j
}

func TestAReportTellsWhatRanWhatFailedAndWhen(t *testing.T) {
	text := page(t, some())
	inOrder(t, text,
		"<h1>Aspect media tasks</h1>", "as of 2026-11-23 13:00:00 UTC",
		"Tasks <b>4</b>", "Failed <b>1</b>", "Stalled <b>1</b>", "In progress <b>1</b>", "Completed <b>1</b>", "Cancelled <b>0</b>",
		"1 completed, 0 failed", "0 completed, 1 failed", // over time
		"<h2>Failed", "<b>bad</b>", "✗ proxy", "<time>2026-11-23 12:03:25</time>",
		"<h2>Stalled", "<b>silent</b>", "no news for 59\u00a0min\u00a059\u00a0s",
		"<h2>In progress", "<b>busy</b>",
		"<h2>Features", "proxy", `class="n bad">1<`, "50\u00a0%", "<h2>Slowest", "bad", "good",
		"<h2>Completed", "<b>good</b>",
		"Messages that are not about a task, such as pings, are not shown: 1.",
	)
	good := text[strings.LastIndex(text, "<b>good</b>"):]
	inOrder(t, good,
		`aria-label="Timeline over 1`, "queued for 20\u00a0s", "processing for 1\u00a0min\u00a010\u00a0s", "completed at 2026-11-23 12:01:40",
		"<dt>Task<dd>good", "<dt>User<dd>user-of-the-house", "<dt>Took<dd>1\u00a0min\u00a040\u00a0s",
		"2026-11-23 12:00:10<td>task.progress", "proxy <b>queued</b>", "verified (secret default)", "msg_good_10",
		"task.completed", "proxy processing → <b>completed</b>",
		"late; older than what was known", "duplicate", "arrival 2 of #4")
}

func TestATaskThatAspectNoLongerKnowsIsNotStalled(t *testing.T) {
	j := some()
	j.keep(model.Delivery{ID: "gone", Source: model.SourceAPI, Received: noon.Add(time.Minute), Body: []byte(
		`{"id":"silent","features":{"visual":{"state":"processing"}},"updated":"2026-11-23T12:00:01Z","gone":true,"timestamp":"2026-11-23T12:01:00Z"}`)})
	inOrder(t, page(t, j), "Stalled <b>0</b>", "In progress <b>2</b>", "<b>silent</b>", "no longer known to Aspect")
}

func TestAReportIsAboutTheTasksThatAreAskedFor(t *testing.T) {
	filter, err := model.ParseFilter("state:failed")
	if err != nil {
		t.Fatal(err)
	}
	text := page(t, some(), func(o *PageOptions) { o.Filter, o.FilterText = filter, "state:failed" })
	inOrder(t, text, "only state:failed", "Tasks <b>1</b>", "<b>bad</b>")
	if strings.Contains(text, "good") {
		t.Error("a task is told of that the filter does not pick")
	}
	text = page(t, some(), func(o *PageOptions) { o.Since = noon.Add(3 * time.Minute) })
	inOrder(t, text, "with events since 2026-11-23 12:03:00", "Tasks <b>2</b>", "<b>bad</b>", "<b>busy</b>")
	// What a task did before still counts: it is one task.
	inOrder(t, page(t, some(), func(o *PageOptions) { o.Since = noon.Add(95 * time.Second) }), "Tasks <b>3</b>", "queued for 20\u00a0s")
	inOrder(t, page(t, nil, func(o *PageOptions) { o.Since = noon }), "Tasks <b>0</b>", "No task since 2026-11-23 12:00:00.")
}

func TestAReportOfOneTaskIsOpen(t *testing.T) {
	j := some()
	var out bytes.Buffer
	if err := WriteTask(&out, "good", []model.Delivery{j[3], j[1], j[2]}, Options{Now: noon.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	for _, of := range []string{"<h2>Features", "<h2>Slowest", `class="figures"`, `class="controls"`} {
		if strings.Contains(out.String(), of) {
			t.Errorf("%s is about many tasks", of)
		}
	}
	inOrder(t, out.String(), "<h1>Task good</h1>", "<details open>", `class="timeline"`, "<dt>Task", "msg_good_10", "msg_good_30", "msg_good_100", "</html>")
}

func TestARedactedReportHidesUsersAndURLs(t *testing.T) {
	j := some()
	j.keep(told("task.progress", "https://user-of-the-house@example.com/a?b", 300, "https://x.example/feature", "queued"))
	open := page(t, j)
	for _, private := range []string{"user-of-the-house", "example.com/", "x.example"} {
		if !strings.Contains(open, private) {
			t.Errorf("%s is not on the open page, so the test tests nothing", private)
		}
	}
	redacted := page(t, j, func(o *PageOptions) { o.Private, o.FilterText = true, "user:user-of" })
	for _, private := range []string{"user-of", "example.com", "x.example", "https://"} {
		if strings.Contains(redacted, private) {
			t.Errorf("%s is on the redacted page", private)
		}
	}
	inOrder(t, redacted, "filtered", "user ids and URLs are hidden", "(hidden)")
}

// hostile are texts that would like to be more than text.
var hostile = []string{
	`</script><script>document.title='owned'</script>`, `javascript:alert(1)`, `"><img src=x onerror=alert(1)>`,
	"\u202eevil\u2066", "\x1b]52;c;AAAA\x07\x00\x9b2J", `{{.}}`, `&lt;b&gt;`, "' onload='alert(1)", strings.Repeat("x", 1<<20),
}

func TestHostileTextStaysTextInAReport(t *testing.T) {
	var j memory
	for i, text := range hostile {
		j.keep(told("task.progress", text, 10*i+1, text, text, "proxy", text))
		j.keep(told(text, text, 10*i+2, text, "completed", "proxy", text))
		j[len(j)-1].ID, j[len(j)-1].Secret = text, text
	}
	text := page(t, j)
	if len(text) > 200_000 {
		t.Errorf("the page has %d bytes: long names are not cut", len(text))
	}
	if n := strings.Count(text, "<script"); n != 1 {
		t.Errorf("%d scripts", n)
	}
	for _, bad := range []string{"<img", "onload='", "owned'</", "\u202e", "\u2066", "\x1b", "\x07", "\x00", "\u009b"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q is in the page as it is", bad)
		}
	}
	if refers := regexp.MustCompile(`(?:src|href|action|xlink:href)="([^"]*)"`).FindAllStringSubmatch(text, -1); true {
		for _, r := range refers {
			if !strings.HasPrefix(r[1], "#") && r[1] != "data:," {
				t.Errorf("the page refers to %q", r[1])
			}
		}
	}
	for _, shown := range []string{"javascript:alert(1)", "{{.}}", "&amp;lt;b&amp;gt;", "&lt;/script&gt;&lt;script&gt;document.title", "]52;c;AAAA"} {
		if !strings.Contains(text, shown) {
			t.Errorf("%s is not told", shown)
		}
	}
}

func TestOlderDetailIsLeftOutOfALargeReportAndSaid(t *testing.T) {
	var j memory
	for i := range 300 {
		j = append(j, told("task.progress", fmt.Sprintf("task-%03d", i), i, "proxy", "queued"), told("task.completed", fmt.Sprintf("task-%03d", i), i+400, "proxy", "completed"))
	}
	for i := range j {
		j[i].Seq, j[i].Message, j[i].Attempt = int64(i+1), int64(i+1), 1
	}
	for _, c := range []struct {
		size  int
		notes []string
	}{
		{1_000_000, nil},
		{300_000, []string{"timelines and events of older tasks are left out: "}},
		{100_000, []string{"timelines and events of older tasks are left out: ", "counted above, but not listed: "}},
	} {
		w := writing{PageOptions: PageOptions{Options: Options{Now: noon.Add(time.Hour)}}, journal: j, size: c.size}
		var out bytes.Buffer
		if _, err := w.write(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		if most := c.size + 60_000; out.Len() > most { // figures, style and script come on top
			t.Errorf("with %d bytes for the lists, the page has %d", c.size, out.Len())
		}
		inOrder(t, out.String(), append([]string{"Tasks <b>300</b>", "<b>task-299</b>", "msg_task-299_699"}, c.notes...)...)
		if c.notes == nil && strings.Contains(out.String(), "left out") {
			t.Error("something is left out without need")
		}
	}
}

func TestAnErrorOrAnEndStopsAReport(t *testing.T) {
	var out bytes.Buffer
	if _, err := Write(t.Context(), &out, broken{some()}, PageOptions{}); !errors.Is(err, errBroken) || out.Len() > 0 {
		t.Errorf("a broken journal gives %v and %d bytes", err, out.Len())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Write(ctx, &out, some(), PageOptions{}); !errors.Is(err, context.Canceled) || out.Len() > 0 {
		t.Errorf("an ended context gives %v and %d bytes", err, out.Len())
	}
}

var errBroken = errors.New("broken")

type broken struct{ memory }

func (broken) After(context.Context, int64, int) ([]model.Delivery, error) { return nil, errBroken }

func TestDurationsAreToldAsPeopleSayThem(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0.0 s", 0: "0.0 s", 4249 * time.Millisecond: "4.2 s", 9990 * time.Millisecond: "9.9 s", 10 * time.Second: "10 s",
		59*time.Second + 900*time.Millisecond: "59 s", time.Minute: "1 min", 65 * time.Second: "1 min 05 s", 30 * time.Minute: "30 min",
		2*time.Hour + 7*time.Minute: "2 h 07 min", 76 * time.Hour: "3 d 4 h", 48 * time.Hour: "2 d",
	} {
		if got := strings.ReplaceAll(Span(d), "\u00a0", " "); got != want {
			t.Errorf("%v is told as %q, want %q", d, got, want)
		}
	}
}

func TestAStateThatIsAddedToTheTableHasItsPlaceInAReport(t *testing.T) {
	old := model.States
	model.States = append(slices.Clone(old),
		model.StateInfo{State: "paused", Sign: "‖", Letter: "p", Order: 2, Role: model.RoleWaiting},
		model.StateInfo{State: "expired", Sign: "†", Letter: "e", Order: 3, Terminal: true, Role: model.RoleStopped})
	t.Cleanup(func() { model.States = old })
	var j memory
	j.keep(told("task.progress", "halted", 3500, "visual", "paused"))
	j.keep(told("task.progress", "over", 10, "proxy", "expired"))
	inOrder(t, page(t, j), "In progress <b>1</b>", "Completed <b>0</b>", "Cancelled <b>0</b>", "Expired <b>1</b>",
		`<b class="queued">‖ paused</b>`, `<i class="queued">‖ visual</i>`, "<h2>Expired", `<i class="cancelled">† proxy</i>`)
}

func TestAReportHasItsTitle(t *testing.T) {
	inOrder(t, page(t, some(), func(o *PageOptions) { o.Title = "Acme & sons" }), "<title>Acme &amp; sons</title>", "<h1>Acme &amp; sons</h1>")
}
