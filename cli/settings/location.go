package settings

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aspectop/clean"
	"aspectop/cli/exit"
	"aspectop/journal"
	"aspectop/journal/postgres"
	"aspectop/journal/sqlite"
)

// Location is the location of a journal, the value of --journal. Only this file knows
// which kinds there are.
type Location struct {
	path     string             // of an SQLite file; "" if in memory
	database *postgres.Database // nil if a file or in memory
	// needsPassword says that the database's URL has no password.
	needsPassword bool
}

const (
	// MemoryLocation names a journal that is deleted on exit.
	MemoryLocation = "memory"
	// JournalFlag is the flag for a Location.
	JournalFlag = "journal"
	// connectTime limits opening a database.
	connectTime = 15 * time.Second
)

// LocationOf parses --journal: a path, "memory", a postgres:// URL, or "" for the file
// in the user's state directory.
func LocationOf(flag string) (Location, error) {
	switch scheme, _, isURL := strings.Cut(flag, "://"); {
	case flag == MemoryLocation:
		return Location{}, nil
	case flag == "":
		path, err := sqlite.DefaultPath()
		if err != nil {
			return Location{}, exit.Setup(err)
		}
		return Location{path: path}, nil
	case postgres.IsURL(flag):
		d, err := postgres.Parse(flag)
		if err != nil {
			return Location{}, exit.Usage("--journal: %w", err)
		}
		return Location{database: d, needsPassword: !postgres.HasPassword(flag)}, nil
	case isURL:
		return Location{}, exit.Setup(fmt.Errorf("--journal: must be a file or a PostgreSQL database (postgres://…), not %s://", scheme))
	}
	return Location{path: flag}, nil
}

// RefusePassword rejects a password in --journal where others can read it; in the
// environment it is fine.
func RefusePassword(flag, value, where string) error {
	if flag != JournalFlag || !postgres.IsURL(value) || !postgres.HasPassword(value) {
		return nil
	}
	return exit.Usage("the URL of --journal contains a password that others can read %s: put it into PGPASSWORD, ~/.pgpass or %s", where, VariableOf(JournalFlag))
}

// InMemory reports whether the journal is deleted on exit.
func (l Location) InMemory() bool { return l.path == "" && l.database == nil }

// Shared reports whether several processes may write the journal.
func (l Location) Shared() bool { return l.database != nil }

// File is the path of the journal, "" if it is not a file.
func (l Location) File() string { return l.path }

// Open opens the journal for appending.
func (l Location) Open(ctx context.Context, o journal.Options) (j journal.Journal, err error) {
	switch {
	case l.database != nil:
		ctx, cancel := context.WithTimeout(ctx, connectTime)
		defer cancel()
		j, err = l.database.Open(ctx, o)
	case l.path == "":
		j, err = sqlite.OpenMemory(o)
	default:
		j, err = sqlite.Open(l.path, o)
	}
	if err != nil {
		return nil, exit.Setup(err)
	}
	return j, nil
}

// Migrate makes or completes the schema of the journal.
func (l Location) Migrate(ctx context.Context) error {
	j, err := l.Open(ctx, journal.Options{})
	if err != nil {
		return err
	}
	if d, ok := j.(*postgres.Journal); ok && d.Outdated() != nil {
		j.Close()
		return exit.Setup(d.Outdated())
	}
	return j.Close()
}

// Reader opens the journal for reading.
func (l Location) Reader() (r journal.Reader, err error) {
	switch {
	case l.database != nil:
		ctx, cancel := context.WithTimeout(context.Background(), connectTime)
		defer cancel()
		r, err = l.database.OpenReader(ctx)
	case l.path == "":
		return nil, exit.Usage("a journal in memory cannot be read by another process; use --journal with a file")
	default:
		r, err = sqlite.OpenReader(l.path)
	}
	if err != nil {
		return nil, exit.Setup(err)
	}
	return r, nil
}

// Writer describes who is writing the journal, and whether anybody is.
func (l Location) Writer() (who string, alive bool, err error) {
	if l.database == nil {
		pid, alive, err := sqlite.Writer(l.path)
		return fmt.Sprintf("process %d", pid), alive, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), connectTime)
	defer cancel()
	names, err := l.database.Receivers(ctx)
	return strings.Join(names, ", "), len(names) > 0, err
}

// Remarks are sentences about the way to the journal, after it was opened, that
// its user should know.
func (l Location) Remarks() []string {
	if l.database == nil {
		return nil
	}
	return l.database.Remarks()
}

// OnRemark sets what is called with remarks that are found out later.
func (l Location) OnRemark(tell func(remark string)) {
	if l.database != nil {
		l.database.OnRemark(tell)
	}
}

// String is the location without a password.
func (l Location) String() string {
	switch {
	case l.database != nil:
		return l.database.String()
	case l.path == "":
		return MemoryLocation
	}
	return l.path
}

// OpenReader opens the journal that --journal names for reading. What cannot be
// read of it, and what its user should know, is told on stderr.
func OpenReader(flag string) (Location, journal.Reader, error) {
	l, err := LocationOf(flag)
	if err != nil {
		return l, nil, err
	}
	r, err := l.Reader()
	OnDamage(r, func(err error) { fmt.Fprintln(os.Stderr, "aspectop: "+clean.Text(err.Error())) })
	l.TellRemarks()
	return l, r, err
}

// TellRemarks tells the remarks on stderr.
func (l Location) TellRemarks() {
	for _, r := range l.Remarks() {
		fmt.Fprintln(os.Stderr, "aspectop: "+clean.Text(r))
	}
}

// OnDamage has tell called when it turns out that a journal or a reader of one is
// damaged. Only files are told of: a database says so by its errors.
func OnDamage(journalOrReader any, tell func(error)) {
	if file, ok := journalOrReader.(interface{ OnDamage(func(error)) }); ok {
		file.OnDamage(tell)
	}
}

// StateDir is the directory of leases and the relay's token, which also contains
// the default journal.
func StateDir() (string, error) {
	path, err := sqlite.DefaultPath()
	return filepath.Dir(path), err
}

// WatchRuns reports whether a watch is writing the default journal.
func WatchRuns(state string) bool {
	_, alive, _ := sqlite.Writer(filepath.Join(state, "journal.db"))
	return alive
}
