package demo

import (
	"encoding/json"
	"regexp"
	"testing"
	"time"

	"aspectop/model"
)

var (
	uuidForm    = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	messageForm = regexp.MustCompile(`^msg_[0-9A-Za-z]{27}$`)
	stampForm   = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$`)
)

func TestABodyIsTheProvidersEnvelope(t *testing.T) {
	events := map[string]string{}
	for _, a := range play(t, Options{Seed: 9, Duration: 3 * time.Minute}) {
		if !messageForm.MatchString(a.id()) {
			t.Errorf("svix-id %q", a.id())
		}
		if a.event.Kind == model.Ping {
			if string(a.body) != `{"success": true}` {
				t.Errorf("the ping is %s", a.body)
			}
			continue
		}
		var e envelope
		if err := json.Unmarshal(a.body, &e); err != nil {
			t.Fatal(err)
		}
		task := e.Data.Task
		for _, id := range []string{e.UserID, e.EventID, task.ID, task.AssetID, task.UserID} {
			if !uuidForm.MatchString(id) {
				t.Errorf("%q is no UUID in %s", id, a.body)
			}
		}
		for _, s := range []string{e.Timestamp, task.Created, task.Updated} {
			if !stampForm.MatchString(s) {
				t.Errorf("%q is no stamp in %s", s, a.body)
			}
		}
		if task.Created > task.Updated || task.Updated > e.Timestamp || a.event.Timestamp.After(a.event.Received) {
			t.Errorf("the times are not in order: %s", a.body)
		}
		if a.ok { // compact, and the documented keys alone
			if compact, _ := json.Marshal(e); string(compact) != string(a.body) {
				t.Errorf("the body is %s, want %s", a.body, compact)
			}
			if other, ok := events[e.EventID]; ok && other != a.id() {
				t.Errorf("two messages have the event_id %s", e.EventID)
			}
			events[e.EventID] = a.id()
		}
	}
}

func TestATasksEndIsToldWhenItsFeaturesHaveEnded(t *testing.T) {
	for name, c := range map[string]struct {
		features map[string]model.State
		want     string
	}{
		"one under way":            {map[string]model.State{"proxy": "completed", "visual": "processing"}, typeProgress},
		"failed, one under way":    {map[string]model.State{"proxy": "failed", "visual": "queued"}, typeProgress},
		"all done":                 {map[string]model.State{"proxy": "na", "visual": "completed"}, typeCompleted},
		"one failed":               {map[string]model.State{"proxy": "failed", "visual": "completed"}, typeFailed},
		"one failed, one stopped":  {map[string]model.State{"proxy": "failed", "visual": "cancelled"}, typeFailed},
		"one stopped":              {map[string]model.State{"proxy": "completed", "visual": "cancelled"}, typeProgress},
		"internal ones do not say": {map[string]model.State{"proxy": "completed", "scene_detect": "failed"}, typeCompleted},
		"internal ones alone":      {map[string]model.State{"scene_detect": "completed"}, typeProgress},
		"unknown ones do":          {map[string]model.State{"proxy": "completed", "color_grade": "queued"}, typeProgress},
	} {
		if got := eventType(c.features); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestMessageIDsSortByTime(t *testing.T) {
	w := newWorld(1, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	last := ""
	for s := range 50 {
		id := messageID(w.rng, w.instant(time.Duration(s)*time.Hour))
		if !messageForm.MatchString(id) || id <= last {
			t.Errorf("%s comes after %s", id, last)
		}
		last = id
	}
}
