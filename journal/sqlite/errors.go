package sqlite

import (
	"errors"
	"fmt"
	"io/fs"

	"aspectop/private"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// LockedError says that another process, or another Journal in this one, writes
// the journal.
type LockedError struct {
	Path string
	PID  int // 0 if it could not be read
}

func (e *LockedError) Error() string {
	who := "another process"
	if e.PID != 0 {
		who = fmt.Sprintf("process %d", e.PID)
	}
	return fmt.Sprintf("the journal %s is being written by %s; to watch it too: aspectop view", e.Path, who)
}

// CorruptError says that a file is not a journal, or too damaged to be opened. It
// was not changed.
type CorruptError struct {
	Path string
	Err  error
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("%s is not a journal of aspectop, or it is damaged (%v); nothing was changed: aspectop journal check tells more, "+
		"aspectop journal copy saves what can be read to another journal; or name another one with --journal", e.Path, e.Err)
}

func (e *CorruptError) Unwrap() error { return e.Err }

// NewerError says that a later version of aspectop wrote the journal.
type NewerError struct {
	Path    string
	Version int // the version of the file's schema
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("the journal %s has format %d, and this aspectop knows formats up to %d; update aspectop, or name another file with --journal", e.Path, e.Version, schemaVersion)
}

// ReadOnlyError says that the journal or its folder cannot be written.
type ReadOnlyError struct {
	Path string
	Err  error
}

func (e *ReadOnlyError) Error() string {
	return fmt.Sprintf("the journal cannot be written: %s is read-only (%v); make it writable, name another file with --journal, or look at it with aspectop view", e.Path, e.Err)
}

func (e *ReadOnlyError) Unwrap() error { return e.Err }

// UnshareableError says that the journal is on a file system that does not let several
// processes share memory, or lock files: a network folder, or a share of a container.
type UnshareableError struct {
	Path string
	Err  error
}

func (e *UnshareableError) Error() string {
	return fmt.Sprintf("the file system of %s cannot share memory and locks between processes (%v), as is usual for network folders and shares of containers: "+
		"name a file on a local disk with --journal", e.Path, e.Err)
}

func (e *UnshareableError) Unwrap() error { return e.Err }

// FullError says that a delivery was not stored because the journal cannot grow.
// Nothing is lost that was stored before, and the next Append tries again.
type FullError struct {
	Path string
	Err  error
}

func (e *FullError) Error() string {
	return fmt.Sprintf("the journal %s cannot grow (%v): the disk is full, a quota is reached, or the disk became read-only; free some space, or mend the disk", e.Path, e.Err)
}

func (e *FullError) Unwrap() error { return e.Err }

// SyncError says that a sync of the journal failed. The next one may succeed
// although the system has dropped what it could not write, so nothing is
// acknowledged until a restart.
type SyncError struct {
	Path string
	Err  error
}

func (e *SyncError) Error() string {
	return fmt.Sprintf("the disk did not take what was written to the journal %s (%v): check the disk, then restart aspectop", e.Path, e.Err)
}

func (e *SyncError) Unwrap() error { return e.Err }

// isSyncFailure reports whether err says that a sync failed.
func isSyncFailure(err error) bool {
	var s *sqlite.Error
	return errors.As(err, &s) && (s.Code() == sqlite3.SQLITE_IOERR_FSYNC || s.Code() == sqlite3.SQLITE_IOERR_DIR_FSYNC)
}

// explain turns errors of SQLite and of the file system into those above. It adds
// the path to errors that it does not know.
func explain(path string, err error) error {
	switch err.(type) {
	case nil, *LockedError, *CorruptError, *NewerError, *SyncError, *MovedError, *DamagedError, *UnshareableError, *private.UnsafeError:
		return err
	}
	var s *sqlite.Error
	if errors.As(err, &s) {
		switch s.Code() {
		case sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE:
			return &FullError{path, err}
		case sqlite3.SQLITE_IOERR_SHMMAP, sqlite3.SQLITE_IOERR_SHMOPEN, sqlite3.SQLITE_IOERR_SHMLOCK:
			return &UnshareableError{path, err}
		}
		switch s.Code() & 0xff {
		case sqlite3.SQLITE_FULL:
			return &FullError{path, err}
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
			return &DamagedError{path, err}
		case sqlite3.SQLITE_READONLY:
			return &ReadOnlyError{path, err}
		}
	}
	switch {
	case errors.As(err, new(*rowError)):
		return &DamagedError{path, err}
	case isFull(err):
		return &FullError{path, err}
	case cannotLock(err):
		return &UnshareableError{path, err}
	case errors.Is(err, fs.ErrPermission) || isReadOnlyFS(err):
		return &ReadOnlyError{path, err}
	}
	return fmt.Errorf("journal %s: %w", path, err)
}

// unopened is explain for a journal that could not be opened.
func unopened(path string, err error) error {
	err = explain(path, err)
	if d, ok := err.(*DamagedError); ok {
		return &CorruptError{path, d.Err}
	}
	return err
}

// isFullError reports whether err means that the journal at path cannot grow.
func isFullError(path string, err error) bool {
	var full *FullError
	return errors.As(explain(path, err), &full)
}

// isUnshareable reports whether a reader was refused because the files beside
// the journal could not be made.
func isUnshareable(err error) bool {
	var s *sqlite.Error
	if !errors.As(err, &s) {
		return false
	}
	switch s.Code() & 0xff {
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
		return true
	}
	return s.Code() == sqlite3.SQLITE_IOERR_SHMMAP
}
