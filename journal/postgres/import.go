package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"aspectop/journal"
	"aspectop/model"
)

// Import keeps deliveries of another journal under their own numbers; see
// [journal.Journal].
func (j *Journal) Import(ctx context.Context, deliveries []model.Delivery) error {
	if len(deliveries) == 0 {
		return nil
	}
	if j.group.Closed() {
		return journal.ErrClosed
	}
	return j.database.explain(pgx.BeginFunc(ctx, j.pool, func(tx pgx.Tx) error {
		var last int64
		if err := tx.QueryRow(ctx, `SELECT last FROM aspectop.head FOR UPDATE`).Scan(&last); err != nil {
			return err
		}
		if deliveries[0].Seq <= last {
			return &Error{j.Place(), fmt.Sprintf("delivery %d cannot be imported: the journal ends at %d already", deliveries[0].Seq, last), nil}
		}
		batch := &pgx.Batch{}
		for i := range deliveries {
			d := &deliveries[i]
			header := string(journal.AppendHeader(nil, d.Header, d.ID))
			if !d.Repeat() {
				batch.Queue(`INSERT INTO aspectop.deliveries (seq, id, received, source, secret, headers, body) VALUES ($1, $2, $3, $4, $5, $6, coalesce($7, ''::bytea))`,
					d.Seq, encodeText(d.ID), d.Received, string(d.Source), encodeText(d.Secret), header, d.Body)
				continue
			}
			batch.Queue(`INSERT INTO aspectop.repeats (seq, message, attempt, differs, id, received, source, secret, headers, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
				d.Seq, d.Message, d.Attempt, d.Differs, encodeText(d.ID), d.Received, string(d.Source), encodeText(d.Secret), header, d.Body)
		}
		batch.Queue(`UPDATE aspectop.head SET last = $1`, deliveries[len(deliveries)-1].Seq)
		return tx.SendBatch(ctx, batch).Close()
	}))
}

// ForwardTargets returns the targets that deliveries were forwarded to.
func (r *Reader) ForwardTargets(ctx context.Context) ([]journal.ForwardTarget, error) {
	if err := r.usable(ctx); err != nil {
		return nil, err
	}
	rows, err := r.pool.Query(ctx, `SELECT key, url, cursor FROM aspectop.forward_targets ORDER BY id`)
	if err != nil {
		return nil, r.database.explain(err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t journal.ForwardTarget, err error) {
		err = row.Scan(&t.Key, &t.URL, &t.Cursor)
		t.URL = decodeText(t.URL)
		return t, err
	})
	return found, r.database.explain(err)
}
