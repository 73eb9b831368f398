package sqlite

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"aspectop/journal"
	"aspectop/model"
)

// clock is a clock for Options.Now that stands until it is set.
type clock struct{ at atomic.Int64 }

func newClock(t time.Time) *clock {
	c := new(clock)
	c.set(t)
	return c
}

func (c *clock) set(t time.Time) { c.at.Store(t.UnixNano()) }
func (c *clock) now() time.Time  { return time.Unix(0, c.at.Load()) }

// event is a delivery of a task's event: typ is task.progress and so on, state
// that of its one feature.
func event(id, task, typ, state string, at time.Time) *model.Delivery {
	d := delivery(id, fmt.Sprintf(
		`{"timestamp":%q,"event_id":"e","event_type":%q,"data":{"task":{"id":%q,"features":{"visual":{"state":%q}},"updated":%q}}}`,
		at.Format(time.RFC3339), typ, task, state, at.Format(time.RFC3339)))
	d.Received = at
	return d
}

func mustRetain(t *testing.T, j *Journal) {
	t.Helper()
	if err := j.retain(); err != nil {
		t.Fatal(err)
	}
}

func idsOf(found []model.Delivery) []string {
	var ids []string
	for _, d := range found {
		ids = append(ids, fmt.Sprintf("%s/%d", d.ID, d.Attempt))
	}
	return ids
}

func wantKept(t *testing.T, r *Reader, want ...string) {
	t.Helper()
	if got := idsOf(all(t, r)); !slices.Equal(got, want) {
		t.Errorf("kept %v, want %v", got, want)
	}
}

const day = 24 * time.Hour

func TestOldDeliveriesAndRepeatsGoAndYoungOnesStay(t *testing.T) {
	path := newPath(t)
	c := newClock(received)
	j := mustOpenUnkept(t, path, journal.Options{Retain: 30 * day, Now: c.now})
	r := mustRead(t, path)
	for i := range 300 { // more than one step
		d := delivery(fmt.Sprint("msg_", i), "{}")
		d.Received = received.Add(time.Duration(i) * time.Hour)
		mustAppend(t, j, d)
		again := delivery(fmt.Sprint("msg_", i), "{}")
		again.Received = d.Received
		mustAppend(t, j, again)
	}
	mustRetain(t, j)
	if n := len(all(t, r)); n != 600 {
		t.Fatalf("%d kept while all are young", n)
	}
	c.set(received.Add(30*day + 298*time.Hour + time.Minute))
	mustRetain(t, j)
	wantKept(t, r, "msg_299/1", "msg_299/2")
}

func TestTheNewestEventOfAnUnfinishedTaskStays(t *testing.T) {
	path := newPath(t)
	c := newClock(received)
	j := mustOpenUnkept(t, path, journal.Options{Retain: 10 * day, Now: c.now})
	r := mustRead(t, path)
	at := func(minutes int) time.Time { return received.Add(time.Duration(minutes) * time.Minute) }
	for _, d := range []*model.Delivery{
		event("open_1", "open", "task.progress", "queued", at(0)),
		event("done_1", "done", "task.progress", "processing", at(1)),
		event("open_2", "open", "task.progress", "processing", at(2)),
		event("done_2", "done", "task.completed", "completed", at(3)),
		event("done_late", "done", "task.progress", "processing", at(1)),
		event("done_tie", "done", "task.progress", "processing", at(3)),
		event("failed_1", "failed", "task.failed", "failed", at(4)),
		event("open_late", "open", "task.progress", "queued", at(0)),
		delivery("ping", `{"success":true}`),
		event("later_1", "later", "task.progress", "processing", at(5)),
	} {
		d.Received = at(10)
		mustAppend(t, j, d)
	}
	d := event("later_2", "later", "task.completed", "completed", at(6))
	d.Received = received.Add(5 * day)
	mustAppend(t, j, d)

	c.set(received.Add(11 * day))
	mustRetain(t, j)
	// The task "later" is known to have gone on once later_2 is old as well.
	wantKept(t, r, "open_2/1", "later_1/1", "later_2/1")
	mustRetain(t, j)
	wantKept(t, r, "open_2/1", "later_1/1", "later_2/1")
	c.set(received.Add(100 * day))
	mustRetain(t, j)
	wantKept(t, r, "open_2/1")
	mustAppend(t, j, event("open_3", "open", "task.failed", "failed", at(7)))
	mustRetain(t, j)
	wantKept(t, r)
}

func TestIDsAreRememberedFor48HoursThoughTheirDeliveriesAreGone(t *testing.T) {
	path := newPath(t)
	c := newClock(received)
	o := journal.Options{Retain: time.Hour, Now: c.now}
	j := mustOpenUnkept(t, path, o)
	mustAppend(t, j, delivery("msg_1", "{}"))
	c.set(received.Add(2 * time.Hour))
	mustRetain(t, j)
	for range 2 {
		wantKept(t, mustRead(t, path))
		// The ids are read anew.
		j.Close()
		j = mustOpenUnkept(t, path, o)
	}
	again := delivery("msg_1", "{}")
	again.Received = received.Add(47 * time.Hour)
	if d := mustAppend(t, j, again); d.Seq != 2 || d.Message != 1 || d.Attempt != 2 || d.Differs {
		t.Errorf("the same again: %+v", d)
	}
	other := delivery("msg_1", "{ }")
	other.Received = received.Add(47 * time.Hour)
	if d := mustAppend(t, j, other); d.Message != 1 || !d.Differs {
		t.Errorf("with another body: %+v", d)
	}

	c.set(received.Add(48*time.Hour + time.Second))
	mustRetain(t, j)
	if d := mustAppend(t, j, delivery("msg_1", "{}")); d.Repeat() || d.Attempt != 1 {
		t.Errorf("after 48 hours: %+v", d)
	}
}

func TestIDsAreForgottenWithTheirDeliveriesAfter48Hours(t *testing.T) {
	c := newClock(received)
	j := mustOpenUnkept(t, newPath(t), journal.Options{Retain: 3 * day, Now: c.now})
	mustAppend(t, j, delivery("msg_1", "{}"))
	mustAppend(t, j, delivery("msg_1", "{}"))
	c.set(received.Add(4 * day))
	mustRetain(t, j)
	if len(j.ids.seqs) != 0 || len(j.ids.attempts) != 0 {
		t.Errorf("remembered: %v, %v", j.ids.seqs, j.ids.attempts)
	}
}

func TestNoNumberIsGivenTwiceThoughTheNewestDeliveryWasRemoved(t *testing.T) {
	path := newPath(t)
	c := newClock(received)
	o := journal.Options{Retain: 3 * day, Now: c.now}
	j := mustOpenUnkept(t, path, o)
	for i := range 5 {
		mustAppend(t, j, delivery(fmt.Sprint("msg_", i), "{}"))
	}
	c.set(received.Add(4 * day))
	mustRetain(t, j)
	r := mustRead(t, path)
	wantKept(t, r)
	if first, last, err := r.Range(t.Context()); first != 0 || last != 0 || err != nil {
		t.Errorf("range of nothing: %d to %d, %v", first, last, err)
	}
	j.Close()
	j = mustOpenUnkept(t, path, o)
	if d := mustAppend(t, j, delivery("msg_0", "{}")); d.Seq != 6 || d.Message != 6 {
		t.Errorf("after reopening: %+v", d)
	}
	if _, err := r.Get(t.Context(), 5); !errors.Is(err, journal.ErrNotFound) {
		t.Error(err)
	}
}

// The first look is at the start: nobody calls retain here.
func TestRetentionWorksByItself(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path, journal.Options{})
	mustAppend(t, j, delivery("msg_1", "{}"))
	j.Close()
	mustOpen(t, path, journal.Options{Retain: day, Now: func() time.Time { return received.Add(3 * day) }})
	r := mustRead(t, path)
	for deadline := time.Now().Add(time.Minute); len(all(t, r)) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing is removed")
		}
	}
}
