package words

import (
	"strings"
	"testing"
	"time"

	"aspectop/model"
)

func TestAForwardIsToldWithWhatFollows(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	for _, c := range []struct {
		f           model.Forward
		want, brief string
		role        model.Role
	}{
		{model.Forward{Status: 204, Latency: ms(12), Tries: 1, Final: true}, "answered 204 in 12 ms", "204 12ms", model.RoleGood},
		{model.Forward{Status: 204, Latency: ms(7), Tries: 3, Final: true, Resigned: true}, "answered 204 in 7 ms; re-signed; try 3", "204 7ms", model.RoleGood},
		{model.Forward{Status: 500, Latency: ms(3), Tries: 2, Error: "answered 500 Internal Server Error"}, "answered 500 Internal Server Error in 3 ms; try 2, will retry", "try 2", model.RoleWarn},
		{model.Forward{Status: 400, Tries: 1, Final: true, Error: "answered 400 Bad Request", Hint: "is the raw body verified?"}, "answered 400 Bad Request in 0 ms; is the raw body verified?", "400", model.RoleBad},
		{model.Forward{Status: 422, Tries: 1, Final: true, Error: "answered 422 Unprocessable Entity", Answer: "body.timestamp: Field required"}, "answered 422 Unprocessable Entity in 0 ms (body.timestamp: Field required)", "422", model.RoleBad},
		{model.Forward{Error: "not trusted", Hint: "mend it"}, "not trusted; mend it", "waits", model.RoleWarn},
		{model.Forward{Tries: 8, Final: true, GaveUp: true, Error: "connection refused"}, "connection refused; given up after 8 tries", "given up", model.RoleBad},
		{model.Forward{Final: true, Error: "it was no webhook"}, "it was no webhook", "not sent", model.RoleBad},
	} {
		if got, brief := Forward(&c.f, false), ForwardBriefly(&c.f); got.String() != c.want || brief != (Segment{c.role, c.brief}) || got[0].Role != c.role {
			t.Errorf("got %q, %+v; want %q, %q", got, brief, c.want, c.brief)
		}
	}
}

func TestInPrivateAForwardNamesNoHost(t *testing.T) {
	f := model.Forward{Tries: 1, Error: "dial tcp: lookup studio.example", Hint: "nothing listens on studio.example:80"}
	if got := Forward(&f, true).String(); got != "no answer; try 1, will retry" {
		t.Errorf("got %q", got)
	}
	f.Status, f.Error = 502, "answered 502 Bad Gateway"
	if got := Forward(&f, true).String(); got != "answered 502 Bad Gateway in 0 ms; try 1, will retry" {
		t.Errorf("got %q", got)
	}
}

func TestATunnelIsToldAsFarAsItIsMeasured(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		t    model.Tunnel
		want string
		role model.Role
	}{
		{model.Tunnel{State: model.TunnelStarting}, "tunnel starting", model.RoleWarn},
		{model.Tunnel{State: model.TunnelConnected, PublicURL: "https://h/p", Detail: "1 of 1"}, "tunnel connected at https://h/p: 1 of 1; not yet probed", model.RoleWarn},
		{model.Tunnel{State: model.TunnelConnected, PublicURL: "https://h/p", Probe: &model.Probe{OK: true, RoundTrip: 84 * time.Millisecond}}, "tunnel connected at https://h/p; probe 84 ms", model.RoleGood},
		{model.Tunnel{State: model.TunnelConnected, Probe: &model.Probe{Detail: "DNS: no such host"}}, "tunnel connected; probe failed: DNS: no such host", model.RoleBad},
		{model.Tunnel{State: model.TunnelReconnecting, Detail: "closed", NextTry: now.Add(4 * time.Second)}, "tunnel reconnecting, next try in 4s: closed", model.RoleWarn},
		{model.Tunnel{State: model.TunnelReconnecting, Detail: "closed", NextTry: now}, "tunnel reconnecting: closed", model.RoleWarn},
		{model.Tunnel{State: model.TunnelFailed, PublicURL: "https://h/p", Detail: "TCP: refused", Probe: &model.Probe{Detail: "TCP: refused"}}, "tunnel failed at https://h/p: TCP: refused", model.RoleBad},
		{model.Tunnel{State: model.TunnelConnected, PublicURL: "http://localhost/p", Detail: "your own", Doubt: "a loopback address", Probe: &model.Probe{OK: true}}, "tunnel connected at http://localhost/p: your own; probe 0 ms", model.RoleWarn},
		{model.Tunnel{State: model.TunnelUnchecked, PublicURL: "https://h/p", Detail: "1 of 1"}, "tunnel not checked at https://h/p: 1 of 1", model.RoleWarn},
		{model.Tunnel{State: model.TunnelFailed, Detail: "the token is wrong"}, "tunnel failed: the token is wrong", model.RoleBad},
	} {
		if got := Tunnel(&c.t, now); got.String() != c.want || TunnelRole(&c.t) != c.role {
			t.Errorf("got %q (%d), want %q (%d)", got, TunnelRole(&c.t), c.want, c.role)
		}
	}
}

func TestAnEventIsToldByWhatItMeant(t *testing.T) {
	task := &model.Snapshot{ID: "t", Features: []model.Feature{{Name: "proxy", State: "queued"}, {Name: "visual"}}}
	changes := []model.FeatureChange{{Feature: "proxy", To: "queued"}, {Feature: "visual", From: "processing", To: "failed"}, {Feature: "preview", From: "queued"}, {Feature: "odd"}}
	for _, c := range []struct {
		e                         model.Event
		a                         Arrival
		verdict, marks, text, did string
	}{
		{model.Event{Kind: model.Ping}, Arrival{}, "verified", "", "test message; the signature is valid", ""},
		{model.Event{Kind: model.Unrecognised}, Arrival{Damage: "its body is lost"}, "verified", "damaged: its body is lost", "verified, but not an Aspect event", ""},
		{model.Event{Kind: model.Other}, Arrival{}, "verified", "", "not about a task", ""},
		{model.Event{Kind: model.Gone, Task: task, Source: model.SourceAPI}, Arrival{Effect: new(model.Effect)}, "api", "", "Aspect no longer knows this task", ""},
		{model.Event{Seq: 3, Message: 1, Kind: model.Progress, Task: task}, Arrival{Attempt: 2}, "duplicate", "", "arrival 2 of #1", ""},
		{model.Event{Seq: 3, Message: 1, Kind: model.Ping}, Arrival{Attempt: 2, Differs: true}, "duplicate", "", "arrival 2 of #1; its body differs, and the first one counts", ""},
		{model.Event{Kind: model.Progress, Task: task}, Arrival{}, "verified", "", "proxy queued, visual (none)", ""},
		{model.Event{Kind: model.Progress, Task: task}, Arrival{Effect: &model.Effect{Late: true}}, "verified", "late", "older state: proxy queued, visual (none)", ""},
		{model.Event{Kind: model.Progress, Task: task}, Arrival{Effect: new(model.Effect)}, "verified", "", "no change", ""},
		{model.Event{Kind: model.Progress, Task: &model.Snapshot{}}, Arrival{Effect: new(model.Effect)}, "verified", "", "no features", ""},
		{model.Event{Kind: model.Progress, Task: task}, Arrival{Effect: &model.Effect{Changes: changes}}, "verified", "", "", "visual from processing to failed, proxy queued, preview gone (was queued), odd (none)"},
	} {
		if c.e.Source == "" {
			c.e.Source = model.SourceWebhook
		}
		got := EventOf(&c.e, c.a)
		if got.Verdict.Text != c.verdict || strings.Join(got.Marks, "; ") != c.marks || got.Text.Text != c.text || Changes(got.Changes) != c.did {
			t.Errorf("got %+v (%s), want %+v", got, Changes(got.Changes), c)
		}
	}
	if changes[1].Feature != "visual" {
		t.Error("the changes that were given are in another order now")
	}
}

func TestALongListAndALongNameAreCut(t *testing.T) {
	changes := make([]model.FeatureChange, 20)
	for i := range changes {
		changes[i] = model.FeatureChange{Feature: strings.Repeat("é", 99), To: "queued"}
	}
	if got := Changes(changes); !strings.HasSuffix(got, " and 8 more") || !strings.HasPrefix(got, strings.Repeat("é", 64)+"… queued, ") {
		t.Error(got)
	}
	if got := ID("2e1c7e42-0000-4000-8000-000000000001") + ID("task-1"); got != "2e1c7e42task-1" {
		t.Error(got)
	}
}

func TestDurations(t *testing.T) {
	for d, want := range map[time.Duration][4]string{
		-time.Second:                {"0s", "0s", "0s", "0.0 s"},
		0:                           {"0s", "0s", "0s", "0.0 s"},
		40 * time.Millisecond:       {"0s", "0s", "0.1s", "0.0 s"},
		4250 * time.Millisecond:     {"4s", "4s", "4.2s", "4.2 s"},
		59900 * time.Millisecond:    {"59s", "59s", "59s", "59 s"},
		65 * time.Second:            {"1m05", "1m05", "1m05", "1 min 05 s"},
		30 * time.Minute:            {"30m00", "30m", "30m00", "30 min"},
		2*time.Hour + 7*time.Minute: {"2h07", "2h07", "2h07", "2 h 07 min"},
		76 * time.Hour:              {"3d04", "3d04", "3d04", "3 d 4 h"},
		101 * 24 * time.Hour:        {"101d", "101d", "101d", "101 d"},
	} {
		if got := [4]string{Ago(d), ShortAgo(d), Lasted(d), Span(d)}; got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	if Remaining(0) != "overdue" || Remaining(1) != "soon" || Remaining(time.Minute) != "1m00" || Since(time.Time{}, time.Now()) != "" {
		t.Error(Remaining(0), Remaining(time.Minute))
	}
	if Count(1, "try", "tries") != "1 try" || Count(0, "try", "tries") != "0 tries" {
		t.Error(Count(1, "try", "tries"))
	}
}
