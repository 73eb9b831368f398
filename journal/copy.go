package journal

import (
	"context"
	"errors"

	"aspectop/model"
)

// copyBatch is how many deliveries are copied in one transaction. Their bodies
// may have 1 MiB each.
const copyBatch = 200

// Copy copies what a journal holds, with its numbers, repeats and the state of
// forwards, to one that is empty, or goes on where an earlier Copy stopped. progress
// is called at the start and after each batch, with the last number that was copied
// and the last there is.
//
// Ids that retention remembers are not copied. What cannot be read of a damaged
// journal is left out: when all else is copied, Copy fails with [ErrDamaged] if that
// is the end of the journal or outcomes of forwards.
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
	if err != nil && !errors.Is(err, ErrDamaged) {
		return err
	}
	targets, err := from.ForwardTargets(ctx)
	if err != nil && !errors.Is(err, ErrDamaged) {
		return err
	}
	damaged := err
	progress(done, max(last, done))
	for {
		deliveries, err := from.After(ctx, done, copyBatch)
		if errors.Is(err, ErrDamaged) {
			damaged = err
		} else if err != nil {
			return err
		}
		// Before the deliveries, so that a Copy that is cut short does both again.
		err = copyForwards(ctx, from, to, targets, deliveries)
		if errors.Is(err, ErrDamaged) {
			damaged = err
		} else if err != nil {
			return err
		}
		if len(deliveries) == 0 {
			return damaged
		}
		if err := to.Import(ctx, deliveries); err != nil {
			return err
		}
		done = deliveries[len(deliveries)-1].Seq
		progress(done, max(last, done))
	}
}

// copyForwards copies what became of the deliveries at each target, and the
// target's cursor. If some cannot be read, it returns ErrDamaged in the end.
func copyForwards(ctx context.Context, from Reader, to Journal, targets []ForwardTarget, deliveries []model.Delivery) (damaged error) {
	if len(targets) == 0 {
		return nil
	}
	outcomes := make(map[string][]model.Forward) // by URL
	for i := range deliveries {
		if deliveries[i].Repeat() {
			continue
		}
		found, err := from.Forwards(ctx, deliveries[i].Seq)
		if errors.Is(err, ErrDamaged) {
			damaged = err
		} else if err != nil {
			return err
		}
		for _, f := range found {
			outcomes[f.To] = append(outcomes[f.To], f)
		}
	}
	for _, t := range targets {
		if err := to.SaveForwards(t.Key, t.URL, t.Cursor, outcomes[t.URL]); err != nil {
			return err
		}
	}
	return damaged
}
