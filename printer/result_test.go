package printer

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"aspectop/model"
)

func TestResultsAsLinesAndAsSentences(t *testing.T) {
	doc := readDocument(t)
	for _, c := range []struct {
		outcome        model.Outcome
		json, sentence string
	}{
		{model.Outcome{TaskID: taskA, State: model.Completed, Done: true},
			`"task_id":"` + taskA + `","state":"completed","done":true}`, "task 2e1c7e42: completed"},
		{model.Outcome{TaskID: taskA, Feature: "visual", State: model.Failed, Done: true},
			`"task_id":"` + taskA + `","state":"failed","done":true}`, "task 2e1c7e42: visual failed"},
		{model.Outcome{TaskID: "2e1c\x1b"},
			`"task_id":"2e1c\u001b","state":null,"done":false}`, "task 2e1c: not done, no state known"},
		{model.Outcome{TaskID: "2e1c", Feature: "bogus", Task: model.Completed}, `"task_id":"2e1c","state":null,"done":false}`,
			"task 2e1c: not done, the task is completed and has no feature bogus"},
		{model.Outcome{TaskID: taskA, State: "paused"},
			`"task_id":"` + taskA + `","state":"paused","done":false}`, "task 2e1c7e42: not done, still paused"},
	} {
		var line, sentence bytes.Buffer
		if err := errors.Join(WriteResult(&line, JSON, noon, c.outcome), WriteResult(&sentence, Plain, noon, c.outcome)); err != nil {
			t.Fatal(err)
		}
		if want := `{"type":"result","time":"2026-11-23T12:00:00.000000Z",` + c.json + "\n"; line.String() != want {
			t.Errorf("line %s, want %s", &line, want)
		}
		doc.check(t, line.String())
		if sentence.String() != c.sentence+"\n" {
			t.Errorf("sentence %q, want %q", &sentence, c.sentence)
		}
	}
}

func TestAttemptsAsLinesAndAsSentences(t *testing.T) {
	doc := readDocument(t)
	for want, s := range map[string]Sent{
		"sent task.failed of task a as msg_1: answered 204 after 12 ms": {Status: 204, Right: true},
		"sent task.failed of task a as msg_1, its signature wrong: answered 400 after 12 ms (Invalid signature); rejected, as expected": {
			Break: "signature", Status: 400, Answer: "Invalid signature", Right: true},
		"sent task.failed of task a as msg_1, its body altered: answered 200 after 12 ms; accepted, but should have been rejected": {
			Break: "body", Status: 200},
		"sent task.failed of task a as msg_1, ten minutes old: answered 404 after 12 ms; not a rejection":            {Break: "timestamp", Status: 404},
		"sent task.failed of task a as msg_1, signed with another secret: answered 500 after 12 ms; not a rejection": {Break: "secret", Status: 500},
		"sent task.failed of task a as msg_1: no answer":                                                             {Err: errors.New("refused")},
	} {
		s.At, s.ID, s.Type, s.Task, s.To, s.Took = noon, "msg_1", "task.failed", "a", "http://x", 12*time.Millisecond
		var line, sentence bytes.Buffer
		if err := errors.Join(WriteSent(&line, JSON, s), WriteSent(&sentence, Plain, s)); err != nil {
			t.Fatal(err)
		}
		if strings.TrimSuffix(sentence.String(), "\n") != want {
			t.Errorf("said %s, want %s", &sentence, want)
		}
		doc.check(t, line.String())
	}
}
