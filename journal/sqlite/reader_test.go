package sqlite

import (
	"fmt"
	"testing"
	"time"

	"aspectop/journal"
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

func TestAReaderHoldsNoTransactionBetweenCalls(t *testing.T) {
	j, r := tenArrivals(t)
	if _, err := r.After(t.Context(), 0, 3); err != nil {
		t.Fatal(err)
	}
	// With a reader in a transaction, the log could not be started anew.
	var busy, log, copied int64
	if err := j.keeper.row("PRAGMA wal_checkpoint(TRUNCATE)", nil, &busy, &log, &copied); err != nil || busy != 0 {
		t.Errorf("busy %d, %v", busy, err)
	}
}
