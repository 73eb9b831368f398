package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"aspectop/journal"
	"aspectop/model"
)

const saveTime = 10 * time.Second

// SaveForwards keeps outcomes and a cursor; see [journal.Journal].
func (j *Journal) SaveForwards(key, url string, cursor int64, outcomes []model.Forward) error {
	if j.group.Closed() {
		return journal.ErrClosed
	}
	ctx, cancel := context.WithTimeout(context.Background(), saveTime)
	defer cancel()
	return j.database.explain(j.loosely(ctx, func(tx pgx.Tx) error {
		var target int64
		err := tx.QueryRow(ctx, `INSERT INTO aspectop.forward_targets (key, url, cursor) VALUES ($1, $2, $3)
			ON CONFLICT (key) DO UPDATE SET url = excluded.url, cursor = excluded.cursor RETURNING id`, key, encodeText(url), cursor).Scan(&target)
		if err != nil {
			return err
		}
		column, value, update := "", "", ""
		if j.outdated == nil {
			column, value, update = ", answer", ", $13", ", answer = excluded.answer"
		}
		batch := &pgx.Batch{}
		for i := range outcomes {
			f := &outcomes[i]
			args := []any{f.Seq, target, f.At, f.Status, f.Latency, f.Tries, f.Resigned, f.Final, f.GaveUp, encodeText(f.Error), encodeText(f.Hint), f.Body}
			if column != "" {
				args = append(args, answerOf(f)+encodeText(f.Answer))
			}
			batch.Queue(`INSERT INTO aspectop.forwards (seq, target, at, status, latency, tries, resigned, final, gave_up, error, hint, body`+column+`)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12`+value+`)
				ON CONFLICT (seq, target) DO UPDATE SET at = excluded.at, status = excluded.status, latency = excluded.latency,
					tries = excluded.tries, resigned = excluded.resigned, final = excluded.final, gave_up = excluded.gave_up,
					error = excluded.error, hint = excluded.hint, body = excluded.body`+update, args...)
		}
		return tx.SendBatch(ctx, batch).Close()
	}))
}

// answerOf begins an answer: an earlier version that overwrites the outcome of a try leaves
// the answer to another one there.
func answerOf(f *model.Forward) string { return fmt.Sprint(f.At.UnixMicro(), " ") }

// Forwards returns what became of one delivery at each target.
func (r *Reader) Forwards(ctx context.Context, seq int64) ([]model.Forward, error) {
	return query(ctx, r, func(row pgx.CollectableRow) (model.Forward, error) {
		f := model.Forward{Seq: seq}
		var answer *string // not in rows of earlier versions, nor perhaps in the schema
		err := row.Scan(&f.To, &f.At, &f.Status, &f.Latency, &f.Tries, &f.Resigned, &f.Final, &f.GaveUp, &f.Error, &f.Hint, &f.Body, &answer)
		f.To, f.Error, f.Hint, f.At = decodeText(f.To), decodeText(f.Error), decodeText(f.Hint), f.At.UTC()
		if answer != nil {
			if text, is := strings.CutPrefix(*answer, answerOf(&f)); is {
				f.Answer = decodeText(text)
			}
		}
		return f, err
	}, `SELECT t.url, at, status, latency, tries, resigned, final, gave_up, error, hint, body, to_jsonb(f)->>'answer'
		FROM aspectop.forwards AS f JOIN aspectop.forward_targets AS t ON t.id = target WHERE seq = $1 ORDER BY target`, seq)
}

// ForwardCursor returns the cursor kept for a target.
func (r *Reader) ForwardCursor(ctx context.Context, key string) (cursor int64, known bool, err error) {
	if err := r.usable(ctx); err != nil {
		return 0, false, err
	}
	err = r.pool.row(ctx, []any{&cursor}, `SELECT cursor FROM aspectop.forward_targets WHERE key = $1`, key)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	return cursor, err == nil, r.database.explain(err)
}

// SettledForwards returns the numbers after seq and up to last whose outcome at
// a target is final.
func (r *Reader) SettledForwards(ctx context.Context, key string, seq, last int64) ([]int64, error) {
	return query(ctx, r, pgx.RowTo[int64], `SELECT seq FROM aspectop.forwards JOIN aspectop.forward_targets AS t ON t.id = target
		WHERE t.key = $1 AND seq > $2 AND seq <= $3 AND final ORDER BY seq`, key, seq, last)
}

// ForwardTargets returns the targets that deliveries were forwarded to.
func (r *Reader) ForwardTargets(ctx context.Context) ([]journal.ForwardTarget, error) {
	return query(ctx, r, func(row pgx.CollectableRow) (t journal.ForwardTarget, err error) {
		err = row.Scan(&t.Key, &t.URL, &t.Cursor)
		t.URL = decodeText(t.URL)
		return t, err
	}, `SELECT key, url, cursor FROM aspectop.forward_targets ORDER BY id`)
}

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
