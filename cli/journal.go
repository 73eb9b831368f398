package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aspectop/journal"
	"aspectop/journal/postgres"
	"aspectop/journal/sqlite"
)

// home is where a journal is. Only this file knows which homes there are.
type home struct {
	path     string             // of a SQLite file; "" is a journal in memory
	database *postgres.Database // nil: it is a file, or in memory
}

const (
	// memoryHome names a journal that is forgotten at the end of its process.
	memoryHome = "memory"
	// journalFlag names a home.
	journalFlag = "journal"
	// connectTime is how long opening a journal in a database may take.
	connectTime = 15 * time.Second
)

// homeOf reads --journal: a path, "memory", a postgres:// URL, or nothing for the
// file in the user's state folder.
func homeOf(flag string) (home, error) {
	switch scheme, _, isURL := strings.Cut(flag, "://"); {
	case flag == memoryHome:
		return home{}, nil
	case flag == "":
		path, err := sqlite.DefaultPath()
		if err != nil {
			return home{}, setupError(err)
		}
		return home{path: path}, nil
	case postgres.IsURL(flag):
		d, err := postgres.Parse(flag)
		if err != nil {
			return home{}, usageError("--journal: %w", err)
		}
		return home{database: d}, nil
	case isURL:
		return home{}, usageError("--journal: a journal is a file or a PostgreSQL database (postgres://…), not %s://", scheme)
	}
	return home{path: flag}, nil
}

// refusePassword refuses a value of --journal with a password where others can
// read it. In the environment it may be.
func refusePassword(flag, value, where string) error {
	if flag != journalFlag || !postgres.IsURL(value) || !postgres.HasPassword(value) {
		return nil
	}
	return usageError("the URL of --journal contains a password, which others can read %s: put it into PGPASSWORD, ~/.pgpass or %s", where, variableOf(journalFlag))
}

// open opens the journal for appending.
func (h home) open(ctx context.Context, o journal.Options) (j journal.Journal, err error) {
	switch {
	case h.database != nil:
		ctx, cancel := context.WithTimeout(ctx, connectTime)
		defer cancel()
		j, err = h.database.Open(ctx, o)
	case h.path == "":
		j, err = sqlite.OpenMemory(o)
	default:
		j, err = sqlite.Open(h.path, o)
	}
	if err != nil {
		return nil, setupError(fmt.Errorf("%w (--journal names another place)", err))
	}
	return j, nil
}

// reader opens the journal for reading.
func (h home) reader() (r journal.Reader, err error) {
	switch {
	case h.database != nil:
		ctx, cancel := context.WithTimeout(context.Background(), connectTime)
		defer cancel()
		r, err = h.database.OpenReader(ctx)
	case h.path == "":
		return nil, usageError("--journal memory belongs to the process that writes it; name a file")
	default:
		r, err = sqlite.OpenReader(h.path)
	}
	if err != nil {
		return nil, setupError(err)
	}
	return r, nil
}

// writer reports who appends to the journal now, in words, and whether anybody
// does.
func (h home) writer() (who string, alive bool, err error) {
	if h.database == nil {
		pid, alive, err := sqlite.Writer(h.path)
		return fmt.Sprintf("process %d", pid), alive, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), connectTime)
	defer cancel()
	names, err := h.database.Receivers(ctx)
	return strings.Join(names, ", "), len(names) > 0, err
}

// String names the home for people. It never contains a password.
func (h home) String() string {
	switch {
	case h.database != nil:
		return h.database.String()
	case h.path == "":
		return memoryHome
	}
	return h.path
}

// openJournal opens the session's journal for appending.
func (s *session) openJournal(ctx context.Context, flag string, retain time.Duration) error {
	h, err := homeOf(flag)
	if err != nil {
		return err
	}
	if s.journal, err = h.open(ctx, journal.Options{Retain: retain}); err != nil {
		return err
	}
	s.place = s.journal.Place()
	if j, ok := s.journal.(*postgres.Journal); ok && j.Exposed() {
		s.remarks = append(s.remarks, "the connection to "+s.place+" is not encrypted: add sslmode=verify-full to the URL")
	}
	if s.reader, err = s.journal.Reader(); err != nil {
		s.journal.Close()
		return setupError(err)
	}
	return nil
}

// openReader opens the journal that --journal names for reading.
func openReader(flag string) (home, journal.Reader, error) {
	h, err := homeOf(flag)
	if err != nil {
		return h, nil, err
	}
	r, err := h.reader()
	return h, r, err
}

// openReader opens one more reader of the session's journal, for somebody who
// follows it with a cursor of its own. It is closed with the session.
func (s *session) openReader() (journal.Reader, error) {
	r, err := s.newReader()
	if err != nil {
		return nil, err
	}
	s.readers = append(s.readers, r)
	return r, nil
}

// newReader opens a reader that the caller closes, before the session is.
func (s *session) newReader() (r journal.Reader, err error) {
	if s.journal != nil {
		r, err = s.journal.Reader()
	} else {
		r, err = s.home.reader()
	}
	if err != nil {
		return nil, setupError(err)
	}
	return r, nil
}

// check is what doctor says about the journal.
func (h home) check() finding {
	switch {
	case h.database != nil:
		return h.checkDatabase()
	case h.path == "":
		return finding{fine, "in memory, forgotten at the end", ""}
	}
	found, err := sqlite.Inspect(h.path)
	none := errors.Is(err, os.ErrNotExist)
	if err != nil && !none {
		return finding{failure, err.Error(), ""}
	}
	if err := sqlite.Writable(h.path); err != nil {
		return finding{failure, err.Error(), ""}
	}
	if none {
		return finding{fine, "none yet; watch makes " + h.path, ""}
	}
	if open := openToOthers("the journal", found.Path); open != nil {
		return *open
	}
	words := fmt.Sprintf("%s, format %d, %d KiB, %d arrivals", found.Path, found.Version, (found.Size+1023)>>10, found.Arrivals)
	if !found.Newest.IsZero() {
		words += ", the last " + ago(found.Newest)
	}
	return h.checkWriter(words)
}

func (h home) checkDatabase() finding {
	r, err := h.reader()
	if err != nil {
		return finding{failure, err.Error(), ""}
	}
	defer r.Close()
	ctx, cancel := context.WithTimeout(context.Background(), connectTime)
	defer cancel()
	_, last, err := r.Range(ctx)
	if err != nil {
		return finding{failure, err.Error(), ""}
	}
	return h.checkWriter(fmt.Sprintf("%s, %d arrivals", h, last))
}

func (h home) checkWriter(words string) finding {
	switch who, alive, err := h.writer(); {
	case err != nil:
		return finding{failure, err.Error(), ""}
	case alive:
		return finding{fine, words + "; written by " + who, ""}
	}
	return finding{fine, words + "; no process writes it now", ""}
}

// stateDir is where leases and the relay's token are kept: beside the journal's
// default place.
func stateDir() (string, error) {
	path, err := sqlite.DefaultPath()
	return filepath.Dir(path), err
}

// watchRuns reports whether a watch writes the journal in the user's state folder.
func watchRuns(state string) bool {
	_, alive, _ := sqlite.Writer(filepath.Join(state, "journal.db"))
	return alive
}
