// Package private handles files that only the current user may read or write. It refuses
// a file that another user may control, replaces files as a whole, and takes locks that
// end with the process.
package private

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// UnsafeError means that a file was not opened because another user may control it.
type UnsafeError struct {
	Path string
	Why  string // "is a symbolic link"
}

func (e *UnsafeError) Error() string {
	return fmt.Sprintf("%s %s, so aspectop does not use it", e.Path, e.Why)
}

// Check refuses, with an [*UnsafeError], a path that is not a regular file (or, with kind
// [fs.ModeDir], a folder) of the current user, and a symbolic link; links among its
// parents are fine. If nothing is there, the error is fs.ErrNotExist.
func Check(path string, kind fs.FileMode) error { return check(path, kind, false) }

// CheckClosed is [Check], and also refuses what others may write.
func CheckClosed(path string, kind fs.FileMode) error { return check(path, kind, true) }

func check(path string, kind fs.FileMode, closed bool) error {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		return &UnsafeError{path, "is a symbolic link"}
	case info.Mode().Type() != kind && kind == fs.ModeDir:
		return &UnsafeError{path, "is not a directory"}
	case info.Mode().Type() != kind:
		return &UnsafeError{path, "is not a regular file"}
	case ownedByOther(info):
		return &UnsafeError{path, "belongs to another user"}
	case closed && WritableByOthers(info):
		return &UnsafeError{path, "can be written by other users"}
	}
	return nil
}

// Open opens a file, or creates it with mode 0600 if there is none. flags are
// os.O_RDWR and the like, without O_CREATE. What [Check] refuses, Open does too.
func Open(path string, flags int) (*os.File, error) {
	for {
		err := Check(path, 0)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		how := flags | noFollow
		if err != nil {
			how |= os.O_CREATE | os.O_EXCL
		}
		f, err := os.OpenFile(path, how, 0o600)
		if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) && how&os.O_CREATE == 0 {
			continue // created or removed since the check
		}
		return f, err
	}
}

// OpenExisting opens a file for reading, without following a symbolic link.
func OpenExisting(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|noFollow, 0)
}

// Read reads a file of at most limit bytes that others cannot write.
func Read(path string, limit int64) ([]byte, error) {
	if err := CheckClosed(path, 0); err != nil {
		return nil, err
	}
	f, err := OpenExisting(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%s is larger than %d bytes", path, limit)
	}
	return b, err
}

// Replace writes a file so that it holds either its old content or the new one, whatever
// happens, and is durable when Replace returns. The new content is first written to draft,
// in the same folder; one left there by an interrupted Replace is overwritten.
func Replace(path, draft string, content []byte) error {
	if err := os.Remove(draft); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_EXCL|noFollow, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(draft, path); err != nil {
		return err
	}
	return SyncFolder(filepath.Dir(path))
}

// MakeFolder creates the folder, and its parents, with mode 0700. A folder that exists
// keeps its mode, but [CheckClosed] must accept it.
func MakeFolder(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	switch err := os.Mkdir(path, 0o700); {
	case err == nil:
		return SyncFolder(filepath.Dir(path))
	case errors.Is(err, fs.ErrExist):
		return CheckClosed(path, fs.ModeDir)
	default:
		return err
	}
}

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

const (
	tempPrefix = "aspectop-"
	tempLock   = ".in-use" // in every Temp, locked by the process that uses it
)

// Temp is a temporary folder for this user only. If its process ends without removing it,
// a later one does, by [SweepTemps].
type Temp struct {
	Path string
	lock *os.File
}

// NewTemp creates a folder whose name begins with aspectop-purpose-.
func NewTemp(purpose string) (*Temp, error) {
	for {
		path, err := os.MkdirTemp("", tempPrefix+purpose+"-") // mode 0700
		if err != nil {
			return nil, fmt.Errorf("cannot create a temporary directory: %w", err)
		}
		lock, err := Lock(filepath.Join(path, tempLock))
		if err == nil {
			return &Temp{path, lock}, nil
		}
		os.RemoveAll(path)
		// A sweep may have removed the folder before it was locked.
		if !errors.Is(err, ErrLocked) && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("cannot create a temporary directory: %w", err)
		}
	}
}

// Remove removes the folder with everything in it.
func (t *Temp) Remove() error {
	t.lock.Close() // first, because Windows does not remove an open file
	return os.RemoveAll(t.Path)
}

// SweepTemps removes this user's temporary folders whose processes are gone.
// What cannot be removed stays for the next sweep.
func SweepTemps() {
	paths, _ := filepath.Glob(filepath.Join(os.TempDir(), tempPrefix+"*")) // fails only on a bad pattern
	for _, path := range paths {
		name := filepath.Join(path, tempLock)
		if Check(path, fs.ModeDir) != nil || Check(name, 0) != nil {
			continue
		}
		lock, err := os.OpenFile(name, os.O_RDWR|noFollow, 0)
		if err != nil {
			continue
		}
		if TryLock(lock) != nil {
			lock.Close()
			continue
		}
		// Renamed while locked, so that a concurrent [NewTemp] notices. Windows cannot
		// rename a folder with an open file.
		if swept := path + ".swept"; os.Rename(path, swept) == nil {
			path = swept
		}
		lock.Close()
		os.RemoveAll(path)
	}
}
