package sqlite

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"aspectop/journal"
	"aspectop/model"
)

const (
	// retainEvery is the time between two looks for what has grown too old.
	retainEvery = time.Minute
	// retainStep is how many rows one transaction removes at most: commits wait
	// for it.
	retainStep = 128
)

// retain removes what is older than Retain, in small steps. What it does not
// get done, for a full disk or for Close, the next call does.
func (j *Journal) retain() error {
	now := j.options.Now()
	var first, end int64
	err := j.keeper.row(rangeQuery, nil, &first, &end)
	if err == nil {
		end, err = lastBefore(j.keeper, first, end, now.Add(-j.options.Retain))
	}
	if err != nil {
		return err
	}
	read := func(after int64) ([]model.Delivery, error) { return j.removable(after, end) }
	err = journal.RemoveDeliveries(end, read, func(gone []journal.Removal) error { return j.remove(gone, now) })
	if err != nil {
		return err
	}
	if err := j.removeRows(`DELETE FROM repeats WHERE seq IN (SELECT seq FROM repeats WHERE seq <= ? LIMIT ?)`, end); err != nil {
		return err
	}
	for _, optional := range []struct {
		table, remove string
		end           int64
	}{
		{"forwards", `DELETE FROM forwards WHERE rowid IN (SELECT f.rowid FROM forwards AS f
			WHERE f.seq <= ? AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.seq = f.seq) LIMIT ?)`, end},
		{"rejections", `DELETE FROM rejections WHERE n IN (SELECT n FROM rejections WHERE at < ? LIMIT ?)`, now.Add(-j.options.Retain).UnixMicro()},
	} {
		known, err := has(j.keeper, optional.table, "at")
		if err == nil && known {
			err = j.removeRows(optional.remove, optional.end)
		}
		if err != nil {
			return err
		}
	}
	return j.forgetIDs(now.Add(-max(journal.RememberIDs, j.options.Retain)))
}

// removable reads a few deliveries without their headers.
func (j *Journal) removable(after, end int64) (found []model.Delivery, err error) {
	if err := j.ctx.Err(); err != nil {
		return nil, err
	}
	query := `SELECT seq, id, received, source, body FROM deliveries WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?`
	return rows(j.keeper, query, []driver.Value{after, end, retainStep}, func(row []driver.Value) (d model.Delivery, err error) {
		var received int64
		var source string
		err = scan(row, &d.Seq, &d.ID, &received, &source, &d.Body)
		d.Message, d.Received, d.Source = d.Seq, time.UnixMicro(received), model.Source(source)
		return d, err
	})
}

// remove removes deliveries, and forgets their ids if those are old enough.
func (j *Journal) remove(gone []journal.Removal, now time.Time) error {
	var forgotten []journal.Removal
	return j.change(func() error {
		for _, r := range gone {
			if _, err := j.keeper.exec(`DELETE FROM deliveries WHERE seq = ?`, r.Seq); err != nil {
				return err
			}
			if now.Sub(r.Received) >= journal.RememberIDs {
				forgotten = append(forgotten, r)
				continue
			}
			if _, err := j.keeper.exec(`INSERT INTO removed (seq, id, received, digest) VALUES (?, ?, ?, ?)`,
				r.Seq, r.ID, r.Received.UnixMicro(), r.Digest[:]); err != nil {
				return err
			}
		}
		return nil
	}, func() { j.ids.remove(forgotten) })
}

// removeRows runs a query that removes some rows up to a number or time, until there
// are none.
func (j *Journal) removeRows(query string, end int64) error {
	for j.ctx.Err() == nil {
		var n int64
		err := j.change(func() (err error) {
			n, err = j.keeper.exec(query, end, retainStep)
			return err
		}, func() {})
		if err != nil || n < retainStep {
			return err
		}
	}
	return nil
}

func (j *Journal) forgetIDs(t time.Time) error {
	for j.ctx.Err() == nil {
		var old []journal.Removal
		err := j.change(func() (err error) {
			old, err = rows(j.keeper, `DELETE FROM removed WHERE seq IN (SELECT seq FROM removed WHERE received < ? LIMIT ?) RETURNING seq, id`,
				[]driver.Value{t.UnixMicro(), retainStep}, func(row []driver.Value) (r journal.Removal, err error) {
					err = scan(row, &r.Seq, &r.ID)
					return r, err
				})
			return err
		}, func() { j.ids.remove(old) })
		if err != nil || len(old) < retainStep {
			return err
		}
	}
	return nil
}

// change runs f in a transaction of the keeper's connection and, if it is
// committed, calls done, while nobody appends. Nothing is removed from a damaged file,
// where removing a damaged row could free pages of others.
func (j *Journal) change(f func() error, done func()) error {
	defer func() {
		if j.written.Load() >= j.logDue.Load() {
			j.checkpoint() // which otherwise would wait until all is removed
		}
	}()
	j.writing.Lock()
	defer j.writing.Unlock()
	if j.loadErr != nil {
		return j.loadErr
	}
	if err := j.first(); err != nil {
		return err
	}
	err := j.keeper.transaction(func() error {
		if _, err := j.keeper.exec(setLast, j.last); err != nil {
			return err
		}
		return f()
	})
	if err != nil {
		return err
	}
	done()
	j.noteWritten(retainStep * pageSize / 4)
	return nil
}

// lastBefore returns the greatest number received before t, 0 if there is none, of
// those from first to last.
func lastBefore(s *session, first, last int64, t time.Time) (int64, error) {
	return journal.LastBefore(first, last, t, func(from int64) (seq int64, at time.Time, err error) {
		var received int64
		for ; from <= last; from++ { // past damage
			if err = s.row(receivedQuery, []driver.Value{from}, &seq, &received); !isDamage(err) {
				break
			}
		}
		if errors.Is(err, sql.ErrNoRows) || isDamage(err) {
			err = journal.ErrNotFound
		}
		return seq, time.UnixMicro(received), err
	})
}
