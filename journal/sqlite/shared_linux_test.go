package sqlite

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"aspectop/journal"
)

// unshared is a folder, and the same on a file system without shared memory.
func unshared(t *testing.T) (real, mounted string) {
	t.Helper()
	bindfs, err := exec.LookPath("bindfs")
	if err != nil || os.Getuid() != 0 {
		t.Skip("needs bindfs and root")
	}
	real, mounted = t.TempDir(), t.TempDir()
	if out, err := exec.Command(bindfs, "-o", "direct_io", real, mounted).CombinedOutput(); err != nil {
		t.Skipf("bindfs: %v, %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", mounted).CombinedOutput(); err != nil {
			t.Errorf("umount: %v, %s", err, out)
		}
	})
	return real, mounted
}

// names are those of all files and folders in a folder.
func names(t *testing.T, folder string) (found []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		found = append(found, e.Name())
	}
	return found
}

func TestAFileSystemWithoutSharedMemoryIsNamedAndNothingIsLeft(t *testing.T) {
	_, mounted := unshared(t)
	for _, path := range []string{filepath.Join(mounted, "j.db"), filepath.Join(mounted, "new", "deeper", "j.db")} {
		_, opened := Open(path, journal.Options{})
		for what, err := range map[string]error{"open": opened, "doctor": Writable(path)} {
			if !errors.Is(err, Unshareable) || !strings.Contains(err.Error(), "cannot share memory") {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	if left := names(t, mounted); len(left) > 0 {
		t.Errorf("left there: %q", left)
	}
}

func TestAnOldJournalIsReadWithoutSharedMemory(t *testing.T) {
	real, mounted := unshared(t)
	written, err := Open(filepath.Join(real, "written.db"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer written.Close()
	if _, err := OpenReader(filepath.Join(mounted, "written.db")); err == nil || !strings.Contains(err.Error(), "-wal") {
		t.Errorf("a journal that is being written is read without its log: %v", err)
	}
	old, err := Open(filepath.Join(real, "old.db"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(mounted, "old.db")
	r, err := OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	if err := Writable(path); !errors.Is(err, Unshareable) {
		t.Errorf("doctor: %v", err)
	}
	if _, err := Open(path, journal.Options{}); !errors.Is(err, Unshareable) {
		t.Errorf("open: %v", err)
	}
}

func TestWhatCannotBeLockedIsNamed(t *testing.T) {
	for _, err := range []error{syscall.ENOLCK, syscall.EOPNOTSUPP, syscall.ENOSYS} {
		if err := explain("/mnt/j.db", &os.PathError{Op: "flock", Path: "/mnt/j.db.lock", Err: err}); !errors.Is(err, Unshareable) {
			t.Error(err)
		}
	}
}
