package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"aspectop/journal"
	"aspectop/model"
)

func TestACancelledAppendKeepsNothing(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path, journal.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.Append(ctx, delivery("msg_1", "{}")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if n := len(all(t, mustRead(t, path))); n != 0 {
		t.Errorf("%d deliveries", n)
	}
}

func TestArrivalsThatWaitAreCommittedTogether(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path, journal.Options{})
	r := mustRead(t, path)
	r.changed(t.Context())
	const n = 20
	j.writing.Lock()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			// One id for two: the second waits for the commit of the first.
			if err := j.Append(t.Context(), delivery(fmt.Sprint("msg_", i/2), fmt.Sprint(i/4))); err != nil {
				t.Error(err)
			}
		})
	}
	for waiting := 0; waiting < n; {
		runtime.Gosched()
		waiting = j.group.Waiting()
	}
	j.writing.Unlock()
	wg.Wait()
	found := all(t, r)
	repeats := 0
	for _, d := range found {
		if d.Repeat() {
			repeats++
			if d.Attempt != 2 || d.Differs || d.ID != found[d.Message-1].ID {
				t.Errorf("%+v repeats %+v", d, found[d.Message-1])
			}
		}
	}
	if len(found) != n || repeats != n/2 {
		t.Errorf("%d arrivals, %d repeats", len(found), repeats)
	}
}

func TestAFailedCommitForgetsItsIDs(t *testing.T) {
	j := mustOpenUnkept(t, newPath(t), journal.Options{})
	mustAppend(t, j, delivery("msg_1", "{}"))
	if _, err := j.keeper.exec(`CREATE TRIGGER refuse BEFORE INSERT ON deliveries WHEN new.id = 'bad' BEGIN SELECT raise(ABORT, 'refused'); END`); err != nil {
		t.Fatal(err)
	}
	j.writing.Lock()
	var wg sync.WaitGroup
	for i, id := range []string{"msg_1", "msg_2", "msg_2", "bad"} {
		wg.Go(func() {
			d := delivery(id, "{}")
			if err := j.Append(t.Context(), d); err == nil || d.Seq != 0 || d.Attempt != 0 {
				t.Errorf("%s: %v, %+v", id, err, d)
			}
		})
		for waiting := 0; waiting <= i; {
			runtime.Gosched()
			waiting = j.group.Waiting()
		}
	}
	j.writing.Unlock()
	wg.Wait()
	if d := mustAppend(t, j, delivery("msg_1", "{}")); d.Seq != 2 || d.Message != 1 || d.Attempt != 2 {
		t.Errorf("a repeat: %+v", d)
	}
	if d := mustAppend(t, j, delivery("msg_2", "{}")); d.Seq != 3 || d.Repeat() {
		t.Errorf("a message: %+v", d)
	}
}

func TestAnIDTakesAtMost48Bytes(t *testing.T) {
	const n = 200_000
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	known := newIDs()
	for seq := range int64(n) {
		known.add(known.hash(fmt.Sprint("msg_", seq)), seq+1<<33)
	}
	bytes := float64(heap()-before) / n
	if bytes > 48 {
		t.Errorf("%.1f bytes", bytes)
	}
	for seq := range int64(n) {
		if got, ok := known.message(known.hash(fmt.Sprint("msg_", seq))); !ok || got != seq+1<<33 {
			t.Fatalf("msg_%d: %d, %v", seq, got, ok)
		}
	}
	t.Logf("%.1f bytes", bytes)
}

func TestAnAppendAllocatesLittle(t *testing.T) {
	j, err := OpenMemory(journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	deliveries := make([]*model.Delivery, 1001)
	for i := range deliveries {
		deliveries[i] = typical(i)
	}
	next := 0
	n := testing.AllocsPerRun(1000, func() {
		if err := j.Append(t.Context(), deliveries[next]); err != nil {
			t.Fatal(err)
		}
		next++
	})
	if n > 40 {
		t.Errorf("%.0f allocations", n)
	}
	t.Logf("%.0f allocations", n)
}

func TestReceiptIsKeptToTheMicrosecondInUTC(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path, journal.Options{})
	d := delivery("msg_1", "{}")
	d.Received = time.Date(2026, 11, 23, 13, 0, 0, 123456789, time.FixedZone("CET", 3600))
	mustAppend(t, j, d)
	if got := all(t, mustRead(t, path))[0].Received; got != received {
		t.Errorf("%v", got)
	}
}
