package sqlite

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"aspectop/private"
)

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
	f, err := private.Open(name, os.O_RDWR)
	if err != nil {
		return nil, err
	}
	err = private.TryLock(f)
	for range lockTries - 1 {
		if !errors.Is(err, private.ErrLocked) {
			break
		}
		time.Sleep(lockPause)
		err = private.TryLock(f)
	}
	if err != nil {
		defer f.Close()
		if !errors.Is(err, private.ErrLocked) {
			return nil, err
		}
		who := errors.New("another process")
		if pid := readPID(f); pid != 0 {
			who = fmt.Errorf("process %d", pid)
		}
		return nil, &Error{Locked, path, who}
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

// Writer tells whether a process has the journal at path open for writing, and
// which: its pid, 0 if that could not be read. It takes microseconds and leaves
// no trace, so it may be asked again and again to learn that the writer ended,
// however it ended. A journal that is not there has no writer.
func Writer(path string) (pid int, alive bool, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return 0, false, err
	}
	f, err := private.OpenExisting(path + ".lock")
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	} else if err != nil {
		return 0, false, err
	}
	defer f.Close() // which drops the lock again
	switch err := private.TrySharedLock(f); {
	case err == nil:
		return 0, false, nil
	case errors.Is(err, private.ErrLocked):
		return readPID(f), true, nil
	default:
		return 0, false, err
	}
}

// readPID is the pid in a lock file, 0 while its writer is just writing it.
func readPID(f io.Reader) int {
	text, _ := io.ReadAll(io.LimitReader(f, 20))
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return pid
}
