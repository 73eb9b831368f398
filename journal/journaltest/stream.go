package journaltest

import (
	"fmt"
	"maps"
	"testing"

	"aspectop/journal"
	"aspectop/model"
)

func several(t *testing.T, h Location) {
	commits := 0
	j := open(t, h, journal.Options{Committed: func([]model.Delivery) { commits++ }})
	batch := []*model.Delivery{delivery("a", "1"), delivery("b", "2"), delivery("a", "3"), delivery("c", "4")}
	if err := j.AppendAll(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range all(t, read(t, h)) {
		got = append(got, fmt.Sprint(d.Seq, d.ID, d.Message, d.Attempt, d.Differs))
	}
	if want := "[1a1 1 false 2b2 1 false 3a1 2 true 4c4 1 false]"; fmt.Sprint(got) != want || commits != 1 {
		t.Errorf("in %d commits kept %v, want %s", commits, got, want)
	}
	if d := batch[2]; d.Seq != 3 || d.Message != 1 || !d.Differs {
		t.Errorf("acknowledged %+v", d)
	}
}

// twins also finds the positions of streams, which are kept among the targets.
func twins(t *testing.T, h Location) {
	j := open(t, h, journal.Options{})
	stream := delivery("sse:e1", "{}")
	stream.Source = model.SourceSSE
	webhook := func(id string) *model.Delivery {
		d := delivery(id, "{}")
		d.Twin = "sse:e1"
		return d
	}
	appendTo(t, j, webhook("msg_0")) // before its twin it is a message
	if d := appendTo(t, j, stream); d.Message != 2 {
		t.Errorf("the event of the stream is %+v", d)
	}
	if d := appendTo(t, j, webhook("msg_1")); d.Message != 2 || d.Attempt != 2 || d.Differs {
		t.Errorf("the webhook is %+v", d)
	}
	if d := appendTo(t, j, webhook("msg_0")); d.Message != 1 || d.Attempt != 2 {
		t.Errorf("a repeat of the first webhook is %+v", d)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = open(t, h, journal.Options{})
	if d := appendTo(t, j, webhook("msg_1")); d.Message != 2 || d.Attempt != 3 {
		t.Errorf("after a restart the webhook is %+v", d)
	}

	for _, id := range []string{"41", "42", ""} {
		if err := journal.SaveStreamID(j, "url", id); err != nil {
			t.Fatal(err)
		}
		if ids, err := journal.StreamIDs(t.Context(), read(t, h)); err != nil || !maps.Equal(ids, map[string]string{"url": id}) {
			t.Errorf("the streams are at %v, %v", ids, err)
		}
	}
}
