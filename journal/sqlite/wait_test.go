package sqlite

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"aspectop/journal"
)

var (
	_ journal.Journal = (*Journal)(nil)
	_ journal.Reader  = (*Reader)(nil)
)

func TestAWriterThatFailedIsReadyAgainWhenItCanWrite(t *testing.T) {
	j := mustOpen(t, newPath(t), journal.Options{})
	mustAppend(t, j, delivery("msg_1", "{}"))
	if err := j.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	j.writing.Lock()
	j.failed = true
	j.writing.Unlock()
	if err := j.Ready(t.Context()); err != nil || j.failed {
		t.Errorf("%v, failed %v", err, j.failed)
	}
	j.Close()
	if err := j.Ready(t.Context()); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

func TestAReaderOfTheWritersProcessFindsCommits(t *testing.T) {
	j := mustOpen(t, newPath(t), journal.Options{})
	r, err := j.Reader()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	waits(t, j, r)
}

func TestAReaderOfAnotherProcessFindsCommits(t *testing.T) {
	path := newPath(t)
	waits(t, mustOpen(t, path, journal.Options{}), mustRead(t, path))
}

// waits holds Wait to its promise.
func waits(t *testing.T, j *Journal, r journal.Reader) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := r.Wait(ctx); err != nil {
		t.Fatalf("the first call: %v", err)
	}
	var committed atomic.Bool
	go func() {
		committed.Store(true)
		j.Append(context.Background(), delivery("msg_1", "{}"))
	}()
	for {
		if err := r.Wait(ctx); err != nil {
			t.Fatalf("no news of a commit: %v", err)
		}
		if found, err := r.After(ctx, 0, 1); err != nil {
			t.Fatal(err)
		} else if len(found) == 1 {
			break
		}
	}
	if !committed.Load() {
		t.Error("news of nothing")
	}
	cancel()
	if err := r.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled wait: %v", err)
	}
	r.Close()
	if err := r.Wait(t.Context()); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("a closed reader: %v", err)
	}
}
