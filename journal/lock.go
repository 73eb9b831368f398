package journal

import (
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
)

// errHeld is what tryLock returns when another holds the lock.
var errHeld = errors.New("held by another")

// takeLock makes this process the one writer of the journal at path, by an OS
// lock on a file beside it that holds our pid. The lock goes with the file's
// closing, so with the process too, however that ends; the file stays.
func takeLock(path string) (*os.File, error) {
	name := path + ".lock"
	f, err := openOwn(name, os.O_RDWR)
	if err != nil {
		return nil, err
	}
	if err := tryLock(f); err != nil {
		defer f.Close()
		if !errors.Is(err, errHeld) {
			return nil, &os.PathError{Op: "lock", Path: name, Err: err}
		}
		text, _ := io.ReadAll(io.LimitReader(f, 20))
		pid, _ := strconv.Atoi(strings.TrimSpace(string(text))) // 0 while the other is just writing it
		return nil, &LockedError{Path: path, PID: pid}
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
