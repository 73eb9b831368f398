package model

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// at is a time of the day that all tests play on.
func at(clock string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05", "2026-11-23 "+clock)
	if err != nil {
		panic(err)
	}
	return t
}

// envelope is the body of an event about a task whose ids derive from task.
func envelope(typ, task, updated, features string) []byte {
	stamp := at(updated).Format(time.RFC3339)
	return fmt.Appendf(nil, `{"timestamp":%q,"user_id":"caller","event_id":%q,"event_type":%q,"data":{"task":{`+
		`"id":%q,"asset_id":%q,"features":{%s},"user_id":"user-1","created":"2026-11-23T11:00:00Z","updated":%q}}}`,
		stamp, "event-"+task, typ, task, "asset-"+task, features, stamp)
}

// told is features as JSON: "visual:queued proxy:na" becomes the map's inside.
func told(features string) string {
	var parts []string
	for _, f := range strings.Fields(features) {
		name, state, _ := strings.Cut(f, ":")
		parts = append(parts, fmt.Sprintf(`%q:{"state":%q}`, name, state))
	}
	return strings.Join(parts, ",")
}

// journal makes up deliveries as they would have arrived, and folds them.
type journal struct {
	deliveries []Delivery
}

// arrive keeps a message that tells of a task, and gives its number. features
// are as in told; updated is a time of the day, at which it also arrives.
func (j *journal) arrive(typ, task, updated, features string) int64 {
	return j.keep(Delivery{Received: at(updated), Body: envelope(typ, task, updated, told(features))})
}

// with keeps a message whose fields are changed from those of a plain one: a
// name with dots leads to the field, nil takes it away.
func (j *journal) with(changes map[string]any) int64 {
	var body map[string]any
	if err := json.Unmarshal(envelope("task.progress", "t", "12:00:00", told("visual:queued")), &body); err != nil {
		panic(err)
	}
	for path, value := range changes {
		at, names := body, strings.Split(path, ".")
		for _, name := range names[:len(names)-1] {
			at = at[name].(map[string]any)
		}
		if last := names[len(names)-1]; value == nil {
			delete(at, last)
		} else {
			at[last] = value
		}
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return j.keep(Delivery{Received: at("12:00:00"), Body: text})
}

// keep gives the delivery the next number and makes it a message of its own
// unless it is said to repeat one.
func (j *journal) keep(d Delivery) int64 {
	d.Seq = int64(len(j.deliveries) + 1)
	if d.Message == 0 {
		d.Message, d.Attempt, d.ID = d.Seq, 1, fmt.Sprint("msg_", d.Seq)
	}
	if d.Source == "" {
		d.Source = SourceWebhook
	}
	j.deliveries = append(j.deliveries, d)
	return d.Seq
}

func (j *journal) board() *Board { return fold(j.deliveries) }

func fold(deliveries []Delivery) *Board {
	b := NewBoard()
	for i := range deliveries {
		e := Decode(&deliveries[i])
		b.Fold(&e)
	}
	return b
}

// only is the board's one task.
func only(t *testing.T, b *Board) *Task {
	t.Helper()
	if b.Len() != 1 {
		t.Fatalf("the board has %d tasks, want 1", b.Len())
	}
	return b.At(0)
}

// line writes features as told reads them.
func line(features []Feature) string {
	var parts []string
	for _, f := range features {
		parts = append(parts, f.Name+":"+string(f.State))
	}
	return strings.Join(parts, " ")
}

// tell lets messages about a task arrive, each a letter of its type (progress, completed or
// failed), an instant and features.
func (j *journal) tell(messages ...string) {
	for _, m := range messages {
		f := strings.SplitN(m, " ", 3)
		j.arrive(map[string]string{"p": "task.progress", "c": "task.completed", "f": "task.failed"}[f[0]], "t", f[1], f[2])
	}
}
