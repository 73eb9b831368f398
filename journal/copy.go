package journal

import (
	"context"
	"slices"

	"aspectop/model"
)

// copyBatch is how many deliveries are copied in one transaction. Their bodies
// may have 1 MiB each.
const copyBatch = 200

// Copy copies what a journal holds, with its numbers, repeats and the state of
// forwards, to one that is empty or that an earlier Copy of the same journal did
// not finish: it goes on where that stopped. progress is called at the start and
// after each batch, with the last number that was copied and the last there is.
//
// What retention has removed is not copied, nor the ids it still remembers.
func Copy(ctx context.Context, from Reader, to Journal, progress func(done, last int64)) error {
	there, err := to.Reader()
	if err != nil {
		return err
	}
	defer there.Close()
	_, done, err := there.Range(ctx)
	if err != nil {
		return err
	}
	_, last, err := from.Range(ctx)
	if err != nil {
		return err
	}
	targets, err := from.ForwardTargets(ctx)
	if err != nil {
		return err
	}
	progress(done, max(last, done))
	for {
		deliveries, err := from.After(ctx, done, copyBatch)
		if err != nil {
			return err
		}
		if len(deliveries) == 0 {
			return copyForwards(ctx, from, to, targets, nil)
		}
		// Before the deliveries, so that a Copy that is cut short does both again.
		if err := copyForwards(ctx, from, to, targets, deliveries); err != nil {
			return err
		}
		if err := to.Import(ctx, deliveries); err != nil {
			return err
		}
		done = deliveries[len(deliveries)-1].Seq
		progress(done, max(last, done))
	}
}

// copyForwards copies what became of the deliveries at each target, and the
// target's cursor.
func copyForwards(ctx context.Context, from Reader, to Journal, targets []ForwardTarget, deliveries []model.Delivery) error {
	if len(targets) == 0 {
		return nil
	}
	var outcomes []model.Forward
	for i := range deliveries {
		if deliveries[i].Repeat() {
			continue
		}
		found, err := from.Forwards(ctx, deliveries[i].Seq)
		if err != nil {
			return err
		}
		outcomes = append(outcomes, found...)
	}
	for _, t := range targets {
		its := slices.DeleteFunc(slices.Clone(outcomes), func(f model.Forward) bool { return f.To != t.URL })
		if err := to.SaveForwards(t.Key, t.URL, t.Cursor, its); err != nil {
			return err
		}
	}
	return nil
}
