package ui

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"aspectop/model"
	"aspectop/ui/draw"
)

// broken is a journal that cannot be read for a while: Get fails while locked
// is set, Before as often as fails says.
type broken struct {
	*memory
	locked bool
	fails  int
	first  int64 // what is older was removed
}

func (b *broken) Get(ctx context.Context, seq int64) (model.Delivery, error) {
	if b.locked || seq < b.first {
		return model.Delivery{}, errors.New("database is locked")
	}
	return b.memory.Get(ctx, seq)
}

func (b *broken) Range(ctx context.Context) (first, last int64, err error) {
	first, last, err = b.memory.Range(ctx)
	return max(first, b.first), last, err
}

func (b *broken) Before(ctx context.Context, seq int64, limit int) ([]model.Delivery, error) {
	if b.fails > 0 {
		b.fails--
		return nil, errors.New("database is locked")
	}
	return b.memory.Before(ctx, seq, limit)
}

// asFeed reads what is followed and scanned from b, asJournal single rows.
func (b *broken) asFeed(o *Options) { b.memory = o.Journal.(*memory); o.Feed = b }
func (b *broken) asJournal(o *Options) {
	b.memory = o.Journal.(*memory)
	o.Journal, o.Feed = b, b.memory
}

// manyTasks tells n tasks, each once, a millisecond apart.
func manyTasks(n int) []model.Delivery {
	ds := make([]model.Delivery, n)
	for i := range ds {
		ds[i] = event(i, "task.progress", time.Duration(i)*time.Millisecond, "proxy=processing")
	}
	return ds
}

func TestARowThatCannotBeReadSaysSoAndIsReadAgain(t *testing.T) {
	b := &broken{locked: true}
	onScreen(t, 160, 10, manyTasks(5000), func(s *screen) {
		s.wait(time.Second)
		s.press("3", "g")
		s.shows("#1 cannot be read: database is locked")
		if n := strings.Count(s.frame(), "#1 cannot be read"); n != 2 {
			t.Errorf("the row and its preview say it %d times:\n%s", n, s.frame())
		}
		s.hides("no Aspect event")
		b.locked = false
		s.wait(2 * time.Second)
		s.hides("cannot be read")
		s.shows("task.progress")
	}, b.asJournal)
}

func TestARowThatWasRemovedSaysSo(t *testing.T) {
	b := &broken{}
	onScreen(t, 100, 10, manyTasks(5000), func(s *screen) {
		s.wait(time.Second)
		b.first = 4
		s.press("3", "g")
		s.shows("#3 is no longer in the journal", "task.progress")
		s.hides("no Aspect event", "cannot be read")
	}, b.asJournal)
}

func TestRowsInSightStayAtHandWhenManyCome(t *testing.T) {
	var arrivals []arrival
	m := New(t.Context(), Options{Journal: &memory{}})
	for i, d := range manyTasks(9000) {
		d.Seq, d.Message = int64(i+1), int64(i+1)
		arrivals = append(arrivals, m.decode(&d))
	}
	m.loading, m.w, m.h = false, 100, 14
	m.Update(arrivedMsg{arrivals: arrivals[:30]})
	m.Update(keyPress("3"))
	m.Update(keyPress("g"))
	for i := 30; i < len(arrivals); i += 500 {
		m.Update(arrivedMsg{arrivals: arrivals[i:min(i+500, len(arrivals))]})
		if frame := m.View().Content; strings.Contains(frame, draw.GlyphEllipsis) {
			t.Fatalf("after %d arrivals a row in sight is not at hand:\n%s", i+500, frame)
		}
		if len(m.log.rows) > maxRows {
			t.Fatalf("%d rows are kept", len(m.log.rows))
		}
	}
}
