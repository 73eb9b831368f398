package sqlite

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"aspectop/journal"
	"aspectop/model"
)

// tenArrivals makes a journal of ten arrivals, a minute apart, every third of
// which repeats the first message.
func tenArrivals(t *testing.T) (*Journal, *Reader) {
	path := newPath(t)
	j := mustOpenUnkept(t, path, journal.Options{})
	for i := range 10 {
		d := delivery(fmt.Sprint("msg_", i), "{}")
		if i%3 == 2 {
			d = delivery("msg_0", fmt.Sprint(i))
		}
		d.Received = received.Add(time.Duration(i) * time.Minute)
		mustAppend(t, j, d)
	}
	return j, mustRead(t, path)
}

func numbers(found []model.Delivery) []int64 {
	var n []int64
	for _, d := range found {
		n = append(n, d.Seq)
	}
	return n
}

func TestReadersGoBothWaysThroughMessagesAndRepeatsByNumber(t *testing.T) {
	_, r := tenArrivals(t)
	for _, c := range []struct {
		read  string
		seq   int64
		limit int
		want  []int64
	}{
		{"After", 0, 4, []int64{1, 2, 3, 4}},
		{"After", 4, 100, []int64{5, 6, 7, 8, 9, 10}},
		{"After", 10, 100, nil},
		{"After", -5, 1, []int64{1}},
		{"Before", math.MaxInt64, 4, []int64{10, 9, 8, 7}},
		{"Before", 4, 100, []int64{3, 2, 1}},
		{"Before", 1, 100, nil},
	} {
		read := r.After
		if c.read == "Before" {
			read = r.Before
		}
		found, err := read(t.Context(), c.seq, c.limit)
		if got := numbers(found); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s(%d, %d): %v, %v", c.read, c.seq, c.limit, got, err)
		}
	}
	if first, last, err := r.Range(t.Context()); first != 1 || last != 10 || err != nil {
		t.Errorf("range: %d to %d, %v", first, last, err)
	}
}

func TestGetFindsMessagesAndRepeats(t *testing.T) {
	_, r := tenArrivals(t)
	for i, want := range all(t, r) {
		got, err := r.Get(t.Context(), int64(i+1))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%d: %v, %v", i+1, got, err)
		}
	}
	if _, err := r.Get(t.Context(), 11); !errors.Is(err, journal.ErrNotFound) {
		t.Error(err)
	}
}

func TestRepeatsOfAMessageAreOldestFirst(t *testing.T) {
	_, r := tenArrivals(t)
	found, err := r.Repeats(t.Context(), 1)
	if got := idsOf(found); err != nil || !slices.Equal(got, []string{"msg_0/2", "msg_0/3", "msg_0/4"}) {
		t.Errorf("%v, %v", got, err)
	}
	if found, err := r.Repeats(t.Context(), 2); len(found) != 0 || err != nil {
		t.Errorf("of another: %v, %v", found, err)
	}
}

func TestSinceIsTheCursorForATime(t *testing.T) {
	_, r := tenArrivals(t)
	for minutes := -1; minutes <= 11; minutes++ {
		at := received.Add(time.Duration(minutes) * time.Minute)
		// A delivery received at that very time is not before it.
		if got, err := r.Since(t.Context(), at); err != nil || got != int64(min(max(minutes, 0), 10)) {
			t.Errorf("since minute %d: %d, %v", minutes, got, err)
		}
	}
	empty := newPath(t)
	mustOpenUnkept(t, empty, journal.Options{})
	if got, err := mustRead(t, empty).Since(t.Context(), received); got != 0 || err != nil {
		t.Errorf("in an empty journal: %d, %v", got, err)
	}
}

func TestSinceStepsOverNumbersThatAreGone(t *testing.T) {
	j, r := tenArrivals(t)
	if _, err := j.writer.exec("DELETE FROM deliveries WHERE seq BETWEEN 4 AND 8"); err != nil {
		t.Fatal(err)
	}
	for minute, want := range []int64{0, 1, 2, 3, 3, 3, 6, 6, 6, 9, 10} { // 3, 6 and 9 are repeats
		if got, err := r.Since(t.Context(), received.Add(time.Duration(minute)*time.Minute)); err != nil || got != want {
			t.Errorf("since minute %d: %d, not %d (%v)", minute, got, want, err)
		}
	}
}

func TestHeadersCanBeOmitted(t *testing.T) {
	_, r := tenArrivals(t)
	want := all(t, r)
	for i := range want {
		want[i].Header = nil
	}
	r.OmitHeader()
	if got := all(t, r); !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
}

func TestAReaderHoldsNoTransactionBetweenCalls(t *testing.T) {
	j, r := tenArrivals(t)
	if _, err := r.After(t.Context(), 0, 3); err != nil {
		t.Fatal(err)
	}
	// With a reader in a transaction, the log could not be started anew.
	var busy, log, copied int
	if err := j.keeper.row("PRAGMA wal_checkpoint(TRUNCATE)", nil, &busy, &log, &copied); err != nil || busy != 0 {
		t.Errorf("busy %d, %v", busy, err)
	}
}
