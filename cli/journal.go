package cli

import (
	"fmt"
	"time"

	"aspectop/journal"
	"aspectop/journal/sqlite"
)

// home is where a journal is. Only this file knows which homes there are.
type home struct {
	path string // of a SQLite file; "" is a journal in memory
}

// memoryHome names a journal that is forgotten at the end of its process.
const memoryHome = "memory"

// homeOf reads --journal: a path, "memory", or nothing for the file in the user's
// state folder.
func homeOf(flag string) (home, error) {
	switch flag {
	case memoryHome:
		return home{}, nil
	case "":
		path, err := sqlite.DefaultPath()
		if err != nil {
			return home{}, setupError(err)
		}
		return home{path: path}, nil
	}
	return home{path: flag}, nil
}

// open opens the journal for writing.
func (h home) open(o journal.Options) (j journal.Journal, err error) {
	if h.path == "" {
		j, err = sqlite.OpenMemory(o)
	} else {
		j, err = sqlite.Open(h.path, o)
	}
	if err != nil {
		return nil, setupError(fmt.Errorf("%w (--journal names another place)", err))
	}
	return j, nil
}

// reader opens the journal for reading.
func (h home) reader() (journal.Reader, error) {
	if h.path == "" {
		return nil, usageError("--journal memory belongs to the process that writes it; name a file")
	}
	r, err := sqlite.OpenReader(h.path)
	if err != nil {
		return nil, setupError(err)
	}
	return r, nil
}

// writer reports who appends to the journal now, in words, and whether anybody
// does.
func (h home) writer() (who string, alive bool, err error) {
	pid, alive, err := sqlite.Writer(h.path)
	return fmt.Sprintf("process %d", pid), alive, err
}

func (h home) String() string { return h.path }

// openJournal opens the session's journal for writing.
func (s *session) openJournal(flag string, retain time.Duration) error {
	h, err := homeOf(flag)
	if err != nil {
		return err
	}
	if s.journal, err = h.open(journal.Options{Retain: retain}); err != nil {
		return err
	}
	s.place = s.journal.Place()
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
