package aspect

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// noFollow has no counterpart here; the check before opening has to do.
const noFollow = 0

// notOurs is left to the folder's access list: a user's %LocalAppData% is
// closed to others.
func notOurs(fs.FileInfo) bool { return false }

// tryLock takes the lock without waiting.
func tryLock(f *os.File) error {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, new(windows.Overlapped))
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return errHeld
	}
	return err
}

// syncFolder is not to be had here; the file system's own journal has to do.
func syncFolder(string) error { return nil }
