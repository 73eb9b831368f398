package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"aspectop/journal"
	"aspectop/model"
)

// SaveRejections keeps rejected requests; see [journal.Journal]. Where the schema has no
// table for them, it says so.
func (j *Journal) SaveRejections(rejected []model.Rejected) error {
	switch {
	case j.group.Closed():
		return journal.ErrClosed
	case j.outdated != nil:
		return j.outdated
	}
	ctx, cancel := context.WithTimeout(context.Background(), saveTime)
	defer cancel()
	return j.database.explain(j.loosely(ctx, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		for i := range rejected {
			r := &rejected[i]
			facts, header := journal.EncodeRejected(r)
			batch.Queue(`INSERT INTO aspectop.rejections (at, facts, headers, body) VALUES ($1, $2, $3, $4)`, r.At, facts, header, r.Body)
		}
		batch.Queue(`DELETE FROM aspectop.rejections WHERE n <= (SELECT n FROM aspectop.rejections ORDER BY n DESC LIMIT 1 OFFSET $1)`, journal.RejectionsKept)
		return tx.SendBatch(ctx, batch).Close()
	}))
}

// Rejections returns the newest rejected requests; see [journal.Reader].
func (r *Reader) Rejections(ctx context.Context, limit int) ([]model.Rejected, error) {
	found, err := query(ctx, r, func(row pgx.CollectableRow) (rejected model.Rejected, err error) {
		var at time.Time
		var facts, header string
		var body []byte
		if err := row.Scan(&at, &facts, &header, &body); err != nil {
			return rejected, err
		}
		return journal.DecodeRejected(at, facts, header, body)
	}, `SELECT at, facts, headers, body FROM aspectop.rejections ORDER BY n DESC LIMIT $1`, limit)
	if isMissing(err) { // the schema is of an earlier version
		return nil, nil
	}
	return found, err
}
