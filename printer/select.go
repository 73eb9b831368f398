package printer

import (
	"context"
	"time"

	"aspectop/feed"
	"aspectop/model"
)

// Deliveries are those of a journal's reader, in order.
type Deliveries interface {
	feed.Past
	After(ctx context.Context, seq int64, limit int) ([]model.Delivery, error)
}

// Journal is a journal's reader.
type Journal interface {
	Deliveries
	Get(ctx context.Context, seq int64) (model.Delivery, error)
	Since(ctx context.Context, t time.Time) (int64, error)
}

// Selection selects deliveries from a journal.
type Selection struct {
	Journal Journal
	Filter  *model.Filter    // nil: all
	Since   time.Time        // omits what was received earlier; zero: nothing
	Now     func() time.Time // the clock, for is:stalled; nil: time.Now
	Repeats bool             // include repeats, with the body of their message if it is still stored
}

// eachBatch is the maximum number of deliveries in memory, of up to a megabyte each.
const eachBatch = 64

// Each calls f for the selected deliveries that the journal holds now, oldest
// first, until f fails. Memory does not grow with the journal, unless the filter
// asks about tasks rather than deliveries; see [model.Filter.NeedsBoard].
func (s Selection) Each(ctx context.Context, f func(*model.Delivery) error) error {
	if s.Now == nil {
		s.Now = time.Now
	}
	_, last, err := s.Journal.Range(ctx)
	if err != nil {
		return err
	}
	after := int64(0)
	if !s.Since.IsZero() {
		if after, err = s.Journal.Since(ctx, s.Since); err != nil {
			return err
		}
	}
	var board *model.Board
	if s.Filter != nil && s.Filter.NeedsBoard() {
		if board, last, err = feed.FoldAll(ctx, s.Journal, nil); err != nil {
			return err
		}
	}
	return Each(ctx, s.Journal, after, last, func(d *model.Delivery) error {
		if d.Repeat() {
			if !s.Repeats {
				return nil
			}
			if err := s.complete(ctx, d); err != nil {
				return err
			}
		}
		if s.Filter != nil && !s.Filter.Empty() {
			if e := model.Decode(d); !s.Filter.MatchEvent(&e, board.TaskOf(&e), "", s.Now()) {
				return nil
			}
		}
		return f(d)
	})
}

// Each calls f for the deliveries after one number and up to another, until f fails.
func Each(ctx context.Context, journal Deliveries, after, last int64, f func(*model.Delivery) error) error {
	for after < last {
		deliveries, err := journal.After(ctx, after, eachBatch)
		if err != nil || len(deliveries) == 0 {
			return err
		}
		for _, d := range deliveries { // a copy, because f may change it
			if after = d.Seq; after > last {
				return nil
			}
			if err := f(&d); err != nil {
				return err
			}
		}
	}
	return nil
}

// complete gives a repeat the body of its message, unless retention has removed the
// message.
func (s Selection) complete(ctx context.Context, d *model.Delivery) error {
	if d.Differs {
		return nil
	}
	first, err := s.Journal.Get(ctx, d.Message)
	if err != nil {
		return ctx.Err()
	}
	d.Body = first.Body
	return nil
}
