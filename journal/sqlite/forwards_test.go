package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"aspectop/journal"
	"aspectop/model"
)

// outcome is one as a handler's answer makes it.
func outcome(seq int64, to string) model.Forward {
	return model.Forward{
		Seq: seq, To: to, At: received, Status: 503, Latency: 1234 * time.Microsecond, Tries: 3,
		Resigned: true, Final: true, GaveUp: true, Error: "answered 503", Hint: "a hint", Body: []byte("\x00\xffbody"),
	}
}

func mustSave(t testing.TB, j *Journal, key string, cursor int64, outcomes ...model.Forward) {
	t.Helper()
	if err := j.SaveForwards(key, "http://"+key, cursor, outcomes); err != nil {
		t.Fatal(err)
	}
}

func forwardsOf(t testing.TB, r *Reader, seq int64) []model.Forward {
	t.Helper()
	found, err := r.Forwards(t.Context(), seq)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func cursorOf(t testing.TB, r *Reader, key string) (int64, bool) {
	t.Helper()
	cursor, known, err := r.ForwardCursor(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return cursor, known
}

func TestAJournalThatNeverForwardedHasNoOutcomes(t *testing.T) {
	path := newPath(t)
	mustOpen(t, path, journal.Options{})
	r := mustRead(t, path)
	settled, err := r.SettledForwards(t.Context(), "a", 0, 100)
	if _, known := cursorOf(t, r, "a"); known || len(forwardsOf(t, r, 1)) != 0 || len(settled) != 0 || err != nil {
		t.Errorf("known %v, settled %v (%v)", known, settled, err)
	}
	wantRows(t, path, "SELECT name FROM sqlite_schema WHERE name LIKE '%forward%'")
}

func TestOutcomesOutliveTheProcess(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path, journal.Options{})
	mustSave(t, j, "a", 3, outcome(1, "http://a"))
	copied := filepath.Join(t.TempDir(), "journal.db")
	for _, ending := range []string{"", "-wal"} { // what a process that was killed leaves
		text, err := os.ReadFile(path + ending)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(copied+ending, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := mustRead(t, copied)
	if cursor, _ := cursorOf(t, r, "a"); cursor != 3 || len(forwardsOf(t, r, 1)) != 1 {
		t.Errorf("the cursor is %d, outcomes are %v", cursor, forwardsOf(t, r, 1))
	}
	wantRows(t, path, "PRAGMA user_version", "2")
	wantRows(t, path, "SELECT key, url, cursor FROM forward_targets", "a|http://a|3")
}

func TestSavingForwardsDisturbsNoAppendAndTakesNoDurabilityFromIt(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path, journal.Options{})
	r := mustRead(t, path)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for n := range 50 {
				if err := j.Append(context.Background(), delivery(fmt.Sprint("msg_", g, "_", n), "{}")); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for n := range int64(50) {
				if err := j.SaveForwards(fmt.Sprint(g), "http://x", n, []model.Forward{outcome(n+1, "http://x")}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if found := all(t, r); len(found) != 200 || found[199].Seq != 200 {
		t.Errorf("%d deliveries", len(found))
	}
	if found := forwardsOf(t, r, 50); len(found) != 4 {
		t.Errorf("%d outcomes", len(found))
	}
	var full, normal int64
	if err := j.writer.row("PRAGMA synchronous", nil, &full); err != nil || full != 2 {
		t.Errorf("the writer's synchronous is %d (%v)", full, err)
	}
	if err := j.loose.row("PRAGMA synchronous", nil, &normal); err != nil || normal != 1 {
		t.Errorf("that of outcomes is %d (%v)", normal, err)
	}
}

func TestRetentionRemovesTheOutcomesOfWhatItRemoved(t *testing.T) {
	path := newPath(t)
	now := newClock(received)
	j := mustOpenUnkept(t, path, journal.Options{Retain: 24 * time.Hour, Now: now.now})
	r := mustRead(t, path)
	var outcomes []model.Forward
	for n := range 300 { // more than one step
		d := event(fmt.Sprint("msg_", n), fmt.Sprint("t", n), "task.completed", "completed", received)
		outcomes = append(outcomes, outcome(mustAppend(t, j, d).Seq, "http://a"))
	}
	now.set(received.Add(25 * time.Hour))
	young := mustAppend(t, j, event("msg_young", "young", "task.completed", "completed", received.Add(25*time.Hour)))
	mustSave(t, j, "a", 300, append(outcomes, outcome(young.Seq, "http://a"))...)
	mustRetain(t, j)
	wantRows(t, path, "SELECT seq FROM forwards", fmt.Sprint(young.Seq))
	if cursor, _ := cursorOf(t, r, "a"); cursor != 300 {
		t.Errorf("the cursor is %d", cursor)
	}
}

func TestNothingIsForwardedIntoAClosedJournal(t *testing.T) {
	j := mustOpen(t, newPath(t), journal.Options{})
	mustSave(t, j, "a", 0)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := j.SaveForwards("a", "http://a", 1, nil); err != journal.ErrClosed {
		t.Errorf("%v", err)
	}
}

// BenchmarkSaveForwards is what an arrival may have to wait for.
func BenchmarkSaveForwards(b *testing.B) {
	for _, n := range []int{1, 16} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			j := mustOpen(b, newPath(b), journal.Options{})
			outcomes := make([]model.Forward, n)
			for i := 0; b.Loop(); i++ {
				for k := range outcomes {
					outcomes[k] = outcome(int64(i*n+k), "http://a")
					outcomes[k].Body = bytes.Repeat([]byte("x"), 200)
				}
				mustSave(b, j, "a", int64(i), outcomes...)
			}
		})
	}
}
