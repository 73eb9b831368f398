package model

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestTheProvidersExampleIsATask(t *testing.T) {
	body, err := os.ReadFile("testdata/webhook-example.json")
	if err != nil {
		t.Fatal(err)
	}
	var j journal
	j.keep(Delivery{Body: body, Received: at("12:00:00")})
	task := only(t, j.board())
	if got, want := line(task.Features()), "proxy:na preview:completed visual:queued transcription:processing"; got != want {
		t.Errorf("features are %q, want %q", got, want)
	}
	if task.State() != Processing {
		t.Errorf("the task is %s, want processing", task.State())
	}
	if done, total := task.Progress(); done != 2 || total != 4 {
		t.Errorf("progress is %d of %d, want 2 of 4", done, total)
	}
	if task.ID() != "2e1c7e42-4f8d-4e10-8d7a-0a6c0d3b1234" || task.AssetID() != "c4b6b5f1-6a2d-4d75-9a90-1f6f4a0a2222" ||
		task.UserID() != "3f5d7e38-8c7c-4a22-9a7d-5702a8c3a111" {
		t.Errorf("ids are %s, %s, %s", task.ID(), task.AssetID(), task.UserID())
	}
	if got := task.Updated().Sub(task.Created()); got != 5*time.Minute {
		t.Errorf("%v between created and updated, want 5m", got)
	}
}

// Each step is an event that arrives a minute after the one before: p, c and f
// stand for progress, completed and failed.
func TestATasksOwnState(t *testing.T) {
	for _, c := range []struct {
		name  string
		steps []string
		want  State
	}{
		{"without features it is queued", []string{"p"}, Queued},
		{"with internal features alone it is queued", []string{"p scene_detect:failed"}, Queued},
		{"queued features", []string{"p visual:queued proxy:na"}, Queued},
		{"one that is processed outweighs those that wait", []string{"p visual:queued proxy:processing"}, Processing},
		{"an unknown state counts as processing", []string{"p visual:paused proxy:queued"}, Processing},
		{"one that failed outweighs all", []string{"p visual:failed proxy:processing"}, Failed},
		{"a cancelled one counts when nothing is left to do", []string{"p visual:cancelled proxy:completed"}, Cancelled},
		{"a cancelled one waits for the queued", []string{"p visual:cancelled proxy:queued"}, Queued},
		{"na everywhere is completed", []string{"p proxy:na preview:na visual:na transcription:na"}, Completed},
		{"an internal feature that fails does not count", []string{"p visual:completed scene_detect:failed"}, Completed},
		{"the event's word outweighs the features", []string{"c visual:processing"}, Completed},
		{"a failure without a failed feature is one", []string{"f visual:completed"}, Failed},
		{"completed, then failed", []string{"c visual:completed", "f visual:failed"}, Failed},
		{"completed, failed, then a retry", []string{"c visual:completed", "f visual:failed", "p visual:processing"}, Processing},
		{"failed, then a retry that succeeds", []string{"f visual:failed", "p visual:processing", "p visual:completed"}, Completed},
		{"internal features go on after completion", []string{"c visual:completed audio_proxy:completed", "p visual:completed audio_proxy:processing"}, Completed},
		{"another feature starts after completion", []string{"c visual:completed", "p visual:completed embedding:queued"}, Completed},
		{"a feature starts again after completion", []string{"c visual:completed proxy:na", "p visual:queued proxy:na"}, Queued},
		{"a feature is in an unknown state after completion", []string{"c visual:completed", "p visual:paused"}, Processing},
		{"a feature fails after completion", []string{"c visual:completed", "p visual:failed"}, Failed},
		{"a feature is cancelled after completion", []string{"c visual:completed", "p visual:cancelled"}, Completed},
		{"a feature is gone after completion", []string{"c visual:completed", "p proxy:queued"}, Completed},
		{"a feature that had not ended goes on after completion", []string{"c visual:processing", "p visual:failed"}, Completed},
	} {
		var j journal
		for i, step := range c.steps {
			typ, features, _ := strings.Cut(step, " ")
			j.tell(typ + " " + at("12:00:00").Add(time.Duration(i)*time.Minute).Format(time.TimeOnly) + " " + features)
		}
		if got := only(t, j.board()).State(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// Each case is two messages that tie in all that stands before one component of
// the key; the second of them is the greater.
func TestTiesAreBrokenByTheNextComponentOfTheKey(t *testing.T) {
	type change = map[string]any
	const features = "data.task.features"
	mark := func(asset string, more change) change {
		c := change{"data.task.asset_id": asset}
		for k, v := range more {
			c[k] = v
		}
		return c
	}
	state := func(s string) change { return change{"visual": change{"state": s}} }
	for _, c := range []struct {
		component       string
		lesser, greater change
	}{
		{"updated", change{"data.task.updated": "2026-11-23T12:00:00Z", "timestamp": "2026-11-23T13:00:00Z"}, change{"data.task.updated": "2026-11-23T12:00:00.000000001Z"}},
		{"updated, absent in one", change{"data.task.updated": nil, "timestamp": "2026-11-23T13:00:00Z"}, change{"data.task.updated": "1999-01-01T00:00:00Z"}},
		{"updated, before the year 1970", change{"data.task.updated": "1800-01-01T00:00:00Z"}, change{"data.task.updated": "1969-12-31T23:59:59Z"}},
		{"timestamp", change{"event_type": "task.failed"}, change{"timestamp": "2026-11-23T12:00:01Z"}},
		{"timestamp, in another zone", change{"timestamp": "2026-11-23T14:00:00+02:00", features: state("failed")}, change{"timestamp": "2026-11-23T07:00:00.5-05:00"}},
		{"rank", change{features: state("completed")}, change{"event_type": "task.completed", features: state("queued")}},
		{"rank, of an unknown type", change{"event_type": "task.zzz", features: state("completed")}, change{"event_type": "task.failed"}},
		{"number of terminal features", change{"event_id": "zz"}, change{features: state("na")}},
		{"number of terminal features, internal ones too", change{"event_id": "zz", features: state("failed")}, change{features: change{"visual": change{"state": "failed"}, "scene_detect": change{"state": "na"}}}},
		{"event_id", change{"event_id": "a"}, change{"event_id": "b"}},
		{"event_id, absent in one", change{"event_id": nil}, change{"event_id": "0"}},
		{"event_id, of UUIDs", change{"event_id": "8b7a2e8f-3a1c-4ff9-9f5e-4b8e0a9ee000"}, change{"event_id": "8b7a2e8f-3a1c-4ff9-9f5e-4b8e0a9ee00a"}},
		{"event_id, in another spelling", change{"event_id": "8B7a2e8f-3a1c-4ff9-9f5e-4b8e0a9ee00a"}, change{"event_id": "8b7a2e8f-3a1c-4ff9-9f5e-4b8e0a9ee000"}},
	} {
		for _, flipped := range []bool{false, true} {
			var j journal
			both := []change{mark("lesser", c.lesser), mark("greater", c.greater)}
			if flipped {
				slices.Reverse(both)
			}
			for _, m := range both {
				j.with(m)
			}
			if task := only(t, j.board()); task.AssetID() != "greater" {
				t.Errorf("%s (flipped: %v): the %s message is the newest", c.component, flipped, task.AssetID())
			}
		}
	}
}

func TestASnapshotFromTheAPIGivesWayToAnEventOfTheSameInstant(t *testing.T) {
	var j journal
	j.keep(Delivery{Source: SourceAPI, Received: at("12:00:00"), Body: []byte(`{"id":"t","updated":"2026-11-23T12:00:00Z","features":{"visual":{"state":"completed"},"proxy":{"state":"na"}}}`)})
	j.with(map[string]any{"timestamp": nil})
	if got := line(only(t, j.board()).Features()); got != "visual:queued" {
		t.Errorf("features are %q, want those of the event", got)
	}
	j.keep(Delivery{Source: SourceAPI, Received: at("12:00:00"), Body: []byte(`{"id":"t","updated":"2026-11-23T12:00:01Z","features":{"visual":{"state":"completed"}}}`)})
	if got := line(only(t, j.board()).Features()); got != "visual:completed" {
		t.Errorf("features are %q, want those of the later snapshot", got)
	}
}

func TestTheBodysHashBreaksTheLastTie(t *testing.T) {
	body := envelope("task.progress", "t", "12:00:00", told("visual:queued"))
	other := envelope("task.progress", "t", "12:00:00", told("visual:processing"))
	first, second := fold([]Delivery{{Seq: 1, Message: 1, Body: body}, {Seq: 2, Message: 2, Body: other}}),
		fold([]Delivery{{Seq: 1, Message: 1, Body: other}, {Seq: 2, Message: 2, Body: body}})
	if got, want := line(only(t, first).Features()), line(only(t, second).Features()); got != want {
		t.Errorf("the newest message tells %q or %q, as they arrive", got, want)
	}
}

func TestARepeatWithAnotherBodyChangesNothing(t *testing.T) {
	var j journal
	j.arrive("task.progress", "t", "12:00:00", "visual:queued")
	want := view(j.board())
	j.keep(Delivery{Message: 1, ID: "msg_1", Attempt: 2, Differs: true, Body: envelope("task.failed", "t", "13:00:00", told("visual:failed"))})
	j.keep(Delivery{Message: 1, ID: "msg_1", Attempt: 3})
	if got := view(j.board()); got != want {
		t.Errorf("the board shows\n%s\nbefore the repeat\n%s", got, want)
	}
}

func TestWhatTellsOfNoTaskChangesNone(t *testing.T) {
	b := NewBoard()
	for i, body := range []string{`{"success":true}`, `nonsense`, ``, `{"event_type":"asset.created","data":{}}`, `{"event_type":"task.progress","data":{"task":{"id":""}}}`} {
		e := Decode(&Delivery{Seq: int64(i + 1), Message: int64(i + 1), Body: []byte(body)})
		if b.Fold(&e) != nil {
			t.Errorf("%q changes a task", body)
		}
	}
	if b.Len() != 0 {
		t.Errorf("the board has %d tasks", b.Len())
	}
}

func TestTheBoardTellsWhatChangedOnce(t *testing.T) {
	var j journal
	for _, task := range []string{"a", "b", "a", "c"} {
		j.arrive("task.progress", task, "12:00:00", "visual:queued")
	}
	b := j.board()
	taken := func() string {
		var ids []string
		b.TakeChanged(func(t *Task) { ids = append(ids, t.ID()) })
		return strings.Join(ids, " ")
	}
	if got := taken(); got != "a b c" {
		t.Errorf("changed are %q, want a b c", got)
	}
	if got := taken(); got != "" {
		t.Errorf("changed are %q, want none", got)
	}
	again := Decode(&j.deliveries[0])
	b.Fold(&again)
	if got := taken(); got != "" {
		t.Errorf("a message folded before changes %q", got)
	}
	j.arrive("task.progress", "b", "12:01:00", "visual:processing")
	e := Decode(&j.deliveries[4])
	if task := b.Fold(&e); task != b.Task("b") || b.At(task.Index()) != task {
		t.Error("Fold does not return the event's task")
	}
	if got := taken(); got != "b" {
		t.Errorf("changed are %q, want b", got)
	}
	if b.Task("nobody") != nil {
		t.Error("there is a task that no message told of")
	}
}

func TestFeaturesOfConfusingNamesAreKeptApart(t *testing.T) {
	var j journal
	one := map[string]any{"n\x01sm": map[string]any{"state": "t"}}
	two := map[string]any{"n": map[string]any{"state": "s"}, "m": map[string]any{"state": "t"}}
	three := map[string]any{"n": map[string]any{"state": "s\x01m\x01t"}}
	for i, features := range []any{one, two, three} {
		j.with(map[string]any{"data.task.id": strconv.Itoa(i), "data.task.features": features})
	}
	b := j.board()
	for i, want := range []string{"n\x01sm:t", "m:t n:s", "n:s\x01m\x01t"} {
		if got := line(b.At(i).Features()); got != want {
			t.Errorf("task %d has features %q, want %q", i, got, want)
		}
	}
}

func TestThousandsOfFeaturesCostNoMoreThanTheirNumber(t *testing.T) {
	// With quadratic cost this takes minutes.
	const n = 20_000
	var all strings.Builder
	for i := range n {
		all.WriteString("feature" + strconv.Itoa(i) + ":queued ")
	}
	var j journal
	j.arrive("task.progress", "t", "12:00:00", all.String())
	j.arrive("task.progress", "t", "12:01:00", strings.ReplaceAll(all.String(), "queued", "processing"))
	b := j.board()
	if got := len(b.Stats().Features()); got != n {
		t.Errorf("%d features have statistics, want %d", got, n)
	}
	if e, _ := b.At(0).Effect(2); len(e.Changes) != n {
		t.Errorf("%d features changed, want %d", len(e.Changes), n)
	}
}
