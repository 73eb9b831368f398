package sqlite

import (
	"errors"
	"os"
	"strconv"
	"time"
)

// errHeld is what tryLock returns when another holds the lock.
var errHeld = errors.New("held by another")

// Who asks for the [Writer] of a journal that has none holds its lock for an
// instant, so it is tried for more than once.
const (
	lockTries = 5
	lockPause = 5 * time.Millisecond
)

// takeLock makes this process the one writer of the journal at path, by an OS
// lock on a file beside it that holds our pid. The lock goes with the file's
// closing, so with the process too, however that ends; the file stays.
func takeLock(path string) (*os.File, error) {
	name := path + ".lock"
	f, err := openOwn(name, os.O_RDWR)
	if err != nil {
		return nil, err
	}
	err = tryLock(f)
	for range lockTries - 1 {
		if !errors.Is(err, errHeld) {
			break
		}
		time.Sleep(lockPause)
		err = tryLock(f)
	}
	if err != nil {
		defer f.Close()
		if !errors.Is(err, errHeld) {
			return nil, &os.PathError{Op: "lock", Path: name, Err: err}
		}
		return nil, &LockedError{Path: path, PID: readPID(f)}
	}
	// Written before it is cut, so that it can be read at any time.
	text := strconv.Itoa(os.Getpid()) + "\n"
	if _, err := f.WriteAt([]byte(text), 0); err != nil {
		f.Close()
		return nil, err
	}
	if err := f.Truncate(int64(len(text))); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
