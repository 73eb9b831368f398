package journaltest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"aspectop/journal"
	"aspectop/model"
)

const day = 24 * time.Hour

func outcome(seq int64, to string) model.Forward {
	return model.Forward{
		Seq: seq, To: to, At: received, Status: 503, Latency: 1234 * time.Microsecond, Tries: 3,
		Resigned: true, Final: true, GaveUp: true, Error: "answered 503", Hint: "a hint", Answer: "Invalid signature", Body: []byte("\x00\xffbody"),
	}
}

func save(t *testing.T, j journal.Journal, key string, cursor int64, list ...model.Forward) {
	t.Helper()
	if err := j.SaveForwards(key, "http://"+key, cursor, list); err != nil {
		t.Fatal(err)
	}
}

func outcomes(t *testing.T, h Location) {
	j, r := open(t, h, journal.Options{}), read(t, h)
	if _, known, err := r.ForwardCursor(t.Context(), "a"); known || err != nil {
		t.Errorf("a target of a journal that never forwarded: %v, %v", known, err)
	}
	first := outcome(1, "http://a")
	save(t, j, "a", 0, first)
	second := first
	second.Status, second.Error, second.GaveUp, second.Resigned, second.Body, second.Hint, second.Answer = 204, "", false, false, nil, "", ""
	save(t, j, "a", 1, second, outcome(2, "http://a"))
	save(t, j, "b", 7, outcome(1, "http://b"))
	got, err := r.Forwards(t.Context(), 1)
	if want := []model.Forward{second, outcome(1, "http://b")}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("of 1 came back\n%+v, want\n%+v (%v)", got, want, err)
	}
	if got, err := r.Forwards(t.Context(), 3); len(got) != 0 || err != nil {
		t.Errorf("of 3 is known %+v, %v", got, err)
	}
	for key, want := range map[string]int64{"a": 1, "b": 7} {
		if cursor, known, err := r.ForwardCursor(t.Context(), key); cursor != want || !known || err != nil {
			t.Errorf("the cursor of %s is %d, %v, %v", key, cursor, known, err)
		}
	}
}

// rejection is a rejected request with all that one may have.
func rejection(n int) model.Rejected {
	return model.Rejected{
		At: received.Add(time.Duration(n) * time.Second), ID: fmt.Sprint("msg_", n, "\x00é"), Method: "PATCH", Path: "/webhooks/aspect<",
		Verdict: model.Verdict{Reason: model.TooOld, Detail: "too old by 7m12s", Hint: "set the clock", Evidence: "spaced_json", SkewSeconds: 732, ToleranceSeconds: 300},
		Header:  map[string][]string{"Svix-Id": {"a", "b"}, "X-Odd": {"\xff"}}, Body: []byte("\x00\xffbody"), Size: 4711,
	}
}

func reject(t *testing.T, j journal.Journal, list ...model.Rejected) {
	t.Helper()
	if err := j.SaveRejections(list); err != nil {
		t.Fatal(err)
	}
}

func rejections(t *testing.T, r journal.Reader, limit int) []model.Rejected {
	t.Helper()
	found, err := r.Rejections(t.Context(), limit)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func ring(t *testing.T, h Location) {
	j, r := open(t, h, journal.Options{}), read(t, h)
	if found := rejections(t, r, 10); len(found) != 0 {
		t.Errorf("an empty journal has %v", found)
	}
	bare := model.Rejected{At: received, Header: map[string][]string{}}
	reject(t, j, bare, rejection(1))
	if got, want := rejections(t, r, 10), []model.Rejected{rejection(1), bare}; !reflect.DeepEqual(got, want) {
		t.Errorf("came back\n%+v, want\n%+v", got, want)
	}
	for n := 2; n <= journal.RejectionsKept+50; n += 50 {
		var list []model.Rejected
		for m := range 50 {
			list = append(list, rejection(n+m))
		}
		reject(t, j, list...)
	}
	found := rejections(t, r, 5000)
	if n := journal.RejectionsKept; len(found) != n || !reflect.DeepEqual(found[0], rejection(n+51)) || !reflect.DeepEqual(found[n-1], rejection(52)) {
		t.Errorf("%d are kept, from %s to %s", len(found), found[len(found)-1].ID, found[0].ID)
	}
	if got := rejections(t, r, 2); !reflect.DeepEqual(got, found[:2]) {
		t.Errorf("the newest two are %v", got)
	}
	if d := appendTo(t, j, delivery("msg_1", "{}")); d.Seq != 1 {
		t.Errorf("the first delivery has number %d", d.Seq)
	}
	if got := all(t, r); len(got) != 1 {
		t.Errorf("%d deliveries", len(got))
	}
}

func retainedRejections(t *testing.T, h Location) {
	j, r := open(t, h, journal.Options{}), read(t, h)
	old, young := rejection(0), rejection(1)
	young.At = received.Add(5 * day)
	reject(t, j, old, young)
	reopen(t, h, j, day, received.Add(5*day))
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		found := rejections(t, r, 10)
		if len(found) == 1 && found[0].ID == young.ID {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("kept %v", found)
		}
	}
}

func settled(t *testing.T, h Location) {
	j, r := open(t, h, journal.Options{}), read(t, h)
	for seq := int64(1); seq <= 10; seq++ {
		f := outcome(seq, "http://a")
		f.Final = seq%2 == 0
		save(t, j, "a", 0, f)
	}
	save(t, j, "b", 0, outcome(5, "http://b"))
	if got, err := r.SettledForwards(t.Context(), "a", 2, 8); err != nil || !slices.Equal(got, []int64{4, 6, 8}) {
		t.Errorf("%v, %v", got, err)
	}
}

// event is a delivery about a task with one feature.
func event(id, task, typ, state string, updated, arrived time.Time) *model.Delivery {
	d := delivery(id, fmt.Sprintf(
		`{"timestamp":%q,"event_id":"e","event_type":%q,"data":{"task":{"id":%q,"features":{"visual":{"state":%q}},"updated":%q}}}`,
		updated.Format(time.RFC3339), typ, task, state, updated.Format(time.RFC3339)))
	d.Received = arrived
	return d
}

// keeps waits until the journal holds just these, by id and attempt. Retention
// works in the background.
func keeps(t *testing.T, r journal.Reader, want ...string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		got := ids(all(t, r))
		if slices.Equal(got, want) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("kept %v, want %v", got, want)
		}
	}
}

// reopen opens the journal with retention as of a moment. Retention starts with
// the journal.
func reopen(t *testing.T, h Location, j journal.Journal, retain time.Duration, now time.Time) journal.Journal {
	t.Helper()
	j.Close()
	return open(t, h, journal.Options{Retain: retain, Now: func() time.Time { return now }})
}

func retention(t *testing.T, h Location) {
	j, r := open(t, h, journal.Options{}), read(t, h)
	at := func(minutes int) time.Time { return received.Add(time.Duration(minutes) * time.Minute) }
	appendTo(t, j, delivery("ping", `{"success":true}`))
	appendTo(t, j, delivery("ping", `{"success":true}`))
	appendTo(t, j, event("open_1", "open", "task.progress", "queued", at(0), at(10)))
	appendTo(t, j, event("open_2", "open", "task.progress", "processing", at(2), at(10)))
	appendTo(t, j, event("done_1", "done", "task.progress", "processing", at(1), at(10)))
	appendTo(t, j, event("done_2", "done", "task.completed", "completed", at(3), at(10)))
	appendTo(t, j, event("young", "young", "task.completed", "completed", at(3), received.Add(5*day)))
	save(t, j, "a", 1, outcome(1, "http://a"), outcome(7, "http://a"))

	j = reopen(t, h, j, 10*day, received.Add(9*day))
	keeps(t, r, "ping/1", "ping/2", "open_1/1", "open_2/1", "done_1/1", "done_2/1", "young/1")
	j = reopen(t, h, j, 10*day, received.Add(11*day))
	keeps(t, r, "open_2/1", "young/1")
	if got, err := r.Forwards(t.Context(), 7); len(got) != 1 || err != nil {
		t.Errorf("the outcome of what is kept: %v, %v", got, err)
	}
	if d := appendTo(t, j, delivery("next", "{}")); d.Seq != 8 {
		t.Errorf("after a removal the next number is %d", d.Seq)
	}
}

func remembered(t *testing.T, h Location) {
	j, r := open(t, h, journal.Options{}), read(t, h)
	appendTo(t, j, delivery("msg_1", "first body"))
	j = reopen(t, h, j, time.Hour, received.Add(47*time.Hour))
	keeps(t, r)
	for body, differs := range map[string]bool{"first body": false, "another": true} {
		d := delivery("msg_1", body)
		d.Received = received.Add(47 * time.Hour)
		if appendTo(t, j, d); d.Message != 1 || d.Differs != differs {
			t.Errorf("%q came again as %+v", body, d)
		}
	}
	j = reopen(t, h, j, time.Hour, received.Add(100*time.Hour))
	keeps(t, r)
	deadline := time.Now().Add(20 * time.Second)
	for n := 0; ; n++ { // ids are forgotten after deliveries are removed
		d := delivery("msg_1", "first body")
		d.Received = received.Add(100 * time.Hour)
		if appendTo(t, j, d); !d.Repeat() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the id is never forgotten")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func leased(t *testing.T, h Location) {
	j := open(t, h, journal.Options{})
	told := make(chan journal.LeaseOwner, 10)
	wrong := errors.New("wrong")
	err := j.WithLease(t.Context(), "lease", func(h journal.LeaseOwner) { told <- h }, func(ctx context.Context) error {
		if ctx.Err() != nil {
			t.Error(ctx.Err())
		}
		return wrong
	})
	if owner := <-told; err != wrong || !owner.Self {
		t.Errorf("%v, %+v", err, owner)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = j.WithLease(ctx, "lease", func(journal.LeaseOwner) {}, func(ctx context.Context) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("after its context has ended: %v", err)
	}
}
