package private

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func TestOnlyFoldersWhoseProcessIsGoneAreSwept(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir) // Windows
	inUse, err := NewTemp("journal")
	if err != nil {
		t.Fatal(err)
	}
	defer inUse.Remove()
	left, err := NewTemp("tunnel")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(left.Path, "config.yml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	left.lock.Close() // as the end of a process does
	foreign := filepath.Join(dir, tempPrefix+"e2e-1")
	if err := os.Mkdir(foreign, 0o700); err != nil {
		t.Fatal(err)
	}
	SweepTemps()
	for path, stays := range map[string]bool{inUse.Path: true, left.Path: false, foreign: true} {
		if _, err := os.Stat(path); (err == nil) != stays {
			t.Errorf("%s: %v; it should stay: %v", filepath.Base(path), err, stays)
		}
	}
	if err := inUse.Remove(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(inUse.Path); err == nil {
		t.Error("a removed folder is still there")
	}
}

func TestASweepTakesNoFolderThatIsJustBeingMade(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	done := make(chan struct{})
	var sweeps sync.WaitGroup
	for range 2 {
		sweeps.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					SweepTemps()
				}
			}
		})
	}
	defer sweeps.Wait()
	defer close(done)
	for range 100 {
		temp, err := NewTemp("test")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(temp.Path, "file"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		temp.Remove()
	}
}
