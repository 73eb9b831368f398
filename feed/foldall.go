package feed

import (
	"context"

	"aspectop/model"
)

// Past is what [FoldAll] needs of a journal's reader.
type Past interface {
	Before(ctx context.Context, seq int64, limit int) ([]model.Delivery, error)
	Range(ctx context.Context) (first, last int64, err error)
}

// pastBatch is how many deliveries [FoldAll] has in memory. Each may have a body of a
// megabyte.
const pastBatch = 64

// FoldAll folds a journal as it is now, for commands that do not follow it, and
// returns the number of its newest delivery. each is called for each message, newest
// first; nil: for none.
func FoldAll(ctx context.Context, j Past, each func(*model.Event)) (b *model.Board, last int64, err error) {
	b = model.NewBoard()
	if _, last, err = j.Range(ctx); err != nil || last == 0 {
		return b, last, err
	}
	for seq := last + 1; ; {
		deliveries, err := j.Before(ctx, seq, pastBatch)
		if err != nil || len(deliveries) == 0 {
			b.Settle()
			return b, last, err
		}
		for i := range deliveries {
			if seq = deliveries[i].Seq; deliveries[i].Repeat() {
				continue
			}
			e := model.Decode(&deliveries[i])
			b.Fold(&e)
			if each != nil {
				each(&e)
			}
		}
	}
}
