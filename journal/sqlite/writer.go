package sqlite

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Writer tells whether a process has the journal at path open for writing, and
// which: its pid, 0 if that could not be read. It takes microseconds and leaves
// no trace, so it may be asked again and again to learn that the writer ended,
// however it ended. A journal that is not there has no writer.
func Writer(path string) (pid int, alive bool, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return 0, false, err
	}
	f, err := os.OpenFile(path+".lock", os.O_RDONLY|noFollow, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	} else if err != nil {
		return 0, false, err
	}
	defer f.Close() // which drops the lock again
	if err := trySharedLock(f); err == nil {
		return 0, false, nil
	} else if !errors.Is(err, errHeld) {
		return 0, false, &os.PathError{Op: "lock", Path: path + ".lock", Err: err}
	}
	return readPID(f), true, nil
}

// readPID is the pid in a lock file, 0 while its writer is just writing it.
func readPID(f io.Reader) int {
	text, _ := io.ReadAll(io.LimitReader(f, 20))
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return pid
}
