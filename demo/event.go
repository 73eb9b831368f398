package demo

import (
	"encoding/json"
	"time"

	"aspectop/model"
)

// envelope is the body of an event, in the order of the provider's page.
type envelope struct {
	Timestamp string `json:"timestamp"`
	UserID    string `json:"user_id"`
	EventID   string `json:"event_id"`
	EventType string `json:"event_type"`
	Data      struct {
		Task *wireTask `json:"task,omitempty"`
	} `json:"data"`
}

type wireTask struct {
	ID       string                 `json:"id"`
	AssetID  string                 `json:"asset_id"`
	Features map[string]wireFeature `json:"features"`
	UserID   string                 `json:"user_id"`
	Created  string                 `json:"created"`
	Updated  string                 `json:"updated"`
}

type wireFeature struct {
	State model.State `json:"state"`
}

// pingBody is what Svix sends as svix.ping.
var pingBody = []byte(`{"success": true}`)

const (
	typeProgress  = "task.progress"
	typeCompleted = "task.completed"
	typeFailed    = "task.failed"
)

// eventType is the event type for these features: a final one if every visible feature
// has ended and none was cancelled (Aspect sends no final event for those).
func eventType(features map[string]model.State) string {
	failed, cancelled, seen := false, false, false
	for name, s := range features {
		switch {
		case model.Internal(name):
			continue
		case !s.Terminal():
			return typeProgress
		}
		seen = true
		failed = failed || s == model.Failed
		cancelled = cancelled || s == model.Cancelled
	}
	switch {
	case failed:
		return typeFailed
	case cancelled, !seen:
		return typeProgress
	}
	return typeCompleted
}

// body is the event about the task at the instant updated.
func (w *world) body(t *task, kind string, features map[string]model.State, updated time.Duration) []byte {
	e := envelope{
		// The envelope is created a few milliseconds after the change.
		Timestamp: w.stamp(updated + time.Duration(1000+w.rng.IntN(7000))*time.Microsecond),
		UserID:    w.user,
		EventID:   uuid(w.rng),
		EventType: kind,
	}
	e.Data.Task = &wireTask{
		ID: t.id, AssetID: t.asset, UserID: w.user,
		Features: make(map[string]wireFeature, len(features)),
		Created:  w.stamp(t.created), Updated: w.stamp(updated),
	}
	for name, s := range features {
		e.Data.Task.Features[name] = wireFeature{s}
	}
	b, err := json.Marshal(e)
	if err != nil {
		panic(err) // strings and maps of strings always encode
	}
	return b
}

// stamp is an instant of the demo in Aspect's format.
func (w *world) stamp(at time.Duration) string {
	return w.instant(at).Format("2006-01-02T15:04:05.000000Z07:00")
}
