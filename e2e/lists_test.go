//go:build unix

package e2e

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// lists has something for every list.
func lists(t *testing.T) *standIn {
	api := aspectAPI(t)
	api.mu.Lock()
	defer api.mu.Unlock()
	api.messages = []string{
		`{"id":"msg_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua","eventType":"task.completed","timestamp":"2026-11-23T12:00:00Z","eventId":"8b7a2e8f"}`,
		`{"id":"msg_2vdQ5mYpL0KxTq3nRfWcZbHs1Ub","event_type":"漢字\u001b[31m\u202e<&>","timestamp":"2026-11-23T12:00:01Z","status":2}`,
		`{"strange":true}`,
	}
	attempt := `{"id":"atmpt_1","msg_id":"msg_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua","endpointId":"ep_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua",` +
		`"url":"https://me:hush@example.com/webhooks/aspect/which/is/long","status":2,"responseStatusCode":500,"timestamp":"2026-11-23T12:00:02Z"}`
	timedOut := `{"id":"atmpt_2","msgId":"msg_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua","endpointId":"ep_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua",` +
		`"url":"https://me:hush@example.com/webhooks/aspect/which/is/long","status":2,"statusText":"fail","responseStatusCode":0,"responseDurationMs":30002,` +
		`"triggerType":1,"response":"request timed out\u001b[31m at https://me:hush@example.com","timestamp":"2026-11-23T12:00:02Z"}`
	api.attempts["msg_1"] = []string{attempt, timedOut}
	api.attempts["ep_1"] = []string{attempt}
	api.tasks[upload] = fmt.Sprintf(`{"id":%q,"asset_id":"asset-1","user_id":"u","created":%q,"updated":%q,"features":{`+
		`"proxy":{"state":"completed"},"visual":{"state":"processing"},"transcription":{"state":"queued"},"scene_detect":{"state":"failed"}}}`,
		upload, time.Now().Add(-2*time.Hour).Format(time.RFC3339), time.Now().Add(-90*time.Minute).Format(time.RFC3339))
	api.tasks[another] = fmt.Sprintf(`{"id":%q,"asset_id":"asset-2","features":{"proxy":{"state":"na"}}}`, another)
	api.active = []string{api.tasks[upload]}
	return api
}

func TestListsAreTablesForPeople(t *testing.T) {
	api := lists(t)
	for _, c := range []struct {
		args []string
		rows int
		says []string
	}{
		{[]string{"messages"}, 3, []string{"SENT                 MESSAGE", "msg_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua  task.completed", "漢字[31m<&>", "fail", "unknown format"}},
		{[]string{"messages", "--limit", "1"}, 1, []string{"msg_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua"}},
		{[]string{"attempts", "--message", "msg_1"}, 3, []string{
			"2026-11-23 12:00:02  fail 500  ep_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua  https://example.com/webhooks/aspect/which/is/long\n",
			"  manual, took 30002 ms, failed: request timed out at https://example.com\n",
		}},
		{[]string{"attempts", "--endpoint", "ep_1"}, 1, []string{"fail 500  msg_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua"}},
		{[]string{"tasks"}, 1, []string{upload + "  processing  1h ago   1/3 visual"}},
		{[]string{"tasks", another, upload}, 2, []string{another + "  completed            1/1"}},
	} {
		text := api.must(t, c.args...)
		says(t, text, c.says...)
		if n := strings.Count(text, "\n"); n != c.rows+1 {
			t.Errorf("%q has %d lines:\n%s", c.args, n, text)
		}
		if strings.ContainsAny(text, "\x1b\u202e") || strings.Contains(text, "hush") {
			t.Errorf("%q told %q", c.args, text)
		}
	}
	if !api.called("GET /webhooks/delivery-attempts") {
		t.Error("the attempts were not asked for")
	}
}

func TestListsAreJSONForPrograms(t *testing.T) {
	api := lists(t)
	for _, c := range []struct {
		args []string
		kind string
		want map[string]any
	}{
		{[]string{"messages"}, "message", map[string]any{"id": "msg_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua", "event_type": "task.completed",
			"event_id": "8b7a2e8f", "status": nil, "sent": "2026-11-23T12:00:00.000000Z"}},
		{[]string{"attempts", "--message", "msg_1"}, "attempt", map[string]any{"id": "atmpt_1", "message_id": "msg_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua",
			"endpoint_id": "ep_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua", "event_type": nil, "status": "fail", "response_status": 500.0, "tried": "2026-11-23T12:00:02.000000Z"}},
		{[]string{"tasks", upload}, "task", map[string]any{"task_id": upload, "asset_id": "asset-1", "state": "processing",
			"features": map[string]any{"proxy": "completed", "visual": "processing", "transcription": "queued", "scene_detect": "failed"}}},
	} {
		text := api.must(t, append(c.args, "--json")...)
		if strings.Contains(text, "hush") {
			t.Errorf("%q told a password: %s", c.args, text)
		}
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, `{"type":"`+c.kind+`","time":"2`) {
				t.Errorf("%q told %s", c.args, line)
			}
		}
		first := lines(t, text)[0]
		for key, value := range c.want {
			if !reflect.DeepEqual(first[key], value) {
				t.Errorf("%q: %s is %v, not %v", c.args, key, first[key], value)
			}
		}
		if raw, ok := first["raw"].(map[string]any); !ok || raw["id"] == nil {
			t.Errorf("%q: raw is %v", c.args, first["raw"])
		}
	}
	second := strings.Split(api.must(t, "messages", "--json"), "\n")[1]
	if !strings.Contains(second, `漢字\u001b[31m\u202e<&>`) || strings.ContainsRune(second, '\u202e') {
		t.Errorf("told %s", second)
	}
}

func TestAListFitsTheTerminal(t *testing.T) {
	term := inTerminal(t, 80, 10, with(program(t, "attempts", "--message", "msg_1"), lists(t).environment()...))
	term.shows("fail 500  ep_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua  https://example.…", "manual, took 30002 ms, failed: request timed out")
}

func TestListsOfNothingSaySo(t *testing.T) {
	api := aspectAPI(t)
	for _, args := range [][]string{{"messages"}, {"attempts", "--message", "msg_0"}, {"tasks"}} {
		stdout, stderr, code := api.asks(t, args...)
		if code != 0 || stdout != "" || !strings.Contains(stderr, "aspectop: ") {
			t.Errorf("%q ended with %d: %q %q", args, code, stdout, stderr)
		}
	}
}

func TestTasksThatAreNotThereAreNamed(t *testing.T) {
	api := lists(t)
	stdout, stderr, code := api.asks(t, "tasks", "nothing", upload, "nobody")
	if code != 1 || !strings.Contains(stdout, upload) {
		t.Errorf("ended with %d: %s", code, stdout)
	}
	says(t, stderr, "no task nothing, nobody")
}
