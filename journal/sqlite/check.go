package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"aspectop/model"
)

// Checked says what Check found in a journal.
type Checked struct {
	Path                string // absolute
	Version             int    // of its schema
	Deliveries, Repeats int64  // that can be read
	First, Last         int64  // of their numbers, 0 if there are none
	// Damage lists what is wrong. A journal without any is fine.
	Damage []string
}

// Check looks for damage in the journal at path and changes nothing. It checks that
// SQLite can read the whole file, that the tables are those of a journal, that every
// row can be read, and that no numbers are missing except those that retention
// removed. Another process may write the journal meanwhile.
//
// It cannot see that bytes inside a body were changed; only the signature tells.
func Check(ctx context.Context, path string) (*Checked, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	c := &checker{ctx: ctx, found: &Checked{Path: path}}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, noJournal(path)
	}
	if _, alive, err := Writer(path); err == nil && !alive {
		c.damaged(checkLog(path))
	}
	r, err := OpenReader(path)
	if errors.As(err, new(*CorruptError)) {
		c.damaged(err)
		return c.found, nil
	} else if err != nil {
		return nil, err
	}
	defer r.Close()
	c.session = r.session
	for _, step := range []func() error{c.pages, c.schema, c.rows} {
		if err := step(); isDamage(err) {
			c.damaged(err)
		} else if err != nil {
			return nil, explain(path, err)
		}
	}
	return c.found, nil
}

type checker struct {
	ctx     context.Context
	session *session
	found   *Checked

	removed int64 // the greatest number used by the time of the last removal
}

// damaged adds to the list; nil is no damage.
func (c *checker) damaged(err error) {
	if err != nil {
		c.found.Damage = append(c.found.Damage, err.Error())
	}
}

// pages runs SQLite's own check.
func (c *checker) pages() error {
	said := len(c.found.Damage)
	err := c.session.each("PRAGMA integrity_check(20)", nil, func(rows *sql.Rows) error {
		var text string
		if err := rows.Scan(&text); err != nil || text == "ok" {
			return err
		}
		for line := range strings.Lines(strings.TrimPrefix(text, "*** in database main ***\n")) {
			c.damaged(errors.New("SQLite: " + strings.TrimSpace(line)))
		}
		return c.ctx.Err()
	})
	if isDamage(err) && len(c.found.Damage) > said {
		return nil // it says only that the check was cut short
	}
	return err
}

// columnsOf holds the columns of the tables that every journal has.
var columnsOf = map[string]string{
	"deliveries": "seq id received source secret headers body",
	"repeats":    "seq message attempt differs id received source secret headers body",
	"removed":    "seq id received digest",
	"meta":       "name value",
}

func (c *checker) schema() error {
	if err := c.session.row("PRAGMA user_version", nil, &c.found.Version); err != nil {
		return err
	}
	for table, want := range columnsOf {
		var names []string
		err := c.session.each("SELECT name FROM pragma_table_info(?) ORDER BY cid", []any{table}, func(rows *sql.Rows) error {
			var name string
			err := rows.Scan(&name)
			names = append(names, name)
			return err
		})
		if err != nil {
			return err
		}
		if got := strings.Join(names, " "); got != want {
			c.damaged(fmt.Errorf("the table %s has the columns %q, not %q", table, got, want))
		}
	}
	return c.session.row(`SELECT ifnull((SELECT value FROM meta WHERE name = 'last_seq'), 0)`, nil, &c.removed)
}

// rows reads every row.
func (c *checker) rows() error {
	const batch = 64
	d := newDamage(c.found.Path)
	read := &detour{ctx: c.ctx, session: c.session, damage: d}
	ids := newIDs()
	var gaps []Span
	for last := int64(0); ; last = c.found.Last {
		read.found = nil
		if err := read.after(last, batch); err != nil {
			return err
		}
		for i := range read.found {
			r := &read.found[i]
			c.row(r, ids)
			// Numbers that were used after the last removal cannot have been removed.
			if first := max(c.found.Last, c.removed) + 1; first < r.Seq {
				gaps = append(gaps, Span{first, r.Seq - 1})
			}
			if c.found.First == 0 {
				c.found.First = r.Seq
			}
			c.found.Last = r.Seq
		}
		if len(read.found) == 0 {
			break
		}
	}
	if damaged, ok := d.err().(*DamagedError); ok {
		for name, spans := range map[string][]Span{"messages": damaged.Messages, "repeats": damaged.Repeats} {
			if len(spans) > 0 {
				c.damaged(fmt.Errorf("%s that cannot be read have the numbers %s", name, listed(spans)))
			}
		}
	} else if len(gaps) > 0 {
		c.damaged(fmt.Errorf("there is nothing under the numbers %s, although nothing was removed there", listed(gaps)))
	}
	return nil
}

func (c *checker) row(r *model.Delivery, ids *ids) {
	if r.Damage != "" {
		c.damaged(fmt.Errorf("delivery %d has %s", r.Seq, r.Damage))
	}
	if r.Repeat() {
		c.found.Repeats++
		if r.Message > r.Seq {
			c.damaged(fmt.Errorf("delivery %d repeats %d, which came later", r.Seq, r.Message))
		}
		return
	}
	c.found.Deliveries++
	h := ids.hash(r.ID)
	if first, twice := ids.message(h); twice {
		c.damaged(fmt.Errorf("the message of delivery %d is there twice, first as %d", r.Seq, first))
	}
	ids.add(h, r.Seq)
}
