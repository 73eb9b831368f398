package model

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

func decode(body string) Event { return Decode(&Delivery{Body: []byte(body)}) }

func TestABodyIsTakenForWhatItIs(t *testing.T) {
	const task = `"data":{"task":{"id":"t"}}`
	for _, c := range []struct {
		body string
		kind Kind
		typ  string
		task bool
	}{
		{`{"success": true}`, Ping, "ping", false},
		{`{"success":true,"event_type":"task.progress",` + task + `}`, Progress, "task.progress", true},
		{`{"success":true,"event_id":"e"}`, Unrecognised, "unrecognised", false},
		{`{"success":false}`, Unrecognised, "unrecognised", false},
		{`{"success":"true"}`, Unrecognised, "unrecognised", false},
		{`{"event_id":"e","timestamp":"2026-11-23T12:00:00Z"}`, Unrecognised, "unrecognised", false},
		{``, Unrecognised, "unrecognised", false},
		{`null`, Unrecognised, "unrecognised", false},
		{`[{"success":true}]`, Unrecognised, "unrecognised", false},
		{`{"success":true} and more`, Unrecognised, "unrecognised", false},
		{`{"event_type":"task.progress",` + task, Unrecognised, "unrecognised", false},
		{`{"event_type":"task.progress",` + task + `}`, Progress, "task.progress", true},
		{`{"event_type":"task.completed",` + task + `}`, Done, "task.completed", true},
		{`{"event_type":"task.failed",` + task + `}`, Failure, "task.failed", true},
		{`{"event_type":"task.paused",` + task + `}`, Progress, "task.paused", true},
		{`{` + task + `}`, Progress, "", true},
		{`{"event_type":"asset.created","data":{"asset":{"id":"a"}}}`, Other, "asset.created", false},
		{`{"event_type":"task.completed","data":{"task":null}}`, Other, "task.completed", false},
		{`{"event_type":"task.completed","data":{"task":{}}}`, Other, "task.completed", false},
		{`{"event_type":"task.completed","data":[]}`, Other, "task.completed", false},
		{`{"event_type":7,` + task + `}`, Progress, "7", true},
	} {
		e := decode(c.body)
		if e.Kind != c.kind || e.Type != c.typ || (e.Task != nil) != c.task {
			t.Errorf("%s is of kind %d, type %q, task %v; want %d, %q, %v", c.body, e.Kind, e.Type, e.Task != nil, c.kind, c.typ, c.task)
		}
	}
}

func TestATaskFromTheAPIIsASnapshot(t *testing.T) {
	body := []byte(`{"id":"t","user_id":"u","features":{"proxy":{"state":"failed","storage_variant":null}},"updated":"2026-11-23T12:00:00Z"}`)
	e := Decode(&Delivery{Source: SourceAPI, Body: body})
	if e.Kind != Progress || e.Type != TypeSnapshot || e.UserID != "u" || e.Task == nil || line(e.Task.Features) != "proxy:failed" || !e.Task.Updated.Equal(at("12:00:00")) {
		t.Errorf("decoded to %+v, task %+v", e, e.Task)
	}
	for _, body := range []string{`{"id":""}`, `[]`, `oops`, `{"event_type":"task.progress","data":{"task":{"id":"t"}}}`} {
		if e := Decode(&Delivery{Source: SourceAPI, Body: []byte(body)}); e.Kind != Unrecognised || e.Task != nil {
			t.Errorf("%s is a task: %+v", body, e)
		}
	}
}

func TestFeaturesAreKeptAsTheyCome(t *testing.T) {
	for features, want := range map[string]string{
		`null`: "",
		`{}`:   "",
		`"x"`:  "",
		`{"zoo":{"state":"paused"},"transcription":{"state":"na"},"visual":{"state":"queued"},"embedding":{"state":"failed"},"preview":{"state":"x"},"proxy":{"state":"y"}}`: "proxy:y preview:x visual:queued transcription:na embedding:failed zoo:paused",
		`{"Visual":{"state":"queued"},"visual":{"state":"failed"}}`: "visual:failed Visual:queued",
		`{"visual":"failed"}`:                                         "visual:failed",
		`{"visual":{"state":null},"proxy":null}`:                      "proxy: visual:",
		`{"visual":{"state":12345678901234567890}}`:                   "visual:12345678901234567890",
		`{"visual":{"state":1.0}}`:                                    "visual:1.0",
		`{"visual":{"state":{"a": [1, "<"]}}}`:                        `visual:{"a":[1,"<"]}`,
		`{"visual":{"state":"queued","STATE":"failed","State":"na"}}`: "visual:queued",
	} {
		e := decode(`{"event_type":"task.progress","data":{"task":{"id":"t","features":` + features + `}}}`)
		if e.Task == nil {
			t.Errorf("%s: no task", features)
			continue
		}
		if got := line(e.Task.Features); got != want {
			t.Errorf("%s: features are %q, want %q", features, got, want)
		}
	}
}

func TestOnlySoManyTextsOfFeaturesAreRemembered(t *testing.T) {
	c := featureCache{parsed: map[string][]Feature{}}
	for i := range cachedFeatures + 100 {
		value := fmt.Appendf(nil, `{"visual":{"state":"s%d"}}`, i)
		for range 2 {
			if got, want := line(c.get(value)), fmt.Sprint("visual:s", i); got != want {
				t.Fatalf("%s is read as %q", value, got)
			}
		}
	}
	if len(c.parsed) != cachedFeatures {
		t.Errorf("%d texts are remembered, want %d", len(c.parsed), cachedFeatures)
	}
	c = featureCache{parsed: map[string][]Feature{}}
	long := strings.Repeat("s", cachedFeaturesOf)
	if got := line(c.get([]byte(`{"visual":{"state":"` + long + `"}}`))); got != "visual:"+long || len(c.parsed) != 0 {
		t.Errorf("of a long text, %q is read and %d remembered", got, len(c.parsed))
	}
}

func TestUnknownKeysAreNotTakenForKnownOnes(t *testing.T) {
	e := decode(`{"EVENT_TYPE":"x","event_type":"task.failed","Event_Type":"y","Event_id":"z","event_id":"e","more":{"deep":[{}]},
		"data":{"task":{"id":"t","ID":"not me","asset_id":7,"Asset_ID":"a","features":{},"aſſet_id":"b"},"Task":{"id":"nor me"},"tas\u006b2":1}}`)
	if e.Kind != Failure || e.EventID != "e" || e.Task == nil || e.Task.ID != "t" || e.Task.AssetID != "7" {
		t.Errorf("decoded to %+v, task %+v", e, e.Task)
	}
	if e := decode(`{"Event_Type":"task.failed","Data":{"task":{"id":"t"}}}`); e.Kind != Unrecognised {
		t.Errorf("an envelope in capitals is of kind %d", e.Kind)
	}
	if e := decode(`{"event\u005ftype":"task.failed"}`); e.Type != "task.failed" {
		t.Errorf("a name spelled with an escape is not read: %+v", e)
	}
}

func TestTimesAreReadInEveryFormThatOccurs(t *testing.T) {
	for text, want := range map[string]string{
		"2026-11-23T12:00:00Z":            "2026-11-23T12:00:00Z",
		"2026-11-23T12:00:00.123456Z":     "2026-11-23T12:00:00.123456Z",
		"2026-11-23T14:00:00+02:00":       "2026-11-23T12:00:00Z",
		"2026-11-23T12:00:00":             "2026-11-23T12:00:00Z",
		"2026-11-23T12:00:00.5":           "2026-11-23T12:00:00.5Z",
		"2026-11-23 12:00:00":             "2026-11-23T12:00:00Z",
		"2026-11-23 12:00:00.25+00:00":    "2026-11-23T12:00:00.25Z",
		"2026-11-23T12:00:00+0000":        "2026-11-23T12:00:00Z",
		"2026-11-23 14:30:00.000001+0230": "2026-11-23T12:00:00.000001Z",
		"  2026-11-23 12:00:00Z\n":        "2026-11-23T12:00:00Z",
		"0000-01-01T00:00:00Z":            "0000-01-01T00:00:00Z",
		"2026-11-23T12:00Z":               "2026-11-23T12:00:00Z",
		"2026-11-23T14:00+02:00":          "2026-11-23T12:00:00Z",
		"2026-11-23 14:00+0200":           "2026-11-23T12:00:00Z",
		"2026-11-23T12:00":                "2026-11-23T12:00:00Z",
		"2026-11-23 14:00:00.5+02":        "2026-11-23T12:00:00.5Z",
		"2026-11-23T14:00+02":             "2026-11-23T12:00:00Z",
		"2016-12-31T23:59:60Z":            "2017-01-01T00:00:00Z",
		"2016-12-31T23:59:60.25+00:00":    "2017-01-01T00:00:00.25Z",
		"2026-11-23T12:00:61Z":            "",
		"2026-11-23T12":                   "",
		"2026-11-23T12:0Z":                "",
		"":                                "",
		"yesterday":                       "",
		"2026-11-23":                      "",
		"2026-13-23T12:00:00Z":            "",
		"1763899200":                      "",
		"2026-11-23T12:00:00Z and so on":  "",
		"0001-01-01T00:00:00Z":            "",
	} {
		got := ParseTime(text)
		if got.IsZero() != (want == "") || want != "" && got.Format(time.RFC3339Nano) != want {
			t.Errorf("%q is read as %v, want %q", text, got, want)
		}
		if got.Location() != time.UTC {
			t.Errorf("%q is read in zone %v", text, got.Location())
		}
	}
}

func TestDecodingAgainSharesNothingThatChanges(t *testing.T) {
	body := string(envelope("task.progress", "t", "12:00:00", told("visual:queued proxy:na")))
	first, second := decode(body), decode(body)
	if !reflect.DeepEqual(first, second) {
		t.Errorf("decoded to %+v, then to %+v", first, second)
	}
	if first.Task == second.Task {
		t.Error("two events share a snapshot")
	}
}

func TestManyMayDecodeAtOnce(t *testing.T) {
	deliveries := lives(50, 6)
	want := decodeAll(deliveries)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if got := decodeAll(deliveries); !reflect.DeepEqual(got, want) {
				t.Error("events differ from those decoded alone")
			}
		})
	}
	wg.Wait()
}

func FuzzDecode(f *testing.F) {
	for _, features := range []string{"", "visual:queued proxy:na", "embedding:paused"} {
		f.Add(envelope("task.progress", "t", "12:00:00", told(features)))
	}
	for _, body := range []string{
		`{"success":true}`, `[]`, `{"event_type":1,"data":{"task":{"id":2.50,"features":{"a":"b","c":null,"d":{"state":[1]}}}}}`,
		`{"data":{"task":{"id":"t","features":{"a":{"state":"x"},"a":{"state":"y","state":null}}},"task":{"asset_id":"b"}},"data":{"task":{"id":"u"}}}`,
		"{\"event_type\":\"\xff\xfe\\ud800\",\"data\":{\"task\":{\"id\":\"\xc3\",\"features\":{\"\xff\":[ \"\xff\" , 1E400 ]}}}}",
		`{"Event_type":"a","event_type":"b","data":{"task":{"id":"t","Features":{"x":{"state":"y"}}}}}`, `{"data":{"task":{"id":"\ud800"}}}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, source := range []Source{SourceWebhook, SourceAPI} {
			e := Decode(&Delivery{Seq: 1, Message: 1, Source: source, Body: body})
			if hasTask := e.Kind >= Progress; hasTask != (e.Task != nil) {
				t.Fatalf("kind %d with task %+v", e.Kind, e.Task)
			}
			if e.Task == nil {
				continue
			}
			for i, feature := range e.Task.Features {
				if i > 0 && CompareFeatures(e.Task.Features[i-1].Name, feature.Name) >= 0 {
					t.Fatalf("features are not in order: %v", e.Task.Features)
				}
			}
			b := NewBoard()
			if b.Fold(&e) == nil {
				t.Fatal("a task was not folded")
			}
			view(b)
		}
		quick, ok := readEnvelope(body)
		slow, same := slowEnvelope(validJSON(body))
		if ok != same || ok && !reflect.DeepEqual(quick, slow) {
			t.Fatalf("%q is read as %+v (%v), by encoding/json as %+v (%v)", body, quick, ok, slow, same)
		}
		task, ok := readTask(body)
		slowly, same := slowTask(validJSON(body))
		if ok != same || ok && !reflect.DeepEqual(task, slowly) {
			t.Fatalf("%q is read as the task %+v (%v), by encoding/json as %+v (%v)", body, task, ok, slowly, same)
		}
	})
}

func FuzzUnknownNamesAreKept(f *testing.F) {
	f.Add("task.paused", "embedding", "resting", "colour")
	f.Add("", "State", "", "ID")
	f.Add("task.completed", "K", "COMPLETED", "features")
	f.Fuzz(func(t *testing.T, typ, feature, state, key string) {
		for _, s := range []string{typ, feature, state, key} {
			if !utf8.ValidString(s) {
				t.Skip("JSON cannot say it")
			}
		}
		task := map[string]any{"id": "t", "asset_id": "a"}
		envelope := map[string]any{"event_id": "e"}
		for _, o := range []map[string]any{task, envelope} {
			if !strings.Contains(" id asset_id features user_id created updated event_id timestamp event_type success data ", " "+key+" ") {
				o[key] = map[string]any{"state": "queued", "id": "no"}
			}
		}
		task["features"] = map[string]any{feature: map[string]any{"state": state, "storage_variant": nil}}
		envelope["event_type"], envelope["data"] = typ, map[string]any{"task": task, "asset": nil}
		body, err := json.Marshal(envelope)
		if err != nil {
			t.Fatal(err)
		}
		e := Decode(&Delivery{Body: body})
		if e.Type != typ || e.EventID != "e" || e.Task == nil || e.Task.ID != "t" || e.Task.AssetID != "a" ||
			!reflect.DeepEqual(e.Task.Features, []Feature{{feature, State(state)}}) {
			t.Fatalf("%s is decoded to %+v, task %+v", body, e, e.Task)
		}
	})
}

func TestInvalidTextInAnIDIsShownAsSuch(t *testing.T) {
	for text, want := range map[string]string{
		"msg_\xff\xfeabc": `msg_\xff\xfeabc`, "\xc3": `\xc3`, "a\xe2\x82b": `a\xe2\x82b`, "": "", "msg_1": "msg_1", "é\ufffd": "é\ufffd", "é\xffü": `é\xffü`, `\xff`: `\xff`,
	} {
		if got := ValidText(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
	ids := map[string]bool{}
	for _, id := range []string{"\xff", "\xfe", "\xff\xfe", "\ufffd", "t\xff\\n"} {
		body := []byte(`{"event_type":"task.progress","event_id":"` + id + `","data":{"task":{"id":"` + id + `","features":{"` + id + `":{"state":"queued"}}}}}`)
		e := Decode(&Delivery{ID: id, Body: body})
		if e.Task == nil || !utf8.ValidString(e.Task.ID+e.EventID+e.ID+e.Task.Features[0].Name) {
			t.Fatalf("%q: %+v", id, e)
		}
		ids[e.Task.ID] = true
	}
	for _, want := range []string{`\xff`, `\xfe`, `\xff\xfe`, "\ufffd", "t\\xff\n"} {
		if !ids[want] {
			t.Errorf("no task %q among %v", want, ids)
		}
	}
}

func TestOfANameThatStandsTwiceTheLastCounts(t *testing.T) {
	e := decode(`{"event_type":"task.progress","event_type":"task.failed","event_id":"a","event_id":"b","data":{"task":{"id":"lost"}},` +
		`"data":{"task":{"id":"lost too","asset_id":"a"},"task":{"id":"x","id":"t","features":{"visual":{"state":"queued"}},"features":{"proxy":{"state":"na","state":"failed"}}}}}`)
	if e.Kind != Failure || e.Type != "task.failed" || e.EventID != "b" || e.Task.ID != "t" || e.Task.AssetID != "" ||
		len(e.Task.Features) != 1 || e.Task.Features[0] != (Feature{"proxy", Failed}) {
		t.Errorf("%+v, %+v", e, e.Task)
	}
}
