package sqlite

import (
	"database/sql/driver"
	"fmt"
	"sync"
)

// A file can be damaged by a failing disk, by another program, by a copy that was
// cut short. To look up a row by its number, SQLite reads only the pages on the way
// to it, so rows behind a damaged page are found by asking for greater numbers. What
// cannot be read is left out and noted.

// Damage records what cannot be read in a file, for a Reader, or for a Journal and
// its own readers.
type Damage struct {
	mu     sync.Mutex
	err    error  // the first
	log    error  // why the rest of the log is unreadable
	spans  []span // of numbers, in the order in which they were found
	report []func(error)
}

// OnDamage has report called with a [Damaged] error, once: when anything is found that
// cannot be read, or at once if that is known.
func (d *Damage) OnDamage(report func(error)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.report = append(d.report, report)
	if d.err != nil {
		report(d.err)
	}
}

// Unreadable lists what could not be read so far, such as "numbers 41 to 57". Some of
// the numbers may never have been used.
func (d *Damage) Unreadable() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []string
	for _, s := range d.spans {
		list = append(list, s.String())
	}
	if d.log != nil {
		list = append(list, "the rest of "+d.log.Error())
	}
	return list
}

// span is a range of numbers, both ends included.
type span struct{ first, last int64 }

func (s span) String() string {
	switch s.last {
	case s.first:
		return fmt.Sprint("number ", s.first)
	case maxSeq:
		return fmt.Sprintf("numbers from %d on", s.first)
	}
	return fmt.Sprintf("numbers %d to %d", s.first, s.last)
}

// found reports the first damage.
func (d *Damage) found(path string, why error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return
	}
	d.err = &Error{Damaged, path, why}
	for _, report := range d.report {
		report(d.err)
	}
}

func (d *Damage) note(lost span) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, s := range d.spans {
		if s.first <= lost.last+1 && lost.first <= s.last+1 {
			d.spans[i] = span{min(s.first, lost.first), max(s.last, lost.last)}
			return
		}
	}
	d.spans = append(d.spans, lost)
}

// first returns the first damage, nil if none is known.
func (d *Damage) first() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

func (d *Damage) at(n int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.spans {
		if s.first <= n && n <= s.last {
			return true
		}
	}
	return false
}

// A tableScan reads the rows of one table past damage, in the order of their numbers.
type tableScan struct {
	// query selects at most ?2 rows from the number ?1 on; the number comes first.
	query string
	from  int64
	step  int64 // 1, or -1 for descending numbers
	limit int64 // of rows
	// row takes a row, or returns why it cannot be read. A row that is only tried is
	// not to be kept.
	row func(row []driver.Value, keep bool) error
	// lost is called with the numbers that are passed over, and why.
	lost func(span, error)
}

// scan reads a table. It returns damage if it finds nothing after it.
func (s *session) scan(t tableScan) error {
	next, left := t.from, t.limit
	read := func(from, limit int64, keep bool) error {
		return s.values(t.query, []driver.Value{from, limit}, func(row []driver.Value) error {
			seq, ok := row[0].(int64)
			if !ok || (seq-from)*t.step < 0 || seq < 1 || seq > maxSeq {
				return &rowError{fmt.Errorf("the row at number %d is none of a journal", seq)}
			}
			err := t.row(row, keep)
			if err == nil && keep {
				next, left = seq+t.step, left-1
			}
			return err
		})
	}
	for {
		why := read(next, left, true)
		if !isDamage(why) {
			return why
		}
		most := maxSeq - next
		if t.step < 0 {
			most = next - 1
		}
		distance, err := passOver(max(most, 0), func(distance int64) error {
			return read(next+distance*t.step, 1, false)
		})
		if err != nil && !isDamage(err) {
			return err
		}
		if err != nil {
			distance++ // none of them can be read
		}
		if last := next + (distance-1)*t.step; distance > 0 {
			t.lost(span{min(next, last), max(next, last)}, why)
		}
		next += distance * t.step
		if err == nil {
			err = read(next, 1, true)
		}
		if err != nil {
			return err
		}
	}
}

// probes is how many numbers after damage are tried one by one, more than a page has
// rows. Then the steps grow: a damaged page that leads to others hides more.
const probes = 1024

// passOver returns the least distance from damage, up to most, at which look
// succeeds, and the error of look if it fails at all of them.
func passOver(most int64, look func(distance int64) error) (at int64, err error) {
	damaged, step := int64(-1), int64(1)
	for at = 0; ; at = min(at+step, most) {
		if err = look(at); !isDamage(err) || at == most {
			break
		}
		if damaged = at; at > probes {
			step *= 2
		}
	}
	for err == nil && at-damaged > 1 {
		middle := damaged + (at-damaged)/2
		switch lookErr := look(middle); {
		case lookErr == nil:
			at = middle
		case isDamage(lookErr):
			damaged = middle
		default:
			err = lookErr
		}
	}
	return at, err
}
