package aspect

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestListsAreReadInEveryShapeTheyMayHave(t *testing.T) {
	const snake = `{"id":"msg_1","event_type":"task.failed","event_id":"e1","created_at":"2025-01-01T12:00:00"}`
	const camel = `{"id":"msg_1","eventType":"task.failed","eventId":"e1","timestamp":"2025-01-01T12:00:00Z"}`
	for _, body := range []string{
		`[` + snake + `]`,
		`{"data":[` + camel + `],"iterator":null,"prevIterator":"x","done":true}`,
		`{"data":[` + camel + `],"iterator":"i","done":true}`,
		`{"messages":[` + snake + `],"total":1}`,
		`{"results":[` + camel + `]}`,
		`[null, 7, ` + snake + `]`,
	} {
		list, err := answering(t, 200, body).Messages(t.Context(), 10)
		if err != nil || len(list) != 1 {
			t.Errorf("%s: %v, %v", body, list, err)
			continue
		}
		m := list[0]
		if m.ID != "msg_1" || m.EventType != "task.failed" || m.EventID != "e1" || m.Time.Hour() != 12 || !json.Valid(m.Raw) {
			t.Errorf("%s is read as %+v", body, m)
		}
	}
	for _, body := range []string{`[]`, `{"data":[]}`, `{"data":null,"done":true}`, `{"items":[]}`} {
		if list, err := answering(t, 200, body).Messages(t.Context(), 10); err != nil || len(list) != 0 {
			t.Errorf("%s: %v, %v", body, list, err)
		}
	}
	for _, body := range []string{``, `null`, `7`, `{}`, `{"a":[],"b":[]}`, `<html></html>`, `[{"id":`} {
		if list, err := answering(t, 200, body).Messages(t.Context(), 10); err == nil {
			t.Errorf("%q is taken for the list %v", body, list)
		}
	}
}

func TestAttemptsAreReadInEveryShapeTheyMayHave(t *testing.T) {
	for body, want := range map[string]string{
		`{"id":"atmpt_1","msgId":"msg_1","endpointId":"ep_1","responseStatusCode":500,"status":2,"url":"u"}`:   "atmpt_1 msg_1 ep_1 fail 500",
		`{"id":"atmpt_1","msg_id":"msg_1","endpoint_id":"ep_1","response_status_code":500,"status":"fail"}`:    "atmpt_1 msg_1 ep_1 fail 500",
		`{"id":"atmpt_1","message_id":"msg_1","status_code":500,"status":1,"statusText":"Sending"}`:            "atmpt_1 msg_1  Sending 500",
		`{"id":"msg_1","status":3,"eventType":"task.failed"}`:                                                  "msg_1 msg_1  sending 0",
		`{"id":"atmpt_1","msg":{"id":"msg_1","eventType":"x"},"status":4,"response_status_code":"not a code"}`: "atmpt_1 msg_1  canceled 0",
		`{"unknown":true,"status":{"a":1}}`:                                                                    `   {"a":1} 0`,
	} {
		list := must(answering(t, 200, "["+body+"]").AttemptsByEndpoint(t.Context(), "ep_1", 10))(t)
		if len(list) != 1 {
			t.Fatalf("%s: %v", body, list)
		}
		a := list[0]
		if got := fmt.Sprintf("%s %s %s %s %d", a.ID, a.MessageID, a.EndpointID, a.Status, a.ResponseCode); got != want {
			t.Errorf("%s is read as %q, want %q", body, got, want)
		}
		if string(a.Raw) != body {
			t.Errorf("the raw JSON is %s", a.Raw)
		}
	}
}

func TestPagesAreFollowedUntilEnoughWasRead(t *testing.T) {
	asked := 0
	c := handling(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		if r.URL.Query().Get("endpoint_id") != "ep_1" {
			t.Errorf("page %d was asked for with %s", asked, r.URL)
		}
		if want := map[bool]string{true: "", false: fmt.Sprint("i", asked-1)}[asked == 1]; r.URL.Query().Get("iterator") != want {
			t.Errorf("page %d was asked for with %s", asked, r.URL)
		}
		items := []any{map[string]any{"id": fmt.Sprint(2*asked - 1)}, map[string]any{"id": fmt.Sprint(2 * asked)}}
		answer(w, 200, map[string]any{"data": items, "iterator": fmt.Sprint("i", asked), "done": false})
	})
	list := must(c.AttemptsByEndpoint(t.Context(), "ep_1", 5))(t)
	if len(list) != 5 || list[4].ID != "5" || asked != 3 {
		t.Errorf("%d items from %d pages, the last %+v", len(list), asked, list[len(list)-1])
	}
}

func TestPagesThatNeverEndAreLeft(t *testing.T) {
	for name, next := range map[string]func(int) string{
		"the same iterator": func(int) string { return "i" },
		"always another":    func(n int) string { return fmt.Sprint("i", n) },
	} {
		asked := 0
		c := handling(t, func(w http.ResponseWriter, r *http.Request) {
			asked++
			answer(w, 200, map[string]any{"data": []any{map[string]any{}}, "iterator": next(asked), "done": false})
		})
		must(c.Messages(t.Context(), 1<<30))(t)
		if asked > maxPages {
			t.Errorf("%s: %d pages were asked for", name, asked)
		}
	}
}

func TestWhatSvixTellsOfAMessageAndAnAttemptIsRead(t *testing.T) {
	c := handling(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/webhooks/messages" {
			io.WriteString(w, `{"data":[{"id":"msg_1","eventType":"task.failed","payload":{"event_type":"task.failed","data":{"task":{"id":"task-1"}}}}],"done":true}`)
			return
		}
		io.WriteString(w, `{"data":[
			{"id":"atmpt_3","status":2,"responseStatusCode":0,"responseDurationMs":30002,"triggerType":1,"response":"request timed out","url":"https://joe:s3cret@h.example"},
			{"id":"atmpt_2","status":2,"responseStatusCode":400,"responseDurationMs":3,"triggerType":0,"response":"{}"},
			{"id":"atmpt_1","status":0,"responseStatusCode":200,"responseDurationMs":3,"triggerType":0,"response":"ok"}],"done":true}`)
	})
	messages, err := c.Messages(t.Context(), 5)
	if err != nil || len(messages) != 1 || messages[0].TaskID != "task-1" {
		t.Errorf("%+v, %v", messages, err)
	}
	attempts, err := c.AttemptsByMessage(t.Context(), "msg_1", 5)
	if err != nil || len(attempts) != 3 {
		t.Fatal(attempts, err)
	}
	for i, want := range []string{"manual, took 30002 ms, failed: request timed out", "scheduled, took 3 ms", "scheduled, took 3 ms"} {
		if got := attempts[i].About(); got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
	if a := attempts[0]; a.URL != "https://h.example" || strings.Contains(string(a.Raw), "s3cret") {
		t.Errorf("%s %s", a.URL, a.Raw)
	}
}
