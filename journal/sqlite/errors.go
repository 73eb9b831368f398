package sqlite

import (
	"errors"
	"fmt"
	"io/fs"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"aspectop/journal"
	"aspectop/private"
)

// Error says what is wrong with a journal in a file, and what to do about it.
// [errors.Is] tells its kind; that of [Damaged] is a [journal.ErrDamaged] too.
type Error struct {
	Kind Kind
	Path string
	Err  error
}

// Kind is a kind of [Error]: its sentence, with the path and the cause.
type Kind string

const (
	// Locked: another process, or another Journal in this one, writes the journal.
	Locked Kind = "the journal %s is being written by %v; to watch it too: aspectop view"

	// Corrupt: a journal is too damaged to be opened for writing. It was not changed.
	Corrupt Kind = "%s is not a journal of aspectop, or it is damaged (%v); nothing was changed: aspectop journal check tells more, " +
		"aspectop journal copy saves what can be read to another journal; or name another one with --journal"

	// Foreign: nothing can be read: a file is not a journal, or its start is lost.
	Foreign Kind = "%s is not a journal of aspectop, or so damaged that nothing can be read (%v); nothing was changed: name another one with --journal"

	// Damaged: a part of an open journal cannot be read.
	Damaged Kind = "the journal %s is damaged (%v): aspectop journal check lists the damage, aspectop journal copy saves what can be read to another journal"

	// Newer: a later version of aspectop wrote the journal.
	Newer Kind = "the journal %s has %v; update aspectop, or name another file with --journal"

	// ReadOnly: the journal or its folder cannot be written.
	ReadOnly Kind = "the journal cannot be written: %s is read-only (%v); make it writable, name another file with --journal, or look at it with aspectop view"

	// Unshareable: the journal is on a file system that does not let several processes
	// share memory, or lock files: a network folder, or a share of a container.
	Unshareable Kind = "the file system of %s cannot share memory and locks between processes (%v), as is usual for network folders and shares of containers: " +
		"name a file on a local disk with --journal"

	// Full: a delivery was not stored because the journal cannot grow. The next Append
	// tries again.
	Full Kind = "the journal %s cannot grow (%v): the disk is full, a quota is reached, or the disk became read-only; free some space, or repair the disk"

	// Unsynced: a sync failed. The next one may succeed although the system has dropped
	// what it could not write, so nothing is acknowledged until a restart.
	Unsynced Kind = "the disk did not store what was written to the journal %s (%v): check the disk, then restart aspectop"

	// Moved: the path of an open journal no longer leads to the open file. Nothing is
	// acknowledged until the file is back.
	Moved Kind = "%s %v"
)

func (k Kind) Error() string { return string(k) }

func (e *Error) Error() string { return fmt.Sprintf(string(e.Kind), e.Path, e.Err) }

func (e *Error) Unwrap() []error { return []error{e.Kind, e.Err} }

// Is makes what is damaged a [journal.ErrDamaged].
func (e *Error) Is(target error) bool { return target == journal.ErrDamaged && e.Kind == Damaged }

// rowError says that a row does not hold what a journal writes.
type rowError struct{ error }

// codeOf returns the result code of SQLite in err, and the extended one; 0 if it is
// no error of SQLite.
func codeOf(err error) (code, extended int) {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & 0xff, e.Code()
	}
	return 0, 0
}

// isDamage reports whether err means that a part of the file cannot be read.
func isDamage(err error) bool {
	code, extended := codeOf(err)
	switch extended {
	case sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS, sqlite3.SQLITE_IOERR_DATA:
		return true
	}
	switch code {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB,
		sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_MISMATCH: // impossible sizes and types
		return true
	}
	return errors.As(err, new(*rowError))
}

// isUnread reports whether err means that the disk failed to read: it may have a
// bad sector, or be gone and come back.
func isUnread(err error) bool {
	code, _ := codeOf(err)
	return code == sqlite3.SQLITE_IOERR
}

func isSyncFailure(err error) bool {
	_, extended := codeOf(err)
	return extended == sqlite3.SQLITE_IOERR_FSYNC || extended == sqlite3.SQLITE_IOERR_DIR_FSYNC
}

// explain turns errors of SQLite and of the file system into an [*Error]. It adds
// the path to errors that it does not know.
func explain(path string, err error) error {
	switch err.(type) {
	case nil, *Error, *private.UnsafeError:
		return err
	}
	code, extended := codeOf(err)
	switch {
	case code == sqlite3.SQLITE_FULL, extended == sqlite3.SQLITE_IOERR_WRITE, extended == sqlite3.SQLITE_IOERR_SHMSIZE, isFull(err):
		return &Error{Full, path, err}
	case code == sqlite3.SQLITE_CORRUPT, code == sqlite3.SQLITE_NOTADB, errors.As(err, new(*rowError)):
		return &Error{Damaged, path, err}
	case extended == sqlite3.SQLITE_IOERR_SHMMAP, extended == sqlite3.SQLITE_IOERR_SHMOPEN, extended == sqlite3.SQLITE_IOERR_SHMLOCK, cannotLock(err):
		return &Error{Unshareable, path, err}
	case code == sqlite3.SQLITE_READONLY, errors.Is(err, fs.ErrPermission), isReadOnlyFS(err):
		return &Error{ReadOnly, path, err}
	}
	return fmt.Errorf("journal %s: %w", path, err)
}

// unopened is explain for a journal that could not be opened.
func unopened(path string, err error) error {
	err = explain(path, err)
	e, ok := err.(*Error)
	if !ok || e.Kind != Damaged {
		return err
	}
	kind := Corrupt
	if code, _ := codeOf(e.Err); code == sqlite3.SQLITE_NOTADB {
		kind = Foreign
	}
	return &Error{kind, path, e.Err}
}
