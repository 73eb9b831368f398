package sqlite

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aspectop/journal"
)

// Checked says what Check found in a journal.
type Checked struct {
	Path                string // absolute
	Deliveries, Repeats int64  // that can be read
	First, Last         int64  // of their numbers, 0 if there are none
	// Damage lists what is wrong. A journal without any is fine.
	Damage []string
}

// Check looks for damage in the journal at path and changes nothing: it runs
// SQLite's integrity_check, and looks for numbers that cannot be read or are missing
// although retention did not remove them. Another process may write the journal
// meanwhile.
//
// A file of which nothing can be read is an error: it may be no journal at all.
//
// It cannot see that bytes inside a body were changed; only the signature tells.
func Check(ctx context.Context, path string) (*Checked, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	found := &Checked{Path: path}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, noJournal(path)
	}
	r, err := OpenReader(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	r.OmitHeader()
	for _, step := range []func(context.Context, *Reader) error{found.integrity, found.numbers} {
		if err := step(ctx, r); isDamage(err) {
			found.damaged(err.Error())
		} else if err != nil {
			return nil, explain(path, err)
		}
	}
	for _, part := range r.Unreadable() {
		found.damaged(part + " cannot be read")
	}
	return found, nil
}

func (c *Checked) damaged(text string) { c.Damage = append(c.Damage, text) }

func (c *Checked) integrity(ctx context.Context, r *Reader) error {
	err := r.session.values("PRAGMA integrity_check(20)", nil, func(row []driver.Value) error {
		var text string
		if err := scan(row, &text); err != nil || text == "ok" {
			return err
		}
		for line := range strings.Lines(strings.TrimPrefix(text, "*** in database main ***\n")) {
			c.damaged("SQLite: " + strings.TrimSpace(line))
		}
		return ctx.Err()
	})
	if isDamage(err) && len(c.Damage) > 0 {
		return nil // it says only that the check was cut short
	}
	return err
}

// numbers reads every row, and lists the numbers that are missing.
func (c *Checked) numbers(ctx context.Context, r *Reader) error {
	var removed int64 // the greatest number given by the time of the last removal
	damage := r.session.row(`SELECT ifnull((SELECT value FROM meta WHERE name = 'last_seq'), 0)`, nil, &removed)
	if damage != nil && !isDamage(damage) {
		return damage
	}
	for {
		deliveries, err := r.After(ctx, c.Last, 64)
		if errors.Is(err, journal.ErrDamaged) { // which is noted
			return damage
		} else if err != nil || len(deliveries) == 0 {
			return cmp.Or(err, damage)
		}
		for i := range deliveries {
			d := &deliveries[i]
			gap := span{max(c.Last, removed) + 1, d.Seq - 1}
			if gap.first <= gap.last && !r.at(gap.first) {
				c.damaged(fmt.Sprintf("there is nothing under %s, although nothing was removed there", gap))
			}
			if d.Repeat() {
				c.Repeats++
			} else {
				c.Deliveries++
			}
			c.Last = d.Seq
			if c.First == 0 {
				c.First = d.Seq
			}
		}
	}
}

// Inspection describes a journal without its deliveries.
type Inspection struct {
	Path    string // absolute
	Version int    // of its schema, as PRAGMA user_version
	Size    int64  // in bytes, with what is not yet in the main file
	// Newest is when the last arrival came; the zero time if none has.
	Newest time.Time
	// Arrivals is the number of the last arrival ever, of those that retention
	// removed too.
	Arrivals int64
}

// Inspect looks at the journal at path without a trace, not even the files that
// SQLite creates for a [Reader]. If there is none, the error is fs.ErrNotExist; it
// fails as OpenReader does otherwise.
func Inspect(path string) (Inspection, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Inspection{}, err
	}
	found := Inspection{Path: path}
	info, err := os.Lstat(path)
	if err != nil {
		return found, err
	}
	if err := checkFiles(path); err != nil {
		return found, unopened(path, err)
	}
	found.Size = info.Size()
	parameters := []string{"mode=ro", "_pragma=busy_timeout(5000)"}
	if log, err := os.Lstat(path + "-wal"); err != nil || log.Size() == 0 {
		// Everything is in the main file.
		parameters = append(parameters, "immutable=1")
	} else {
		found.Size += log.Size()
	}
	s, err := connect(path, parameters...)
	if err != nil {
		return found, unopened(path, err)
	}
	defer s.close()
	if found.Version, err = checkFormat(s, path); err != nil || found.Version == 0 {
		return found, unopened(path, err)
	}
	var received int64
	err = s.row(`SELECT
		(`+lastQuery+`),
		max(ifnull((SELECT received FROM deliveries ORDER BY seq DESC LIMIT 1), 0), ifnull((SELECT received FROM repeats ORDER BY seq DESC LIMIT 1), 0))`,
		nil, &found.Arrivals, &received)
	if err != nil {
		return found, unopened(path, err)
	}
	if received > 0 {
		found.Newest = time.UnixMicro(received).UTC()
	}
	return found, nil
}
