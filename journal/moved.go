package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// SQLite goes on writing to a file that was removed, moved or replaced while it
// is open, and what it writes there is lost with the process. So whoever has a
// journal open checks, around each use, that its path still leads to that file.

// MovedError says that the path of an open journal no longer leads to the file
// that is open. What is appended is refused until the file is back.
type MovedError struct {
	Path string
	Why  string // "was removed or moved away"
	Do   string // what mends it
}

func (e *MovedError) Error() string {
	return fmt.Sprintf("%s %s while aspectop had it open; %s", e.Path, e.Why, e.Do)
}

// openFile is the identity of a journal's files, as of when they were opened.
type openFile struct {
	path string
	main fs.FileInfo
	// log is the write-ahead log, nil until it is known. SQLite keeps the same
	// one for as long as anybody has the journal open.
	log fs.FileInfo
}

// openedAt notes the file that was just opened at path.
func openedAt(path string) (openFile, error) {
	info, err := os.Lstat(path)
	return openFile{path: path, main: info}, err
}

// check returns a [*MovedError] if a path no longer leads to the open file. It
// costs a system call for each file.
func (f *openFile) check() error {
	if err := sameFile(f.path, f.main, "restart aspectop to use the new file, or put the old one back"); err != nil || f.log == nil {
		return err
	}
	return sameFile(f.path+"-wal", f.log, "restart aspectop, which reads what is in the journal")
}

func sameFile(path string, opened fs.FileInfo, mend string) error {
	info, err := os.Lstat(path)
	switch {
	case err == nil && os.SameFile(info, opened):
		return nil
	case err == nil:
		return &MovedError{path, "was replaced by another file", mend}
	case errors.Is(err, fs.ErrNotExist):
		return &MovedError{path, "was removed or moved away", "put it back, or restart aspectop"}
	}
	return &MovedError{path, "cannot be found any more (" + err.Error() + ")", "put it back, or restart aspectop"}
}

// noteLog notes the write-ahead log, which exists once something was committed.
func (f *openFile) noteLog() {
	if f.log == nil {
		f.log, _ = os.Lstat(f.path + "-wal")
	}
}
