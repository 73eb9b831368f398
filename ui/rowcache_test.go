package ui

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"aspectop/feed/feedtest"
	"aspectop/model"
	"aspectop/ui/draw"
)

// broken is a journal that cannot be read for a while: Get fails while locked
// is set, Before as often as fails says.
type broken struct {
	*feedtest.Memory
	locked bool
	fails  int
	first  int64 // what is older was removed
}

func (b *broken) Get(ctx context.Context, seq int64) (model.Delivery, error) {
	if b.locked || seq < b.first {
		return model.Delivery{}, errors.New("database is locked")
	}
	return b.Memory.Get(ctx, seq)
}

func (b *broken) Range(ctx context.Context) (first, last int64, err error) {
	first, last, err = b.Memory.Range(ctx)
	return max(first, b.first), last, err
}

func (b *broken) Before(ctx context.Context, seq int64, limit int) ([]model.Delivery, error) {
	if b.fails > 0 {
		b.fails--
		return nil, errors.New("database is locked")
	}
	return b.Memory.Before(ctx, seq, limit)
}

// asFolded has the feed follow and scan b, asRows has it read single rows from b.
func (b *broken) asFolded(o *options) { b.Memory, o.folded = o.folded.(*feedtest.Memory), b }
func (b *broken) asRows(o *options)   { b.Memory, o.rows = o.rows.(*feedtest.Memory), b }

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
	onScreen(t, 160, 10, manyTasks(5000), func(s *terminal) {
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
	}, b.asRows)
}

func TestARowThatWasRemovedSaysSo(t *testing.T) {
	b := &broken{}
	onScreen(t, 100, 10, manyTasks(5000), func(s *terminal) {
		s.wait(time.Second)
		b.first = 4
		s.press("3", "g")
		s.shows("#3 is no longer in the journal", "task.progress")
		s.hides("no Aspect event", "cannot be read")
	}, b.asRows)
}

func TestRowsInSightStayAtHandWhenManyCome(t *testing.T) {
	all := manyTasks(9000)
	onScreen(t, 100, 14, all[:30], func(s *terminal) {
		s.wait(time.Second)
		s.press("3", "g")
		s.wait(soon)
		for i := 30; i < len(all); i += 500 {
			s.deliver(all[i:min(i+500, len(all))]...)
			s.hides(draw.GlyphEllipsis + " ")
			s.shows("2e1c7e00")
		}
	})
}
