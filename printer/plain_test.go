package printer

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"aspectop/feed/feedtest"
	"aspectop/model"
)

// tell folds messages and returns the last one's sentence, without its time.
func tell(t *testing.T, bodies ...string) string {
	t.Helper()
	var deliveries []model.Delivery
	for i, body := range bodies {
		deliveries = append(deliveries, delivery(fmt.Sprint("msg_", i), 0, body))
	}
	sentences := strings.Split(strings.TrimSuffix(took(t, Options{}, deliveries...).buf.String(), "\n"), "\n")
	sentence, ok := strings.CutPrefix(sentences[len(sentences)-1], "12:00:00  ")
	if !ok {
		t.Errorf("no time of day: %q", sentence)
	}
	return sentence
}

// took is a printer that has rendered the deliveries.
func took(t testing.TB, o Options, deliveries ...model.Delivery) *printer {
	t.Helper()
	o.Feed, o.Now = feedtest.Folded(t, deliveries), func() time.Time { return noon }
	p := newPrinter(o)
	if _, err := p.read(t.Context(), math.MaxInt64); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestASentenceTellsWhatHappened(t *testing.T) {
	queued := envelope("task.progress", taskA, 1, "visual", "queued")
	for want, bodies := range map[string][]string{
		"task 2e1c7e42: no change":                                                 {queued, envelope("task.progress", taskA, 2, "visual", "queued")},
		"task 2e1c7e42: completed after 1 h 02 min":                                {queued, envelope("task.progress", taskA, 2, "visual", "completed"), envelope("task.completed", taskA, 3723, "visual", "completed")},
		"task 2e1c7e42: failed":                                                    {queued, envelope("task.failed", taskA, 2, "visual", "queued")},
		"task 2e1c7e42: failed: visual":                                            {queued, envelope("task.failed", taskA, 2, "visual", "failed")},
		"new task 2e1c7e42 of asset 9f3c5d11: failed: visual":                      {envelope("task.failed", taskA, 2, "visual", "failed")},
		"task 2e1c7e42: cancelled after 2.0 s; visual from queued to cancelled":    {queued, envelope("task.progress", taskA, 2, "visual", "cancelled")},
		"new task short: completed; visual completed":                              {`{"event_type":"task.completed","data":{"task":{"id":"short","features":{"visual":"completed"},"updated":"2026-11-23T12:00:00Z"}}}`},
		"new task " + strings.Repeat("é", 64) + "… of asset 9f3c5d11: no features": {envelope("task.progress", strings.Repeat("é", 99), 1)},
	} {
		if got := tell(t, bodies...); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestASentenceTellsWhatOfADeliveryIsDamaged(t *testing.T) {
	d := delivery("msg_1", 0, `{"success": true}`)
	d.Damage = "its time of arrival is lost"
	p := took(t, Options{}, d)
	if want := "ping: damaged: its time of arrival is lost; test message; the signature is valid\n"; !strings.HasSuffix(p.buf.String(), want) {
		t.Error(p.buf.String())
	}
}

func TestALongListIsCut(t *testing.T) {
	var features []string
	for i := range 20 {
		features = append(features, fmt.Sprintf("f%02d", i), "queued")
	}
	if got := tell(t, envelope("task.progress", taskA, 1, features...)); !strings.HasSuffix(got, "f11 queued and 8 more") {
		t.Error(got)
	}
}

func TestTimesAreOfTheClocksZoneWithTheDateOnOtherDays(t *testing.T) {
	zone := time.FixedZone("", 13*3600) // where noon is 01:00 of the next day
	var out bytes.Buffer
	s := &sentences{&out, func() time.Time { return noon.In(zone) }, false, nil}
	s.notice(noon, "today")
	s.notice(noon.Add(-2*time.Hour), "yesterday")
	s.notice(noon.AddDate(-1, 0, 0), "a year ago")
	if got, want := out.String(), "01:00:00  today\n2026-11-23 23:00:00  yesterday\n2025-11-24 01:00:00  a year ago\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestAHintIsSaidOncePerChangeAndHandler(t *testing.T) {
	var out bytes.Buffer
	s := &sentences{&out, func() time.Time { return noon }, false, map[string]string{}}
	for _, f := range []struct{ to, hint string }{
		{"http://a", "raw?"}, {"http://a", "raw?"}, {"http://b", "raw?"}, {"http://a", ""}, {"http://a", "raw?"}, {"http://a", "spaces!"}, {"http://b", "raw?"}, {"http://a", "raw?"},
	} {
		s.forward(noon, &model.Forward{Seq: 1, To: f.to, Status: 400, Tries: 1, Final: true, Error: "answered 400 Bad Request", Hint: f.hint, Answer: "No\x1b[2J matching signature"})
	}
	const answered = "12:00:00  forwarded #1 to http://%s: answered 400 Bad Request in 0 ms (No[2J matching signature)%s\n"
	want := ""
	for _, f := range [][2]string{{"a", "; raw?"}, {"a", ""}, {"b", "; raw?"}, {"a", ""}, {"a", ""}, {"a", "; spaces!"}, {"b", ""}, {"a", "; raw?"}} {
		want += fmt.Sprintf(answered, f[0], f[1])
	}
	if got := out.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestTheReadySentenceTellsWhatThereIs(t *testing.T) {
	for want, r := range map[string]Ready{
		"following; journal /j": {Journal: "/j", Tunnel: "off"},
		"ready; public URL https://y; tunnel url; probe failed: DNS: none":      {URL: "http://x", PublicURL: "https://y", Tunnel: "url", Probe: "failed: DNS: none"},
		"ready; public URL http://localhost; tunnel url; probe ok; Svix cannot": {URL: "http://x", PublicURL: "http://localhost", Tunnel: "url", Probe: "ok", Doubt: "Svix cannot"},
		"ready; reachable at https://y; tunnel cloudflared; probe ok; journal /j": {
			URL: "http://x", PublicURL: "https://y", Tunnel: "cloudflared", Probe: "ok", Journal: "/j"},
	} {
		var out bytes.Buffer
		s := &sentences{&out, func() time.Time { return noon }, false, nil}
		s.ready(noon, r)
		if got := out.String(); got != "12:00:00  "+want+"\n" {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestInAFileEverySentenceHasADate(t *testing.T) {
	for _, c := range []struct {
		dates bool
		at    time.Time
		want  string
	}{
		{true, noon, "2026-11-23 12:00:00  receiving on x\n"},
		{true, noon.AddDate(0, 0, -2), "2026-11-21 12:00:00  receiving on x\n"},
		{false, noon, "12:00:00  receiving on x\n"},
		{false, noon.AddDate(0, 0, -2), "2026-11-21 12:00:00  receiving on x\n"},
	} {
		p := newPrinter(Options{Dates: c.dates, Now: func() time.Time { return noon }})
		p.lines.receiving(c.at, "x")
		if got := p.buf.String(); got != c.want {
			t.Errorf("dates %t: %q, want %q", c.dates, got, c.want)
		}
	}
}
