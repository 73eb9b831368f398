package ui

import (
	"strings"
	"testing"
	"time"

	"aspectop/model"
)

func TestTheHistoryIsReadOnAfterItCouldNotBeRead(t *testing.T) {
	b := &broken{fails: 1}
	onScreen(t, 120, 12, manyTasks(20), func(s *terminal) {
		s.shows("cannot read the history: database is locked")
		s.deliver(event(99, "task.progress", time.Second, "proxy=processing"))
		s.shows("cannot read the history: database is locked")
		s.wait(2 * time.Second)
		s.hides("cannot read", "reading history")
		s.shows("21 tasks")
	}, b.asFolded)
}

func TestTheScanForAFilterGoesOnAfterItFailed(t *testing.T) {
	b := &broken{}
	history := manyTasks(9000)
	history[0] = event(7777, "task.failed", 0, "proxy=failed")
	onScreen(t, 120, 12, history, func(s *terminal) {
		s.wait(time.Second)
		s.press("3")
		b.fails = 1
		s.press("!")
		s.shows("cannot search the journal: database is locked")
		s.wait(2 * time.Second)
		s.hides("cannot search")
		s.shows("task.failed", "1 shown")
	}, b.asFolded)
}

func TestAFilterSetWhileTheHistoryIsReadFindsEachRowOnce(t *testing.T) {
	filter, err := model.ParseFilter("proxy")
	if err != nil {
		t.Fatal(err)
	}
	onScreen(t, 120, 12, manyTasks(13000), func(s *terminal) {
		s.press("3")
		s.wait(3 * time.Second)
		s.shows("13000 shown")
		s.deliver(manyTasks(2000)...)
		s.shows("15000 shown")
		counted := 0
		counts, _ := s.m.Log.Pace().Last(time.Now(), 180)
		for _, n := range counts {
			counted += n
		}
		if counted != 15000 {
			t.Errorf("%d rows are counted", counted)
		}
	}, func(o *options) { o.Filter = filter })
}

func TestSinceHidesOlderRowsWithoutAFilter(t *testing.T) {
	history := []model.Delivery{
		event(1, "task.progress", -time.Hour, "proxy=processing"),
		event(2, "task.progress", 0, "proxy=processing"),
	}
	onScreen(t, 100, 12, history, func(s *terminal) {
		s.press("3")
		if n := strings.Count(s.frame(), "task.progress"); n != 1 {
			t.Errorf("%d rows are shown, not the one since a minute ago:\n%s", n, s.frame())
		}
	}, func(o *options) { o.Since = midnight.Add(-time.Minute) })
}
