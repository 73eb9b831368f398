//go:build unix

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"aspectop/journal"
	"aspectop/private"
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
	j := mustOpen(t, path, journal.Options{})
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
// and prints what came of each.
func useReadOnly(args []string) error {
	if os.Geteuid() == 0 {
		if err := syscall.Setuid(nobody); err != nil {
			return err
		}
	}
	_, err := Open(args[0], journal.Options{})
	fmt.Println(errors.Is(err, ReadOnly), err)
	r, err := OpenReader(args[0])
	if err != nil {
		fmt.Println(err)
		return nil
	}
	defer r.Close()
	d, err := r.Get(context.Background(), 1)
	fmt.Println(d.ID, err)
	_, err = r.changed(context.Background())
	return err
}

func TestAReadOnlyFolderCanBeReadButNotWritten(t *testing.T) {
	folder, path := readOnlyJournal(t)
	if err := os.Chmod(folder, 0o555); err != nil {
		t.Fatal(err)
	}
	c := startChild(t, "readonly", path)
	if got := c.line(t); !strings.HasPrefix(got, "true ") || !strings.Contains(got, path) {
		t.Errorf("writing: %s", got)
	}
	if got := c.line(t); got != "msg_1 <nil>" {
		t.Errorf("reading: %s", got)
	}
	c.finish(t)
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
	c := startChild(t, "readonly", path)
	if got := c.line(t); !strings.HasPrefix(got, "true ") || !strings.Contains(got, path) {
		t.Errorf("writing: %s", got)
	}
	if got := c.line(t); got != "msg_1 <nil>" {
		t.Errorf("reading: %s", got)
	}
	c.finish(t)
	after, err := os.ReadFile(path)
	if err != nil || string(before) != string(after) {
		t.Errorf("the file was changed (%v)", err)
	}
}

func TestDeliveriesInALogThatCannotBeReadAreNotPassedOver(t *testing.T) {
	folder, path := readOnlyJournal(t)
	// Somebody copied a journal under way, with its log, to where it is read-only.
	other := newPath(t)
	j := mustOpen(t, other, journal.Options{})
	mustAppend(t, j, delivery("msg_2", "{}"))
	log, err := os.ReadFile(other + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+"-wal", log, 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		os.Chown(path+"-wal", nobody, nobody)
	}
	if err := os.Chmod(folder, 0o555); err != nil {
		t.Fatal(err)
	}
	c := startChild(t, "readonly", path)
	c.line(t)
	if got := c.line(t); !strings.Contains(got, "journal.db-wal") || !strings.Contains(got, "copy both") {
		t.Errorf("reading: %s", got)
	}
	c.finish(t)
}

// Root could write it, but it was made read-only on purpose.
func TestAReadOnlyFileIsNotWrittenByRootEither(t *testing.T) {
	path := newPath(t)
	mustOpen(t, path, journal.Options{}).Close()
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, journal.Options{}); !errors.Is(err, ReadOnly) {
		t.Error(err)
	}
}

func TestAFileOfAnotherUserIsRefused(t *testing.T) {
	path := "/etc/passwd" // root's, so another's for all but root
	if os.Geteuid() == 0 {
		_, path = readOnlyJournal(t)
	}
	var unsafe *private.UnsafeError
	if _, err := OpenReader(path); !errors.As(err, &unsafe) || !strings.Contains(err.Error(), "another user") {
		t.Errorf("reading: %v", err)
	}
	if os.Geteuid() != 0 {
		return
	}
	if _, err := Open(path, journal.Options{}); !errors.As(err, &unsafe) || !strings.Contains(err.Error(), "another user") {
		t.Errorf("writing: %v", err)
	}
}

func TestEverythingIsMadeForThisUserOnly(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	path := newPath(t)
	j := mustOpen(t, path, journal.Options{})
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
