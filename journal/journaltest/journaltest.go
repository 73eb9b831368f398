// Package journaltest tests an implementation of a journal against the promises of package
// journal. Each runs it in its own tests.
package journaltest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"aspectop/journal"
	"aspectop/model"
)

// Location is an empty journal.
type Location interface {
	// Open opens it for appending. The suite closes it.
	Open(t testing.TB, o journal.Options) journal.Journal
	// Reader opens it as another process does. The suite closes it.
	Reader(t testing.TB) journal.Reader
}

// Run runs the suite. newLocation returns a new, empty location for each test.
func Run(t *testing.T, newLocation func(t testing.TB) Location) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, h Location)
	}{
		{"Deliveries come back as they were appended", comeBack},
		{"Concurrent appends get contiguous numbers and one message per id", concurrent},
		{"Ids and headers may hold any byte", anyByte},
		{"Readers go both ways through messages and repeats", bothWays},
		{"Since is the cursor for a time", since},
		{"What was committed is handed over in order, as it is read", handedOver},
		{"Headers can be omitted", omitted},
		{"A waiting reader learns of commits, in this process and in others", waiting},
		{"A reader never misses or repeats a number while others append", following},
		{"Several deliveries are kept in one commit, in their order", several},
		{"A webhook after its twin of the event stream is a repeat", twins},
		{"Outcomes come back as they were saved, the newest for each target", outcomes},
		{"Settled are the final outcomes of one target in a range", settled},
		{"Rejected requests come back newest first, from a ring", ring},
		{"Old rejected requests go", retainedRejections},
		{"Old deliveries go, young ones and unfinished tasks stay", retention},
		{"An id is remembered for two days after its delivery was removed", remembered},
		{"A lease is held and given back", leased},
		{"A closed journal refuses everything", refused},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, newLocation(t)) })
	}
}

var received = time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)

func delivery(id, body string) *model.Delivery {
	return &model.Delivery{
		ID: id, Source: model.SourceWebhook, Secret: "default", Received: received,
		Header: map[string][]string{"Svix-Id": {id}, "Accept": {"*/*", "text/plain"}},
		Body:   []byte(body),
	}
}

func open(t *testing.T, h Location, o journal.Options) journal.Journal {
	t.Helper()
	j := h.Open(t, o)
	t.Cleanup(func() { j.Close() })
	return j
}

func read(t *testing.T, h Location) journal.Reader {
	t.Helper()
	r := h.Reader(t)
	t.Cleanup(func() { r.Close() })
	return r
}

func appendTo(t *testing.T, j journal.Journal, d *model.Delivery) *model.Delivery {
	t.Helper()
	if err := j.Append(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	return d
}

func all(t *testing.T, r journal.Reader) (found []model.Delivery) {
	t.Helper()
	for last := int64(0); ; last = found[len(found)-1].Seq {
		next, err := r.After(t.Context(), last, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(next) == 0 {
			return found
		}
		found = append(found, next...)
	}
}

// ids are those of the deliveries, each with its attempt.
func ids(found []model.Delivery) (words []string) {
	for _, d := range found {
		words = append(words, fmt.Sprintf("%s/%d", d.ID, d.Attempt))
	}
	return words
}

func comeBack(t *testing.T, h Location) {
	j := open(t, h, journal.Options{})
	first := appendTo(t, j, delivery("msg_1", `{"a":1}`))
	second := appendTo(t, j, delivery("msg_2", ""))
	again := appendTo(t, j, delivery("msg_1", `{"a":1}`))
	other := appendTo(t, j, delivery("msg_1", `{"a":2}`))
	second.Body, again.Body = nil, nil
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
	if got := all(t, read(t, h)); !reflect.DeepEqual(got, want) {
		t.Errorf("read\n%v\nappended\n%v", got, want)
	}
	j.Close()
	j = open(t, h, journal.Options{})
	if got := all(t, read(t, h)); !reflect.DeepEqual(got, want) {
		t.Errorf("after reopening, read\n%v\nappended\n%v", got, want)
	}
	if d := appendTo(t, j, delivery("msg_1", `{"a":1}`)); d.Seq != 5 || d.Message != 1 || d.Attempt != 4 || d.Differs {
		t.Errorf("a repeat after reopening: %+v", d)
	}
}

func concurrent(t *testing.T, h Location) {
	j := open(t, h, journal.Options{})
	const goroutines, each = 16, 30
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range each { // every id is sent by two goroutines
				if err := j.Append(t.Context(), delivery(fmt.Sprintf("msg_%d_%d", g/2, i), fmt.Sprint(g))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	messages := make(map[string]model.Delivery)
	for i, d := range all(t, read(t, h)) {
		if d.Seq != int64(i+1) {
			t.Fatalf("delivery %d has number %d", i+1, d.Seq)
		}
		first, known := messages[d.ID]
		switch {
		case !known:
			messages[d.ID] = d
			if d.Repeat() || d.Attempt != 1 {
				t.Errorf("the first of %s: %+v", d.ID, d)
			}
		case d.Message != first.Seq || d.Attempt != 2 || !d.Differs:
			t.Errorf("a repeat of %d: %+v", first.Seq, d)
		}
	}
	if len(messages) != goroutines/2*each {
		t.Errorf("%d messages", len(messages))
	}
}

func handedOver(t *testing.T, h Location) {
	var mu sync.Mutex
	var got []model.Delivery
	j := open(t, h, journal.Options{Committed: func(batch []model.Delivery) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, batch...)
	}})
	own, err := j.Reader()
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	has := func(seq int64) bool {
		mu.Lock()
		defer mu.Unlock()
		return len(got) > 0 && got[len(got)-1].Seq >= seq
	}
	var wg sync.WaitGroup
	const goroutines, each = 8, 20
	for g := range goroutines {
		wg.Go(func() {
			for i := range each { // every id is sent by two goroutines, every fourth body twice the same
				body := []string{"", "same", fmt.Sprint(g), fmt.Sprint(-g)}[i%4]
				d := delivery(fmt.Sprintf("msg_%d_%d", g/2, i), body)
				d.Received = received.Add(time.Duration(g*each+i) * 1001 * time.Nanosecond).In(time.FixedZone("", 3600))
				d.Header["X"] = []string{"caf\xe9", ""}
				if err := j.Append(t.Context(), d); err != nil {
					t.Error(err)
				} else if !has(d.Seq) {
					t.Errorf("%d was acknowledged before it was handed over", d.Seq)
				}
			}
		})
	}
	for last := int64(0); last < goroutines*each; {
		if err := own.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, last, err = own.Range(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	if want := all(t, read(t, h)); !reflect.DeepEqual(got, want) {
		t.Errorf("handed over\n%v\nread\n%v", got, want)
	}
}

func anyByte(t *testing.T, h Location) {
	j := open(t, h, journal.Options{})
	for i, id := range []string{"caf\xe9", "日本語", "a\x00b", "base64:YQ==", `\`, "'; DROP TABLE deliveries; --"} {
		d := delivery(id, "\x00\xff")
		d.Header = map[string][]string{"X": {"caf\xe9\x00", "日本\xff", ""}}
		appendTo(t, j, d)
		if again := appendTo(t, j, delivery(id, "\x00\xff")); again.Message != d.Seq || again.Differs {
			t.Errorf("%q came again as %+v", id, again)
		}
		if got := all(t, read(t, h))[2*i]; !reflect.DeepEqual(got, *d) {
			t.Errorf("read %+v, appended %+v", got, *d)
		}
	}
}

// tenArrivals appends ten, a minute apart, every third of which repeats the first
// message.
func tenArrivals(t *testing.T, h Location) journal.Reader {
	t.Helper()
	j := open(t, h, journal.Options{})
	for i := range 10 {
		d := delivery(fmt.Sprint("msg_", i), "{}")
		if i%3 == 2 {
			d = delivery("msg_0", fmt.Sprint(i))
		}
		d.Received = received.Add(time.Duration(i) * time.Minute)
		appendTo(t, j, d)
	}
	return read(t, h)
}

func bothWays(t *testing.T, h Location) {
	r := tenArrivals(t, h)
	for _, c := range []struct {
		name  string
		read  func(context.Context, int64, int) ([]model.Delivery, error)
		seq   int64
		limit int
		want  []int64
	}{
		{"After", r.After, 0, 4, []int64{1, 2, 3, 4}},
		{"After", r.After, 4, 100, []int64{5, 6, 7, 8, 9, 10}},
		{"After", r.After, 10, 100, nil},
		{"After", r.After, -5, 1, []int64{1}},
		{"Before", r.Before, math.MaxInt64, 4, []int64{10, 9, 8, 7}},
		{"Before", r.Before, 4, 100, []int64{3, 2, 1}},
		{"Before", r.Before, 1, 100, nil},
	} {
		var got []int64
		found, err := c.read(t.Context(), c.seq, c.limit)
		for _, d := range found {
			got = append(got, d.Seq)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s(%d, %d): %v, %v", c.name, c.seq, c.limit, got, err)
		}
	}
	if first, last, err := r.Range(t.Context()); first != 1 || last != 10 || err != nil {
		t.Errorf("range: %d to %d, %v", first, last, err)
	}
	for i, want := range all(t, r) {
		if got, err := r.Get(t.Context(), int64(i+1)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%d: %v, %v", i+1, got, err)
		}
	}
	if _, err := r.Get(t.Context(), 11); !errors.Is(err, journal.ErrNotFound) {
		t.Error(err)
	}
	found, err := r.Repeats(t.Context(), 1)
	if got := ids(found); err != nil || !slices.Equal(got, []string{"msg_0/2", "msg_0/3", "msg_0/4"}) {
		t.Errorf("repeats: %v, %v", got, err)
	}
	if found, err := r.Repeats(t.Context(), 2); len(found) != 0 || err != nil {
		t.Errorf("repeats of another: %v, %v", found, err)
	}
}

func since(t *testing.T, h Location) {
	empty := open(t, h, journal.Options{})
	if got, err := read(t, h).Since(t.Context(), received); got != 0 || err != nil {
		t.Errorf("in an empty journal: %d, %v", got, err)
	}
	empty.Close()
	r := tenArrivals(t, h)
	for minutes := -1; minutes <= 11; minutes++ {
		at := received.Add(time.Duration(minutes) * time.Minute)
		// A delivery received at that very time is not before it.
		if got, err := r.Since(t.Context(), at); err != nil || got != int64(min(max(minutes, 0), 10)) {
			t.Errorf("since minute %d: %d, %v", minutes, got, err)
		}
	}
}

func omitted(t *testing.T, h Location) {
	r := tenArrivals(t, h)
	want := all(t, r)
	for i := range want {
		want[i].Header = nil
	}
	r.OmitHeader()
	if got := all(t, r); !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
}

func waiting(t *testing.T, h Location) {
	j := open(t, h, journal.Options{})
	own, err := j.Reader()
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	for i, r := range []journal.Reader{own, read(t, h)} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if err := r.Wait(ctx); err != nil {
			t.Fatalf("the first call: %v", err)
		}
		go func() { j.Append(context.Background(), delivery(fmt.Sprint("msg_", i), "{}")) }()
		for {
			if found, err := r.After(ctx, int64(i), 1); err != nil {
				t.Fatal(err)
			} else if len(found) == 1 {
				break
			}
			if err := r.Wait(ctx); err != nil {
				t.Fatalf("no news of a commit: %v", err)
			}
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
}

func following(t *testing.T, h Location) {
	j := open(t, h, journal.Options{})
	r := read(t, h)
	const n = 400
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range n / 4 {
				if err := j.Append(t.Context(), delivery(fmt.Sprintf("msg_%d_%d", g, i), "{}")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for seen := int64(0); seen < n; {
		found, err := r.After(ctx, seen, 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range found {
			if seen++; d.Seq != seen {
				t.Fatalf("after %d came %d", seen-1, d.Seq)
			}
		}
		if len(found) == 0 {
			if err := r.Wait(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	wg.Wait()
}

func refused(t *testing.T, h Location) {
	j := open(t, h, journal.Options{})
	if err := j.Ready(t.Context()); err != nil {
		t.Errorf("ready: %v", err)
	}
	r := read(t, h)
	r.Close()
	if _, err := r.After(t.Context(), 0, 1); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("a closed reader: %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.Append(cancelled, delivery("msg_1", "{}")); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled append: %v", err)
	}
	if n := len(all(t, read(t, h))); n != 0 {
		t.Errorf("it kept %d", n)
	}
	j.Close()
	for name, err := range map[string]error{
		"append": j.Append(t.Context(), delivery("msg_1", "{}")),
		"save":   j.SaveForwards("a", "http://a", 0, nil),
		"reject": j.SaveRejections([]model.Rejected{rejection(1)}),
		"ready":  j.Ready(t.Context()),
	} {
		if !errors.Is(err, journal.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
