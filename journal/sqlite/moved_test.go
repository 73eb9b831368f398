package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"aspectop/journal"
)

func skipWhereOpenFilesStay(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows does not let an open journal be removed, moved or replaced")
	}
}

// refusesAsMoved appends and expects a Moved error that contains the words.
func refusesAsMoved(t *testing.T, j *Journal, id, words string) {
	t.Helper()
	err := j.Append(t.Context(), delivery(id, "{}"))
	if !errors.Is(err, Moved) || !strings.Contains(err.Error(), words) {
		t.Errorf("an append is answered %v", err)
	}
}

// afterKill copies what a process that was killed now would leave at path.
func afterKill(t testing.TB, path string) (copied string) {
	t.Helper()
	copied = filepath.Join(t.TempDir(), "journal.db")
	for _, ending := range []string{"", "-wal"} {
		b, err := os.ReadFile(path + ending)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(copied+ending, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return copied
}

func TestNothingIsAcknowledgedWhileTheJournalIsRemoved(t *testing.T) {
	skipWhereOpenFilesStay(t)
	path := newPath(t)
	j := mustOpen(t, path, journal.Options{})
	r := mustRead(t, path)
	mustAppend(t, j, delivery("msg_1", "{}"))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	refusesAsMoved(t, j, "msg_2", "was removed or moved away")
	if _, err := r.After(t.Context(), 0, 10); !errors.Is(err, Moved) {
		t.Errorf("a reader is answered %v", err)
	}
}

func TestAJournalThatIsMovedAwayAndBackGoesOnWithoutARestart(t *testing.T) {
	skipWhereOpenFilesStay(t)
	path := newPath(t)
	j := mustOpen(t, path, journal.Options{})
	r := mustRead(t, path)
	mustAppend(t, j, delivery("msg_1", "{}"))
	away := path + ".away"
	if err := os.Rename(path, away); err != nil {
		t.Fatal(err)
	}
	refusesAsMoved(t, j, "msg_2", "was removed or moved away")
	refusesAsMoved(t, j, "msg_3", "was removed or moved away")
	if err := os.Rename(away, path); err != nil {
		t.Fatal(err)
	}
	// The first that was refused came back with the file, the second was not written.
	for _, want := range []struct {
		id           string
		seq, message int64
	}{{"msg_2", 3, 2}, {"msg_3", 4, 4}} {
		if d := mustAppend(t, j, delivery(want.id, "{}")); d.Seq != want.seq || d.Message != want.message {
			t.Errorf("%s is now %d, of message %d", want.id, d.Seq, d.Message)
		}
	}
	if n := len(all(t, r)); n != 4 {
		t.Errorf("the reader sees %d deliveries", n)
	}
}

func TestAJournalThatIsReplacedIsNotWritten(t *testing.T) {
	skipWhereOpenFilesStay(t)
	path := newPath(t)
	j := mustOpen(t, path, journal.Options{})
	mustAppend(t, j, delivery("msg_1", "{}"))
	backup := filepath.Join(t.TempDir(), "backup.db")
	if err := os.WriteFile(backup, []byte("restored"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(backup, path); err != nil {
		t.Fatal(err)
	}
	refusesAsMoved(t, j, "msg_2", "was replaced by another file")
	if b, err := os.ReadFile(path); err != nil || string(b) != "restored" {
		t.Errorf("the new file holds %q, %v", b, err)
	}
}

func TestARemovedLogStopsAppendsAndCostsNothingThatWasAcknowledged(t *testing.T) {
	skipWhereOpenFilesStay(t)
	path := newPath(t)
	j := mustOpenUnkept(t, path, journal.Options{}) // nobody checkpoints in between
	for _, id := range []string{"msg_1", "msg_2", "msg_3"} {
		mustAppend(t, j, delivery(id, "{}"))
	}
	if err := os.Remove(path + "-wal"); err != nil {
		t.Fatal(err)
	}
	refusesAsMoved(t, j, "msg_4", "journal.db-wal was removed")
	refusesAsMoved(t, j, "msg_5", "journal.db-wal was removed")
	// With what was being written when the log was missed.
	if n := len(all(t, mustRead(t, afterKill(t, path)))); n != 4 {
		t.Errorf("%d of 3 acknowledged deliveries are in the file", n)
	}
}

func TestACheckpointOfAnotherProgramIsNoDamage(t *testing.T) {
	path := newPath(t)
	j := mustOpenUnkept(t, path, journal.Options{})
	for i := range 5 {
		mustAppend(t, j, delivery(fmt.Sprint("msg_", i), "{}"))
	}
	r := mustRead(t, path)
	all(t, r)
	execute(t, path, "PRAGMA wal_checkpoint(TRUNCATE)")
	if n := len(all(t, r)); n != 5 {
		t.Errorf("a reader finds %d deliveries", n)
	}
	mustAppend(t, j, delivery("msg_next", "{}"))
	if n := len(all(t, mustRead(t, path))); n != 6 {
		t.Errorf("%d deliveries", n)
	}
}

func TestALogThatTheWriterEmptiedIsNoDamageToItsReaders(t *testing.T) {
	path := newPath(t)
	j := mustOpenUnkept(t, path, journal.Options{})
	r, err := j.Reader()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for i := range 5 {
		mustAppend(t, j, delivery(fmt.Sprint("msg_", i), "{}"))
		if found, err := r.After(t.Context(), 0, 10); len(found) != i+1 || err != nil {
			t.Fatalf("%d deliveries, %v", len(found), err)
		}
	}
	if err := j.emptyLog(); err != nil {
		t.Fatal(err)
	}
	if found, err := r.After(t.Context(), 0, 10); len(found) != 5 || err != nil {
		t.Errorf("%d deliveries, %v", len(found), err)
	}
}
