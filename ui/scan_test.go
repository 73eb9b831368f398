package ui

import (
	"strings"
	"testing"
	"time"

	"aspectop/model"
)

func TestTheHistoryIsReadOnAfterItCouldNotBeRead(t *testing.T) {
	b := &broken{fails: 1}
	onScreen(t, 120, 12, manyTasks(20), func(s *screen) {
		s.shows("cannot read the history: database is locked")
		s.deliver(event(99, "task.progress", time.Second, "proxy=processing"))
		s.shows("cannot read the history: database is locked")
		s.wait(2 * time.Second)
		s.hides("cannot read", "reading history")
		s.shows("21 tasks")
	}, b.asFeed)
}

func TestTheScanForAFilterGoesOnAfterItFailed(t *testing.T) {
	b := &broken{}
	history := manyTasks(9000)
	history[0] = event(7777, "task.failed", 0, "proxy=failed")
	onScreen(t, 120, 12, history, func(s *screen) {
		s.wait(time.Second)
		s.press("3")
		b.fails = 1
		s.press("!")
		s.shows("cannot search the journal: database is locked")
		s.wait(2 * time.Second)
		s.hides("cannot search")
		s.shows("task.failed", "1 shown")
	}, b.asFeed)
}

func TestWhatPassesTheFilterStaysWhenTheHistoryEnds(t *testing.T) {
	filter, err := model.ParseFilter("proxy")
	if err != nil {
		t.Fatal(err)
	}
	j := &memory{}
	j.append(manyTasks(9000)...)
	m := New(t.Context(), Options{Journal: j, Filter: filter})
	m.Update(keyPress("3"))
	m.Update(openedMsg{first: 1, last: 9000})
	for rows := 0; m.loading; rows = m.log.len() {
		m.Update(m.history()())
		if m.log.len() < rows || m.log.len() == 0 {
			t.Fatalf("%d rows pass after %d did", m.log.len(), rows)
		}
	}
	if n := m.log.len(); n != 9000 || m.log.looking(m) {
		t.Errorf("%d of 9000 rows pass, more to look at: %t", n, m.log.looking(m))
	}
}

func TestARowThatIsScannedAndFoldedCountsOnce(t *testing.T) {
	j := &memory{}
	j.append(manyTasks(13000)...)
	m := New(t.Context(), Options{Journal: j})
	m.Update(openedMsg{first: 1, last: 13000})
	m.Update(m.history()())
	m.filter.filter, _ = model.ParseFilter("proxy")
	m.tell(change{filter: true})
	for m.loading || m.log.looking(m) {
		if m.loading {
			m.Update(m.history()())
		}
		if m.log.scanning = false; m.log.looking(m) {
			m.Update(m.log.scan(m)())
		}
	}
	counted := 0
	for _, n := range m.log.matchedPace.coarse.last(midnight.Add(time.Minute), paceColumns) {
		counted += n
	}
	if n := m.log.len(); n != 13000 || counted != 13000 {
		t.Errorf("of 13000 rows %d pass and %d are counted", n, counted)
	}
}

func TestSinceHidesOlderRowsWithoutAFilter(t *testing.T) {
	history := []model.Delivery{
		event(1, "task.progress", -time.Hour, "proxy=processing"),
		event(2, "task.progress", 0, "proxy=processing"),
	}
	onScreen(t, 100, 14, history, func(s *screen) {
		s.press("3")
		if n := strings.Count(s.frame(), "task.progress"); n != 1 {
			t.Errorf("%d rows are shown, not the one since a minute ago:\n%s", n, s.frame())
		}
	}, func(o *Options) { o.Since = midnight.Add(-time.Minute) })
}
