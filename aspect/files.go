package aspect

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// errHeld is what tryLock returns when another holds the lock.
var errHeld = errors.New("held by another")

// makeFolder makes the folder, and what is above it, readable for nobody else.
// What exists keeps its permissions, but must be ours.
func makeFolder(name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	err := os.Mkdir(name, 0o700)
	if err == nil {
		return syncFolder(filepath.Dir(name))
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	return checkOwn(name, fs.ModeDir)
}

// checkOwn refuses what could lead somebody else's data in or ours out.
func checkOwn(name string, kind fs.FileMode) error {
	info, err := os.Lstat(name)
	switch {
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("%s is a symbolic link, so it is not used: replace it", name)
	case info.Mode().Type() != kind:
		return fmt.Errorf("%s is not what aspectop made there: move it away", name)
	case notOurs(info):
		return fmt.Errorf("%s belongs to another user, or others may write it: correct its owner and permissions", name)
	}
	return nil
}

// readOwn reads a small file of ours.
func readOwn(name string) ([]byte, error) {
	if err := checkOwn(name, 0); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(name, os.O_RDONLY|noFollow, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 64<<10))
}

// replaceOwn writes the file so that it has either its old content or the new,
// and is durable when this returns. next is the name it has meanwhile.
func replaceOwn(name, next string, content []byte) error {
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL|noFollow, 0o600)
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
	if err := os.Rename(next, name); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(name))
}

// lockOwn takes the lock on the file, making it if it is missing. The lock goes
// with the file's closing, so with the process too, however that ends.
func lockOwn(name string) (*os.File, error) {
	for {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL|noFollow, 0o600)
		if errors.Is(err, fs.ErrExist) {
			if err = checkOwn(name, 0); err == nil {
				f, err = os.OpenFile(name, os.O_RDWR|noFollow, 0)
			}
			if errors.Is(err, fs.ErrNotExist) {
				continue // removed between the two looks
			}
		}
		if err != nil {
			return nil, err
		}
		if err := tryLock(f); err != nil {
			f.Close()
			if errors.Is(err, errHeld) {
				return nil, errHeld
			}
			return nil, &os.PathError{Op: "lock", Path: name, Err: err}
		}
		// Whoever had the lock before may have removed the file while we waited
		// for its opening: a lock on a file without a name keeps nobody out.
		ours, err1 := f.Stat()
		named, err2 := os.Lstat(name)
		if err1 == nil && err2 == nil && os.SameFile(ours, named) {
			return f, nil
		}
		f.Close()
	}
}

// unlockAndRemove gives the lock up together with its file. Some systems refuse
// to remove an open file, so it is tried again once it is closed.
func unlockAndRemove(f *os.File) error {
	err := os.Remove(f.Name())
	f.Close()
	if err != nil {
		err = os.Remove(f.Name())
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
