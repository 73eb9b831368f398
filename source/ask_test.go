package source

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aspectop/aspect"
	"aspectop/model"
)

func TestATaskThatVanishesFromTheListIsAskedForByItsID(t *testing.T) {
	poll(t, 5*time.Second, func(t *testing.T, p *polling) {
		p.account.set(func() { p.account.active = []string{task("a", time.Now(), "visual:processing")} })
		pass(time.Minute)
		p.account.set(func() {
			p.account.active, p.account.tasks["a"] = nil, task("a", time.Now(), "visual:completed")
		})
		pass(time.Hour)
		if got := told(p.journal.deliveries()); got != "api snapshot, api snapshot" || p.journal.board().Task("a").State() != model.Completed {
			t.Errorf("the journal has %s", got)
		}
		if _, asked := p.account.calls(); len(asked) != 1 {
			t.Errorf("asked for %q", asked)
		}
	})
}

func TestATaskThatTheAPINoLongerKnowsIsGoneOnce(t *testing.T) {
	poll(t, 5*time.Second, func(t *testing.T, p *polling) {
		gone := func() bool { return p.journal.board().Task("a").Gone() }
		p.journal.receive(t, envelope("e1", "task.progress", task("a", time.Now(), "visual:processing proxy:na")))
		pass(time.Hour)
		if got := told(p.journal.deliveries()); got != "webhook task.progress, api gone" || !gone() {
			t.Fatalf("the journal has %s, gone is %v", got, gone())
		}
		if _, asked := p.account.calls(); len(asked) < 9 || len(asked) > 13 { // after 0, 5, 10, 20, 40, … seconds
			t.Errorf("asked %d times in an hour", len(asked))
		}
		a := p.journal.board().Task("a")
		if s, _ := a.Feature("visual"); s != model.Processing || a.State() != model.Processing || a.AssetID() != "asset-a" {
			t.Errorf("the task is %s, its feature %s", a.State(), s)
		}
		if effect, _ := a.Effect(2); effect.Late || len(effect.Changes) > 0 {
			t.Errorf("the note did %+v", effect)
		}

		p.journal.receive(t, envelope("e2", "task.progress", task("a", time.Now(), "visual:processing proxy:na")))
		if gone() {
			t.Error("it is still gone after more news")
		}
		pass(time.Minute)
		if got := told(p.journal.deliveries()[2:]); got != "webhook task.progress, api gone" || !gone() {
			t.Errorf("then the journal has %s, gone is %v", got, gone())
		}
		p.account.set(func() { p.account.active = []string{task("a", a.Updated(), "visual:processing proxy:na")} })
		pass(time.Hour)
		if got := told(p.journal.deliveries()[4:]); got != "api snapshot" || gone() {
			t.Errorf("back in the list the journal has %s, gone is %v", got, gone())
		}
		for _, d := range p.journal.deliveries() {
			if d.Repeat() {
				t.Errorf("%s repeats a message", d.ID)
			}
		}
	})
}

func TestATaskThatComesBackAsItWasIsBack(t *testing.T) {
	poll(t, 5*time.Second, func(t *testing.T, p *polling) {
		list := []string{task("a", time.Now(), "visual:processing")}
		for range 3 { // as with a key of another account in between
			p.account.set(func() { p.account.active = list })
			pass(time.Minute)
			if p.journal.board().Task("a").Gone() {
				t.Errorf("listed, it is gone: %s", told(p.journal.deliveries()))
			}
			p.account.set(func() { p.account.active = nil })
			pass(time.Minute)
			if !p.journal.board().Task("a").Gone() {
				t.Errorf("not listed, it is there: %s", told(p.journal.deliveries()))
			}
		}
		if got := len(p.journal.deliveries()); got != 6 {
			t.Errorf("%d deliveries", got)
		}
	})
}

func TestATaskThatIsGoneForLongIsAskedForNoMore(t *testing.T) {
	poll(t, 5*time.Second, func(t *testing.T, p *polling) {
		p.journal.receive(t, envelope("e1", "task.progress", task("a", time.Now(), "visual:processing")))
		pass(2 * time.Hour)
		_, before := p.account.calls()
		pass(24 * time.Hour)
		if _, asked := p.account.calls(); len(asked) != len(before) {
			t.Errorf("asked %d times after two hours", len(asked)-len(before))
		}
	})
}

func TestATaskThatIsWantedAndUnknownToAllIsGoneAndAskedForAtEveryLook(t *testing.T) {
	poll(t, 5*time.Second, func(t *testing.T, p *polling) {
		pass(2 * time.Hour)
		if polls, asked := p.account.calls(); len(asked) != len(polls) {
			t.Errorf("%d polls, %d questions", len(polls), len(asked))
		}
		if b := p.journal.board(); b.Len() != 1 || !b.Task("nobody's").Gone() || len(b.At(0).Features()) != 0 {
			t.Errorf("the journal has %s", told(p.journal.deliveries()))
		}
	}, func(p *polling) { p.Poller = &Poller{c: PollerConfig{Wanted: wanting("nobody's")}} })
}

func TestATaskThatEndsWhileItIsAskedForIsNotGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal := &memory{}
		journal.receive(t, envelope("e1", "task.progress", task("a", time.Now(), "visual:processing")))
		api := &interrupted{account: &account{}, before: func() {
			journal.receive(t, envelope("e2", "task.completed", task("a", time.Now().Add(time.Second), "visual:completed")))
		}}
		p := NewPoller(PollerConfig{API: api, Journal: journal, History: historyOf(t, journal)})
		if _, err := p.poll(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := told(journal.deliveries()); got != "webhook task.progress, webhook task.completed" {
			t.Errorf("the journal has %s", got)
		}
	})
}

func TestATaskThatTheAPIRefusesKeepsNoOtherFromBeingAskedFor(t *testing.T) {
	poll(t, 5*time.Second, func(t *testing.T, p *polling) {
		p.account.set(func() {
			p.account.refuse["a"], p.account.refuse["b"] = refusal(422), refusal(403)
			p.account.tasks["c"] = task("c", time.Now().Add(time.Second), "visual:completed")
		})
		for _, id := range []string{"a", "b", "c"} {
			p.journal.receive(t, envelope(id, "task.progress", task(id, time.Now(), "visual:processing")))
		}
		pass(6 * time.Second)
		if got := p.journal.board().Task("c").State(); got != model.Completed {
			t.Errorf("the third task is %s", got)
		}
		if r := p.reports.last(); r.State != OK || !strings.Contains(r.Detail, "2 failed: GET /tasks/active: 422") {
			t.Errorf("reported %+v", r)
		}
		pass(50 * time.Second)
		if _, asked := p.account.calls(); len(asked) != 3 {
			t.Errorf("asked for %q within a minute", asked)
		}
	})
}

func TestATaskIsAskedForAgainAfterTroubleWithTheNetwork(t *testing.T) {
	poll(t, 0, func(t *testing.T, p *polling) {
		p.journal.receive(t, envelope("e", "task.progress", task("a", time.Now(), "visual:processing")))
		p.account.set(func() {
			p.account.tasks["a"] = task("a", time.Now().Add(time.Second), "visual:completed")
			p.account.refuse["a"] = errors.New("no connection")
		})
		p.Gap()
		pass(time.Second)
		if r := p.reports.last(); r.State != Trouble || r.Detail != "no connection" {
			t.Errorf("reported %+v", r)
		}
		p.account.set(func() { clear(p.account.refuse) })
		pass(10 * time.Second)
		if got := p.journal.board().Task("a").State(); got != model.Completed {
			t.Errorf("the task is %s", got)
		}
	})
}

func TestATaskThatStaysUnlistedIsAskedForEverMoreSeldom(t *testing.T) {
	poll(t, 5*time.Second, func(t *testing.T, p *polling) {
		raw := task("a", time.Now(), "visual:processing")
		p.account.set(func() { p.account.tasks["a"] = raw })
		p.journal.receive(t, envelope("e", "task.progress", raw))
		pass(time.Hour + 30*time.Second) // after 0, 1, 3, 7, 15, 30, 45, 60 minutes
		if _, asked := p.account.calls(); len(asked) < 7 || len(asked) > 8 {
			t.Errorf("asked %d times in an hour", len(asked))
		}
		_, before := p.account.calls()
		p.Gap()
		synctest.Wait()
		if _, asked := p.account.calls(); len(asked) != len(before)+1 {
			t.Error("it was not asked for after a gap")
		}
		if got := len(p.journal.deliveries()); got != 1 {
			t.Errorf("the journal has %d deliveries", got)
		}
	})
}

func TestManyVanishedTasksAreAskedForTenASecond(t *testing.T) {
	poll(t, 0, func(t *testing.T, p *polling) {
		for i := range 120 {
			id := fmt.Sprint("task-", i)
			p.journal.receive(t, envelope(id, "task.progress", task(id, time.Now(), "visual:processing")))
			p.account.set(func() { p.account.tasks[id] = task(id, time.Now().Add(time.Second), "visual:completed") })
		}
		p.Gap()
		pass(time.Second)
		if _, asked := p.account.calls(); len(asked) < 10 || len(asked) > 11 {
			t.Errorf("%d were asked for in a second", len(asked))
		}
		pass(15 * time.Second)
		if got := p.journal.board().Count(model.Completed); got != 120 {
			t.Errorf("%d are completed", got)
		}
		// The list is not stale while so many are asked for.
		if polls, asked := p.account.calls(); len(polls) != 4 || len(asked) != 120 {
			t.Errorf("%d polls, %d questions", len(polls), len(asked))
		}
	})
}

// interrupted does something just before it answers for one task.
type interrupted struct {
	*account
	before func()
}

func (i *interrupted) Task(ctx context.Context, id string) (aspect.Task, error) {
	i.before()
	return i.account.Task(ctx, id)
}
