package sqlite

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Inspection describes a journal without its deliveries.
type Inspection struct {
	Path    string // absolute
	Version int    // of its schema, as PRAGMA user_version
	Size    int64  // in bytes, with what is not yet in the main file
	Mode    fs.FileMode
	// Newest is when the last arrival came; the zero time if none has.
	Newest time.Time
	// Arrivals is the number of the last arrival ever, of those that retention
	// removed too.
	Arrivals int64
}

// Inspect looks at the journal at path without a trace, not even the files that
// SQLite creates for a [Reader]. If there is none, the error is fs.ErrNotExist; it
// fails as OpenReader does otherwise.
func Inspect(path string) (Inspection, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Inspection{}, err
	}
	found := Inspection{Path: path}
	info, err := os.Lstat(path)
	if err != nil {
		return found, err
	}
	if err := checkFiles(path); err != nil {
		return found, unopened(path, err)
	}
	found.Size, found.Mode = info.Size(), info.Mode().Perm()
	parameters := []string{"mode=ro", "_pragma=busy_timeout(5000)"}
	if log, err := os.Lstat(path + "-wal"); err != nil || log.Size() == 0 {
		// Everything is in the main file.
		parameters = append(parameters, "immutable=1")
	} else {
		found.Size += log.Size()
	}
	s, err := connect(path, parameters...)
	if err != nil {
		return found, unopened(path, err)
	}
	defer s.close()
	if found.Version, err = checkFormat(s, path); err != nil || found.Version == 0 {
		return found, unopened(path, err)
	}
	var received int64
	err = s.row(`SELECT
		(`+lastQuery+`),
		max(ifnull((SELECT received FROM deliveries ORDER BY seq DESC LIMIT 1), 0), ifnull((SELECT received FROM repeats ORDER BY seq DESC LIMIT 1), 0))`,
		nil, &found.Arrivals, &received)
	if err != nil {
		return found, unopened(path, err)
	}
	if received > 0 {
		found.Newest = time.UnixMicro(received).UTC()
	}
	return found, nil
}

// Writable returns why this user could not write the journal at path, or create it
// if it is missing. It makes a file beside it for an instant, and does not ask whether
// another process writes it; see [Writer].
func Writable(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if info, err := os.Lstat(path); err == nil {
		if info.Mode()&0o200 == 0 { // root could write it nevertheless, but is not meant to
			return &Error{ReadOnly, path, fs.ErrPermission}
		}
		if err := mayWrite(path); err != nil {
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
