package forward

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"aspectop/journal"
	"aspectop/model"
)

func TestWhatRetentionRemovedIsSettledWithThatReason(t *testing.T) {
	inVirtualTime(t, func(*http.Request) (*http.Response, error) { return reply(500) }, func(v *virtual) {
		first, second := message("t", 1), message("t", 2)
		v.journal.append(first, second)
		time.Sleep(time.Second)
		v.journal.mu.Lock()
		v.journal.kept[1].Seq = 0
		v.journal.mu.Unlock()
		time.Sleep(20 * time.Minute)
		f := v.journal.outcome(second.Seq)
		if !f.Final || f.Delivered() {
			t.Errorf("%+v", f)
		}
		has(t, f.Error, "--retain")
	})
}

func TestAFullDiskIsWaitedOutAndNothingIsLost(t *testing.T) {
	var log tries
	answer := func(r *http.Request) (*http.Response, error) { log.note(r); return reply(204) }
	inVirtualTime(t, answer, func(v *virtual) {
		v.journal.failSaving(fmt.Errorf("disk full"))
		for n := range 500 {
			v.journal.append(message(fmt.Sprint("t", n%50), n))
		}
		time.Sleep(time.Minute)
		if said := notices(v.status); len(said) != 1 || !strings.Contains(said[0], "forwarding waits") {
			t.Errorf("it said %q", said)
		}
		if posted := log.len(); posted < 10 || posted > maxUnkept+maxInFlight {
			t.Errorf("%d were posted whose outcomes could not be kept", posted)
		}
		v.journal.failSaving(nil)
		time.Sleep(10 * time.Second)
		for seq := int64(1); seq <= 500; seq++ {
			if f := v.journal.outcome(seq); !f.Delivered() || !f.Final {
				t.Fatalf("%d: %+v", seq, f)
			}
		}
		if posted := log.len(); posted != 500 {
			t.Errorf("%d requests for 500 messages", posted)
		}
	})
}

func TestAJournalThatCannotBeReadForAWhileIsReadOnAfterwards(t *testing.T) {
	for what, known := range map[string]time.Duration{
		"before the feed has them":               0,
		"while the first of them is in flight":   500 * time.Millisecond, // what is to be posted is then known, but for its body
		"when some of them have been posted":     5500 * time.Millisecond,
		"when all but their outcomes are posted": 99_500 * time.Millisecond,
	} {
		t.Run(what, func(t *testing.T) {
			answer := func(*http.Request) (*http.Response, error) {
				time.Sleep(time.Second)
				return reply(204)
			}
			inVirtualTime(t, answer, func(v *virtual) {
				if known == 0 {
					v.journal.fail(errors.New("locked"))
				}
				for n := range 100 {
					v.journal.append(message("t", n))
				}
				time.Sleep(known)
				v.journal.fail(errors.New("locked"))
				time.Sleep(10 * time.Second)
				v.journal.fail(nil)
				time.Sleep(120 * time.Second)
				if q := v.Queue(); q.Delivered != 100 {
					t.Errorf("the queue is %+v", q)
				}
				if said := notices(v.status); len(said) != 1 {
					t.Errorf("it said %q", said)
				}
			})
		})
	}
}

func TestThatBodiesCannotBeReadIsSaidOnceThoughTheRestWorks(t *testing.T) {
	inVirtualTime(t, func(*http.Request) (*http.Response, error) { return reply(204) }, func(v *virtual) {
		for round := range 2 {
			v.journal.failGetting(errors.New("locked"))
			for n := range 100 {
				v.journal.append(message(fmt.Sprint("t", n%3), 100*round+n))
			}
			time.Sleep(10 * time.Second)
			v.journal.failGetting(nil)
			time.Sleep(10 * time.Second)
		}
		if q := v.Queue(); q.Delivered != 200 {
			t.Errorf("the queue is %+v", q)
		}
		if said := notices(v.status); len(said) != 2 {
			t.Errorf("it said %q", said)
		}
	})
}

func TestAClosedJournalEndsForwarding(t *testing.T) {
	m := newMemory()
	folded, end := folding(t, m)
	defer end()
	f, err := New(t.Context(), Options{Target: Target{URL: "http://127.0.0.1:1"}, Feed: folded, Journal: m, Outcomes: m, Status: model.NewStatusLog(100)})
	if err != nil {
		t.Fatal(err)
	}
	m.fail(journal.ErrClosed)
	if err := f.Run(t.Context()); err != journal.ErrClosed {
		t.Errorf("Run: %v", err)
	}
}
