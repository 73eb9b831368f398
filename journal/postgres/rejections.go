package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aspectop/journal"
	"aspectop/model"
)

const rejectionColumns = `at, id, method, path, reason, detail, hint, evidence, skew, tolerance, headers, body, size`

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
			r, v := &rejected[i], &rejected[i].Verdict
			batch.Queue(`INSERT INTO aspectop.rejections (`+rejectionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
				r.At, encodeText(r.ID), encodeText(r.Method), encodeText(r.Path), string(v.Reason), encodeText(v.Detail), encodeText(v.Hint), v.Evidence,
				v.SkewSeconds, v.ToleranceSeconds, string(journal.AppendHeader(nil, r.Header, r.ID)), r.Body, r.Size)
		}
		batch.Queue(`DELETE FROM aspectop.rejections WHERE n <= (SELECT n FROM aspectop.rejections ORDER BY n DESC LIMIT 1 OFFSET $1)`, journal.RejectionsKept)
		return tx.SendBatch(ctx, batch).Close()
	}))
}

// Rejections returns the newest rejected requests; see [journal.Reader].
func (r *Reader) Rejections(ctx context.Context, limit int) ([]model.Rejected, error) {
	found, err := query(ctx, r, func(row pgx.CollectableRow) (x model.Rejected, err error) {
		v := &x.Verdict
		var header string
		if err := row.Scan(&x.At, &x.ID, &x.Method, &x.Path, &v.Reason, &v.Detail, &v.Hint, &v.Evidence,
			&v.SkewSeconds, &v.ToleranceSeconds, &header, &x.Body, &x.Size); err != nil {
			return x, err
		}
		x.At, x.ID, x.Method, x.Path = x.At.UTC(), decodeText(x.ID), decodeText(x.Method), decodeText(x.Path)
		v.Detail, v.Hint = decodeText(v.Detail), decodeText(v.Hint)
		x.Header, err = journal.ParseHeader(header, x.ID)
		return x, err
	}, `SELECT `+rejectionColumns+` FROM aspectop.rejections ORDER BY n DESC LIMIT $1`, limit)
	var missing *pgconn.PgError
	if errors.As(err, &missing) && missing.Code == undefinedTable {
		return nil, nil // the schema is of an earlier version
	}
	return found, err
}
