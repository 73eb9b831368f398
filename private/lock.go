package private

import (
	"errors"
	"io/fs"
	"os"
)

// ErrLocked is returned when another process, or another open file of this one,
// holds the lock.
var ErrLocked = errors.New("locked by another process")

// TryLock locks an open file without waiting, until the file is closed or the
// process exits. It fails with [ErrLocked] if the file is locked.
func TryLock(f *os.File) error { return explainLock(f, lock(f, true)) }

// TrySharedLock is TryLock for a lock that others can share.
func TrySharedLock(f *os.File) error { return explainLock(f, lock(f, false)) }

func explainLock(f *os.File, err error) error {
	if err == nil || errors.Is(err, ErrLocked) {
		return err
	}
	return &os.PathError{Op: "lock", Path: f.Name(), Err: err}
}

// Lock creates the file if it is missing and locks it without waiting. Unlike
// [TryLock] it is safe against holders that remove the file with [Unlock].
func Lock(path string) (*os.File, error) {
	for {
		f, err := Open(path, os.O_RDWR)
		if err != nil {
			return nil, err
		}
		if err := TryLock(f); err != nil {
			f.Close()
			return nil, err
		}
		// The last holder may have removed the file before we locked it, and a lock
		// on a removed file excludes nobody.
		ours, err1 := f.Stat()
		named, err2 := os.Lstat(path)
		if err1 == nil && err2 == nil && os.SameFile(ours, named) {
			return f, nil
		}
		f.Close()
	}
}

// Unlock removes the file and releases the lock.
func Unlock(f *os.File) error {
	err := os.Remove(f.Name())
	f.Close()
	if err != nil { // Windows does not remove an open file
		err = os.Remove(f.Name())
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
