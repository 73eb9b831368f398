package model

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// filterBoard has one task that waits with a failed internal feature, one that
// is done and had a late message, and one with features of its own.
func filterBoard(t *testing.T) *Board {
	t.Helper()
	b := NewBoard()
	fold := func(seq int64, typ, task, stamp, features string) {
		t.Helper()
		e := Decode(&Delivery{Seq: seq, Message: seq, ID: "msg_" + task, Received: at(stamp), Body: envelope(typ, task, stamp, features)})
		if b.Fold(&e) == nil {
			t.Fatalf("event %d changed no task", seq)
		}
	}
	fold(1, "task.progress", "aaaa-1", "12:00:00", `"visual":{"state":"processing"},"scene_detect":{"state":"failed"}`)
	fold(2, "task.completed", "bbbb-2", "12:05:00", `"visual":{"state":"completed"},"proxy":{"state":"na"}`)
	fold(3, "task.progress", "bbbb-2", "12:04:00", `"visual":{"state":"processing"},"proxy":{"state":"na"}`)
	fold(4, "task.failed", "CCCC-3", "12:09:00", `"embedding":{"state":"failed"},"Audio Proxy":{"state":"paused"}`)
	return b
}

func TestFilterTermsPickTasks(t *testing.T) {
	b := filterBoard(t)
	names := map[string]string{"aaaa-1": "Übung Eins.mp4", "bbbb-2": "holiday.mov", "CCCC-3": "talk: part 2.mp4"}
	for _, c := range []struct{ filter, want string }{
		{"", "1 2 3"},
		{"   \t", "1 2 3"},
		{"aaaa", "1"},
		{"AAAA-1", "1"},
		{"cccc", "3"},
		{"asset-bbbb", "2"},
		{"übung", "1"},
		{"ÜBUNG", "1"},
		{`"übung eins"`, "1"},
		{"holiday mov", "2"},
		{"holiday übung", ""},
		{"embed", "3"},
		{"PAUSED", "3"},
		{`"talk: part"`, "3"},
		{"-holiday", "1 3"},
		{"!holiday -übung", "3"},
		{"--holiday", "2"},
		{"state:failed", "3"},
		{"STATE:Failed", "3"},
		{"state:c", "2"},
		{"state:processing", "1"},
		{"-state:failed", "1 2"},
		{"feature:visual", "1 2"},
		{"feature:vis", "1 2"},
		{"feature:proxy", "2"},
		{`feature:"audio pr"`, "3"},
		{"visual:processing", "1"},
		{"visual:completed", "2"},
		{"proxy:na", "2"},
		{"scene_detect:failed", "1"},
		{"embedding:failed", "3"},
		{"never_seen:failed", ""},
		{`"Audio Proxy":processing`, "3"}, // an unknown state counts as processing
		{`"Audio Proxy":"paused"`, "3"},
		{`"audio proxy":"resting"`, ""},
		{`"state":failed`, ""}, // a feature of that name
		{"-visual:processing feature:visual", "2"},
		{"task:aaaa", "1"},
		{"task:1", ""},
		{"asset:asset-b", "2"},
		{"user:user-1", "1 2 3"},
		{"name:.mp4", "1 3"},
		{`name:"talk: part"`, "3"},
		{"type:task.failed", "3"},
		{"type:progress", "1 2"},
		{"is:active", "1"},
		{"is:done", "2 3"},
		{"is:late", "2"},
		{"is:l", "2"},
		{"is:d", "2 3"}, // done or duplicate
		{"is:duplicate", ""},
		{"is:rejected", ""},
		{"-is:rejected", "1 2 3"},
		{"is:stalled", "1"},
		{"state:failed,completed", "2 3"},
		{"-state:failed,completed", "1"},
		{"STATE:f,q", "3"},
		{"visual:completed,processing", "1 2"},
		{"task:aaaa,cccc", "1 3"},
		{`name:"talk: part",übung`, "1 3"},
		{`name:"part 2,holiday"`, ""},
		{"holiday,übung", ""}, // a word keeps its comma
		{"is:active,late", "1 2"},
		{"-is:active,late", "3"},
		{"became:failed", "1 3"},
		{"became:queued", ""},
		{"became:processing", "1 3"}, // the late message changed nothing
		{"became:completed -became:failed", "2"},
		{"or", ""},
		// A quote still open, as while somebody types.
		{`name:"talk: pa`, "3"},
	} {
		f, err := ParseFilter(c.filter)
		if err != nil {
			t.Errorf("%q: %v", c.filter, err)
			continue
		}
		var got []string
		for i := range b.Len() {
			task := b.At(i)
			s := target{task: task, name: names[task.ID()], now: at("13:00:00")}
			if f.match(&s) {
				got = append(got, task.ID()[5:])
			}
		}
		if got := strings.Join(got, " "); got != c.want {
			t.Errorf("%q matches tasks %q, want %q", c.filter, got, c.want)
		}
		if f.String() != c.filter {
			t.Errorf("%q is told as %q", c.filter, f.String())
		}
	}
}

func TestFilterTermsPickLinesOfTheEventLog(t *testing.T) {
	b := filterBoard(t)
	line := func(seq int64, typ, task, features string) *Event {
		e := Decode(&Delivery{Seq: seq, Message: seq, ID: "msg_" + task, Body: envelope(typ, task, "12:00:00", features)})
		return &e
	}
	ping := Decode(&Delivery{ID: "msg_ping", Body: []byte(`{"success":true}`)})
	repeat := Decode(&Delivery{Seq: 6, Message: 1, ID: "msg_again"})
	lines := map[string]target{
		"early": {task: b.Task("bbbb-2"), event: line(3, "task.progress", "bbbb-2", `"visual":{"state":"queued"}`)},
		"end":   {task: b.Task("bbbb-2"), event: line(2, "task.completed", "bbbb-2", `"visual":{"state":"completed"}`), name: "holiday.mov"},
		"fail":  {task: b.Task("CCCC-3"), event: line(4, "task.failed", "CCCC-3", `"visual":{"state":"completed"}`)},
		"ping":  {event: &ping},
		"twice": {task: b.Task("aaaa-1"), event: &repeat},
		"no":    {rejected: &Rejected{ID: "msg_evil", Verdict: Verdict{Reason: TooOld, Detail: "too old by 7m12s"}}},
	}
	for _, c := range []struct{ filter, want string }{
		{"", "early end fail no ping twice"},
		{"state:queued", ""}, // the task is completed now, whatever the event told
		{"state:completed", "early end"},
		{"state:failed", "fail"},
		{"-state:failed", "early end no ping twice"},
		{"state:processing", "twice"},
		{"state:failed,processing", "fail twice"},
		{"-state:failed,processing", "early end no ping"},
		{"became:queued", ""}, // it was late
		{"became:completed", "end"},
		{"became:failed", "fail"},
		{"became:proc", "fail"}, // an unknown state counts as processing
		{"visual:completed,queued -is:late", "end fail"},
		{"is:late,rejected", "early no"},
		{"visual:processing", ""},
		{"visual:completed", "end fail"},
		{"feature:visual", "early end fail"},
		{"is:late", "early"},
		{"is:duplicate", "twice"},
		{"is:rejected", "no"},
		{"-is:rejected", "early end fail ping twice"},
		{"is:done", "early end fail"},
		{"is:active", "twice"},
		{"is:stalled", "twice"},
		{"type:task.", "early end fail"},
		{"type:ping", "ping"},
		{"task.failed", "fail"},
		{"msg_bbbb", "early end"},
		{"event-cccc", "fail"},
		{"msg_evil", "no"},
		{"too_old", "no"},
		{"7m12s", "no"},
		{"task:aaaa", "twice"},
		{"aaaa", "twice"},
		{"asset:asset-bbbb", "early end"},
		{"user:user-1", "early end fail twice"},
		{"user:caller", "early end fail"},
		{"name:holiday", "end"},
	} {
		f, err := ParseFilter(c.filter)
		if err != nil {
			t.Errorf("%q: %v", c.filter, err)
			continue
		}
		var got []string
		for _, name := range []string{"early", "end", "fail", "no", "ping", "twice"} {
			s := lines[name]
			s.now = at("13:00:00")
			if f.match(&s) {
				got = append(got, name)
			}
		}
		if got := strings.Join(got, " "); got != c.want {
			t.Errorf("%q matches lines %q, want %q", c.filter, got, c.want)
		}
	}
}

func TestABadFilterPointsAtTheTerm(t *testing.T) {
	for _, c := range []struct {
		filter, term string
		says         []string
	}{
		{"stat:failed", "stat:failed", []string{`"stat"`, "did you mean state:", "feature, task"}},
		{"ok  -sttae:failed more", "-sttae:failed", []string{"did you mean state:"}},
		{"visul:failed", "visul:failed", []string{"did you mean visual:"}},
		{"colour:red", "colour:red", []string{`no field "colour"`, "state, feature, task", "double quotes"}},
		{":failed", ":failed", []string{`no field ""`}},
		{"über state:faild", "state:faild", []string{`"faild" is not a state`, "queued, processing, completed, failed, cancelled and na"}},
		{"visual:faild", "visual:faild", []string{`"faild" is not a state`}},
		{"is:new", "is:new", []string{"late, duplicate, rejected, stalled, active or done"}},
		{"api:2e1c:ff", "api:2e1c:ff", []string{"double quotes"}},
		{"a\n!is:\"x y\"", "!is:\"x y\"", []string{"late"}},
		{"state:failed | state:queued", "|", []string{"comma", "state:failed,cancelled"}},
		{"state:failed|queued", "state:failed|queued", []string{"comma"}},
		{"a||b", "a||b", []string{"comma"}},
		{"failed OR queued", "OR", []string{"comma", "double quotes"}},
		{"state:failed,faild", "state:failed,faild", []string{`"faild" is not a state`}},
		{"is:late,new", "is:late,new", []string{"late, duplicate"}},
		{"became:faild", "became:faild", []string{`"faild" is not a state`}},
		{"becam:failed", "becam:failed", []string{"did you mean became:"}},
		{"x @mine", "@mine", []string{"@mine", "[filters]"}},
	} {
		f, err := ParseFilter(c.filter)
		var bad *FilterError
		if !errors.As(err, &bad) {
			t.Errorf("%q is taken for %+v", c.filter, f)
			continue
		}
		if got := bad.Text[bad.Pos : bad.Pos+bad.Len]; got != c.term || bad.Text != c.filter {
			t.Errorf("%q: the error points at %q, want %q", c.filter, got, c.term)
		}
		for _, says := range c.says {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("%q: %q does not say %q", c.filter, err, says)
			}
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: the error has several lines: %q", c.filter, err)
		}
	}
}

func TestATermWithoutAValueIsUnfinished(t *testing.T) {
	for filter, term := range map[string]string{
		"state:": "state:", "-state:": "-state:", `state:"`: `state:"`, "stat:": "stat:", "is:": "is:", "-": "-", `""`: `""`, "failed !": "!", "@": "@", "-@": "-@",
	} {
		f, err := ParseFilter(filter)
		var bad *FilterError
		if !errors.As(err, &bad) || !bad.Unfinished || err.Error() != fmt.Sprintf("%q has no value", term) {
			t.Errorf("%q: %v", filter, err)
			continue
		}
		// Of what is being typed, the rest holds.
		if want := filter != "failed !"; f.Empty() != want {
			t.Errorf("%q: empty %v, want %v", filter, f.Empty(), want)
		}
	}
	for filter, task := range map[string]string{"state:failed,": "CCCC-3", "state:,completed": "bbbb-2"} {
		f, err := ParseFilter(filter)
		var bad *FilterError
		if !errors.As(err, &bad) || !bad.Unfinished || !f.MatchTask(filterBoard(t).Task(task), "", time.Time{}) {
			t.Errorf("%q: %v, %v", filter, f, err)
		}
	}
	if f, err := ParseFilter("state: colour:red"); f != nil || !strings.Contains(err.Error(), "colour") {
		t.Errorf("a wrong term after an unfinished one: %v, %v", f, err)
	}
}

func TestNamedFilters(t *testing.T) {
	b := filterBoard(t)
	named := NamedFilters{"mine": "user:user-1 state:failed,completed", "Nested": "@mine", "bad": "state:faild", "none": "", "typed": "state:"}
	for filter, want := range map[string]string{
		"@mine": "2 3", "-@mine": "1", "@mine -state:failed": "2", "@none": "1 2 3", "-@none": "", `"@mine"`: "",
	} {
		f, err := named.Parse(filter)
		if err != nil || f.String() != filter || f.NeedsBoard() != strings.HasSuffix(strings.Fields(filter)[0], "@mine") {
			t.Fatalf("%q: %v, %v", filter, f, err)
		}
		var got []string
		for i := range b.Len() {
			if f.MatchTask(b.At(i), "", time.Time{}) {
				got = append(got, b.At(i).ID()[5:])
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q matches %q, want %q", filter, got, want)
		}
	}
	for filter, says := range map[string]string{"@bad": `"faild" is not a state`, "@Nested": "cannot use another", "@mien": "Nested, bad, mine, none and typed", "@typed": "has no value"} {
		_, err := named.Parse("x " + filter)
		var bad *FilterError
		if !errors.As(err, &bad) || bad.Text[bad.Pos:] != filter || !strings.Contains(bad.Message, says) {
			t.Errorf("%q: %v", filter, err)
		}
	}
	for name, ok := range map[string]bool{"mine": true, "none": true, "bad": false, "Nested": false, "typed": false, "a b": false, "": false, "a,b": false} {
		if err := named.Check(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestAFilterOfMessagesAsksForNothingElse(t *testing.T) {
	named := NamedFilters{"failing": "state:failed", "now": "is:active"}
	e := Decode(&Delivery{Seq: 7, Message: 7, ID: "msg_1", Body: envelope("task.progress", "aaaa-1", "12:00:00", `"visual":{"state":"failed"},"proxy":{"state":"queued"}`)})
	for filter, want := range map[string]bool{
		"": true, "state:failed": true, "state:queued,failed": true, "state:queued": false, "-state:failed": false, "@failing": true, "visual:failed proxy:q": true,
		"type:progress task:aaaa asset:asset user:user-1 feature:vis": true, "failed msg_1": true, "cancelled": false,
	} {
		f, err := named.ParseOfMessage(filter)
		if err != nil || f.NeedsBoard() || f.MatchEvent(&e, nil, "", time.Time{}) != want {
			t.Errorf("%q: %v, want %v", filter, err, want)
		}
	}
	for _, filter := range []string{"is:late", "-name:x", "became:failed", "@now", "state:failed,late"} {
		if f, err := named.ParseOfMessage(filter); err == nil {
			t.Errorf("%q is taken: %v", filter, f)
		}
	}
}

func TestAnEmptyFilterSaysSo(t *testing.T) {
	for text, empty := range map[string]bool{"": true, " ": true, "x": false, "is:done": false} {
		f, err := ParseFilter(text)
		if err != nil || f.Empty() != empty {
			t.Errorf("%q: empty %v, %v", text, f.Empty(), err)
		}
	}
	if !new(Filter).match(&target{}) {
		t.Error("the zero filter does not match everything")
	}
}

func TestMatchingDoesNotAllocate(t *testing.T) {
	b := filterBoard(t)
	for _, text := range []string{"übung", "-holiday state:failed", "visual:processing feature:vis", "task:aaaa asset:a user:u name:mp4", "type:failed", "is:late", "is:stalled", `"7m12s"`, "state:queued,failed", "became:cancelled,queued", "-@mine"} {
		f, err := NamedFilters{"mine": "state:queued user:x"}.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() {
			for i := range b.Len() {
				s := target{task: b.At(i), name: "Übung Eins.MP4", now: at("13:00:00")}
				f.match(&s)
			}
		}); n != 0 {
			t.Errorf("%q allocates %v times", text, n)
		}
	}
}

func FuzzFilter(f *testing.F) {
	for _, seed := range []string{"", "a", `-name:"x y" !is:late`, "visual:failed", "state:c", "\xff:\xff", `"`, "K:na", "İ ı ß"} {
		f.Add(seed, "Talk K.mp4")
	}
	e := Decode(&Delivery{ID: "msg_1", Body: envelope("task.progress", "aaaa-1", "12:00:00", `"visual":{"state":"paused"}`)})
	e.Seq, e.Message = 1, 1
	b := NewBoard()
	task := b.Fold(&e)
	f.Fuzz(func(t *testing.T, text, name string) {
		filter, err := ParseFilter(text)
		if err != nil {
			var bad *FilterError
			if !errors.As(err, &bad) || bad.Len < 1 || bad.Pos < 0 || bad.Pos+bad.Len > len(text) || bad.Error() == "" {
				t.Fatalf("%q: %#v", text, err)
			}
			return
		}
		for _, s := range []target{{task: task, name: name, now: time.Unix(1, 0)}, {task: task, event: &e, name: name}, {}, {rejected: &Rejected{}}} {
			if !filter.match(&s) && filter.Empty() {
				t.Fatalf("%q is empty but does not match", text)
			}
		}
		// Every name is found by itself, and by nothing when negated.
		if quoted := `"` + strings.ReplaceAll(name, `"`, "") + `"`; len(quoted) > 2 {
			word, err := ParseFilter("name:" + quoted)
			if err != nil {
				t.Fatal(err)
			}
			not, err := ParseFilter("-name:" + quoted)
			if err != nil {
				t.Fatal(err)
			}
			s := target{name: strings.ReplaceAll(name, `"`, "")}
			if !word.match(&s) || not.match(&s) {
				t.Fatalf("%q is not found by itself", name)
			}
		}
	})
}
