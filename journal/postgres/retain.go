package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"aspectop/journal"
	"aspectop/model"
)

const (
	// retainEvery is the time between two looks for what has grown too old.
	retainEvery = time.Minute
	// retainStep is how many rows one transaction removes at most.
	retainStep = 500
)

// keepRetaining removes what is older than Retain, as the one process that does.
func (j *Journal) keepRetaining(ctx context.Context) {
	report := func(o journal.LeaseOwner) {
		if j.options.RetentionOwner != nil {
			j.options.RetentionOwner(o)
		}
	}
	j.WithLease(ctx, "retention", report, func(ctx context.Context) error {
		tick := time.NewTicker(retainEvery)
		defer tick.Stop()
		for {
			j.retain(ctx) // what fails is tried again
			select {
			case <-tick.C:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
}

// retain removes what is older than Retain, in small steps.
func (j *Journal) retain(ctx context.Context) error {
	now := j.options.Now()
	end, err := lastBefore(ctx, j.pool, now.Add(-j.options.Retain))
	if err != nil {
		return err
	}
	removable := func(row pgx.CollectableRow) (d model.Delivery, err error) {
		var source string
		err = row.Scan(&d.Seq, &d.ID, &d.Received, &source, &d.Body)
		d.Message, d.Source = d.Seq, model.Source(source)
		return d, err
	}
	if err := journal.RemoveDeliveries(end, func(after int64) ([]model.Delivery, error) {
		return collect(ctx, j.pool, removable, `SELECT seq, id, received, source, body FROM aspectop.deliveries
			WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3`, after, end, retainStep)
	}, func(gone []journal.Removal) error { return j.remove(ctx, gone, now) }); err != nil {
		return err
	}
	for _, query := range []string{
		`DELETE FROM aspectop.repeats WHERE seq IN (SELECT seq FROM aspectop.repeats WHERE seq <= $1 LIMIT $2)`,
		`DELETE FROM aspectop.forwards WHERE seq IN (SELECT f.seq FROM aspectop.forwards AS f
			WHERE f.seq <= $1 AND NOT EXISTS (SELECT FROM aspectop.deliveries AS d WHERE d.seq = f.seq) LIMIT $2)`,
	} {
		for {
			tag, err := j.pool.Exec(ctx, query, end, retainStep)
			if err != nil {
				return err
			}
			if tag.RowsAffected() < retainStep {
				break
			}
		}
	}
	if j.outdated == nil {
		if _, err := j.pool.Exec(ctx, `DELETE FROM aspectop.rejections WHERE at < $1`, now.Add(-j.options.Retain)); err != nil {
			return err
		}
	}
	_, err = j.pool.Exec(ctx, `DELETE FROM aspectop.removed WHERE received < $1`, now.Add(-max(journal.RememberIDs, j.options.Retain)))
	return err
}

// remove removes deliveries and remembers the ids that Svix may still repeat. It
// locks the head row, so that no batch decides about an id meanwhile.
func (j *Journal) remove(ctx context.Context, gone []journal.Removal, now time.Time) error {
	return j.pool.begin(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT last FROM aspectop.head FOR UPDATE`); err != nil {
			return err
		}
		batch := &pgx.Batch{}
		for _, r := range gone {
			batch.Queue(`DELETE FROM aspectop.deliveries WHERE seq = $1`, r.Seq)
			if now.Sub(r.Received) < journal.RememberIDs {
				batch.Queue(`INSERT INTO aspectop.removed (seq, id, received, digest) VALUES ($1, $2, $3, $4)`, r.Seq, r.ID, r.Received, r.Digest[:])
			}
		}
		return tx.SendBatch(ctx, batch).Close()
	})
}
