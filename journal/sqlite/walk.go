package sqlite

import (
	"database/sql"
	"fmt"
)

// probes is how many numbers after the damage are tried one by one, more than a
// page has rows. After that the steps grow, and rows behind a damaged inner page may
// be missed; [Salvage] finds them.
const probes = 4096

// A walk visits the readable rows of a table.
type walk struct {
	session *session
	damage  *damage
	table   string
	columns string // the first is seq
	// scan reads a row and returns its number; take is called for the row that
	// scan read last if it is to be used.
	scan func(*sql.Rows) (seq int64, err error)
	take func()
}

// run visits at most limit rows with numbers from first to to, in order, and
// records those that cannot be read.
func (w *walk) run(first, to int64, limit int) error {
	for first <= to && limit > 0 {
		next, n, err := w.rows(first, to, limit)
		first, limit = next, limit-n
		if isUnread(err) && n == 0 { // once more
			next, n, err = w.rows(first, to, limit)
			first, limit = next, limit-n
		}
		if err == nil || limit == 0 {
			return nil
		} else if !isDamage(err) {
			return err
		}
		if first, n, err = w.pass(first, to, err); err != nil {
			return err
		}
		limit -= n
	}
	return nil
}

// pass skips what cannot be read at first because of why, and visits one row after
// it, if there is one. It returns where to go on. If nothing at all can be read
// from the disk, that is not recorded as damage but returned as the error.
func (w *walk) pass(first, to int64, why error) (next int64, n int, err error) {
	at, step := first, int64(1)
	for tries := 0; ; tries++ {
		if tries >= probes || isUnread(why) {
			step *= 2
		}
		at = w.damage.past(w.table, at)
		if at > to-step {
			break
		}
		at += step
		next, n, err = w.rows(at, to, 1)
		switch {
		case err == nil && n == 0:
			w.damage.add(w.table, Span{first, at - 1})
			return to + 1, 0, nil
		case err == nil:
			w.damage.add(w.table, Span{first, next - 2})
			return next, n, nil
		case !isDamage(err):
			return 0, 0, err
		}
	}
	if isUnread(why) {
		return 0, 0, why
	}
	w.damage.add(w.table, Span{first, to})
	return to + 1, 0, nil
}

// rows visits the next rows, up to the first damage. It returns the number after
// the last one visited, and how many were.
func (w *walk) rows(first, to int64, limit int) (next int64, n int, err error) {
	next = first
	// With "seq > first-1", SQLite would first look for first-1, which may be on
	// the damaged page.
	query := "SELECT " + w.columns + " FROM " + w.table + " WHERE seq >= ? AND seq <= ? ORDER BY seq LIMIT ?"
	err = w.session.each(query, []any{first, to, limit}, func(rows *sql.Rows) error {
		seq, err := w.scan(rows)
		if err != nil {
			return err
		}
		if seq < next || seq > to {
			return &rowError{fmt.Errorf("the number %d stands after %d", seq, next-1)}
		}
		w.take()
		next = seq + 1
		n++
		return nil
	})
	return next, n, err
}
