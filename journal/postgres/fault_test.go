package postgres

import (
	"context"
	"errors"
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
	for deadline := time.Now().Add(40 * time.Second); l.count() < want; time.Sleep(5 * time.Millisecond) {
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
	for deadline := time.Now().Add(40 * time.Second); refused() < want; time.Sleep(5 * time.Millisecond) {
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
			if string(d.Body) != "body of "+d.ID {
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

func TestNothingIsAcknowledgedWhileTheSynchronousStandbyIsAway(t *testing.T) {
	primary := pgtest.Start(t)
	standby := primary.Standby()
	d := database(primary.URL("aspectop", "aspectop"))
	l := startLoad(t, d.Open(t, journal.Options{}), d.Open(t, journal.Options{}))
	l.more(100)
	standby.Stop()
	l.refusals(8) // by then what had reached the standby is through
	before := l.count()
	l.refusals(8)
	if after := l.count(); after != before {
		t.Errorf("%d were acknowledged with one of two disks", after-before)
	}
	standby.Launch()
	l.more(100)
	l.stop()
	l.done.Wait()
	l.check(d.Reader(t), nil)
}

func TestConnectionsThatAreCutAndAServerThatIsStoppedAreRiddenOut(t *testing.T) {
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
	deadline := time.Now().Add(10 * time.Second)
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

func TestAJobIsTakenOverFromAProcessThatDied(t *testing.T) {
	s := pgtest.Start(t, "fsync = off")
	d := database(s.URL("aspectop", "aspectop"))
	first, second := d.Open(t, journal.Options{}).(*Journal), d.Open(t, journal.Options{})
	if h, err := first.claim(t.Context(), "job"); err != nil || !h.Self {
		t.Fatalf("%+v, %v", h, err) // and never renews it, like the dead
	}
	began := time.Now()
	var told []journal.Holder
	err := second.Hold(t.Context(), "job", func(h journal.Holder) { told = append(told, h) }, func(context.Context) error { return nil })
	if took := time.Since(began); err != nil || took > 15*time.Second {
		t.Errorf("taken over after %v, %v", took, err)
	}
	if len(told) != 2 || told[0].Self || told[0].Name != first.name || !told[1].Self {
		t.Errorf("told %+v", told)
	}
}

func TestBadInputGetsOneClearSentenceWithoutAPassword(t *testing.T) {
	s := pgtest.Start(t, "fsync = off")
	s.Exec("postgres", "CREATE ROLE stranger LOGIN")
	s.Exec("postgres", "CREATE DATABASE newer OWNER aspectop")
	newer := database(s.URL("aspectop", "newer"))
	newer.Open(t, journal.Options{}).Close()
	s.Exec("newer", "UPDATE aspectop.head SET version = 99")
	for name, c := range map[string]struct {
		url, says string
	}{
		"no such host":      {"postgres://u:hunter2@no-such-host.invalid/x", "does not resolve"},
		"nobody listens":    {"postgres://u:hunter2@127.0.0.1:1/x", "connection refused"},
		"no such database":  {strings.Replace(s.URL("aspectop", "nothing"), "aspectop@", "aspectop:hunter2@", 1), "createdb"},
		"no rights":         {strings.Replace(s.URL("stranger", "aspectop"), "stranger@", "stranger:hunter2@", 1), "lacks a right"},
		"a newer schema":    {s.URL("aspectop", "newer"), "update aspectop"},
		"nothing there yet": {s.URL("aspectop", "postgres"), "no journal yet"},
	} {
		d, err := Parse(c.url)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if name == "nothing there yet" {
			_, err = d.OpenReader(t.Context())
		} else {
			_, err = d.Open(t.Context(), journal.Options{})
		}
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hunter2") || strings.Contains(d.String(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
	var unreadable *URLError
	if _, err := Parse("postgres://u:hunter2@host:port/x"); !errors.As(err, &unreadable) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("an unreadable URL: %v", err)
	}
}
