package sqlite

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"aspectop/journal"
	"aspectop/private"
)

func TestTheWriterOfAJournalIsKnownForAsLongAsItHasItOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	if pid, alive, err := Writer(path); pid != 0 || alive || err != nil {
		t.Errorf("before there is a journal: %d, %v, %v", pid, alive, err)
	}
	j, err := Open(path, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if pid, alive, err := Writer(path); pid != os.Getpid() || !alive || err != nil {
		t.Errorf("while it is open: %d, %v, %v", pid, alive, err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if pid, alive, err := Writer(path); pid != 0 || alive || err != nil {
		t.Errorf("after it was closed: %d, %v, %v", pid, alive, err)
	}
}

func TestWhoAsksForTheWriterIsInNobodysWay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	first, err := takeLock(path)
	if err != nil {
		t.Fatal(err)
	}
	first.Close()
	synctest.Test(t, func(t *testing.T) {
		asker, err := os.Open(path + ".lock")
		if err != nil {
			t.Fatal(err)
		}
		defer asker.Close()
		if err := private.TrySharedLock(asker); err != nil {
			t.Fatal(err)
		}
		if pid, alive, err := Writer(path); alive || err != nil {
			t.Errorf("another asker is taken for the writer: %d, %v", pid, err)
		}
		go func() {
			time.Sleep(lockPause + lockPause/2) // an asker takes microseconds
			asker.Close()
		}()
		writer, err := takeLock(path)
		if err != nil {
			t.Fatalf("an asker keeps a writer away: %v", err)
		}
		writer.Close()
	})
}
