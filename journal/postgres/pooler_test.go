package postgres

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"aspectop/journal"
	"aspectop/journal/postgres/pgtest"
)

// The server's two connections are shared by many: what one leaves behind in its
// session, another meets.
func TestAPoolerInTransactionModeIsNoticedAndDoneWith(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, "fsync = off")
	d := database(s.Pooler())
	db := d.parse(t)
	first, err := db.Open(t.Context(), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if r := db.Remarks(); len(r) != 1 || !strings.Contains(r[0], "there is a pooler") {
		t.Errorf("it says %q", r)
	}
	direct := database(s.URL("aspectop", "aspectop")).parse(t)
	j, err := direct.Open(t.Context(), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	j.Close()
	if len(direct.Remarks()) != 0 {
		t.Errorf("without a pooler: %q", direct.Remarks())
	}
	receivers := []journal.Journal{first, d.Open(t, journal.Options{Retain: time.Hour}), d.Open(t, journal.Options{Retain: time.Hour})}
	var all sync.WaitGroup
	for g := range 6 {
		stop := follow(t, d.Reader(t))
		all.Go(func() {
			for i := range 50 {
				if err := receivers[g%len(receivers)].Append(t.Context(), delivery(fmt.Sprintf("msg_%d_%d", g, i), "{}")); err != nil {
					t.Error(err)
				}
			}
		})
		defer func() {
			if seen := stop(); len(seen) < 100 {
				t.Errorf("a reader saw %d", len(seen))
			}
		}()
	}
	all.Wait()
	if last := lastOf(t, d.Reader(t)); last != 300 {
		t.Errorf("it ends at %d", last)
	}
	if err := first.SaveForwards("a", "http://a", 1, nil); err != nil {
		t.Error(err)
	}
	if err := receivers[1].WithLease(t.Context(), "lease", func(journal.LeaseOwner) {}, func(context.Context) error { return nil }); err != nil {
		t.Error(err)
	}
}
