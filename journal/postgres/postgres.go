// Package postgres is the shared home of a journal: a PostgreSQL database
// (version 13 or later) that any number of receivers append to and any number of
// readers read, on any number of machines.
//
// An acknowledged delivery is as durable as the server makes a commit: with a
// synchronous standby it is on two disks. Nothing here needs session state
// between transactions, so a pooler in transaction mode will do if it allows
// prepared statements (pgbouncer 1.21 or later).
package postgres

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aspectop/journal"
)

// maxWaiting is how many arrivals may wait for a commit; the receiver has fewer
// connections.
const maxWaiting = 4096

// Journal appends. It keeps the promises of [journal.Journal].
type Journal struct {
	database *Database
	options  journal.Options
	pool     *pgxpool.Pool
	token    string // tells this process from others
	name     string // the same for people

	group *journal.Group[*arrival]
	turn  sync.Mutex
	watch *watcher

	// seen is the greatest number that was acknowledged here: a server that
	// lacks it was left behind by a failover.
	seen     atomic.Int64
	timeline atomic.Int64
	failed   atomic.Pointer[error] // why the last commit failed; nil: it did not
	exposed  atomic.Bool

	stop    context.CancelFunc // of what runs beside: heartbeat, retention
	beside  sync.WaitGroup
	closing sync.Once
}

// Open opens the journal for appending, and makes its schema if there is none.
func (d *Database) Open(ctx context.Context, o journal.Options) (*Journal, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	host, _ := os.Hostname()
	j := &Journal{database: d, options: o, token: rand.Text(), name: fmt.Sprintf("%s (process %d)", host, os.Getpid())}
	var err error
	if j.pool, err = d.pool(ctx, true, j.checkServer); err != nil {
		return nil, err
	}
	if err := j.prepare(ctx); err != nil {
		j.pool.Close()
		return nil, d.explain(err)
	}
	j.group = journal.NewGroup(&j.turn, maxWaiting, j.commit)
	j.watch = newWatcher(j.pool)
	background, stop := context.WithCancel(context.Background())
	j.stop = stop
	j.beside.Go(func() { j.beat(background) })
	if o.Retain > 0 {
		j.beside.Go(func() { j.keepRetaining(background) })
	}
	return j, nil
}

// Migrate makes the schema, for roles that may not: aspectop journal migrate.
func (d *Database) Migrate(ctx context.Context) error {
	j, err := d.Open(ctx, journal.Options{})
	if err != nil {
		return err
	}
	return j.Close()
}

func (j *Journal) prepare(ctx context.Context) error {
	c, err := j.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer c.Release()
	j.exposed.Store(exposed(c.Conn()))
	return migrate(ctx, c.Conn())
}

// Exposed reports whether deliveries cross a network without TLS.
func (j *Journal) Exposed() bool { return j.exposed.Load() }

// checkServer refuses, for each new connection, a server that is too old, or one
// that was left behind: the old primary of a failover.
func (j *Journal) checkServer(ctx context.Context, c *pgx.Conn) error {
	var version int
	var timeline int64
	if err := c.QueryRow(ctx, `SELECT current_setting('server_version_num')::int,
		('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint`).Scan(&version, &timeline); err != nil {
		return err
	}
	if version < leastServer {
		return &Error{j.database.String(), fmt.Sprintf("the server is PostgreSQL %d; aspectop needs %d or later", version/10000, leastServer/10000), nil}
	}
	if known := j.timeline.Load(); timeline < known {
		return &Error{j.database.String(), fmt.Sprintf("this server is on timeline %d, and a newer primary is on %d: stop the old primary", timeline, known), nil}
	}
	if seen := j.seen.Load(); seen > 0 {
		var last int64
		if err := c.QueryRow(ctx, `SELECT last FROM aspectop.head`).Scan(&last); err != nil {
			return err
		}
		if last < seen {
			return &Error{j.database.String(), fmt.Sprintf("this server ends at delivery %d, and %d was acknowledged: it lacks deliveries, so it is not written", last, seen), nil}
		}
	}
	j.timeline.Store(timeline)
	return nil
}

// Place names the database without the password.
func (j *Journal) Place() string { return j.database.String() }

// Ready says why nothing could be appended now.
func (j *Journal) Ready(ctx context.Context) error {
	if j.group.Closed() {
		return journal.ErrClosed
	}
	if _, err := j.pool.Exec(ctx, `SELECT 1 FROM aspectop.head`); err != nil {
		return j.database.explain(err)
	}
	failed := j.failed.Load()
	if failed == nil {
		return nil
	}
	// An instance that a load balancer has turned away from learns by this that
	// commits go through again.
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if _, err := j.pool.Exec(ctx, heartbeat, j.token, j.name, receiverTime.Seconds()); err != nil {
		return j.database.explain(err)
	}
	j.failed.CompareAndSwap(failed, nil)
	return nil
}

// Reader opens a reader on the same connections, which is told about the commits
// of this process at once.
func (j *Journal) Reader() (journal.Reader, error) {
	return newReader(j.database, j.pool, j.watch, nil), nil
}

// Close waits for the Appends under way, and gives up the jobs that are held.
func (j *Journal) Close() error {
	j.closing.Do(func() {
		j.group.Close()
		j.stop()
		j.beside.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		j.pool.Exec(ctx, `DELETE FROM aspectop.receivers WHERE token = $1`, j.token)
		j.watch.close()
		closePool(j.pool)
	})
	return nil
}

// closePool closes the pool without waiting for connections that hang.
func closePool(p *pgxpool.Pool) {
	closed := make(chan struct{})
	go func() {
		p.Close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(2 * time.Second):
	}
}

const (
	// beatEvery is how often a receiver says that it lives, and receiverTime for
	// how long that holds.
	beatEvery    = 3 * time.Second
	receiverTime = 10 * time.Second
)

const heartbeat = `INSERT INTO aspectop.receivers (token, name, until)
	VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
	ON CONFLICT (token) DO UPDATE SET until = excluded.until`

// beat says again and again that this process appends.
func (j *Journal) beat(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		// A failure is told by the next Append.
		once, cancel := context.WithTimeout(ctx, beatEvery)
		j.pool.Exec(once, heartbeat, j.token, j.name, receiverTime.Seconds())
		j.pool.Exec(once, `DELETE FROM aspectop.receivers WHERE until < clock_timestamp() - interval '1 hour'`)
		cancel()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Receivers returns the names of the processes that append now.
func (d *Database) Receivers(ctx context.Context) ([]string, error) {
	pool, err := d.pool(ctx, false, nil)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	rows, err := pool.Query(ctx, `SELECT name FROM aspectop.receivers WHERE until > clock_timestamp() ORDER BY name`)
	if err != nil {
		return nil, d.explain(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return names, d.explain(err)
}
