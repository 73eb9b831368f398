package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"aspectop/journal"
	"aspectop/model"
)

//go:embed extend.sql
var createOptional string

// SaveForwards stores outcomes in one transaction; see [journal.Journal]. Unlike
// Append it does not wait for the disk.
func (j *Journal) SaveForwards(key, url string, cursor int64, outcomes []model.Forward) error {
	return j.loosely(func(s *session) (n int64, err error) {
		var target int64
		err = s.row(`INSERT INTO forward_targets (key, url, cursor) VALUES (?, ?, ?)
			ON CONFLICT (key) DO UPDATE SET url = excluded.url, cursor = excluded.cursor RETURNING id`,
			[]driver.Value{key, url, cursor}, &target)
		if err != nil {
			return 0, err
		}
		for i := range outcomes {
			f := &outcomes[i]
			n += int64(len(f.Body))
			if _, err := s.exec(`INSERT OR REPLACE INTO forwards
				(seq, target, at, status, latency, tries, resigned, final, gave_up, error, hint, body, answer)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
				f.Seq, target, f.At.UnixMicro(), f.Status, f.Latency.Microseconds(), f.Tries,
				f.Resigned, f.Final, f.GaveUp, f.Error, f.Hint, f.Body, f.Answer); err != nil {
				return 0, err
			}
		}
		return n, nil
	})
}

// loosely runs f, which returns how many bytes it wrote, in a transaction that does not
// wait for the disk and may be lost in a power cut. The tables and columns that a journal
// may lack are there.
func (j *Journal) loosely(f func(*session) (n int64, err error)) error {
	j.writing.Lock()
	defer j.writing.Unlock()
	if j.group.Closed() {
		return journal.ErrClosed
	}
	if j.loose == nil {
		s, err := connect(j.path, settings("synchronous(NORMAL)")...)
		if err != nil {
			return explain(j.path, err)
		}
		j.guard(s)
		s.before = j.check
		j.loose = s
	}
	err := j.loose.transaction(func() error {
		if !j.extended {
			if err := extend(j.loose); err != nil {
				return err
			}
		}
		n, err := f(j.loose)
		if err == nil {
			j.noteWritten(pageSize + n)
		}
		return err
	})
	j.extended = j.extended || err == nil
	return explain(j.path, err)
}

func extend(s *session) error {
	if _, err := s.conn.ExecContext(background, createOptional); err != nil {
		return err
	}
	known, err := has(s, "forwards", "answer")
	if err == nil && !known {
		_, err = s.exec(`ALTER TABLE forwards ADD COLUMN answer TEXT`)
	}
	return err
}

func has(s *session, table, column string) (bool, error) {
	var n int64
	err := s.row(`SELECT count(*) FROM pragma_table_info(?) WHERE name = ?`, []driver.Value{table, column}, &n)
	return n == 1, err
}

// ForwardCursor returns a target's cursor; see [journal.Reader].
func (r *Reader) ForwardCursor(ctx context.Context, key string) (cursor int64, known bool, err error) {
	err = r.optional(ctx, "forwards", func() error {
		err := r.session.row(`SELECT cursor FROM forward_targets WHERE key = ?`, []driver.Value{key}, &cursor)
		known = err == nil
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return cursor, known, err
}

// SettledForwards returns the numbers with a final outcome; see [journal.Reader].
func (r *Reader) SettledForwards(ctx context.Context, key string, seq, last int64) ([]int64, error) {
	return optionalRows(ctx, r, "forwards", `SELECT seq FROM forwards WHERE seq > ? AND seq <= ? AND final
		AND target = (SELECT id FROM forward_targets WHERE key = ?) ORDER BY seq`, []driver.Value{seq, last, key},
		func(row []driver.Value) (n int64, err error) {
			err = scan(row, &n)
			return n, err
		})
}

// Forwards returns the outcomes of one delivery; see [journal.Reader].
func (r *Reader) Forwards(ctx context.Context, seq int64) (found []model.Forward, err error) {
	const outcomes = `SELECT f.seq, t.url, f.at, f.status, f.latency, f.tries, f.resigned, f.final, f.gave_up, f.error, f.hint, f.body, %s
		FROM forwards AS f JOIN forward_targets AS t ON t.id = f.target WHERE f.seq = ? ORDER BY t.id`
	err = r.optional(ctx, "forwards", func() error {
		answer := "f.answer"
		if known, err := has(r.session, "forwards", "answer"); err != nil {
			return err
		} else if !known {
			answer = "NULL"
		}
		found, err = rows(r.session, fmt.Sprintf(outcomes, answer), []driver.Value{seq}, scanForward)
		return err
	})
	return found, err
}

// ForwardTargets returns the targets that deliveries were forwarded to.
func (r *Reader) ForwardTargets(ctx context.Context) ([]journal.ForwardTarget, error) {
	return optionalRows(ctx, r, "forwards", `SELECT key, url, cursor FROM forward_targets ORDER BY id`, nil,
		func(row []driver.Value) (t journal.ForwardTarget, err error) {
			err = scan(row, &t.Key, &t.URL, &t.Cursor)
			return t, err
		})
}

// optional runs a query if the journal has the table that it is about.
func (r *Reader) optional(ctx context.Context, table string, query func() error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.usable(ctx); err != nil {
		return err
	}
	known, err := has(r.session, table, "at")
	if err == nil && known {
		err = query()
	}
	return explain(r.path, err)
}

func optionalRows[T any](ctx context.Context, r *Reader, table, query string, args []driver.Value, scan func([]driver.Value) (T, error)) (found []T, err error) {
	err = r.optional(ctx, table, func() (err error) {
		found, err = rows(r.session, query, args, scan)
		return err
	})
	return found, err
}

func scanForward(row []driver.Value) (f model.Forward, err error) {
	var at, status, latency, tries, resigned, final, gaveUp int64
	var answer []byte // NULL in rows of earlier versions
	err = scan(row, &f.Seq, &f.To, &at, &status, &latency, &tries, &resigned, &final, &gaveUp, &f.Error, &f.Hint, &f.Body, &answer)
	f.Answer = string(answer)
	f.At, f.Latency = time.UnixMicro(at).UTC(), time.Duration(latency)*time.Microsecond
	f.Status, f.Tries = int(status), int(tries)
	f.Resigned, f.Final, f.GaveUp = resigned != 0, final != 0, gaveUp != 0
	return f, err
}

// SaveRejections keeps rejected requests; see [journal.Journal].
func (j *Journal) SaveRejections(rejected []model.Rejected) error {
	return j.loosely(func(s *session) (n int64, err error) {
		for i := range rejected {
			r := &rejected[i]
			facts, header := journal.EncodeRejected(r)
			if _, err := s.exec(`INSERT INTO rejections (at, facts, headers, body) VALUES (?, ?, ?, ?)`, r.At.UnixMicro(), facts, header, r.Body); err != nil {
				return 0, err
			}
			n += int64(len(facts) + len(header) + len(r.Body))
		}
		_, err = s.exec(`DELETE FROM rejections WHERE n <= (SELECT n FROM rejections ORDER BY n DESC LIMIT 1 OFFSET ?)`, journal.RejectionsKept)
		return n, err
	})
}

// Rejections returns the newest rejected requests; see [journal.Reader].
func (r *Reader) Rejections(ctx context.Context, limit int) ([]model.Rejected, error) {
	return optionalRows(ctx, r, "rejections", `SELECT at, facts, headers, body FROM rejections ORDER BY n DESC LIMIT ?`, []driver.Value{limit},
		func(row []driver.Value) (rejected model.Rejected, err error) {
			var at int64
			var facts, header string
			var body []byte
			if err = scan(row, &at, &facts, &header, &body); err == nil {
				if rejected, err = journal.DecodeRejected(time.UnixMicro(at), facts, header, body); err != nil {
					err = &rowError{err}
				}
			}
			return rejected, err
		})
}
