package postgres

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"aspectop/journal"
	"aspectop/journal/postgres/pgtest"
	"aspectop/model"
)

func TestWhatComesWhileAnotherReceiverHasItsTurnSharesOneCommit(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, "fsync = off")
	d := database(s.URL("aspectop", "aspectop"))
	sizes := make(chan int, 100)
	j := d.Open(t, journal.Options{Committed: func(all []model.Delivery) { sizes <- len(all) }}).(*Journal)
	another := d.Open(t, journal.Options{})
	for i, to := range []journal.Journal{j, another, j} {
		if err := to.Append(t.Context(), delivery(fmt.Sprint("before", i), "{}")); err != nil {
			t.Fatal(err)
		}
	}
	<-sizes
	<-sizes

	c := s.Connect("aspectop", "aspectop")
	turn, err := c.Begin(t.Context())
	if err == nil {
		_, err = turn.Exec(t.Context(), `SELECT FROM aspectop.head FOR UPDATE`)
	}
	if err != nil {
		t.Fatal(err)
	}
	const n = 21
	var all sync.WaitGroup
	defer all.Wait()
	for i := range n {
		all.Go(func() {
			if err := j.Append(t.Context(), delivery(fmt.Sprint("meanwhile", i), "{}")); err != nil {
				t.Error(err)
			}
		})
	}
	for deadline := time.Now().Add(time.Minute); j.group.Waiting() < n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("%d of %d wait", j.group.Waiting(), n)
			break
		}
	}
	if err := turn.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if size := <-sizes; size != n {
		t.Errorf("%d were committed together, want %d", size, n)
	}
}

// The numbers of others have to be seen, whatever the database's default is.
func TestReceiversShareADatabaseWhoseTransactionsAreSerializableByDefault(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, "fsync = off", "default_transaction_isolation = 'serializable'")
	d := database(s.URL("aspectop", "aspectop"))
	l := startLoad(t, d.Open(t, journal.Options{}), d.Open(t, journal.Options{}))
	l.more(300)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed > 0 {
		t.Errorf("%d of %d were refused", l.failed, len(l.acked))
	}
}
