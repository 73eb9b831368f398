package printer

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"aspectop/model"
)

// script runs with a history of one event, then plays what a run can meet, a
// second apart, and returns what was printed.
func script(t *testing.T, o Options) string {
	t.Helper()
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		o.Now = func() time.Time { return noon.Add(time.Since(began)) }
		journal, status := &memory{}, model.NewStatusLog(10)
		o.Out, o.Journal, o.Status = &out, journal, status
		o.Ready.Journal, o.Ready.PID = "/home/me/journal.db", 4711
		o.Ready.URL = "http://127.0.0.1:8787/webhooks/aspect"
		journal.keep(delivery("msg_1", -60, envelope("task.progress", taskA, 0, "proxy", "queued", "visual", "queued")))

		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- Run(ctx, o) }()
		for i, act := range []func(){
			func() {
				journal.keep(delivery("msg_2", 1, envelope("task.progress", taskA, 10, "proxy", "queued", "visual", "processing", "transcription", "queued")))
			},
			func() { journal.keep(repeat(2, "msg_2", 2, 2)) },
			func() {
				journal.keep(delivery("msg_3", 3, envelope("task.progress", taskA, 5, "proxy", "processing", "visual", "queued")))
			},
			func() { journal.keep(delivery("msg_4", 4, `{"success": true}`)) },
			func() {
				status.Add(model.Status{At: o.Now(), Rejected: &model.Rejected{ID: "msg_x", Verdict: model.Verdict{
					Reason: model.NoMatch, Detail: "no secret matches (body altered, or another endpoint's secret)",
					Hint: "matches after trimming a trailing newline"}}})
				status.Add(model.Status{At: o.Now(), Notice: "answering 503: the disk is full"})
			},
			func() {
				journal.keep(delivery("msg_5", 6, envelope("task.completed", taskA, 72, "proxy", "completed", "visual", "completed")))
			},
			func() {
				journal.keep(delivery("msg_6", 7, envelope("task.failed", taskB, 20, "proxy", "completed", "visual", "failed")),
					delivery("msg_7", 7, "no JSON"),
					delivery("msg_8", 7, `{"event_type":"asset.created","event_id":"event-8"}`))
			},
		} {
			time.Sleep(noon.Add(time.Duration(i+1) * time.Second).Sub(o.Now()))
			act()
		}
		time.Sleep(time.Second)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return out.String()
}

func TestSmoke(t *testing.T) {
	t.Log("\n" + script(t, Options{Format: Plain}))
	t.Log("\n" + script(t, Options{Format: JSON}))
	t.Log("\n" + script(t, Options{Format: JSON, Since: noon.Add(-time.Hour)}))
}
