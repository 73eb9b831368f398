package source

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aspectop/model"
)

// polling is a poller with everything around it in memory, in virtual time.
type polling struct {
	*Poller
	account *account
	journal *memory
	reports *reports
}

// poll runs test with a poller that has just had its first poll.
func poll(t *testing.T, every time.Duration, test func(t *testing.T, p *polling), before ...func(*polling)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &polling{account: &account{tasks: map[string]string{}, refuse: map[string]error{}}, journal: &memory{}, reports: &reports{}}
		for _, f := range before {
			f(p)
		}
		var wanted func([]string) []string
		if p.Poller != nil {
			wanted = p.c.Wanted
		}
		p.Poller = NewPoller(PollerConfig{API: p.account, Journal: p.journal, History: historyOf(t, p.journal), Every: every, Wanted: wanted, Report: p.reports.add})
		stop := start(t, p.Run)
		synctest.Wait()
		test(t, p)
		stop()
	})
}

func TestTheSameSnapshotPolledOftenIsOneMessage(t *testing.T) {
	poll(t, 5*time.Second, func(t *testing.T, p *polling) {
		p.account.set(func() { p.account.active = []string{task("a", time.Now(), "visual:processing")} })
		pass(90 * time.Minute)
		if polls, asked := p.account.calls(); len(polls) < 1000 || len(asked) > 0 {
			t.Errorf("%d polls and %d questions in 90 minutes", len(polls), len(asked))
		}
		if got := told(p.journal.deliveries()); got != "api snapshot" {
			t.Errorf("the journal has %s", got)
		}
		// What is written otherwise is no news; a new state is.
		p.account.set(func() {
			raw := p.account.active[0]
			p.account.active[0] = strings.Replace(strings.Replace(raw, `Z"`, `+00:00"`, 2), `"storage_variant":null`, `"storage_variant":"proxy"`, 1)
			if p.account.active[0] == raw {
				t.Fatal("nothing is written otherwise")
			}
		})
		pass(time.Minute)
		p.account.set(func() { p.account.active[0] = task("a", time.Now(), "visual:failed") })
		pass(time.Minute)
		if got := told(p.journal.deliveries()); got != "api snapshot, api snapshot" {
			t.Errorf("the journal has %s", got)
		}
		if b := p.journal.board(); b.Len() != 1 || b.At(0).State() != model.Failed || b.At(0).AssetID() != "asset-a" {
			t.Errorf("the board has %d tasks", b.Len())
		}
	})
}

func TestPollsComeAtTheIntervalGiveOrTakeTenPercent(t *testing.T) {
	poll(t, 10*time.Second, func(t *testing.T, p *polling) {
		pass(time.Hour)
		polls, _ := p.account.calls()
		shortest, longest := time.Hour, time.Duration(0)
		for i, at := range polls[1:] {
			shortest, longest = min(shortest, at.Sub(polls[i])), max(longest, at.Sub(polls[i]))
		}
		if shortest < 9*time.Second || longest > 11*time.Second || longest-shortest < time.Second {
			t.Errorf("from %v to %v between polls", shortest, longest)
		}
	})
}

func TestTroubleIsToldOnceAndSoIsItsEnd(t *testing.T) {
	poll(t, 5*time.Second, func(t *testing.T, p *polling) {
		failing := func(err error) { p.account.set(func() { p.account.err = err }) }
		for port := range 5 {
			failing(fmt.Errorf("read tcp 127.0.0.1:%d: connection reset", 40000+port))
			pass(20 * time.Second)
		}
		if r := p.reports.last(); r.State != Trouble || !strings.Contains(r.Detail, "4000") || !r.NextTry.After(time.Now()) {
			t.Errorf("reported %+v", r)
		}
		failing(refusal(401))
		pass(10 * time.Minute)
		failing(nil)
		pass(10 * time.Minute)
		notices := p.reports.notices()
		if len(notices) != 4 ||
			notices[0] != "Aspect's API: 0 active tasks" ||
			!strings.HasPrefix(notices[1], "Aspect's API: read tcp 127.0.0.1:40000: ") ||
			!strings.Contains(notices[2], "check ASPECT_API_KEY") ||
			!strings.HasPrefix(notices[3], "Aspect's API: recovered after 1") {
			t.Errorf("noticed %q", notices)
		}
		if r := p.reports.last(); r.State != OK || r.Source != model.SourceAPI || time.Since(r.Since) > 10*time.Minute {
			t.Errorf("reported %+v", r)
		}
		failing(refusal(500))
		pass(6 * time.Second)
		if r := p.reports.last(); r.State != Trouble || time.Until(r.NextTry) > 12*time.Second {
			t.Errorf("new trouble is not tried again soon: %+v at %v", r, time.Now())
		}
	})
}

func TestTheNextTryIsMadeWhenItWasToldAndWaitsLongerEachTime(t *testing.T) {
	poll(t, time.Second, func(t *testing.T, p *polling) {
		var waits []time.Duration
		for range 8 {
			next := p.reports.last().NextTry
			before, _ := p.account.calls()
			waits = append(waits, next.Sub(before[len(before)-1]).Round(time.Second))
			pass(time.Until(next))
			if polls, _ := p.account.calls(); len(polls) != len(before)+1 {
				t.Fatalf("after %v there were %d polls, before %d", waits, len(polls), len(before))
			}
		}
		for i, want := range []time.Duration{5, 10, 20, 40, 80, 160, 300, 300} {
			if want *= time.Second; waits[i] < want*9/10 || waits[i] > want*11/10 {
				t.Errorf("waited %v, want about %v for the %dth", waits, want, i+1)
			}
		}
	}, func(p *polling) { p.account.err = errors.New("no connection") })
}

func TestTheServersRetryAfterIsWaitedFor(t *testing.T) {
	poll(t, time.Second, func(t *testing.T, p *polling) {
		pass(53 * time.Minute)
		if polls, _ := p.account.calls(); len(polls) != 1 {
			t.Errorf("asked %d times within the hour", len(polls))
		}
		pass(14 * time.Minute)
		if polls, _ := p.account.calls(); len(polls) != 2 {
			t.Errorf("asked %d times after the hour", len(polls))
		}
	}, func(p *polling) {
		e := refusal(429)
		e.RetryAfter = 365 * 24 * time.Hour // an hour at most
		p.account.err = e
	})
}

func TestAGapMakesItLookAtOnceAndNothingElseDoes(t *testing.T) {
	poll(t, 0, func(t *testing.T, p *polling) {
		pass(24 * time.Hour)
		if polls, _ := p.account.calls(); len(polls) != 1 || !p.reports.last().NextTry.IsZero() {
			t.Fatalf("%d polls, reported %+v", len(polls), p.reports.last())
		}
		p.Gap()
		p.Gap()
		synctest.Wait()
		if polls, _ := p.account.calls(); len(polls) < 2 || time.Since(polls[1]) > 0 {
			t.Errorf("polled %d times after a gap", len(polls))
		}
		p.account.set(func() { p.account.err = errors.New("no connection") })
		p.Gap()
		pass(10 * time.Second) // fails again, and is tried again
		p.account.set(func() { p.account.err = nil })
		pass(time.Minute)
		if r := p.reports.last(); r.State != OK {
			t.Errorf("after trouble it reports %+v", r)
		}
	})
}

func TestAFailureTwoDaysOldIsNotImported(t *testing.T) {
	poll(t, time.Minute, func(t *testing.T, p *polling) {
		pass(time.Hour)
		b := p.journal.board()
		var ids []string
		for i := range b.Len() {
			ids = append(ids, b.At(i).ID())
		}
		slices.Sort(ids)
		if want := []string{"known", "new", "old and at work", "timeless", "wanted"}; !slices.Equal(ids, want) {
			t.Errorf("the journal knows %q, want %q", ids, want)
		}
		if got := b.Task("known").State(); got != model.Failed {
			t.Errorf("the failure of a known task was not entered: it is %s", got)
		}
	}, func(p *polling) {
		ago := func(d time.Duration) time.Time { return time.Now().Add(-d) }
		p.journal.kept = []model.Delivery{{Seq: 1, Message: 1, ID: "msg_1", Body: []byte(envelope("e", "task.progress", task("known", ago(50*time.Hour), "visual:processing")))}}
		p.account.active = []string{
			task("old", ago(48*time.Hour), "visual:failed proxy:completed"),
			task("new", ago(23*time.Hour), "visual:failed"),
			task("old and at work", ago(48*time.Hour), "visual:processing"),
			task("known", ago(48*time.Hour), "visual:failed"),
			`{"id":"timeless","features":{"visual":{"state":"failed"}}}`,
		}
		p.account.tasks["wanted"] = task("wanted", ago(48*time.Hour), "visual:failed")
		p.Poller = &Poller{c: PollerConfig{Wanted: wanting("wanted")}}
	})
}

func TestASnapshotRanksBelowProgressWithTheSameStamps(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	poll(t, time.Minute, func(t *testing.T, p *polling) {
		pass(time.Hour)
		if got := told(p.journal.deliveries()); got != "webhook task.progress, api snapshot" {
			t.Errorf("the journal has %s", got)
		}
		if s, _ := p.journal.board().Task("a").Feature("visual"); s != model.Processing {
			t.Errorf("the snapshot made the feature %s", s)
		}
		p.account.set(func() { p.account.active[0] = task("a", now.Add(time.Millisecond), "visual:completed") })
		pass(time.Hour)
		if s, _ := p.journal.board().Task("a").Feature("visual"); s != model.Completed {
			t.Errorf("a newer snapshot left the feature %s", s)
		}
	}, func(p *polling) {
		p.journal.kept = []model.Delivery{{Seq: 1, Message: 1, ID: "msg_1", Source: model.SourceWebhook,
			Body: []byte(envelope("e", "task.progress", task("a", now, "visual:processing")))}}
		p.account.active = []string{task("a", now, "visual:queued")}
	})
}

func TestAnOlderSnapshotAndOneThatTellsNothingNewAreNoNews(t *testing.T) {
	poll(t, time.Minute, func(t *testing.T, p *polling) {
		p.journal.receive(t, envelope("e1", "task.progress", task("a", time.Now(), "visual:processing proxy:na")))
		p.journal.receive(t, envelope("e2", "task.progress", task("b", time.Now(), "visual:processing")))
		p.account.set(func() {
			p.account.active = []string{task("a", time.Now(), "proxy:na visual:processing"), task("b", time.Now().Add(-time.Second), "visual:queued")}
		})
		pass(time.Hour)
		if got := told(p.journal.deliveries()); got != "webhook task.progress, webhook task.progress" {
			t.Errorf("the journal has %s", got)
		}
	})
}

func TestAJournalThatDoesNotKeepIsTroubleAndNothingIsLost(t *testing.T) {
	poll(t, time.Minute, func(t *testing.T, p *polling) {
		p.journal.setFull(errors.New("no space left on device"))
		p.account.set(func() { p.account.active = []string{task("a", time.Now(), "visual:queued")} })
		pass(10 * time.Minute)
		if r := p.reports.last(); r.State != Trouble || r.Detail != "the journal could not store what Aspect's API returned: no space left on device" {
			t.Errorf("reported %+v", r)
		}
		p.journal.setFull(nil)
		pass(10 * time.Minute)
		if got := told(p.journal.deliveries()); got != "api snapshot" || p.reports.last().State != OK {
			t.Errorf("the journal has %s, reported %+v", got, p.reports.last())
		}
	})
}

func TestAJournalThatCannotBeReadIsTroubleBeforeAnythingIsAsked(t *testing.T) {
	poll(t, time.Minute, func(t *testing.T, p *polling) {
		if r := p.reports.last(); r.State != Trouble || r.Detail != "the journal could not be read: disk I/O error" {
			t.Errorf("reported %+v", r)
		}
		if polls, _ := p.account.calls(); len(polls) > 0 {
			t.Errorf("%d polls", len(polls))
		}
	}, func(p *polling) { p.journal.lost = errors.New("disk I/O error") })
}
