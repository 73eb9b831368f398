package sqlite

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"aspectop/journal"
	"aspectop/journal/journaltest"
	"aspectop/model"
)

// received is when the deliveries of these tests came in.
var received = time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)

func delivery(id, body string) *model.Delivery {
	return &model.Delivery{
		ID:       id,
		Source:   model.SourceWebhook,
		Secret:   "default",
		Received: received,
		Header:   map[string][]string{"Svix-Id": {id}, "Accept": {"*/*", "text/plain"}},
		Body:     []byte(body),
	}
}

func mustOpen(t testing.TB, path string, o journal.Options) *Journal {
	t.Helper()
	j, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

// mustOpenUnkept opens a journal whose housekeeping is the test's.
func mustOpenUnkept(t testing.TB, path string, o journal.Options) *Journal {
	t.Helper()
	j, err := open(path, o, "synchronous(FULL)")
	if err != nil {
		t.Fatal(err)
	}
	close(j.stopped)
	t.Cleanup(func() { j.Close() })
	return j
}

func mustAppend(t testing.TB, j *Journal, d *model.Delivery) *model.Delivery {
	t.Helper()
	if err := j.Append(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	return d
}

func mustRead(t testing.TB, path string) *Reader {
	t.Helper()
	r, err := OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// all reads the whole journal.
func all(t testing.TB, r *Reader) []model.Delivery {
	t.Helper()
	var found []model.Delivery
	for last := int64(0); ; last = found[len(found)-1].Seq {
		next, err := r.After(context.Background(), last, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(next) == 0 {
			return found
		}
		found = append(found, next...)
	}
}

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "state", "journal.db") }

type file string

func (f file) Open(t testing.TB, o journal.Options) journal.Journal { return mustOpen(t, string(f), o) }
func (f file) Reader(t testing.TB) journal.Reader                   { return mustRead(t, string(f)) }

func TestAFileKeepsWhatAJournalPromises(t *testing.T) {
	journaltest.Run(t, func(t testing.TB) journaltest.Location { return file(newPath(t)) })
}

func TestChangedTellsCommitsOfOthersOnce(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path, journal.Options{})
	r := mustRead(t, path)
	for _, want := range []bool{true, false, false} {
		if got, err := r.changed(t.Context()); err != nil || got != want {
			t.Fatalf("before: %v, %v", got, err)
		}
	}
	mustAppend(t, j, delivery("msg_1", "{}"))
	for _, want := range []bool{true, false} {
		if got, err := r.changed(t.Context()); err != nil || got != want {
			t.Fatalf("after: %v, %v", got, err)
		}
	}
}
