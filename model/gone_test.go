package model

import (
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
	if late, changes, ok := task.Arrival(2); late || len(changes) != 0 || !ok {
		t.Errorf("the note is late %v, changes %v, is there %v", late, changes, ok)
	}

	j.arrive("task.progress", "t", "11:59:00", "visual:queued") // sent before, but arrived after
	if task := only(t, j.board()); task.Gone() || task.State() != Processing {
		t.Errorf("after more news gone is %v, the state %s", task.Gone(), task.State())
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

func TestNewestTellsLateAndChangesInTheOrderOfArrival(t *testing.T) {
	board := NewBoard()
	for i, updated := range []string{"12:00:03", "12:00:01", "12:00:05", "12:00:04", "12:00:05"} {
		seq := int64(i + 1)
		features := `"visual":{"state":"queued"},"f` + updated + `":{"state":"na"}`
		e := Decode(&Delivery{Seq: seq, Message: seq, Body: envelope("task.progress", "a", updated, features)})
		var before []Feature
		if task := board.Task("a"); task != nil {
			before = task.Features()
		}
		task := board.Fold(&e)
		late, changes, _ := task.Arrival(seq)
		if got := task.Newest() != seq; got != late {
			t.Errorf("message %d: newest is %d, late is %v", seq, task.Newest(), late)
		}
		if got := Changes(before, task.Features()); len(got) != len(changes) {
			t.Errorf("message %d: changes %v, want %v", seq, got, changes)
		}
	}
}
