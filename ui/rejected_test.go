package ui

import (
	"testing"
	"time"

	"aspectop/model"
)

// astray is a delivery that came to another path, and one whose stamp is quoted.
func astray() []model.Rejected {
	return []model.Rejected{ // newest first
		{At: midnight.Add(time.Hour), ID: "msg_path", Path: "/hidden/path", Method: "PUT", Header: map[string][]string{"X-Hidden": {"value"}},
			Verdict: model.Verdict{Reason: model.WrongPath, Detail: "wrong path: this receiver's is /webhooks/hidden", Hint: "a prefix"}},
		{At: midnight.Add(-time.Hour), ID: "msg_stamp", Body: []byte(`{"hidden": 1}`), Size: 13, Header: map[string][]string{"X-Hidden": {"value"}},
			Verdict: model.Verdict{Reason: model.Malformed, Detail: `malformed: svix-timestamp is not a time in whole seconds: "hidden"`,
				Evidence: "crlf", SkewSeconds: -400, ToleranceSeconds: 300}},
	}
}

func TestRequestsRejectedBeforeAreRowsAtTheirTime(t *testing.T) {
	onScreen(t, 140, 30, oneTask(), func(s *terminal) {
		s.press("3")
		s.shows("wrong path: this receiver's is /webhooks/hidden (PUT /hidden/path); a prefix", "malformed: svix-timestamp", "0 rejected")
		s.press("g", "enter")
		s.shows(`"hidden": 1`)
		s.press("l")
		s.shows("X-Hidden: value", "evidence: crlf", "skew: -400 s, 300 s allowed", "reason: malformed")
		s.press("esc", "G", "enter", "l")
		s.shows("request: PUT /hidden/path", "reason: wrong_path", "hint: a prefix")
	}, func(o *options) { o.rejected = astray() })
}

func TestARejectedRequestIsHiddenInPresentation(t *testing.T) {
	onScreen(t, 140, 30, nil, func(s *terminal) {
		for i, r := range astray() {
			s.status.Add(model.Status{At: midnight.Add(time.Duration(i) * time.Second), Rejected: &r})
		}
		s.wait(time.Second)
		s.press("P")
		s.hides("hidden/path", `"hidden"`, "/webhooks/hidden") // tasks: the latest is told
		s.press("3", "p")
		s.shows("wrong path; a prefix", "malformed: svix-timestamp is not a time in whole seconds")
		for _, first := range []string{"g", "G"} {
			s.press(first)
			s.hides("hidden/path", `"hidden"`, "/webhooks/hidden")
			s.press("enter")
			s.shows("(hidden in presentation mode)")
			s.press("l")
			s.hides("hidden/path", `"hidden"`, "/webhooks/hidden", "X-Hidden")
			s.shows("reason: ")
			s.press("esc")
		}
	})
}
