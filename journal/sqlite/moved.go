package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
)

// SQLite keeps writing to an open file after it was removed, moved or replaced, and
// what it writes there is lost when the process ends. So the path of an open journal
// is checked around each use: it must still lead to the open file.

// MovedError says that the path of an open journal no longer leads to the open
// file. Nothing is appended until the file is back.
type MovedError struct {
	Path string
	Why  string // such as "was removed or moved away"
	Do   string // what to do about it
	Err  error  // may be nil
}

func (e *MovedError) Unwrap() error { return e.Err }

func (e *MovedError) Error() string {
	return fmt.Sprintf("%s %s while aspectop had it open: %s", e.Path, e.Why, e.Do)
}

// openFile identifies the files of a journal as they were opened.
type openFile struct {
	path string
	main fs.FileInfo

	mu sync.Mutex
	// log is the write-ahead log, nil until there is one. SQLite keeps the same
	// file while anybody has the journal open, and truncates it only in a checkpoint
	// that empties it.
	log     fs.FileInfo
	logSize int64
	opened  *os.File // the log, once it was checked
	// found says that the log was there when the journal was opened: after a crash,
	// behind what SQLite uses of it, it may have holes.
	found bool
}

// errCutShort says that the log has become shorter, by another program's checkpoint
// or by damage.
var errCutShort = errors.New("the log was cut short")

// openedAt identifies the file that was just opened at path.
func openedAt(path string) (*openFile, error) {
	info, err := os.Lstat(path)
	return &openFile{path: path, main: info}, err
}

// present returns a [*MovedError] if a path no longer leads to the open file. It
// costs a system call for each file.
func (f *openFile) present() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, err := f.stat()
	return err
}

// check is present for those who write the log: nobody else may shorten it.
func (f *openFile) check() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	size, err := f.stat()
	if err == nil && (size < f.logSize || f.hasHole(size)) {
		err = &MovedError{f.path + "-wal", "was cut short", "restart aspectop; aspectop journal check says what is damaged", errCutShort}
	}
	if err == nil {
		f.logSize = size
	}
	return err
}

// hasHole reports whether the log has a hole: it was cut short just before SQLite
// wrote behind its former end. The caller holds mu.
func (f *openFile) hasHole(size int64) bool {
	if f.log == nil || f.found {
		return false
	}
	if f.opened == nil {
		opened, err := os.Open(f.path + "-wal")
		if err != nil {
			return false
		}
		if info, err := opened.Stat(); err != nil || !os.SameFile(info, f.log) {
			opened.Close()
			return false
		}
		f.opened = opened
	}
	return firstHole(f.opened, size) < size
}

// close gives back what check has opened. SQLite holds no locks on the log, which
// closing it here would drop.
func (f *openFile) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.opened == nil {
		return nil
	}
	return f.opened.Close()
}

// stat returns the log's size, 0 if there is none yet. The caller holds mu.
func (f *openFile) stat() (logSize int64, err error) {
	if _, err := sameFile(f.path, f.main, "restart aspectop to use the new file, or put the old one back"); err != nil {
		return 0, err
	}
	log := f.path + "-wal"
	if f.log == nil {
		f.log, _ = os.Lstat(log)
		return 0, nil
	}
	info, err := sameFile(log, f.log, "restart aspectop, which uses what the journal holds")
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// shorten calls empty, which may empty the log. Unless it fails, the log may be
// shorter than before.
func (f *openFile) shorten(empty func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := empty()
	if err == nil {
		f.logSize = 0
	}
	return err
}

func sameFile(path string, opened fs.FileInfo, mend string) (fs.FileInfo, error) {
	info, err := os.Lstat(path)
	switch {
	case err == nil && os.SameFile(info, opened):
		return info, nil
	case err == nil:
		return nil, &MovedError{path, "was replaced by another file", mend, nil}
	case errors.Is(err, fs.ErrNotExist):
		return nil, &MovedError{path, "was removed or moved away", "put it back, or restart aspectop", err}
	}
	return nil, &MovedError{path, "cannot be found any more", "put it back, or restart aspectop", err}
}
