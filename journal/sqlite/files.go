package sqlite

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"aspectop/private"
)

// DefaultPath returns where the journal of this user lies:
// $XDG_STATE_HOME/aspectop/journal.db, without that variable
// ~/.local/state/aspectop/journal.db (on macOS as well), and on Windows
// %LocalAppData%\aspectop\journal.db. It creates nothing.
func DefaultPath() (string, error) {
	const hint = "name a file with --journal"
	folder := os.Getenv("XDG_STATE_HOME")
	switch {
	case runtime.GOOS == "windows":
		if folder = os.Getenv("LocalAppData"); folder == "" {
			return "", errors.New("no place for the journal: %LocalAppData% is not set; " + hint)
		}
	case !filepath.IsAbs(folder): // to be ignored, says the XDG specification
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("no place for the journal: %w; %s", err, hint)
		}
		folder = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(folder, "aspectop", "journal.db"), nil
}

// prepareFile makes the journal's file if it is missing, so that SQLite opens a
// file that is ours and that nobody else can read. What exists keeps its
// permissions.
func prepareFile(path string) error {
	if err := checkFiles(path); err != nil {
		return err
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return cmp.Or(err, checkMode(path))
	}
	f, err := private.Open(path, os.O_RDWR)
	if err != nil {
		return err
	}
	return f.Close()
}

// checkFiles refuses files of a journal that are not the user's own regular
// files. It opens none of them: closing a file would drop the locks that SQLite
// holds on it in this process.
func checkFiles(path string) error {
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if err := private.Check(name, 0); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	// SQLite takes a file of a few bytes for an empty one, and overwrites it.
	if info, err := os.Lstat(path); err == nil && info.Size() > 0 && info.Size() < minDatabase {
		return &Error{Foreign, path, fmt.Errorf("it has %d bytes only", info.Size())}
	}
	return nil
}

const minDatabase = 512

// checkMode refuses a file that is read-only: root could write it nevertheless, but is
// not meant to.
func checkMode(path string) error {
	info, err := os.Lstat(path)
	if err == nil && info.Mode()&0o200 == 0 {
		err = &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
	}
	return err
}

// Writable returns why this user could not write the journal at path, or create it
// if it is missing. It makes a file beside it for an instant, and does not ask whether
// another process writes it; see [Writer].
func Writable(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(path); err == nil {
		if err := cmp.Or(checkMode(path), mayWrite(path)); err != nil {
			return &Error{ReadOnly, path, err}
		}
	}
	folder := existing(filepath.Dir(path))
	if info, err := os.Stat(folder); err != nil {
		return err
	} else if !info.IsDir() {
		return fmt.Errorf("the journal cannot be created: %s is not a directory; name another file with --journal", folder)
	}
	if err := mayWrite(folder); err != nil {
		return &Error{ReadOnly, folder, err}
	}
	return sharesMemory(folder)
}

// existing is the folder or, if it is missing, the next one above it that is there.
func existing(folder string) string {
	for {
		if _, err := os.Stat(folder); err == nil || filepath.Dir(folder) == folder {
			return folder
		}
		folder = filepath.Dir(folder)
	}
}

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
	for n := 1; n < lockTries && errors.Is(err, private.ErrLocked); n++ {
		time.Sleep(lockPause)
		err = private.TryLock(f)
	}
	if errors.Is(err, private.ErrLocked) {
		who := errors.New("another process")
		if pid := readPID(f); pid != 0 {
			who = fmt.Errorf("process %d", pid)
		}
		err = &Error{Locked, path, who}
	} else if err == nil {
		// Written before it is cut, so that it can be read at any time.
		text := strconv.Itoa(os.Getpid()) + "\n"
		_, err = f.WriteAt([]byte(text), 0)
		err = cmp.Or(err, f.Truncate(int64(len(text))))
	}
	if err != nil {
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
	if err = private.TrySharedLock(f); errors.Is(err, private.ErrLocked) {
		return readPID(f), true, nil
	}
	return 0, false, err
}

// readPID is the pid in a lock file, 0 while its writer is just writing it.
func readPID(f io.Reader) int {
	text, _ := io.ReadAll(io.LimitReader(f, 20))
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return pid
}

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
