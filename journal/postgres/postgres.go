// Package postgres stores a journal in a PostgreSQL database (version 13 or later) for
// any number of receivers and readers on any number of machines. With a synchronous
// standby, an acknowledged delivery is on two disks.
//
// Nothing here needs state of a session between transactions, for poolers in transaction
// mode: no advisory lock but that of a migration, no LISTEN, and behind a pooler no
// prepared statement.
package postgres

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"aspectop/journal"
)

// Journal appends. It keeps the promises of [journal.Journal].
type Journal struct {
	database *Database
	options  journal.Options
	pool     *pool
	token    string // tells this process from others
	name     string // the same for people

	outdated error // see Outdated

	group *journal.Group
	turn  sync.Mutex

	// seen is the greatest number that was acknowledged here: a server that
	// lacks it was left behind by a failover.
	seen     atomic.Int64
	shared   bool // others wrote between our last two commits; of the one who has turn
	timeline atomic.Int64
	failed   atomic.Pointer[failure] // of the newest commit; nil: it went well

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
	if j.pool, err = d.pool(ctx, j.checkServer); err != nil {
		return nil, err
	}
	if err := j.pool.do(ctx, func(c *pgxpool.Conn) (err error) {
		j.outdated, err = d.migrate(ctx, c.Conn())
		return err
	}); err != nil {
		j.pool.Close()
		return nil, d.explain(err)
	}
	if j.outdated != nil {
		d.remark(j.outdated.Error())
	}
	j.group = journal.NewGroup(&j.turn, j.commit)
	background, stop := context.WithCancel(context.Background())
	j.stop = stop
	j.beside.Go(func() { j.beat(background) })
	if o.Retain > 0 {
		j.beside.Go(func() { j.keepRetaining(background) })
	}
	return j, nil
}

// Outdated says why the schema lacks what was added to it, nil if it lacks nothing.
func (j *Journal) Outdated() error { return j.outdated }

// checkServer refuses, for each new connection, a server that takes no writes, or was left
// behind: the old primary of a failover. The next host of the URL is tried then.
func (j *Journal) checkServer(ctx context.Context, c *pgconn.PgConn) error {
	state, err := texts(ctx, c, `SELECT pg_is_in_recovery(), current_setting('transaction_read_only')`)
	switch {
	case err != nil:
		return err
	case state[0] == "t":
		return &unfitError{"takes no writes: it is a standby"}
	case state[1] == "on":
		return &unfitError{"takes no writes: default_transaction_read_only is on for the server, the database or the role"}
	}
	if state, err = texts(ctx, c, `SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint`); err != nil {
		return err
	}
	timeline, err := strconv.ParseInt(state[0], 10, 64)
	if err != nil {
		return err
	}
	if known := j.timeline.Load(); timeline < known {
		return &unfitError{fmt.Sprintf("is on timeline %d, and a newer primary is on %d: stop the old primary", timeline, known)}
	}
	if seen := j.seen.Load(); seen > 0 {
		if state, err = texts(ctx, c, `SELECT last FROM aspectop.head`); err != nil {
			return err
		}
		if last, err := strconv.ParseInt(state[0], 10, 64); err != nil || last < seen {
			return &unfitError{fmt.Sprintf("ends at delivery %s, and %d was acknowledged: it lacks deliveries, so it is not written", state[0], seen)}
		}
	}
	j.timeline.Store(timeline)
	return nil
}

// texts reads the one row of a query, which uses nothing that a pooler would not pass.
func texts(ctx context.Context, c *pgconn.PgConn, sql string) ([]string, error) {
	results, err := c.Exec(ctx, sql).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(results) != 1 || len(results[0].Rows) != 1 {
		return nil, errHeadless
	}
	row := make([]string, len(results[0].Rows[0]))
	for i, value := range results[0].Rows[0] {
		row[i] = string(value)
	}
	return row, nil
}

// unfitError says why a server is not written, without its address.
type unfitError struct{ why string }

func (e *unfitError) Error() string { return e.why }

// Place names the database without the password.
func (j *Journal) Place() string { return j.database.String() }

const (
	// readyTime is how long a commit may take for the journal to be ready.
	readyTime = 2 * time.Second
	// failedTime is how long the journal is not ready after a commit has failed.
	failedTime = 5 * time.Second
)

// failure is why a commit failed, or takes long.
type failure struct {
	err error
	at  time.Time
}

func (j *Journal) fail(err error) { j.failed.Store(&failure{err, time.Now()}) }

// Ready says why nothing could be appended now. It commits something as durably
// as a delivery.
func (j *Journal) Ready(ctx context.Context) error {
	if j.group.Closed() {
		return journal.ErrClosed
	}
	if failed := j.failed.Load(); failed != nil && time.Since(failed.at) < failedTime {
		return failed.err
	}
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	tag, err := j.pool.Exec(ctx, heartbeat, j.token, j.name, receiverTime.Seconds())
	if err == nil && tag.RowsAffected() == 0 {
		err = errHeadless
	}
	return j.database.explain(err)
}

// Reader opens a reader on the same connections.
func (j *Journal) Reader() (journal.Reader, error) {
	return newReader(j.database, j.pool, func() {}), nil
}

// closeTime is how long Close waits for a server that does not answer.
const closeTime = 2 * time.Second

// Close waits for the Appends under way, and gives up its leases. A
// commit that waits for the standby is left to the server.
func (j *Journal) Close() error {
	j.closing.Do(func() {
		within(func() { j.group.Close() })
		j.stop()
		j.beside.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), closeTime)
		defer cancel()
		j.loosely(ctx, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `DELETE FROM aspectop.receivers WHERE token = $1`, j.token)
			return err
		})
		within(j.pool.Close)
	})
	return nil
}

// within runs f, and returns when it is done or closeTime is over.
func within(f func()) {
	ctx, done := context.WithTimeout(context.Background(), closeTime)
	go func() {
		f()
		done()
	}()
	<-ctx.Done()
}

const (
	// beatEvery is how often a receiver says that it lives, and receiverTime for
	// how long that holds.
	beatEvery    = 3 * time.Second
	receiverTime = 10 * time.Second
)

const heartbeat = `INSERT INTO aspectop.receivers (token, name, until)
	SELECT $1, $2, clock_timestamp() + make_interval(secs => $3) FROM aspectop.head
	ON CONFLICT (token) DO UPDATE SET until = excluded.until`

func (j *Journal) beat(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		// A failure is told by the next Append.
		once, cancel := context.WithTimeout(ctx, beatEvery)
		j.loosely(once, func(tx pgx.Tx) error {
			_, err := tx.Exec(once, heartbeat, j.token, j.name, receiverTime.Seconds())
			if err == nil {
				_, err = tx.Exec(once, `DELETE FROM aspectop.receivers WHERE until < clock_timestamp() - interval '1 hour'`)
			}
			return err
		})
		cancel()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// loosely runs a transaction that waits for no disk and no standby, and may be
// lost with the server.
func (j *Journal) loosely(ctx context.Context, f func(pgx.Tx) error) error {
	return j.pool.begin(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL synchronous_commit = off`); err != nil {
			return err
		}
		return f(tx)
	})
}

// Receivers returns the names of the processes that append now.
func (d *Database) Receivers(ctx context.Context) ([]string, error) {
	pool, err := d.pool(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	names, err := collect(ctx, pool, pgx.RowTo[string], `SELECT name FROM aspectop.receivers WHERE until > clock_timestamp() ORDER BY name`)
	return names, d.explain(err)
}
