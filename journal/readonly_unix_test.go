//go:build unix

package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// nobody is a user other than root, for whom permissions count.
const nobody = 65534

// readOnlyJournal makes a journal of one delivery in a folder that anybody can
// reach, and gives it to nobody if we are root.
func readOnlyJournal(t *testing.T) (folder, path string) {
	folder, err := os.MkdirTemp("", "journal-readonly-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(folder, 0o700); os.RemoveAll(folder) })
	path = filepath.Join(folder, "journal.db")
	j := mustOpen(t, path, Options{})
	mustAppend(t, j, delivery("msg_1", "{}"))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	os.Remove(path + ".lock")
	if os.Geteuid() == 0 {
		os.Chown(path, nobody, nobody)
		os.Chown(folder, nobody, nobody)
	}
	return folder, path
}

// useReadOnly tries to write and to read a journal, as nobody if we are root,
// and fails unless the first is refused as it should and the second succeeds.
func useReadOnly(args []string) error {
	if os.Geteuid() == 0 {
		if err := syscall.Setuid(nobody); err != nil {
			return err
		}
	}
	var readOnly *ReadOnlyError
	if _, err := Open(args[0], Options{}); !errors.As(err, &readOnly) {
		return fmt.Errorf("writing: %w", err)
	} else if !strings.Contains(err.Error(), args[0]) {
		return fmt.Errorf("%q does not name %s", err, args[0])
	}
	r, err := OpenReader(args[0])
	if err != nil {
		return fmt.Errorf("reading: %w", err)
	}
	defer r.Close()
	if d, err := r.Get(context.Background(), 1); err != nil || d.ID != "msg_1" {
		return fmt.Errorf("reading: %v, %w", d, err)
	}
	_, err = r.Changed(context.Background())
	return err
}

func TestAReadOnlyFolderCanBeReadButNotWritten(t *testing.T) {
	folder, path := readOnlyJournal(t)
	if err := os.Chmod(folder, 0o555); err != nil {
		t.Fatal(err)
	}
	startChild(t, "readonly", path).finish(t)
	left, err := os.ReadDir(folder)
	if err != nil || len(left) != 1 {
		t.Errorf("in the read-only folder: %v, %v", left, err)
	}
}

func TestAReadOnlyFileCanBeReadButNotWritten(t *testing.T) {
	_, path := readOnlyJournal(t)
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	startChild(t, "readonly", path).finish(t)
	after, err := os.ReadFile(path)
	if err != nil || string(before) != string(after) {
		t.Errorf("the file was changed (%v)", err)
	}
}

// Root could write it, but it was made read-only on purpose.
func TestAReadOnlyFileIsNotWrittenByRootEither(t *testing.T) {
	path := newPath(t)
	mustOpen(t, path, Options{}).Close()
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	var readOnly *ReadOnlyError
	if _, err := Open(path, Options{}); !errors.As(err, &readOnly) {
		t.Error(err)
	}
}

func TestAFileOfAnotherUserIsRefused(t *testing.T) {
	path := "/etc/passwd" // root's, so another's for all but root
	if os.Geteuid() == 0 {
		_, path = readOnlyJournal(t)
	}
	var unsafe *UnsafeFileError
	if _, err := OpenReader(path); !errors.As(err, &unsafe) || !strings.Contains(err.Error(), "another user") {
		t.Errorf("reading: %v", err)
	}
	if os.Geteuid() != 0 {
		return
	}
	if _, err := Open(path, Options{}); !errors.As(err, &unsafe) || !strings.Contains(err.Error(), "another user") {
		t.Errorf("writing: %v", err)
	}
}

func TestEverythingIsMadeForThisUserOnly(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	path := newPath(t)
	j := mustOpen(t, path, Options{})
	mustAppend(t, j, delivery("msg_1", "{}"))
	for name, want := range map[string]os.FileMode{
		filepath.Dir(path): os.ModeDir | 0o700, path: 0o600, path + ".lock": 0o600, path + "-wal": 0o600, path + "-shm": 0o600,
	} {
		info, err := os.Lstat(name)
		if err != nil || info.Mode() != want {
			t.Errorf("%s has %v, not %v (%v)", name, info.Mode(), want, err)
		}
	}
}
