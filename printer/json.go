package printer

import (
	"bytes"
	"encoding/json"
	"time"

	"aspectop/model"
)

// schema is the number in the ready line. It changes only if a key goes or
// gets another meaning.
const schema = 1

// jsonLines writes NDJSON. The structs below are the lines of docs/json.md, key
// by key and in that order; a nil pointer is null.
type jsonLines struct{ enc *json.Encoder }

func newJSONLines(out *bytes.Buffer) *jsonLines {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	return &jsonLines{enc}
}

// head starts every line.
type head struct {
	Type string  `json:"type"`
	Time instant `json:"time"`
}

// instant is a time in UTC with microseconds, as precise as the journal's.
type instant time.Time

func (t instant) MarshalJSON() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, `"2006-01-02T15:04:05.000000Z"`), nil
}

type readyLine struct {
	head
	Schema    int     `json:"schema"`
	URL       *string `json:"url"`
	PublicURL *string `json:"public_url"`
	Tunnel    string  `json:"tunnel"`
	Probe     *string `json:"probe"`
	Journal   *string `json:"journal"`
	PID       int     `json:"pid"`
}

type eventLine struct {
	head
	Seq       int64        `json:"seq"`
	ID        string       `json:"id"`
	Attempt   int          `json:"attempt"`
	Source    model.Source `json:"source"`
	Secret    *string      `json:"secret"`
	EventType *string      `json:"event_type"`
	EventID   *string      `json:"event_id"`
	TaskID    *string      `json:"task_id"`
	AssetID   *string      `json:"asset_id"`
	Late      bool         `json:"late"`
	Changes   []changeJSON `json:"changes"`
	Task      *taskJSON    `json:"task"`
}

type changeJSON struct {
	Feature string       `json:"feature"`
	From    *model.State `json:"from"`
	To      *model.State `json:"to"`
}

type taskJSON struct {
	State    model.State  `json:"state"`
	Features featuresJSON `json:"features"`
	Created  *instant     `json:"created"`
	Updated  *instant     `json:"updated"`
}

type duplicateLine struct {
	head
	Seq     int64  `json:"seq"`
	ID      string `json:"id"`
	Attempt int    `json:"attempt"`
	Differs bool   `json:"differs"`
}

type rejectedLine struct {
	head
	ID     *string      `json:"id"`
	Reason model.Reason `json:"reason"`
	Detail string       `json:"detail"`
}

type skippedLine struct {
	head
	Count int64 `json:"count"`
}

type endLine struct {
	head
	Verified  int64 `json:"verified"`
	Rejected  int64 `json:"rejected"`
	Duplicate int64 `json:"duplicate"`
	Late      int64 `json:"late"`
}

// featuresJSON is an object of names and states, in the order for people.
type featuresJSON []model.Feature

func (f featuresJSON) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, feature := range f {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSON(b, feature.Name)
		b = append(b, ':')
		b = appendJSON(b, orNull(feature.State))
	}
	return append(b, '}'), nil
}

// appendJSON appends a text or null; they always encode.
func appendJSON(b []byte, v any) []byte {
	text, _ := json.Marshal(v)
	return append(b, text...)
}

// orNull makes null of an empty text.
func orNull[S ~string](s S) *S {
	if s == "" {
		return nil
	}
	return &s
}

func timeOrNull(t time.Time) *instant {
	if t.IsZero() {
		return nil
	}
	return (*instant)(&t)
}

// line encodes one line; none of them can fail.
func (j *jsonLines) line(v any) { j.enc.Encode(v) }

func (j *jsonLines) ready(at time.Time, r Ready) {
	if r.Tunnel == "" {
		r.Tunnel = "off"
	}
	j.line(&readyLine{
		head{"ready", instant(at)}, schema, orNull(r.URL), orNull(r.PublicURL),
		r.Tunnel, orNull(r.Probe), orNull(r.Journal), r.PID,
	})
}

func (j *jsonLines) event(a *arrival) {
	l := eventLine{
		head: head{"event", instant(a.Received)},
		Seq:  a.Seq, ID: a.ID, Attempt: a.delivery.Attempt, Source: a.Source, Secret: orNull(a.delivery.Secret),
		EventType: orNull(a.Type), EventID: orNull(a.EventID),
		Late: a.late, Changes: make([]changeJSON, len(a.changes)),
	}
	for i, c := range a.changes {
		l.Changes[i] = changeJSON{c.Feature, orNull(c.From), orNull(c.To)}
	}
	if t := a.task; t != nil {
		l.TaskID, l.AssetID = orNull(a.Task.ID), orNull(a.Task.AssetID)
		l.Task = &taskJSON{t.State(), featuresJSON(t.Features()), timeOrNull(t.Created()), timeOrNull(t.Updated())}
	}
	j.line(&l)
}

func (j *jsonLines) duplicate(a *arrival) {
	j.line(&duplicateLine{head{"duplicate", instant(a.Received)}, a.Message, a.ID, a.delivery.Attempt, a.delivery.Differs})
}

func (j *jsonLines) rejected(at time.Time, r *model.Rejected) {
	j.line(&rejectedLine{head{"rejected", instant(at)}, orNull(r.ID), r.Verdict.Reason, r.Verdict.String()})
}

func (j *jsonLines) skipped(at time.Time, count int64) {
	j.line(&skippedLine{head{"rejected_skipped", instant(at)}, count})
}

func (j *jsonLines) notice(time.Time, string) {} // JSON has no line for it

func (j *jsonLines) end(at time.Time, t tally) {
	j.line(&endLine{head{"end", instant(at)}, t.verified, t.rejected, t.duplicate, t.late})
}
