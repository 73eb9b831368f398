package model

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// view tells everything that a board shows of its tasks, whatever the order in
// which it came to know them.
func view(b *Board) string {
	var out strings.Builder
	count := map[State]int{}
	tasks := make([]*Task, b.Len())
	for i := range tasks {
		tasks[i] = b.At(i)
	}
	slices.SortFunc(tasks, func(s, t *Task) int { return strings.Compare(s.ID(), t.ID()) })
	for _, t := range tasks {
		done, total := t.Progress()
		fmt.Fprintf(&out, "%s %s %s %s created %v updated %v heard %v: %v, %d of %d, messages %v\n", t.ID(), t.State(),
			t.AssetID(), t.UserID(), t.Created(), t.Updated(), t.Heard(), t.Features(), done, total, t.Seqs())
		for _, feature := range testFeatures {
			fmt.Fprintf(&out, "  %s %v\n", feature, t.Timeline(feature))
		}
		for _, seq := range t.Seqs() {
			effect, ok := t.Effect(seq)
			if !ok {
				fmt.Fprintf(&out, "  %d is not there\n", seq)
			}
			told := map[string]string{}
			for _, c := range effect.Changes {
				from, to := string(c.From), string(c.To)
				if from == "" {
					from = "+"
				}
				if to == "" {
					to = "-"
				}
				told[c.Feature] = from + " -> " + to
			}
			fmt.Fprintf(&out, "  %d late %v %v from %q to %q, %v as of %v\n", seq, effect.Late, told, effect.Before, effect.After, effect.Features, effect.Updated)
		}
		fmt.Fprintf(&out, "  any late %v\n", t.hadLate())
	}
	for _, s := range StateNames() {
		if n := b.Count(s); n > 0 {
			count[s] = n
		}
	}
	fmt.Fprintf(&out, "%v\n", count)
	stats := b.Stats()
	for _, feature := range testFeatures {
		f := stats.Feature(feature)
		if f == nil {
			continue
		}
		in := map[State]int{}
		for _, s := range StateNames() {
			if n := f.In(s); n > 0 {
				in[s] = n
			}
		}
		fmt.Fprintf(&out, "%s %d %v", feature, f.Tasks(), in)
		for i, d := range []*Durations{f.Queued(), f.Processing()} {
			fmt.Fprintf(&out, " %s %d", States[i].State, d.Count())
			if median, ok := d.Quantile(0.5); ok {
				fmt.Fprintf(&out, " %v", median)
			}
		}
		out.WriteString("\n")
	}
	return out.String()
}

var testFeatures = []string{"proxy", "visual", "embedding", "scene_detect"}

// randomDeliveries are messages about a few tasks that tie at every component
// of the key, and repeats of them with the same and with other bodies.
func randomDeliveries(r *rand.Rand) []Delivery {
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	var j journal
	for range 2 + r.IntN(40) {
		if n := len(j.deliveries); n > 0 && r.IntN(6) == 0 {
			first := j.deliveries[r.IntN(n)]
			again := Delivery{Message: first.Message, ID: first.ID, Attempt: 2, Received: at("13:00:00")}
			if r.IntN(2) == 0 {
				again.Differs, again.Body = true, envelope("task.failed", pick("a", "b"), "18:00:00", told("visual:failed"))
			}
			j.keep(again)
			continue
		}
		var features []string
		for _, name := range testFeatures {
			if r.IntN(4) > 0 {
				features = append(features, name+":"+pick("queued", "processing", "completed", "failed", "cancelled", "na", "paused"))
			}
		}
		r.Shuffle(len(features), func(i, k int) { features[i], features[k] = features[k], features[i] })
		task := fmt.Sprintf(`{"id":%q,"asset_id":%q,"features":{%s},"user_id":%q,"created":%q,"updated":%q}%s`,
			pick("a", "b"), pick("asset 1", "asset 2"), told(strings.Join(features, " ")), pick("user 1", "user 2"),
			pick("", "2026-11-23T11:00:00Z"),
			pick("", "2026-11-23T12:00:00Z", "2026-11-23T13:00:00+01:00", "2026-11-23T12:00:01Z", "2026-11-23T12:00:02.000000001Z"),
			strings.Repeat(" ", r.IntN(3)))
		d := Delivery{Received: at("12:00:00").Add(time.Duration(r.IntN(100)) * time.Second), Body: []byte(task)}
		if d.Source = SourceAPI; r.IntN(5) > 0 {
			d.Source = Source(pick("webhook", "sse"))
			d.Body = fmt.Appendf(nil, `{"timestamp":%q,"event_id":%q,"event_type":%q,"data":{"task":%s}}`,
				pick("", "2026-11-23T12:00:00Z", "2026-11-23T12:00:05Z"),
				pick("", "8b7a2e8f-3a1c-4ff9-9f5e-4b8e0a9ee000", "8b7a2e8f-3a1c-4ff9-9f5e-4b8e0a9ee001", "8B7A2E8F-3a1c-4ff9-9f5e-4b8e0a9ee000", "8b7a2e8f", "zz"),
				pick("task.progress", "task.progress", "task.completed", "task.failed", "task.paused", "snapshot", ""), task)
		}
		j.keep(d)
	}
	return j.deliveries
}

// trials runs a property over many random sets; each has a name to run it alone.
func trials(t *testing.T, n int, property func(t *testing.T, r *rand.Rand, deliveries []Delivery)) {
	for seed := range n {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		deliveries := randomDeliveries(r)
		property(t, r, deliveries)
		if t.Failed() {
			t.Fatalf("seed %d, %d deliveries", seed, len(deliveries))
		}
	}
}

func TestTheBoardFollowsTheRules(t *testing.T) {
	trials(t, 1000, func(t *testing.T, _ *rand.Rand, deliveries []Delivery) {
		if got, want := view(fold(deliveries)), newReference(deliveries).String(); got != want {
			t.Errorf("the board shows\n%s\nthe rules say\n%s", got, want)
		}
	})
}

func TestTheOrderAndRepetitionOfDeliveriesDoNotMatter(t *testing.T) {
	trials(t, 500, func(t *testing.T, r *rand.Rand, deliveries []Delivery) {
		want := view(fold(deliveries))
		events := decodeAll(deliveries)
		for range r.IntN(len(events)) {
			events = append(events, events[r.IntN(len(events))])
		}
		r.Shuffle(len(events), func(i, k int) { events[i], events[k] = events[k], events[i] })
		b := NewBoard()
		for i := range events {
			b.Fold(&events[i])
			if b.Len() > 0 && r.IntN(3) == 0 { // looking must not change anything
				b.Stats()
				b.At(r.IntN(b.Len())).Seqs()
				b.At(r.IntN(b.Len())).Timeline("visual")
			}
		}
		if got := view(b); got != want {
			t.Errorf("shuffled, the board shows\n%s\nin order\n%s", got, want)
		}
	})
}

func TestFoldingNewestFirstGivesTheSameBoard(t *testing.T) {
	trials(t, 500, func(t *testing.T, _ *rand.Rand, deliveries []Delivery) {
		want := view(fold(deliveries))
		slices.Reverse(deliveries)
		if got := view(fold(deliveries)); got != want {
			t.Errorf("newest first, the board shows\n%s\noldest first\n%s", got, want)
		}
	})
}

func TestATaskAsOfANumberIsWhatItWasThen(t *testing.T) {
	trials(t, 300, func(t *testing.T, r *rand.Rand, deliveries []Delivery) {
		now := fold(deliveries)
		seq := deliveries[r.IntN(len(deliveries))].Seq
		then := fold(slices.DeleteFunc(slices.Clone(deliveries), func(d Delivery) bool { return d.Seq > seq }))
		for i := range now.Len() {
			got, want := now.At(i).AsOf(seq, at("12:00:00")), then.Task(now.At(i).ID())
			if got == nil || want == nil {
				if (got == nil) != (want == nil) {
					t.Errorf("as of %d, %s is %v, not %v", seq, now.At(i).ID(), got, want)
				}
				continue
			}
			tell := func(x *Task) string {
				typ, byFeatures := x.DecidedBy()
				told := fmt.Sprint(x.State(), x.Features(), x.Seqs(), x.Updated(), typ, byFeatures, x.hadLate(), x.Gone())
				for _, f := range testFeatures {
					told += fmt.Sprint(x.Timeline(f))
				}
				return told
			}
			if tell(got) != tell(want) {
				t.Errorf("as of %d, %s is\n%s\nnot\n%s", seq, got.ID(), tell(got), tell(want))
			}
		}
	})
}
