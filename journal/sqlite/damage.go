package sqlite

import (
	"errors"
	"fmt"
	"sync"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"aspectop/journal"
)

// A file can be damaged by a failing disk, by another program, by a copy that was
// cut short. To look up a row by its number, SQLite reads only the pages on the way
// to it, so rows behind a damaged page are found by asking for greater numbers. What
// cannot be read is left out and noted.

// DamagedError says that a part of an open journal cannot be read. It is a
// [journal.ErrDamaged].
type DamagedError struct {
	Path string
	Err  error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("the journal %s is damaged (%v): aspectop journal check lists the damage, aspectop journal copy saves what can be read to another journal", e.Path, e.Err)
}

func (e *DamagedError) Unwrap() error { return e.Err }

// Is makes the error a [journal.ErrDamaged].
func (e *DamagedError) Is(target error) bool { return target == journal.ErrDamaged }

// damage records what cannot be read in a file, for a Reader, or for a Journal and
// its own readers.
type damage struct {
	path string

	mu    sync.Mutex
	first error    // a *DamagedError, nil if no damage is known
	log   []string // what of the log is unreadable
	spans []span   // of numbers, in the order in which they were found
	tell  []func(error)
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

// note records why the numbers in lost cannot be read, and reports the first damage.
func (d *damage) note(lost span, why error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.report(d.path, why)
	for i, s := range d.spans {
		if s.first <= lost.last+1 && lost.first <= s.last+1 {
			d.spans[i] = span{min(s.first, lost.first), max(s.last, lost.last)}
			return
		}
	}
	d.spans = append(d.spans, lost)
}

// found reports damage that costs no delivery.
func (d *damage) found(why error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.report(d.path, why)
}

// noteLog records that a part of the log is unreadable.
func (d *damage) noteLog(e *CorruptError) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.report(e.Path, e.Err)
	d.log = append(d.log, fmt.Sprintf("the rest of %s (%v)", e.Path, e.Err))
}

// report calls tell at the first damage. The caller holds mu.
func (d *damage) report(path string, why error) {
	if d.first != nil {
		return
	}
	d.first = &DamagedError{path, why}
	for _, tell := range d.tell {
		tell(d.first)
	}
}

// err returns a [*DamagedError], or nil if no damage is known.
func (d *damage) err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.first
}

// onDamage calls tell once: at the first damage, or at once if any is known.
func (d *damage) onDamage(tell func(error)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tell = append(d.tell, tell)
	if d.first != nil {
		tell(d.first)
	}
}

// unreadable lists what could not be read, in words.
func (d *damage) unreadable() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []string
	for _, s := range d.spans {
		list = append(list, s.String())
	}
	return append(list, d.log...)
}

// at returns the span of unreadable numbers that contains n, if there is one.
func (d *damage) at(n int64) (span, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.spans {
		if s.first <= n && n <= s.last {
			return s, true
		}
	}
	return span{}, false
}

// rowError says that a row does not hold what a journal writes.
type rowError struct{ error }

func (e *rowError) Unwrap() error { return e.error }

// isDamage reports whether err means that a part of the file cannot be read.
func isDamage(err error) bool {
	var s *sqlite.Error
	if !errors.As(err, &s) {
		return errors.As(err, new(*rowError))
	}
	switch s.Code() {
	case sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS, sqlite3.SQLITE_IOERR_DATA:
		return true
	}
	switch s.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB,
		sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_MISMATCH: // impossible sizes and types
		return true
	}
	return false
}

// isUnread reports whether err means that the disk failed to read: it may have a
// bad sector, or be gone and come back.
func isUnread(err error) bool {
	var s *sqlite.Error
	return errors.As(err, &s) && s.Code()&0xff == sqlite3.SQLITE_IOERR
}

// probes is how many numbers after damage are tried one by one, more than a page has
// rows. Then the steps grow: a damaged page that leads to others hides more.
const probes = 1024

// passOver returns the least distance from damage, from 1 to most, at which look
// succeeds, and the error of look if it fails at all of them.
func passOver(most int64, look func(at int64) error) (at int64, err error) {
	damaged, step := int64(0), int64(1)
	for at = 1; at <= most; at = min(at+step, most) {
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
