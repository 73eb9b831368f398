package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// SQLite keeps writing to an open file after it was removed, moved or replaced, and
// what it writes there is lost when the process ends. So after each commit, before
// it is acknowledged, the path must still lead to the open file.

// openFile identifies the files of a journal as they were opened.
type openFile struct {
	path string
	main fs.FileInfo
	// log is the write-ahead log: the same file while anybody has the journal open.
	// It is nil in a journal that is opened as unchangeable.
	log fs.FileInfo
}

// openedAt identifies the file that was just opened, and read from, at path.
func openedAt(path string) (*openFile, error) {
	main, err := os.Lstat(path)
	log, _ := os.Lstat(path + "-wal")
	return &openFile{path, main, log}, err
}

// present returns a [Moved] error if a path no longer leads to the open file. It
// costs a system call for each file.
func (f *openFile) present() error {
	err := sameFile(f.path, f.main, "restart aspectop to use the new file, or put the old one back")
	if err == nil && f.log != nil {
		err = sameFile(f.path+"-wal", f.log, "restart aspectop, which uses what the journal holds")
	}
	return err
}

func sameFile(path string, opened fs.FileInfo, todo string) error {
	info, err := os.Lstat(path)
	why := "was replaced by another file"
	switch {
	case err == nil && os.SameFile(info, opened):
		return nil
	case errors.Is(err, fs.ErrNotExist):
		why, todo = "was removed or moved away", "put it back, or restart aspectop"
	case err != nil:
		why, todo = "cannot be found any more", "put it back, or restart aspectop"
	}
	return &Error{Moved, path, fmt.Errorf("%s while aspectop had it open: %s", why, todo)}
}
