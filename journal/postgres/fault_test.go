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
	"aspectop/model"
)

func delivery(id, body string) *model.Delivery {
	return &model.Delivery{
		ID: id, Source: model.SourceWebhook, Secret: "default", Received: time.Now().UTC().Truncate(time.Microsecond),
		Header: map[string][]string{"Svix-Id": {id}}, Body: []byte(body),
	}
}

// load appends from several goroutines of several receivers until stopped, as
// Svix does: what was not acknowledged is sent again, to any receiver. It knows
// which body each acknowledged id must have.
type load struct {
	t         *testing.T
	receivers []journal.Journal
	stop      context.CancelFunc
	done      sync.WaitGroup

	mu     sync.Mutex
	acked  map[string]bool
	failed int
}

func startLoad(t *testing.T, receivers ...journal.Journal) *load {
	ctx, stop := context.WithCancel(context.Background())
	l := &load{t: t, receivers: receivers, stop: stop, acked: map[string]bool{}}
	t.Cleanup(stop)
	for g := range 8 {
		l.done.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				l.send(ctx, g, fmt.Sprintf("msg_%d_%d", g, i))
			}
		})
	}
	return l
}

// send sends one message until it is acknowledged.
func (l *load) send(ctx context.Context, g int, id string) {
	for try := 0; ctx.Err() == nil; try++ {
		once, cancel := context.WithTimeout(ctx, 2*time.Second)
		err := l.receivers[(g+try)%len(l.receivers)].Append(once, delivery(id, "body of "+id))
		cancel()
		l.mu.Lock()
		if err == nil {
			l.acked[id] = true
		} else {
			l.failed++
		}
		l.mu.Unlock()
		if err == nil {
			return
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

// more waits until n more were acknowledged.
func (l *load) more(n int) {
	l.t.Helper()
	want := l.count() + n
	for deadline := time.Now().Add(90 * time.Second); l.count() < want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			l.t.Fatalf("%d acknowledged, waiting for %d", l.count(), want)
		}
	}
}

// refusals waits until n more tries were refused.
func (l *load) refusals(n int) {
	l.t.Helper()
	refused := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.failed
	}
	want := refused() + n
	for deadline := time.Now().Add(90 * time.Second); refused() < want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			l.t.Fatalf("%d refused, waiting for %d", refused(), want)
		}
	}
}

// check ends the load and holds the journal to what was acknowledged: every id
// once, with its first body, numbers without gaps, and nothing that a reader who
// was there all the time missed or saw twice.
func (l *load) check(r journal.Reader, followed []model.Delivery) {
	l.t.Helper()
	messages := map[string]int{}
	last := int64(0)
	for {
		found, err := r.After(l.t.Context(), last, 500)
		if err != nil {
			l.t.Fatal(err)
		}
		if len(found) == 0 {
			break
		}
		for _, d := range found {
			if d.Seq != last+1 {
				l.t.Fatalf("after %d comes %d", last, d.Seq)
			}
			if last = d.Seq; d.Repeat() {
				continue
			}
			messages[d.ID]++
			if d.ID != "msg_more" && string(d.Body) != "body of "+d.ID {
				l.t.Errorf("%s has the body %q", d.ID, d.Body)
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.acked {
		if messages[id] != 1 {
			l.t.Errorf("%s was acknowledged and is there %d times", id, messages[id])
		}
	}
	for i, d := range followed {
		if d.Seq != int64(i+1) {
			l.t.Fatalf("the reader saw %d in place of %d", d.Seq, i+1)
		}
	}
	l.t.Logf("%d acknowledged, %d refused, %d read live", len(l.acked), l.failed, len(followed))
}

// follow reads live until stopped.
func follow(t *testing.T, r journal.Reader) (stop func() []model.Delivery) {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	result := make(chan []model.Delivery, 1)
	go func() {
		var seen []model.Delivery
		for ctx.Err() == nil {
			found, err := r.After(ctx, int64(len(seen)), 100)
			if err == nil && len(found) > 0 {
				seen = append(seen, found...)
				continue
			}
			if r.Wait(ctx) != nil {
				select {
				case <-time.After(50 * time.Millisecond):
				case <-ctx.Done():
				}
			}
		}
		result <- seen
	}()
	return func() []model.Delivery {
		cancel()
		return <-result
	}
}

// urls names both servers of a pair.
func urls(a, b *pgtest.Server) database {
	return database(fmt.Sprintf("postgres://aspectop@127.0.0.1:%d,127.0.0.1:%d/aspectop?connect_timeout=2", a.Port, b.Port))
}

func TestNothingAcknowledgedIsLostWhenThePrimaryDiesAndTheStandbyIsPromoted(t *testing.T) {
	t.Parallel()
	primary := pgtest.Start(t)
	standby := primary.Standby()
	d := urls(primary, standby)
	l := startLoad(t, d.Open(t, journal.Options{}), d.Open(t, journal.Options{}))
	l.more(300)
	stop := follow(t, d.Reader(t))
	primary.Kill()
	standby.Exec("postgres", "ALTER SYSTEM SET synchronous_standby_names = ''")
	standby.Promote()
	l.more(300) // without a restart
	l.stop()
	l.done.Wait()
	l.check(d.Reader(t), stop())
}

func TestNothingIsAcknowledgedOrShownWhileTheSynchronousStandbyIsAway(t *testing.T) {
	t.Parallel()
	primary := pgtest.Start(t)
	standby := primary.Standby()
	d := database(primary.URL("aspectop", "aspectop"))
	j, r := d.Open(t, journal.Options{}), d.Reader(t)
	l := startLoad(t, j, d.Open(t, journal.Options{}))
	l.more(100)
	standby.Stop()
	l.refusals(8) // by then what had reached the standby is through
	acked, shown := l.count(), lastOf(t, r)
	// Eight wait two seconds each, so this is longer than any commit may take that
	// does not wait for a standby.
	l.refusals(8 * int((commitTime+2*slow)/(2*time.Second)))
	if after := l.count(); after != acked {
		t.Errorf("%d were acknowledged with one of two disks", after-acked)
	}
	if after := lastOf(t, r); after != shown {
		t.Errorf("%d became visible that are on one of two disks", after-shown)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for name, err := range map[string]error{"ready": j.Ready(ctx), "append": j.Append(ctx, delivery("msg_more", "{}"))} {
		if err == nil || !strings.Contains(err.Error(), "the synchronous standby: check that it runs") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := j.SaveForwards("a", "http://a", 1, nil); err != nil {
		t.Errorf("what waits for no disk: %v", err)
	}
	standby.Launch()
	l.more(100)
	if err := j.Ready(t.Context()); err != nil {
		t.Errorf("with the standby back: %v", err)
	}
	l.stop()
	l.done.Wait()
	l.check(d.Reader(t), nil)
}

func lastOf(t *testing.T, r journal.Reader) int64 {
	t.Helper()
	_, last, err := r.Range(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return last
}

func TestConnectionsThatAreCutAndAServerThatIsStoppedAreRiddenOut(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	d := database(s.URL("aspectop", "aspectop"))
	l := startLoad(t, d.Open(t, journal.Options{}), d.Open(t, journal.Options{}))
	stop := follow(t, d.Reader(t))
	for range 5 {
		l.more(50)
		s.Exec("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'aspectop'")
	}
	s.Stop()
	s.Launch()
	l.more(100)
	l.stop()
	l.done.Wait()
	l.check(d.Reader(t), stop())
}

func TestAServerThatIsBehindIsNotWritten(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, "fsync = off")
	d := database(s.URL("aspectop", "aspectop"))
	j := d.Open(t, journal.Options{})
	for i := range 3 {
		if err := j.Append(t.Context(), delivery(fmt.Sprint("msg_", i), "{}")); err != nil {
			t.Fatal(err)
		}
	}
	// What a failover to an asynchronous standby leaves.
	s.Exec("aspectop", "DELETE FROM aspectop.deliveries WHERE seq = 3; UPDATE aspectop.head SET last = 2")
	s.Exec("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'aspectop'")
	deadline := time.Now().Add(time.Minute)
	for {
		err := j.Append(t.Context(), delivery("msg_next", "{}"))
		if err != nil && strings.Contains(err.Error(), "lacks deliveries") {
			return
		}
		if err == nil || time.Now().After(deadline) {
			t.Fatalf("it answered %v", err)
		}
	}
}
