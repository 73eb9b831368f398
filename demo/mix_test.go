package demo

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
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
			if effect, _ := t.Effect(a.event.Seq); effect.Late {
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

func TestABagDrawsEveryItemBeforeItRefills(t *testing.T) {
	d := newBag([]string{"a", "b", "c", "c"}, newWorld(1, time.Time{}).stream(1))
	for range 5 {
		drawn := map[string]int{}
		for range 4 {
			drawn[d.draw()]++
		}
		if !maps.Equal(drawn, map[string]int{"a": 1, "b": 1, "c": 2}) {
			t.Errorf("drawn %v", drawn)
		}
	}
}
