package private

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestOnlyOneHolderHasTheLockWhileItsFileComesAndGoes(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.lock")
	var holders, locked atomic.Int32
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 1000 {
				f, err := Lock(name)
				if errors.Is(err, ErrLocked) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				locked.Add(1)
				if n := holders.Add(1); n != 1 {
					t.Errorf("%d hold it", n)
				}
				runtime.Gosched()
				holders.Add(-1)
				if err := Unlock(f); err != nil && runtime.GOOS != "windows" { // where another may have it open
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if locked.Load() == 0 {
		t.Error("nobody ever got it")
	}
}

func TestReplaceLeavesTheOldContentOrTheNewAndNoDraft(t *testing.T) {
	dir := t.TempDir()
	path, draft := filepath.Join(dir, "lease.json"), filepath.Join(dir, "lease.tmp")
	if err := os.WriteFile(draft, []byte("left by an interrupted run"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{"first", "second"} {
		if err := Replace(path, draft, []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got, err := Read(path, 100); err != nil || string(got) != content {
			t.Errorf("%q, %v", got, err)
		}
	}
	if _, err := os.Lstat(draft); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the draft remains: %v", err)
	}
	if _, err := Read(path, 3); err == nil {
		t.Error("a file over the limit was read")
	}
}

func TestAFileThatAnotherUserCouldHavePlantedIsRefused(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	if err := os.WriteFile(target, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(target, link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	open := filepath.Join(dir, "open")
	if err := os.WriteFile(open, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o666); err != nil {
		t.Fatal(err)
	}
	var unsafe *UnsafeError
	if _, err := Open(link, os.O_RDWR); !errors.As(err, &unsafe) || !strings.Contains(err.Error(), "symbolic link") {
		t.Errorf("a link: %v", err)
	}
	if _, err := Open(dir, os.O_RDONLY); !errors.As(err, &unsafe) {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Read(open, 100); runtime.GOOS != "windows" && !errors.As(err, &unsafe) {
		t.Errorf("a file that others may write: %v", err)
	}
	if err := MakeFolder(target); !errors.As(err, &unsafe) {
		t.Errorf("a file in place of a folder: %v", err)
	}
}
