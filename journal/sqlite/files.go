package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"aspectop/private"
)

// DefaultPath returns where the journal of this user lies:
// $XDG_STATE_HOME/aspectop/journal.db, without that variable
// ~/.local/state/aspectop/journal.db (on macOS as well), and on Windows
// %LocalAppData%\aspectop\journal.db. It creates nothing.
func DefaultPath() (string, error) {
	const hint = "name a file with --journal"
	if runtime.GOOS == "windows" {
		folder := os.Getenv("LocalAppData")
		if folder == "" {
			return "", errors.New("no place for the journal: %LocalAppData% is not set; " + hint)
		}
		return filepath.Join(folder, "aspectop", "journal.db"), nil
	}
	// A relative path is to be ignored, says the XDG specification.
	if folder := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(folder) {
		return filepath.Join(folder, "aspectop", "journal.db"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no place for the journal: %w; %s", err, hint)
	}
	return filepath.Join(home, ".local", "state", "aspectop", "journal.db"), nil
}

// prepareFile makes the journal's file if it is missing, so that SQLite opens a
// file that is ours and that nobody else can read. What exists keeps its
// permissions.
func prepareFile(path string) error {
	if err := checkFiles(path); err != nil {
		return err
	}
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		f, err := private.Open(path, os.O_RDWR)
		if err != nil {
			return err
		}
		return f.Close()
	}
	if err != nil {
		return err
	}
	if info.Mode()&0o200 == 0 { // root could write it nevertheless, but is not meant to
		return &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
	}
	return nil
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
		return &Error{Corrupt, path, fmt.Errorf("it has %d bytes only", info.Size())}
	}
	return nil
}

// minDatabase is the size of SQLite's smallest page.
const minDatabase = 512
