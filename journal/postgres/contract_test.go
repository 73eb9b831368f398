package postgres

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"aspectop/journal"
	"aspectop/journal/journaltest"
	"aspectop/journal/postgres/pgtest"
	"aspectop/journal/sqlite"
)

var (
	_ journal.Journal = (*Journal)(nil)
	_ journal.Reader  = (*Reader)(nil)
)

// database is an empty one on a server that the tests share.
type database string

func (d database) parse(t testing.TB) *Database {
	t.Helper()
	db, err := Parse(string(d))
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func (d database) Open(t testing.TB, o journal.Options) journal.Journal {
	t.Helper()
	j, err := d.parse(t).Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func (d database) Reader(t testing.TB) journal.Reader {
	t.Helper()
	r, err := d.parse(t).OpenReader(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

var databases atomic.Int64

// newDatabase makes an empty database.
func newDatabase(s *pgtest.Server) database {
	name := fmt.Sprint("test", databases.Add(1))
	s.Exec("postgres", "CREATE DATABASE "+name+" OWNER aspectop")
	return database(s.URL("aspectop", name))
}

func TestADatabaseKeepsWhatAJournalPromises(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, "fsync = off")
	journaltest.Run(t, func(t testing.TB) journaltest.Location { return newDatabase(s) })
}

// lateContext ends without notice after it was looked at once: as if Append were
// not scheduled between the end of its context and the end of the commit.
type lateContext struct {
	context.Context
	looked atomic.Bool
}

func (c *lateContext) Done() <-chan struct{} { return nil }

func (c *lateContext) Err() error {
	if c.looked.Swap(true) {
		return context.DeadlineExceeded
	}
	return nil
}

func TestWhatIsLeftOutOfACommitIsNotAcknowledged(t *testing.T) {
	t.Parallel()
	d := newDatabase(pgtest.Start(t, "fsync = off"))
	j := d.Open(t, journal.Options{})
	kept := delivery("msg_1", "{}")
	if err := j.Append(&lateContext{Context: t.Context()}, kept); err == nil {
		t.Errorf("it was acknowledged as number %d", kept.Seq)
	}
	if found, err := d.Reader(t).After(t.Context(), 0, 10); len(found) > 0 || err != nil {
		t.Errorf("%d are kept (%v)", len(found), err)
	}
}

// file is a journal in a SQLite file.
type file string

func (f file) Open(t testing.TB, o journal.Options) journal.Journal {
	t.Helper()
	j, err := sqlite.Open(string(f), o)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func (f file) Reader(t testing.TB) journal.Reader {
	t.Helper()
	r, err := sqlite.OpenReader(string(f))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAJournalIsCopiedFromOneHomeToTheOther(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, "fsync = off")
	t.Run("from a file to a database", func(t *testing.T) {
		journaltest.Copies(t, file(filepath.Join(t.TempDir(), "journal.db")), newDatabase(s))
	})
	t.Run("from a database to a file", func(t *testing.T) {
		journaltest.Copies(t, newDatabase(s), file(filepath.Join(t.TempDir(), "journal.db")))
	})
}
