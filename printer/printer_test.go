package printer

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/charmbracelet/x/exp/golden"

	"aspectop/model"
)

// stage is a run under way, in virtual time that begins at noon.
type stage struct {
	*testing.T
	journal *memory
	status  *model.StatusLog
	out     bytes.Buffer
	now     func() time.Time
	end     func()
}

// perform runs the printer, plays on it, and ends the run. It returns what was
// printed. What before keeps is history.
func perform(t *testing.T, o Options, before func(*memory), play func(*stage)) string {
	t.Helper()
	var printed string
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		s := &stage{T: t, journal: new(memory), status: model.NewStatusLog(1000),
			now: func() time.Time { return noon.Add(time.Since(began)) }}
		if before != nil {
			before(s.journal)
		}
		o.Out, o.Status, o.Now = &s.out, s.status, s.now
		o.URL = "http://127.0.0.1:8787/webhooks/aspect"
		ctx, cancel := context.WithCancel(t.Context())
		s.end = cancel
		done := make(chan error, 1)
		go func() { done <- run(ctx, o, s.journal) }()
		synctest.Wait()
		play(s)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		printed = s.out.String()
	})
	return printed
}

// at plays what happens so many seconds after noon, and never at the moment at
// which the printer looks.
func (s *stage) at(second int, act func()) {
	time.Sleep(noon.Add(time.Duration(second)*time.Second + newsTime/2).Sub(s.now()))
	act()
}

// reject refuses requests.
func (s *stage) reject(n int) {
	for range n {
		s.status.Add(model.Status{At: s.now(), Rejected: &model.Rejected{ID: "msg_x", Verdict: model.Verdict{
			Reason: model.NoMatch, Detail: "no secret matches (body altered, or another endpoint's secret)",
			Hint: "matches after trimming a trailing newline"}}})
	}
}

// script runs with a history of one event, then plays what a run can meet.
func script(t *testing.T, o Options) string {
	t.Helper()
	return perform(t, o, func(journal *memory) {
		journal.keep(delivery("msg_1", -60, envelope("task.progress", taskA, 0, "proxy", "queued", "visual", "queued")))
	}, func(s *stage) {
		s.at(1, func() {
			s.journal.keep(delivery("msg_2", 1, envelope("task.progress", taskA, 10, "proxy", "queued", "visual", "processing", "transcription", "queued")))
		})
		s.at(2, func() { s.journal.keep(repeat(2, "msg_2", 2, 2)) })
		s.at(3, func() {
			s.journal.keep(delivery("msg_3", 3, envelope("task.progress", taskA, 5, "proxy", "processing", "visual", "queued")))
		})
		s.at(4, func() { s.journal.keep(delivery("msg_4", 4, `{"success": true}`)) })
		s.at(5, func() {
			s.reject(1)
			s.status.Add(model.Status{At: s.now(), Notice: "answering 503: the disk is full"})
		})
		s.at(6, func() {
			s.journal.keep(delivery("msg_5", 6, envelope("task.completed", taskA, 72, "proxy", "completed", "visual", "completed")))
		})
		s.at(7, func() {
			failed := delivery("msg_6", 7, envelope("task.failed", taskB, 20, "proxy", "completed", "visual", "failed"))
			other := repeat(7, "msg_6", 2, 7)
			other.Differs, other.Body = true, []byte("{}")
			s.journal.keep(failed,
				delivery("msg_7", 7, "no JSON"),
				delivery("msg_8", 7, `{"event_type":"asset.created","event_id":"event-8"}`), other)
		})
		s.at(8, func() {
			snapshot := delivery("api:b:1", 8, `{"id":"`+taskB+`","features":{"proxy":{"state":"completed"},"visual":{"state":"queued"},"odd":{}},"updated":"2026-11-23T12:00:30Z"}`)
			snapshot.Source, snapshot.Secret = model.SourceAPI, ""
			paused := delivery("sse:9", 8, envelope("task.paused", taskB, 40, "proxy", "completed", "visual", "paused", "odd", ""))
			paused.Source, paused.Secret = model.SourceSSE, ""
			s.journal.keep(snapshot, paused)
		})
		s.at(9, func() {
			s.status.Add(model.Status{At: s.now(), Tunnel: &model.Tunnel{
				Kind: "cloudflared", State: model.TunnelConnected, PublicURL: "https://knoll.trycloudflare.com/webhooks/aspect", Detail: "1 of 1",
				Probe: &model.Probe{OK: true, RoundTrip: 84 * time.Millisecond},
			}})
			s.status.Add(model.Status{At: s.now(), Forward: &model.Forward{
				Seq: 2, To: "http://localhost:3000", Status: 204, Latency: 12 * time.Millisecond, Tries: 1, Final: true,
			}})
		})
		s.at(10, func() {
			s.status.Add(model.Status{At: s.now(), Tunnel: &model.Tunnel{
				Kind: "cloudflared", State: model.TunnelReconnecting, Detail: "the edge closed the connection", NextTry: s.now().Add(4 * time.Second),
			}})
			s.status.Add(model.Status{At: s.now(), Forward: &model.Forward{
				Seq: 3, To: "http://localhost:3000", Tries: 8, Final: true, GaveUp: true, Resigned: true,
				Error: "connection refused", Hint: "nothing listens on localhost:3000",
			}})
		})
		s.at(11, func() {
			s.status.Add(model.Status{At: s.now(), Viewer: &model.Viewer{Name: "ada@laptop", Address: "192.0.2.7", Since: s.now(), Watching: 1}})
			s.status.Add(model.Status{At: s.now(), Viewer: &model.Viewer{Name: "ada@laptop", Address: "192.0.2.7", Since: s.now(), Left: true}})
		})
	})
}

func TestSentencesOfAScript(t *testing.T) {
	golden.RequireEqual(t, script(t, Options{Format: Plain, Since: noon.Add(-48 * time.Hour)}))
}

func TestLinesOfAScript(t *testing.T) {
	golden.RequireEqual(t, script(t, Options{Format: JSON, Since: noon.Add(-48 * time.Hour)}))
}
