package model

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// path writes a timeline as state@from, with the clock of the tests' day.
func path(intervals []Interval) string {
	var parts []string
	for i, s := range intervals {
		parts = append(parts, fmt.Sprintf("%s@%s", s.State, s.From.Format(time.TimeOnly)))
		if last := i == len(intervals)-1; last != s.To.IsZero() || !last && !s.To.Equal(intervals[i+1].From) {
			return fmt.Sprintf("intervals with gaps: %v", intervals)
		}
	}
	return strings.Join(parts, " ")
}

func TestATimelineTellsWhenAFeatureEnteredEachState(t *testing.T) {
	for _, c := range []struct {
		name     string
		messages []string // type, instant, features
		want     string   // of visual
	}{
		{"a whole life", []string{"p 12:00:00 visual:queued", "p 12:01:00 visual:processing", "c 12:03:00 visual:completed"},
			"queued@12:00:00 processing@12:01:00 completed@12:03:00"},
		{"news of other features tells nothing new", []string{"p 12:00:00 visual:queued", "p 12:01:00 visual:queued proxy:completed", "p 12:02:00 visual:processing"},
			"queued@12:00:00 processing@12:02:00"},
		{"messages that arrive in the wrong order", []string{"c 12:03:00 visual:completed", "p 12:00:00 visual:queued", "p 12:01:00 visual:processing"},
			"queued@12:00:00 processing@12:01:00 completed@12:03:00"},
		{"of one instant the greater key counts", []string{"c 12:00:00 visual:completed", "p 12:00:00 visual:queued"},
			"completed@12:00:00"},
		{"a failure and a retry", []string{"p 12:00:00 visual:processing", "f 12:01:00 visual:failed", "p 12:02:00 visual:queued", "p 12:03:00 visual:processing"},
			"processing@12:00:00 failed@12:01:00 queued@12:02:00 processing@12:03:00"},
		{"a feature that appears late", []string{"p 12:00:00 proxy:queued", "p 12:01:00 proxy:queued visual:queued"},
			"queued@12:01:00"},
		{"a feature that is not told for a while", []string{"p 12:00:00 visual:queued", "p 12:01:00 proxy:queued", "p 12:02:00 visual:queued"},
			"queued@12:00:00"},
		{"an unknown state", []string{"p 12:00:00 visual:queued", "p 12:01:00 visual:paused"},
			"queued@12:00:00 paused@12:01:00"},
		{"a feature nobody told of", []string{"p 12:00:00 proxy:queued"}, ""},
	} {
		var j journal
		j.tell(c.messages...)
		task := only(t, j.board())
		intervals := task.Timeline("visual")
		if got := path(intervals); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		since := time.Time{}
		if len(intervals) > 0 {
			since = intervals[len(intervals)-1].From
		}
		if got := task.Since("visual"); !got.Equal(since) {
			t.Errorf("%s: in its state since %v, want %v", c.name, got, since)
		}
	}
}

func TestATimelineOfTheTaskFollowsItsOwnState(t *testing.T) {
	for name, c := range map[string]struct {
		messages []string // type, instant, features
		want     string
	}{
		"a whole life": {[]string{"task.progress 12:00:00 proxy:queued", "task.progress 12:01:00 proxy:processing visual:queued",
			"task.progress 12:02:00 proxy:completed visual:queued", "task.completed 12:03:00 proxy:completed visual:completed"},
			"queued@12:00:00 processing@12:01:00 queued@12:02:00 completed@12:03:00"},
		"a feature fails while others go on": {[]string{"task.progress 12:00:00 proxy:processing visual:processing", "task.progress 12:01:00 proxy:failed visual:processing"},
			"processing@12:00:00 failed@12:01:00"},
		"what is done is not reopened by a new feature": {[]string{"task.completed 12:00:00 proxy:completed", "task.progress 12:01:00 proxy:completed visual:processing"},
			"completed@12:00:00"},
		"a retry": {[]string{"task.failed 12:00:00 proxy:failed", "task.progress 12:01:00 proxy:processing"}, "failed@12:00:00 processing@12:01:00"},
	} {
		for _, order := range []string{"as they come", "newest first"} {
			var j journal
			for _, m := range c.messages {
				f := strings.SplitN(m, " ", 3)
				j.arrive(f[0], "t", f[1], f[2])
			}
			task := only(t, j.board())
			states := task.States()
			if got := path(states); got != c.want || states[len(states)-1].State != task.State() {
				t.Errorf("%s, %s: %s in the end %s, want %s", name, order, got, task.State(), c.want)
			}
			slices.Reverse(c.messages)
		}
	}
}

func TestAMessageWithoutAnInstantTellsNoTime(t *testing.T) {
	var j journal
	j.with(map[string]any{"data.task.updated": nil})
	task := only(t, j.board())
	if got := task.Timeline("visual"); got != nil {
		t.Errorf("the timeline is %v, want none", got)
	}
	if s, ok := task.Feature("visual"); !ok || s != Queued || !task.Since("visual").IsZero() {
		t.Errorf("the feature is %q since %v", s, task.Since("visual"))
	}
}

func TestASpanIsNeverNegative(t *testing.T) {
	ended := Interval{From: at("12:00:00"), To: at("12:00:05")}
	for _, c := range []struct {
		interval Interval
		now      time.Time
		want     time.Duration
	}{
		{ended, at("15:00:00"), 5 * time.Second},
		{Interval{From: at("12:00:00")}, at("12:01:00"), time.Minute},
		{Interval{From: at("12:00:00")}, at("11:00:00"), 0},
		{Interval{From: at("12:00:00"), To: at("11:00:00")}, at("13:00:00"), 0},
	} {
		if got := c.interval.Length(c.now); got != c.want {
			t.Errorf("%v at %v lasts %v, want %v", c.interval, c.now, got, c.want)
		}
	}
}

func TestAnArrivalTellsWhatItChanged(t *testing.T) {
	var j journal
	for _, m := range []struct{ typ, updated, features string }{
		{"task.progress", "12:00:00", "visual:queued proxy:na"},              // 1
		{"task.progress", "12:02:00", "visual:processing proxy:na new:x"},    // 2
		{"task.progress", "12:01:00", "visual:queued proxy:completed"},       // 3 comes late
		{"task.progress", "12:03:00", "visual:processing proxy:na new:x"},    // 4 says nothing new
		{"task.completed", "12:04:00", "visual:completed transcription:na"},  // 5
		{"task.progress", "12:04:00", "visual:processing transcription:na"},  // 6 is late: its rank is lower
		{"task.completed", "12:04:00", "visual:completed transcription:na "}, // 7 is not: it says the same
	} {
		j.arrive(m.typ, "t", m.updated, m.features)
	}
	b := j.board()
	want := []struct {
		late    bool
		changes []FeatureChange
	}{
		{false, []FeatureChange{{"proxy", "", NA}, {"visual", "", Queued}}},
		{false, []FeatureChange{{"visual", Queued, Processing}, {"new", "", "x"}}},
		{true, nil},
		{false, nil},
		{false, []FeatureChange{{"proxy", NA, ""}, {"visual", Processing, Completed}, {"transcription", "", NA}, {"new", "x", ""}}},
		{true, nil},
		{false, nil},
	}
	for i, w := range want {
		e, ok := b.At(0).Effect(int64(i + 1))
		if !ok || e.Late != w.late || !reflect.DeepEqual(e.Changes, w.changes) {
			t.Errorf("message %d: %+v, known %v; want %v, %v", i+1, e, ok, w.late, w.changes)
		}
	}
	if _, ok := b.At(0).Effect(8); ok {
		t.Error("a message that never came has an effect")
	}
	if got := b.At(0).Seqs(); !slices.Equal(got, []int64{1, 3, 2, 4, 6, 5, 7}) {
		t.Errorf("messages in the order of their keys: %v", got)
	}
	if b.At(0).Messages() != 7 {
		t.Errorf("%d messages, want 7", b.At(0).Messages())
	}
}

func TestAMessageBetweenTwoOthersIsMeasuredAgainstWhatHadArrived(t *testing.T) {
	var j journal
	j.arrive("task.progress", "t", "12:00:00", "visual:queued")
	j.arrive("task.progress", "t", "12:02:00", "visual:completed")
	j.arrive("task.progress", "t", "12:01:00", "visual:processing")
	b := j.board()
	if e, _ := b.At(0).Effect(2); !slices.Equal(e.Changes, []FeatureChange{{"visual", Queued, Completed}}) {
		t.Errorf("message 2 changed %v; message 3 was not there yet", e.Changes)
	}
	if got := path(b.At(0).Timeline("visual")); got != "queued@12:00:00 processing@12:01:00 completed@12:02:00" {
		t.Errorf("the timeline, which knows them all, is %s", got)
	}
}

func TestHeardIsTheLastArrivalByTheLocalClock(t *testing.T) {
	var j journal
	j.keep(Delivery{Received: at("14:00:00"), Body: envelope("task.progress", "t", "12:00:00", "")})
	j.keep(Delivery{Received: at("13:00:00"), Body: envelope("task.progress", "t", "18:00:00", "")})
	if got := only(t, j.board()).Heard(); !got.Equal(at("14:00:00")) {
		t.Errorf("last heard at %v, want 14:00", got)
	}
}

func TestTimesBeyondTheBoardsReachAreClampedInOrder(t *testing.T) {
	times := []time.Time{{}, ParseTime("0900-01-01T00:00:00Z"), ParseTime("1700-01-01T00:00:00Z"), at("12:00:00"), ParseTime("9999-12-31T23:59:59Z")}
	for i := 1; i < len(times); i++ {
		if toNano(times[i-1]) >= toNano(times[i]) {
			t.Errorf("%v does not come before %v", times[i-1], times[i])
		}
	}
	for _, want := range []time.Time{{}, times[2], at("12:00:00")} {
		if got := fromNano(toNano(want)); !got.Equal(want) || got.IsZero() != want.IsZero() {
			t.Errorf("%v is kept as %v", want, got)
		}
	}
}
