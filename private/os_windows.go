package private

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// noFollow has no counterpart on Windows; Check looks for links before.
const noFollow = 0

// Ownership and access are left to the access list of the folder: a user's
// %LocalAppData% is closed to others.
func ownedByOther(fs.FileInfo) bool { return false }

// WritableByOthers says no: access lists decide.
func WritableByOthers(fs.FileInfo) bool { return false }

// lock locks a byte far beyond the content, which others may still read: locks
// are mandatory on Windows.
func lock(f *os.File, exclusive bool) error {
	how := uint32(windows.LOCKFILE_FAIL_IMMEDIATELY)
	if exclusive {
		how |= windows.LOCKFILE_EXCLUSIVE_LOCK
	}
	err := windows.LockFileEx(windows.Handle(f.Fd()), how, 0, 1, 0, &windows.Overlapped{OffsetHigh: 1})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return ErrLocked
	}
	return err
}

// SyncFolder does nothing: NTFS journals changes of names itself.
func SyncFolder(string) error { return nil }
