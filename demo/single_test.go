package demo

import (
	"encoding/json"
	"testing"
	"time"

	"aspectop/model"
)

// single makes up an event and reads it as a receiver would.
func single(t *testing.T, e Event, seed int64) (Message, model.Event) {
	t.Helper()
	e.At = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	m := e.Message(seed)
	return m, model.Decode(&model.Delivery{Seq: 1, Message: 1, ID: m.ID, Source: model.SourceWebhook, Body: m.Body})
}

func TestASingleEventTellsWhatIsUsualForItsType(t *testing.T) {
	for typ, want := range map[string]string{
		"task.completed": "completed", "task.failed": "failed", "task.progress": "processing", "task.paused": "processing",
	} {
		_, told := single(t, Event{Type: typ}, 1)
		if told.Type != typ || told.Task == nil || len(told.Task.Features) != 4 {
			t.Fatalf("%s tells %+v", typ, told)
		}
		b := model.NewBoard()
		if state := b.Fold(&told).State(); string(state) != want {
			t.Errorf("%s makes the task %s, want %s", typ, state, want)
		}
	}
}

func TestChosenFeaturesTakeThePlaceOfTheUsualOnes(t *testing.T) {
	_, told := single(t, Event{Type: "task.failed", Task: "mine", Features: []model.Feature{
		{Name: "transcription", State: model.Failed}, {Name: "embedding", State: model.Queued}}}, 1)
	want := map[string]model.State{
		"proxy": "completed", "preview": "completed", "visual": "completed", "transcription": "failed", "embedding": "queued",
	}
	if told.Task.ID != "mine" || len(told.Task.Features) != len(want) {
		t.Fatalf("tells %+v", told.Task)
	}
	for _, f := range told.Task.Features {
		if want[f.Name] != f.State {
			t.Errorf("%s is %s, want %s", f.Name, f.State, want[f.Name])
		}
	}
}

func TestTheSameTaskHasTheSameAssetInEveryEvent(t *testing.T) {
	first, a := single(t, Event{Type: "task.progress", Task: "mine"}, 1)
	second, b := single(t, Event{Type: "task.completed", Task: "mine"}, 2)
	if a.Task.AssetID != b.Task.AssetID || a.UserID != b.UserID {
		t.Errorf("asset and user change from %s, %s to %s, %s", a.Task.AssetID, a.UserID, b.Task.AssetID, b.UserID)
	}
	if first.ID == second.ID || a.EventID == b.EventID {
		t.Errorf("two events share an id: %s, %s", first.ID, a.EventID)
	}
	if again, _ := single(t, Event{Type: "task.progress", Task: "mine"}, 1); again.ID != first.ID || string(again.Body) != string(first.Body) {
		t.Error("the same seed draws other ids")
	}
}

func TestAPingAndAnEventWithoutATask(t *testing.T) {
	if _, told := single(t, Event{Type: "svix.ping"}, 1); told.Kind != model.Ping {
		t.Errorf("svix.ping is read as %+v", told)
	}
	m, told := single(t, Event{Type: "asset.created"}, 1)
	if told.Kind != model.Other || told.Type != "asset.created" || told.EventID == "" || !json.Valid(m.Body) {
		t.Errorf("asset.created is read as %+v", told)
	}
	if _, told := single(t, Event{Type: "asset.created", Task: "mine"}, 1); told.Task == nil {
		t.Error("asset.created of a task tells no task")
	}
}
