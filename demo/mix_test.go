package demo

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aspectop/model"
)

// late are the ids of the messages that a newer one of their task overtook.
func late(arrivals []arrival) []string {
	b, first := model.NewBoard(), map[string]bool{}
	var ids []string
	for _, a := range arrivals {
		if !a.ok || first[a.id()] {
			continue
		}
		first[a.id()] = true
		if t := b.Fold(&a.event); t != nil {
			if late, _, _ := t.Arrival(a.event.Seq); late {
				ids = append(ids, a.id())
			}
		}
	}
	return ids
}

// minutes plays the mix for so long, with each of some seeds.
func minutes(t *testing.T, n int, check func(t *testing.T, got []arrival)) {
	t.Helper()
	for seed := range int64(8) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			check(t, play(t, Options{Seed: seed, Duration: time.Duration(n) * time.Minute}))
		})
	}
}

func TestTheSameSeedTellsTheSameLives(t *testing.T) {
	o := Options{Seed: 42, Duration: 5 * time.Minute}
	first := told(t, o, 0)
	if again := told(t, o, 0); !slices.Equal(first, again) {
		t.Error("the same seed at the same instant told something else")
	}
	if later := told(t, o, 12345678*time.Microsecond); !slices.Equal(first, later) {
		t.Error("the same seed at another instant told something else, relative to the start")
	}
	o.Seed++
	if other := told(t, o, 0); slices.Equal(first, other) {
		t.Error("another seed told the same")
	}
}

// told plays o after a pause and returns the requests as text, with all times
// counted from the start. Of a message id only the part that tells no time stays.
func told(t *testing.T, o Options, pause time.Duration) []string {
	t.Helper()
	var texts []string
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(pause)
		var r recorder
		if err := Run(t.Context(), r.sender(t), o); err != nil {
			t.Error(err)
		}
		instant := regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z`)
		for _, a := range r.arrivals {
			body := instant.ReplaceAllStringFunc(string(a.body), func(s string) string {
				return model.ParseTime(s).Sub(r.start.Truncate(time.Microsecond)).String()
			})
			texts = append(texts, fmt.Sprint(a.after, " ", a.ok, " ", body))
		}
		slices.Sort(texts) // posts of the same instant come in any order
	})
	return texts
}

func TestTheBoardIsAliveWithinTwoSeconds(t *testing.T) {
	minutes(t, 1, func(t *testing.T, got []arrival) {
		b := board(until(got, time.Second))
		if b.Len() < 3 {
			t.Fatalf("%d tasks after a second, want three", b.Len())
		}
		veteran := b.At(0)
		if done, _ := veteran.Progress(); done == 0 || veteran.State() != model.Processing {
			t.Errorf("the first task is %s with %d features done, want it well on its way", veteran.State(), done)
		}
		if age := got[0].event.Received.Sub(veteran.Created()); age < 20*time.Second {
			t.Errorf("the first task is %v old, want history", age)
		}
		stages := map[string]bool{}
		for i := range 3 {
			done, _ := b.At(i).Progress()
			stages[fmt.Sprint(done, b.At(i).State(), b.At(i).Messages())] = true
		}
		if len(stages) < 3 {
			t.Errorf("the first three tasks are at the same stage: %v", stages)
		}
		early := until(got, 2*time.Second)
		if len(early) < 8 || len(early) > 30 {
			t.Errorf("%d posts in two seconds", len(early))
		}
		for i := range early[1:] {
			if early[i].after == early[i+1].after {
				t.Errorf("two posts at once, so that their order is left to chance, after %v", early[i].after)
			}
		}
	})
}

func TestTheMixIsLivelyAndNeverNoisy(t *testing.T) {
	minutes(t, 10, func(t *testing.T, got []arrival) {
		for m := range 10 {
			from := time.Duration(m) * time.Minute
			n := len(until(got, from+time.Minute)) - len(until(got, from))
			if n < 50 || n > 150 {
				t.Errorf("%d posts in minute %d", n, m)
			}
		}
		for i := range got[1:] {
			if gap := got[i+1].after - got[i].after; gap > 6*time.Second {
				t.Errorf("silence for %v after %v", gap, got[i].after)
			}
		}
		var lengths []time.Duration
		b := board(got)
		for i := range b.Len() {
			if k := b.At(i); k.State().Terminal() {
				lengths = append(lengths, k.Updated().Sub(k.Created()))
			}
		}
		slices.Sort(lengths)
		tenth, most := lengths[len(lengths)/10], lengths[len(lengths)*9/10]
		if tenth < 8*time.Second || most > 70*time.Second {
			t.Errorf("tasks take from %v to %v, want about 15 to 70 s", tenth, most)
		}
	})
}

func TestTheMixShowsEveryKindOfLife(t *testing.T) {
	minutes(t, 5, func(t *testing.T, got []arrival) {
		b := board(got)
		seen := map[string]bool{}
		failed := 0
		for i := range b.Len() {
			task := b.At(i)
			states := map[string]string{}
			for _, f := range task.Features() {
				path := ""
				for _, s := range task.Timeline(f.Name) {
					path += string(s.State[:1])
					if s.State == model.Processing && s.Length(task.Updated()) > 100*time.Second {
						seen["stalled"] = true
					}
				}
				states[f.Name] = path
				switch {
				case strings.HasPrefix(path, "qpfqpc"):
					seen["recovered"] = true
				case path == "qpf" && task.State() == model.Failed:
					seen["failed"] = true
				case f.State == model.Cancelled:
					seen["cancelled"] = true
				}
				if model.Internal(f.Name) {
					seen["internal"] = true
				}
			}
			if task.State() == model.Failed {
				failed++
			}
			switch {
			case states["visual"] == "n" && states["proxy"] == "n":
				seen["audio"] = true
			case states["transcription"] == "n" && states["proxy"] == "n":
				seen["image"] = true
			}
		}
		for _, want := range []string{"stalled", "recovered", "failed", "cancelled", "internal", "audio", "image"} {
			if !seen[want] {
				t.Errorf("no task was %s in five minutes", want)
			}
		}
		if share := float64(failed) / float64(b.Len()); share < 0.05 || share > 0.22 {
			t.Errorf("%d of %d tasks failed, want about one of nine", failed, b.Len())
		}
		if !slices.ContainsFunc(got, progressAfterCompletion(got)) {
			t.Error("no internal feature went on after a completion")
		}
	})
}

// progressAfterCompletion finds task.progress about a task that was completed.
func progressAfterCompletion(arrivals []arrival) func(arrival) bool {
	completed := map[string]bool{}
	return func(a arrival) bool {
		if !a.ok || a.event.Task == nil {
			return false
		}
		if a.event.Type == typeCompleted {
			completed[a.event.Task.ID] = true
		}
		return a.event.Type == typeProgress && completed[a.event.Task.ID]
	}
}

func TestTheMixHasTheTroublesOfRealDelivery(t *testing.T) {
	minutes(t, 6, func(t *testing.T, got []arrival) {
		count := func(in []arrival, what func(arrival) bool) (n int) {
			for _, a := range in {
				if what(a) {
					n++
				}
			}
			return n
		}
		forged := func(a arrival) bool { return !a.ok }
		pinged := func(a arrival) bool { return a.event.Kind == model.Ping && a.ok }
		if count(until(got, 20*time.Second), forged) == 0 {
			t.Error("nothing forged in the first 20 s")
		}
		if count(until(got, 5*time.Second), pinged) != 1 {
			t.Error("no ping near the start")
		}
		times := map[string]int{}
		for _, a := range got {
			times[a.id()]++
		}
		repeats := len(got) - len(times)
		if repeats < 4 || repeats > 9 {
			t.Errorf("%d repeats in six minutes, want about one a minute", repeats)
		}
		if n := len(late(got)); n < 3 || n > 9 {
			t.Errorf("%d late messages in six minutes", n)
		}
		if early := len(late(until(got, 90*time.Second))); early < 2 {
			t.Errorf("%d messages were late or swapped in the first 90 s, want one of each", early)
		}
		if n := count(got, forged); n < 2 || n > 5 {
			t.Errorf("%d forged messages in six minutes", n)
		}
	})
}

func TestWhatIsNotBrokenOnPurposeVerifies(t *testing.T) {
	minutes(t, 10, func(t *testing.T, got []arrival) {
		wrong := 0
		for _, a := range got {
			byHand := byHand(a.header, a.body) == a.header.Get("svix-signature")
			if a.ok && !byHand {
				t.Errorf("%s: the library accepts what is wrong by hand", a.id())
			}
			if !a.ok {
				wrong++
			}
		}
		if wrong > 7 {
			t.Errorf("%d of %d posts do not verify", wrong, len(got))
		}
	})
}

var (
	uuidForm    = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	messageForm = regexp.MustCompile(`^msg_[0-9A-Za-z]{27}$`)
	stampForm   = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$`)
)

func TestABodyIsTheProvidersEnvelope(t *testing.T) {
	events := map[string]string{}
	for _, a := range play(t, Options{Seed: 9, Duration: 3 * time.Minute}) {
		if !messageForm.MatchString(a.id()) {
			t.Errorf("svix-id %q", a.id())
		}
		if a.event.Kind == model.Ping {
			if string(a.body) != `{"success": true}` {
				t.Errorf("the ping is %s", a.body)
			}
			continue
		}
		var e envelope
		if err := json.Unmarshal(a.body, &e); err != nil {
			t.Fatal(err)
		}
		task := e.Data.Task
		for _, id := range []string{e.UserID, e.EventID, task.ID, task.AssetID, task.UserID} {
			if !uuidForm.MatchString(id) {
				t.Errorf("%q is no UUID in %s", id, a.body)
			}
		}
		for _, s := range []string{e.Timestamp, task.Created, task.Updated} {
			if !stampForm.MatchString(s) {
				t.Errorf("%q is no stamp in %s", s, a.body)
			}
		}
		if task.Created > task.Updated || task.Updated > e.Timestamp || a.event.Timestamp.After(a.event.Received) {
			t.Errorf("the times are not in order: %s", a.body)
		}
		if a.ok { // compact, and the documented keys alone
			if compact, _ := json.Marshal(e); string(compact) != string(a.body) {
				t.Errorf("the body is %s, want %s", a.body, compact)
			}
			if other, ok := events[e.EventID]; ok && other != a.id() {
				t.Errorf("two messages have the event_id %s", e.EventID)
			}
			events[e.EventID] = a.id()
		}
	}
}

func TestEveryLifeKeepsTheOrderOfStatesAndEnds(t *testing.T) {
	for seed := range int64(4) {
		got := play(t, Options{Seed: seed, Tasks: 60})
		checkLives(t, got)
		b := board(got)
		for i := range b.Len() {
			for _, f := range b.At(i).Features() {
				if !f.State.Terminal() {
					t.Errorf("seed %d: %s of task %d is left %s", seed, f.Name, i, f.State)
				}
			}
		}
	}
}

// checkLives fails for each step in the life of a feature that no feature takes.
func checkLives(t *testing.T, got []arrival) {
	t.Helper()
	steps := map[string]bool{
		"queued processing": true, "processing completed": true, "processing failed": true,
		"queued cancelled": true, "processing cancelled": true,
		"failed queued": true, // tried again
	}
	b := board(got)
	for i := range b.Len() {
		task := b.At(i)
		for _, f := range task.Features() {
			spans := task.Timeline(f.Name)
			if s := spans[0].State; s != model.Queued && s != model.NA {
				t.Errorf("%s of task %d begins %s", f.Name, i, s)
			}
			for j := range spans[1:] {
				if step := fmt.Sprint(spans[j].State, " ", spans[j+1].State); !steps[step] {
					t.Errorf("%s of task %d: %s", f.Name, i, step)
				}
			}
		}
	}
}

func TestATasksEndIsToldWhenItsFeaturesHaveEnded(t *testing.T) {
	for name, c := range map[string]struct {
		features map[string]model.State
		want     string
	}{
		"one under way":            {map[string]model.State{"proxy": "completed", "visual": "processing"}, typeProgress},
		"failed, one under way":    {map[string]model.State{"proxy": "failed", "visual": "queued"}, typeProgress},
		"all done":                 {map[string]model.State{"proxy": "na", "visual": "completed"}, typeCompleted},
		"one failed":               {map[string]model.State{"proxy": "failed", "visual": "completed"}, typeFailed},
		"one failed, one stopped":  {map[string]model.State{"proxy": "failed", "visual": "cancelled"}, typeFailed},
		"one stopped":              {map[string]model.State{"proxy": "completed", "visual": "cancelled"}, typeProgress},
		"internal ones do not say": {map[string]model.State{"proxy": "completed", "scene_detect": "failed"}, typeCompleted},
		"internal ones alone":      {map[string]model.State{"scene_detect": "completed"}, typeProgress},
		"unknown ones do":          {map[string]model.State{"proxy": "completed", "color_grade": "queued"}, typeProgress},
	} {
		if got := eventType(c.features); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestMessageIDsSortByTime(t *testing.T) {
	w := newWorld(1, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), 1)
	last := ""
	for s := range 50 {
		id := messageID(w.rng, w.instant(time.Duration(s)*time.Hour))
		if !messageForm.MatchString(id) || id <= last {
			t.Errorf("%s comes after %s", id, last)
		}
		last = id
	}
}

func TestADeckDealsEveryCardBeforeItShuffles(t *testing.T) {
	d := newDeck([]string{"a", "b", "c", "c"}, newWorld(1, time.Time{}, 1).stream(1))
	for range 5 {
		dealt := map[string]int{}
		for range 4 {
			dealt[d.deal()]++
		}
		if !maps.Equal(dealt, map[string]int{"a": 1, "b": 1, "c": 2}) {
			t.Errorf("dealt %v", dealt)
		}
	}
}
