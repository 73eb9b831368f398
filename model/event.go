package model

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"strings"
	"time"
)

// Kind is what a delivery's body turned out to be.
type Kind uint8

const (
	// Unrecognised is a body that is no envelope.
	Unrecognised Kind = iota
	// Ping is the body {"success": true} that Svix sends as svix.ping.
	Ping
	// Other is an envelope without a task.
	Other
	// Progress tells a task's features: task.progress, an unknown type with a
	// task, or a snapshot from the API.
	Progress
	// Done is task.completed.
	Done
	// Failure is task.failed.
	Failure
	// Gone is the note that Aspect's API no longer knows a task: a snapshot of the
	// task as last known, with "gone": true and the time of the answer as timestamp.
	Gone
)

// Event is what a delivery says, decoded. The zero time stands for a time that
// was absent or could not be read.
type Event struct {
	Seq      int64
	Message  int64 // as in [Delivery]: another Seq if this repeats a message
	ID       string
	Source   Source
	Received time.Time

	Kind      Kind
	Type      string // event_type as it came; "ping" and "unrecognised" for those kinds
	EventID   string
	UserID    string
	Timestamp time.Time
	// Task is nil unless the body tells a task's features.
	Task *Snapshot

	sum uint64 // first eight bytes of the body's SHA-256, big endian
}

// StreamID is the id of a delivery from the event stream.
func StreamID(eventID string) string { return "sse:" + eventID }

var errFound = errors.New("found")

// TwinOf is the id under which the event stream may have brought a webhook's body, "" if
// it has no event_id.
func TwinOf(body []byte) string {
	id := ""
	readBody(body, func(r *reader, name []byte) error {
		if string(name) != "event_id" {
			return r.dec.SkipValue()
		}
		if err := r.text(&id); err != nil {
			return err
		}
		return errFound // the rest need not be read
	})
	if id == "" {
		return ""
	}
	return StreamID(id)
}

// Snapshot is one task as one message tells it (Aspect's TaskGetResponse).
type Snapshot struct {
	ID, AssetID, UserID string
	Created, Updated    time.Time
	// Features are sorted by [CompareFeatures]; no name stands twice. Equal
	// snapshots share them: do not change them.
	Features []Feature
}

// Decode reads the event out of a kept delivery. A body that is no envelope, such as
// that of a repeat, which is not kept again, is an event of kind [Ping] or
// [Unrecognised]. It may be called by any number of goroutines.
func Decode(d *Delivery) Event {
	e := Event{Seq: d.Seq, Message: d.Message, ID: ValidText(d.ID), Source: d.Source, Received: d.Received}
	sum := sha256.Sum256(d.Body)
	e.sum = binary.BigEndian.Uint64(sum[:])
	if d.Source != SourceAPI {
		e.fromEnvelope(d.Body)
	}
	if d.Source == SourceAPI || d.Source == SourceSSE && e.Kind == Unrecognised {
		e.fromTask(d.Body)
	}
	return e
}

// TypeSnapshot is the event type shown for a task read from Aspect's API, which
// gives none.
const TypeSnapshot = "snapshot"

// fromTask reads a task without an envelope: one of the API's, or of the event stream.
// The stream's must tell features: an id alone may be that of anything.
func (e *Event) fromTask(body []byte) {
	w, ok := readTask(body)
	if !ok || w.ID == "" || e.Source == SourceSSE && len(w.Features) == 0 {
		e.Kind, e.Type = Unrecognised, "unrecognised"
		return
	}
	e.Kind, e.Type, e.UserID, e.Task = Progress, TypeSnapshot, w.UserID, w.snapshot()
	if w.Gone && e.Source == SourceAPI {
		e.Kind, e.Type, e.Timestamp = Gone, TypeGone, ParseTime(w.Timestamp)
	}
}

func (e *Event) fromEnvelope(body []byte) {
	w, ok := readEnvelope(body)
	hasTask := w.Task.ID != ""
	if !ok || w.Type == "" && !hasTask {
		e.Kind, e.Type = Unrecognised, "unrecognised"
		if ok && w.Success && w.EventID == "" {
			e.Kind, e.Type = Ping, "ping"
		}
		return
	}
	e.Kind, e.Type, e.EventID, e.UserID = Other, w.Type, w.EventID, w.UserID
	e.Timestamp = ParseTime(w.Timestamp)
	if !hasTask {
		return
	}
	e.Task = w.Task.snapshot()
	switch e.Type {
	case "task.completed":
		e.Kind = Done
	case "task.failed":
		e.Kind = Failure
	default:
		e.Kind = Progress
	}
}

// state is the state that the event alone would give its task.
func (e *Event) state() State {
	switch e.Kind {
	case Done:
		return Completed
	case Failure:
		return Failed
	}
	return stateOf(e.Task.Features)
}

func (w *wireTask) snapshot() *Snapshot {
	return &Snapshot{
		ID: w.ID, AssetID: w.AssetID, UserID: w.UserID, Features: w.Features,
		Created: ParseTime(w.Created), Updated: ParseTime(w.Updated),
	}
}

// ParseTime reads the forms of ISO 8601 that Aspect has been seen to send: RFC
// 3339, also with a space for the T, with +0000 or +00 for +00:00, without seconds, with
// a leap second, and without a zone, which means UTC. Anything else is the zero time.
func ParseTime(s string) time.Time { return ParseTimeIn(s, time.UTC) }

// ParseTimeIn is ParseTime with another zone for times without one.
func ParseTimeIn(s string, zone *time.Location) time.Time {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.Time{}
	}
	if len(s) > 10 && s[10] == ' ' {
		s = s[:10] + "T" + s[11:]
	}
	leap := time.Duration(0)
	if len(s) > 18 && s[16:19] == ":60" { // which Go does not read
		s, leap = s[:16]+":59"+s[19:], time.Second
	}
	for _, layout := range [...]string{
		time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02T15:04:05Z07",
		"2006-01-02T15:04Z07:00", "2006-01-02T15:04Z0700", "2006-01-02T15:04", "2006-01-02T15:04Z07",
	} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t.Add(leap).UTC()
		}
	}
	return time.Time{}
}

// State is the state that the snapshot alone would give its task.
func (s *Snapshot) State() State { return stateOf(s.Features) }
