package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"aspectop/journal"
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

func TestDeliveriesComeBackAsTheyWereAppended(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path, journal.Options{})
	first := mustAppend(t, j, delivery("msg_1", `{"a":1}`))
	second := mustAppend(t, j, delivery("msg_2", ""))
	again := mustAppend(t, j, delivery("msg_1", `{"a":1}`))
	other := mustAppend(t, j, delivery("msg_1", `{"a":2}`))

	second.Body = nil
	again.Body = nil // as the model says of repeats
	want := []model.Delivery{*first, *second, *again, *other}
	for i, w := range []struct {
		message int64
		attempt int
		differs bool
	}{{1, 1, false}, {2, 1, false}, {1, 2, false}, {1, 3, true}} {
		if d := want[i]; d.Seq != int64(i+1) || d.Message != w.message || d.Attempt != w.attempt || d.Differs != w.differs {
			t.Errorf("arrival %d: seq %d, message %d, attempt %d, differs %v", i+1, d.Seq, d.Message, d.Attempt, d.Differs)
		}
	}
	if got := all(t, mustRead(t, path)); !reflect.DeepEqual(got, want) {
		t.Errorf("read\n%v\nappended\n%v", got, want)
	}

	j.Close()
	if got := all(t, mustRead(t, path)); !reflect.DeepEqual(got, want) {
		t.Errorf("after closing, read\n%v\nappended\n%v", got, want)
	}
	j = mustOpen(t, path, journal.Options{})
	if d := mustAppend(t, j, delivery("msg_1", `{"a":1}`)); d.Seq != 5 || d.Message != 1 || d.Attempt != 4 || d.Differs {
		t.Errorf("repeat after reopening: %+v", d)
	}
}

func TestConcurrentAppendsGetContiguousNumbersAndOneMessagePerID(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path, journal.Options{})
	const goroutines, each = 16, 50
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range each {
				// Every id is sent by two goroutines.
				if err := j.Append(t.Context(), delivery(fmt.Sprintf("msg_%d_%d", g/2, i), fmt.Sprint(g))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	messages := make(map[string]model.Delivery)
	for i, d := range all(t, mustRead(t, path)) {
		if d.Seq != int64(i+1) {
			t.Fatalf("delivery %d has number %d", i+1, d.Seq)
		}
		first, known := messages[d.ID]
		switch {
		case !known:
			messages[d.ID] = d
			if d.Repeat() || d.Attempt != 1 {
				t.Errorf("first of %s: %+v", d.ID, d)
			}
		case d.Message != first.Seq || d.Attempt != 2 || !d.Differs:
			t.Errorf("repeat of %d: %+v", first.Seq, d)
		}
	}
	if len(messages) != goroutines/2*each {
		t.Errorf("%d messages", len(messages))
	}
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
