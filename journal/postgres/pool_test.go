package postgres

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"aspectop/journal"
	"aspectop/journal/postgres/pgtest"
)

// A server may end connections that nobody uses, by idle_session_timeout or because
// somebody does so.
func TestAConnectionThatTheServerHasEndedCostsNoDelivery(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, "fsync = off")
	d := database(s.URL("aspectop", "aspectop"))
	j, r := d.Open(t, journal.Options{}), d.Reader(t)
	for i := range 20 {
		if err := j.Append(t.Context(), delivery(fmt.Sprint("msg_", i), "{}")); err != nil {
			t.Fatalf("delivery %d: %v", i, err)
		}
		if err := j.SaveForwards("a", "http://a", int64(i), nil); err != nil {
			t.Fatalf("outcome %d: %v", i, err)
		}
		if last := lastOf(t, r); last != int64(i+1) {
			t.Fatalf("after delivery %d the journal ends at %d", i+1, last)
		}
		s.Exec("postgres", "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'aspectop'")
	}
	found, err := r.After(t.Context(), 0, 100)
	if err != nil || len(found) != 20 {
		t.Fatalf("%d deliveries, %v", len(found), err)
	}
	for _, d := range found {
		if d.Repeat() {
			t.Errorf("%s was kept twice", d.ID)
		}
	}
}

// switched passes connections on, to another server from when it is told so.
type switched struct {
	net.Listener
	to atomic.Pointer[string]

	mu    sync.Mutex
	conns []net.Conn
}

func newSwitched(t *testing.T, to string) *switched {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &switched{Listener: l}
	p.to.Store(&to)
	t.Cleanup(func() {
		l.Close()
		p.cut()
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.pass(c)
		}
	}()
	return p
}

func (p *switched) pass(c net.Conn) {
	defer c.Close()
	there, err := net.Dial("tcp", *p.to.Load())
	if err != nil {
		return
	}
	defer there.Close()
	p.mu.Lock()
	p.conns = append(p.conns, c)
	p.mu.Unlock()
	go func() {
		io.Copy(there, c)
		there.Close()
	}()
	io.Copy(c, there)
}

// cut ends all connections.
func (p *switched) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

func TestAPoolerThatComesLaterIsDoneWith(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, "fsync = off")
	pooler, err := Parse(s.Pooler())
	if err != nil {
		t.Fatal(err)
	}
	between := newSwitched(t, s.Address())
	d := database("postgres://aspectop@" + between.Addr().String() + "/aspectop?sslmode=disable")
	var told [3]atomic.Int32
	parse := func(i int) *Database {
		db := d.parse(t)
		db.OnRemark(func(remark string) {
			if !strings.Contains(remark, "pooler") {
				t.Errorf("it says %q", remark)
			}
			told[i].Add(1)
		})
		return db
	}
	open := func(i int) journal.Journal {
		j, err := parse(i).Open(t.Context(), journal.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { j.Close() })
		return j
	}
	j, other := open(0), open(1)
	r, err := parse(2).OpenReader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := j.Append(t.Context(), delivery("msg_before", "{}")); err != nil {
		t.Fatal(err)
	}
	c := pooler.config.ConnConfig
	to := hostPort(c.Host, c.Port)
	between.to.Store(&to)
	between.cut()
	var all sync.WaitGroup
	for g := range 6 {
		all.Go(func() {
			for i := range 50 {
				if err := []journal.Journal{j, other}[g%2].Append(t.Context(), delivery(fmt.Sprintf("msg_%d_%d", g, i), "{}")); err != nil {
					t.Errorf("delivery %d of %d: %v", i, g, err)
				}
				if _, err := r.After(t.Context(), 0, 10); err != nil {
					t.Errorf("reading %d of %d: %v", i, g, err)
				}
			}
		})
	}
	all.Wait()
	sum := int32(0) // who met no statement of another has nothing to say
	for i := range told {
		sum += told[i].Load()
		if told[i].Load() > 1 {
			t.Errorf("it was reported %d times", told[i].Load())
		}
	}
	if sum == 0 {
		t.Error("it was not reported")
	}
}

// The old primary of a failover comes back, and stands first in the URL.
func TestAStalePrimaryIsPassedOver(t *testing.T) {
	t.Parallel()
	old := pgtest.Start(t)
	d := database(old.URL("aspectop", "aspectop"))
	if err := d.Open(t, journal.Options{}).Append(t.Context(), delivery("msg_old", "{}")); err != nil {
		t.Fatal(err)
	}
	next := old.Standby()
	old.Stop()
	next.Promote()
	j := urls(old, next).Open(t, journal.Options{})
	if err := j.Append(t.Context(), delivery("msg_new", "{}")); err != nil {
		t.Fatal(err)
	}
	old.Launch()
	for i := range 3 {
		next.Exec("postgres", "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'aspectop'")
		if err := j.Append(t.Context(), delivery(fmt.Sprint("msg_", i), "{}")); err != nil {
			t.Errorf("delivery %d: %v", i, err)
		}
	}
	if last := lastOf(t, database(next.URL("aspectop", "aspectop")).Reader(t)); last != 5 {
		t.Errorf("the new primary ends at %d", last)
	}
	next.Stop()
	err := j.Append(t.Context(), delivery("msg_refused", "{}"))
	if err == nil || !strings.Contains(err.Error(), "is on timeline 1, and a newer primary is on 2: stop the old primary") {
		t.Errorf("with the stale one alone: %v", err)
	}
}

func TestARoleThatIsSetToReadIsNotCalledAStandby(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, "fsync = off")
	d := database(s.URL("aspectop", "aspectop"))
	d.Open(t, journal.Options{})
	s.Exec("postgres", "ALTER ROLE aspectop SET default_transaction_read_only = on")
	_, err := d.parse(t).Open(t.Context(), journal.Options{})
	if err == nil || !strings.Contains(err.Error(), "default_transaction_read_only is on") || strings.Contains(err.Error(), "standby") {
		t.Errorf("it says %v", err)
	}
}

func TestAPasswordFileThatOthersCanReadIsIgnored(t *testing.T) {
	s := pgtest.Start(t, "fsync = off")
	s.RequirePassword("keyholder", "right")
	s.Exec("postgres", "CREATE DATABASE theirs OWNER keyholder")
	path := filepath.Join(t.TempDir(), "pgpass")
	if err := os.WriteFile(path, []byte("*:*:*:keyholder:right\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PGPASSFILE", path)
	d := database("postgres://keyholder@" + s.Address() + "/theirs?sslmode=disable")
	d.Open(t, journal.Options{})
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := d.parse(t).Open(t.Context(), journal.Options{})
	if err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("with the file open to others: %v", err)
	}
	t.Setenv("PGPASSWORD", "right")
	db := d.parse(t)
	j, err := db.Open(t.Context(), journal.Options{})
	if err != nil || len(db.Remarks()) != 0 {
		t.Fatalf("with a password beside it: %v, %q", err, db.Remarks())
	}
	j.Close()
	t.Setenv("PGPASSWORD", "")
	other := database("postgres://aspectop@" + s.Address() + "/aspectop?sslmode=disable&passfile=" + path)
	db = other.parse(t)
	if j, err = db.Open(t.Context(), journal.Options{}); err != nil || len(db.Remarks()) != 1 {
		t.Fatalf("a role that needs none: %v, %q", err, db.Remarks())
	}
	j.Close()
}
