package model

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestATaskThatTheAPINoLongerKnowsIsGoneAndKeepsItsState(t *testing.T) {
	var j journal
	j.arrive("task.progress", "t", "12:00:00", "visual:processing")
	j.keep(Delivery{Source: SourceAPI, Received: at("12:05:00"), Body: []byte(
		`{"id":"t","features":{"visual":{"state":"processing"}},"updated":"2026-11-23T12:00:00Z","gone":true,"timestamp":"2026-11-23T12:05:00Z"}`)})
	b := j.board()
	task := only(t, b)
	if !task.Gone() || task.State() != Processing || len(task.Timeline("visual")) != 1 {
		t.Errorf("gone %v, %s, timeline %s", task.Gone(), task.State(), path(task.Timeline("visual")))
	}
	if e, ok := task.Effect(2); e.Late || len(e.Changes) != 0 || !ok {
		t.Errorf("the note did %+v, is there %v", e, ok)
	}

	j.arrive("task.progress", "t", "11:59:00", "visual:queued") // sent before, but arrived after
	if task := only(t, j.board()); task.Gone() || task.State() != Processing {
		t.Errorf("after more news gone is %v, the state %s", task.Gone(), task.State())
	}
}

// That the API no longer knows a task is no news of it, and nothing more is expected: it has
// not stalled, in whatever order the messages are folded.
func TestATaskThatIsGoneIsSilentButNotStalled(t *testing.T) {
	var j journal
	j.arrive("task.progress", "t", "12:00:00", "visual:processing")
	gone := Delivery{Source: SourceAPI, Received: at("12:15:00"), Body: []byte(
		`{"id":"t","features":{"visual":{"state":"processing"}},"updated":"2026-11-23T12:00:00Z","gone":true,"timestamp":"2026-11-23T12:15:00Z"}`)}
	j.keep(gone)
	backwards := journal{slices.Clone(j.deliveries)}
	slices.Reverse(backwards.deliveries)
	for name, b := range map[string]*Board{"forwards": j.board(), "backwards": backwards.board()} {
		task := only(t, b)
		if _, stalled := b.Stalled(task, at("12:22:00")); stalled || !task.Heard().Equal(at("12:15:00")) || !task.News().Equal(at("12:00:00")) {
			t.Errorf("%s: stalled %v; heard %v, news %v", name, stalled, task.Heard(), task.News())
		}
		if was := task.AsOf(1, at("12:00:00")); !was.News().Equal(at("12:00:00")) {
			t.Errorf("%s: before the note the news was of %v", name, was.News())
		}
	}
	j.keep(Delivery{Source: SourceAPI, Received: at("12:30:00"), Body: []byte(`{"id":"t","features":{"visual":{"state":"queued"}},"updated":"2026-11-23T12:00:00Z"}`)})
	b := j.board()
	if task := only(t, b); !task.News().Equal(at("12:30:00")) { // another snapshot is news
		t.Errorf("news of %v", task.News())
	} else if since, stalled := b.Stalled(task, at("12:52:00")); !stalled || !since.Equal(at("12:30:00")) {
		t.Errorf("back again, it is stalled: %v, since %v", stalled, since)
	}
	var alone journal
	alone.keep(gone)
	if task := only(t, alone.board()); !task.News().Equal(at("12:15:00")) {
		t.Errorf("of a task without messages the news is of %v", task.News())
	}
}

func TestOnlyTheAPISaysThatATaskIsGone(t *testing.T) {
	body := `{"id":"t","features":{"visual":{"state":"queued"}},"gone":%}`
	for _, c := range []struct {
		source Source
		gone   string
		kind   Kind
		typ    string
	}{
		{SourceAPI, `true`, Gone, TypeGone},
		{SourceAPI, `false`, Progress, TypeSnapshot},
		{SourceAPI, `"true"`, Progress, TypeSnapshot},
		{SourceAPI, `true,"ID":"x"`, Gone, TypeGone},
		{SourceSSE, `true`, Progress, TypeSnapshot},
		{SourceWebhook, `true`, Unrecognised, "unrecognised"},
	} {
		text := strings.Replace(body, "%", c.gone, 1)
		if e := Decode(&Delivery{Source: c.source, Body: []byte(text)}); e.Kind != c.kind || e.Type != c.typ {
			t.Errorf("%s from %s is of kind %d, %q; want %d, %q", text, c.source, e.Kind, e.Type, c.kind, c.typ)
		}
	}
}

func TestTheEventStreamMayTellABareTask(t *testing.T) {
	for body, want := range map[string]Kind{
		`{"id":"t","features":{"visual":{"state":"queued"}}}`:        Progress,
		`{"event_type":"task.completed","data":{"task":{"id":"t"}}}`: Done,
		`{"id":"t"}`:                 Unrecognised,
		`{"id":"t","features":{}}`:   Unrecognised,
		`{"features":{"visual":{}}}`: Unrecognised,
		`{"success":true}`:           Ping,
		`12:00`:                      Unrecognised,
	} {
		if e := Decode(&Delivery{Source: SourceSSE, Body: []byte(body)}); e.Kind != want || (e.Task != nil) != (want == Progress || want == Done) {
			t.Errorf("%s is of kind %d with task %v, want kind %d", body, e.Kind, e.Task, want)
		}
	}
}

// The board knows what each message did, whatever came since: the same as a board
// that was asked when the message had just come.
func TestAnEffectIsTheSameThenAndLater(t *testing.T) {
	all := NewBoard()
	var then []Effect
	ends := []string{"task.progress", "task.completed", "task.progress", "task.progress", "task.failed", "task.progress"}
	for i, updated := range []string{"12:00:03", "12:00:01", "12:00:05", "12:00:04", "12:00:05", "12:00:06"} {
		seq := int64(i + 1)
		features := `"visual":{"state":"queued"},"f` + updated + `":{"state":"na"}`
		e := Decode(&Delivery{Seq: seq, Message: seq, Body: envelope(ends[i], "a", updated, features)})
		var before []Feature
		var state State
		if task := all.Task("a"); task != nil {
			before, state = task.Features(), task.State()
		}
		task := all.Fold(&e)
		effect, _ := task.Effect(seq)
		if effect.Late != (task.marks[task.newest].seq != seq) {
			t.Errorf("message %d: newest is %d, late is %v", seq, task.marks[task.newest].seq, effect.Late)
		}
		if effect.Before != state || effect.After != task.State() || !slices.Equal(effect.Features, task.Features()) || !effect.Updated.Equal(task.Updated()) {
			t.Errorf("message %d did %+v: from %q to %q, %v", seq, effect, state, task.State(), task.Features())
		}
		if want := diff(&shape{features: before}, &shape{features: task.Features()}); len(want) != len(effect.Changes) {
			t.Errorf("message %d: changes %v, want %v", seq, effect.Changes, want)
		}
		then = append(then, effect)
	}
	for i, want := range then {
		if got, _ := all.Task("a").Effect(int64(i + 1)); !reflect.DeepEqual(got, want) {
			t.Errorf("message %d: %+v later, %+v then", i+1, got, want)
		}
	}
}
