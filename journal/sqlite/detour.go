package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"math"
	"slices"
	"time"

	"aspectop/journal"
	"aspectop/model"
)

// A detour answers a Reader's queries where the file is damaged. In place of one
// query for both tables it walks through each of them.
type detour struct {
	ctx      context.Context
	session  *session
	damage   *damage
	noHeader bool
	found    []model.Delivery
}

// walk adds the readable deliveries from first to to, at most limit of each table,
// to found, and sorts it.
func (d *detour) walk(first, to int64, limit int) error {
	var next model.Delivery
	scanned := func(rows *sql.Rows) (seq int64, err error) {
		if err := d.ctx.Err(); err != nil {
			return 0, err
		}
		var row [10]any
		var into [10]any
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into[:]...); err != nil {
			return 0, &rowError{err}
		}
		values := make([]driver.Value, len(row))
		for i, v := range row {
			values[i] = v
		}
		next, err = deliveryOf(values)
		return next.Seq, err
	}
	take := func() { d.found = append(d.found, next) }
	for table, columns := range map[string]string{"deliveries": firstColumns, "repeats": repeatColumns} {
		if d.noHeader {
			columns = withoutHeaders(columns)
		}
		w := walk{d.session, d.damage, table, columns, scanned, take}
		if err := w.run(first, to, limit); err != nil {
			return err
		}
	}
	slices.SortFunc(d.found, func(a, b model.Delivery) int { return cmp.Compare(a.Seq, b.Seq) })
	return nil
}

func (d *detour) after(seq int64, limit int) error {
	err := d.walk(seq+1, maxSeq, limit)
	d.found = d.found[:min(limit, len(d.found))]
	return err
}

// before goes backwards in growing steps, because numbers may be missing.
func (d *detour) before(seq int64, limit int) error {
	var all []model.Delivery
	for end, size := seq-1, int64(max(2*limit, 64)); end > 0 && len(all) < limit; size *= 2 {
		if end > maxSeq {
			_, last, err := d.bounds()
			if err != nil {
				return err
			}
			end = last
		}
		d.found = nil
		start := max(0, end-size)
		if err := d.walk(start+1, end, math.MaxInt); err != nil {
			return err
		}
		slices.Reverse(d.found)
		all, end = append(all, d.found...), start
	}
	d.found = all[:min(limit, len(all))]
	return nil
}

func (d *detour) get(seq int64) error {
	if err := d.walk(seq, seq, 1); err != nil || len(d.found) > 0 {
		return err
	}
	return fmt.Errorf("%w: number %d", journal.ErrDamaged, seq)
}

func (d *detour) repeats(message int64) error {
	if err := d.walk(message, maxSeq, math.MaxInt); err != nil {
		return err
	}
	d.found = slices.DeleteFunc(d.found, func(r model.Delivery) bool { return r.Message != message || !r.Repeat() })
	return nil
}

// since returns the greatest number received before t.
func (d *detour) since(t time.Time) (before int64, err error) {
	_, last, err := d.bounds()
	for after := int64(0); after < last && err == nil; {
		d.found = nil
		if err = d.after(after, batchOfDetour); err != nil || len(d.found) == 0 {
			break
		}
		for i := range d.found {
			if !d.found[i].Received.Before(t) {
				return before, nil
			}
			before = d.found[i].Seq
		}
		after = before
	}
	return before, err
}

// batchOfDetour is how many deliveries since holds in memory. Each body may have
// 1 MiB.
const batchOfDetour = 64

// bounds returns the least and the greatest number that can be read, both 0 if
// there is none.
func (d *detour) bounds() (first, last int64, err error) {
	var seq int64
	least := func(rows *sql.Rows) (int64, error) {
		if err := rows.Scan(&seq); err != nil {
			return 0, &rowError{err}
		}
		return seq, d.ctx.Err()
	}
	for _, table := range []string{"deliveries", "repeats"} {
		w := walk{d.session, d.damage, table, "seq", least, func() {
			if first == 0 || seq < first {
				first = seq
			}
			last = max(last, seq)
		}}
		if err := w.run(1, maxSeq, math.MaxInt); err != nil {
			return 0, 0, err
		}
	}
	return first, last, nil
}
