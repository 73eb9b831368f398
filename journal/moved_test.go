package journal

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func skipWhereOpenFilesStay(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows does not let an open journal be removed, moved or replaced")
	}
}

// refusesAsMoved appends and expects a MovedError that contains the words.
func refusesAsMoved(t *testing.T, j *Journal, id, words string) {
	t.Helper()
	var moved *MovedError
	err := j.Append(t.Context(), delivery(id, "{}"))
	if !errors.As(err, &moved) || !strings.Contains(err.Error(), words) {
		t.Errorf("an append is answered %v", err)
	}
}

func TestNothingIsAcknowledgedWhileTheJournalIsRemoved(t *testing.T) {
	skipWhereOpenFilesStay(t)
	path := newPath(t)
	j := mustOpen(t, path, Options{})
	r := mustRead(t, path)
	mustAppend(t, j, delivery("msg_1", "{}"))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	refusesAsMoved(t, j, "msg_2", "was removed or moved away")
	var moved *MovedError
	if _, err := r.After(t.Context(), 0, 10); !errors.As(err, &moved) {
		t.Errorf("a reader is answered %v", err)
	}
}

func TestAJournalThatIsMovedAwayAndBackGoesOnWithoutARestart(t *testing.T) {
	skipWhereOpenFilesStay(t)
	path := newPath(t)
	j := mustOpen(t, path, Options{})
	r := mustRead(t, path)
	mustAppend(t, j, delivery("msg_1", "{}"))
	away := path + ".away"
	if err := os.Rename(path, away); err != nil {
		t.Fatal(err)
	}
	refusesAsMoved(t, j, "msg_2", "was removed or moved away")
	if err := os.Rename(away, path); err != nil {
		t.Fatal(err)
	}
	if d := mustAppend(t, j, delivery("msg_2", "{}")); d.Repeat() || d.Seq != 2 {
		t.Errorf("what was refused came back as %d, a repeat of %d", d.Seq, d.Message)
	}
	if n := len(all(t, r)); n != 2 {
		t.Errorf("the reader sees %d deliveries", n)
	}
}

func TestAJournalThatIsReplacedIsNotWritten(t *testing.T) {
	skipWhereOpenFilesStay(t)
	path := newPath(t)
	j := mustOpen(t, path, Options{})
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
	j := mustOpenUnkept(t, path, Options{}) // nobody checkpoints in between
	for _, id := range []string{"msg_1", "msg_2", "msg_3"} {
		mustAppend(t, j, delivery(id, "{}"))
	}
	if err := os.Remove(path + "-wal"); err != nil {
		t.Fatal(err)
	}
	refusesAsMoved(t, j, "msg_4", "journal.db-wal was removed")
	// The file alone, as a process killed now would leave it.
	copied := filepath.Join(t.TempDir(), "journal.db")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copied, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if n := len(all(t, mustRead(t, copied))); n != 3 {
		t.Errorf("%d of 3 acknowledged deliveries are in the file", n)
	}
}
