package sqlite

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// A file can be damaged by a failing disk, by another program, by a copy that was
// cut short. Rows that SQLite cannot read are then skipped and reported, and the
// rest is used. To look up a row by its number, SQLite reads only the pages on the
// way to it. So rows behind a damaged page are found by asking for greater numbers.

// Span is a range of numbers, both ends included.
type Span struct{ First, Last int64 }

func (s Span) String() string {
	switch s.Last {
	case s.First:
		return fmt.Sprint(s.First)
	case maxSeq:
		return fmt.Sprintf("%d and later", s.First)
	}
	return fmt.Sprintf("%d to %d", s.First, s.Last)
}

// damage records what cannot be read in a file, for everything in this process
// that reads it.
type damage struct {
	path string

	mu    sync.Mutex
	spans map[string][]Span // of each table: apart, and in their order
	tell  []func(error)
}

func newDamage(path string) *damage { return &damage{path: path, spans: make(map[string][]Span)} }

// DamagedError says that a part of a journal cannot be read and is skipped. Nothing
// else is missing.
type DamagedError struct {
	Path string
	// The numbers of messages and of repeats that cannot be read. Some of the
	// numbers may never have been used.
	Messages, Repeats []Span
	// The numbers of removed messages whose ids are unknown. If one of them is
	// delivered again, it counts as a new message.
	Remembered []Span
}

func (e *DamagedError) Error() string {
	var parts []string
	for _, p := range []struct {
		name  string
		spans []Span
	}{{"messages", e.Messages}, {"repeats", e.Repeats}, {"ids of removed messages", e.Remembered}} {
		if len(p.spans) > 0 {
			parts = append(parts, p.name+" "+listed(p.spans))
		}
	}
	return fmt.Sprintf("the journal %s is damaged: %s cannot be read and are left out; aspectop journal check tells more, "+
		"aspectop journal salvage saves the rest to a new file", e.Path, strings.Join(parts, ", and "))
}

// listed formats spans, the first few of many.
func listed(spans []Span) string {
	const most = 5
	var words []string
	for i, s := range spans {
		if i == most {
			words = append(words, fmt.Sprintf("at %d more places", len(spans)-most))
			break
		}
		words = append(words, s.String())
	}
	return strings.Join(words, ", ")
}

// add records numbers that cannot be read in a table, and reports them if they are
// new.
func (d *damage) add(table string, found Span) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := d.spans[table]
	after := union(append(slices.Clone(before), found))
	if slices.Equal(before, after) {
		return
	}
	d.spans[table] = after
	for _, tell := range d.tell {
		tell(d.error())
	}
}

// error is err for callers that hold mu.
func (d *damage) error() error {
	if len(d.spans) == 0 {
		return nil
	}
	return &DamagedError{d.path, slices.Clone(d.spans["deliveries"]), slices.Clone(d.spans["repeats"]), slices.Clone(d.spans["removed"])}
}

// err returns a [*DamagedError], or nil if no damage is known.
func (d *damage) err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.error()
}

// onDamage calls tell with a [*DamagedError], at once if damage is known, and
// again whenever more is found.
func (d *damage) onDamage(tell func(error)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tell = append(d.tell, tell)
	if err := d.error(); err != nil {
		tell(err)
	}
}

// past returns the end of the damaged span that contains seq, or seq if none does.
func (d *damage) past(table string, seq int64) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.spans[table] {
		if s.First <= seq && seq <= s.Last {
			return s.Last
		}
	}
	return seq
}

// union sorts spans and joins those that touch.
func union(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int { return cmp.Compare(a.First, b.First) })
	var joined []Span
	for _, s := range spans {
		if n := len(joined); n > 0 && s.First-1 <= joined[n-1].Last {
			joined[n-1].Last = max(joined[n-1].Last, s.Last)
			continue
		}
		joined = append(joined, s)
	}
	return joined
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
