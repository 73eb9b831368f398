package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"aspectop/journal"
)

const (
	// leaseTime is how long a lease lasts without being renewed. Another process
	// takes it over within leaseTime and askEvery of its owner's death.
	leaseTime = 10 * time.Second
	// renewEvery is how often an owner renews its lease, and askEvery how often
	// others ask for it.
	renewEvery = 3 * time.Second
	askEvery   = 2 * time.Second
	// doubtTime is how long an owner that cannot renew goes on. Nobody else has
	// begun by then, even if a failover lost its last renewal.
	doubtTime = leaseTime - renewEvery - time.Second
)

// WithLease runs f while this process holds a lease; see [journal.Journal]. Leases are
// rows with an end, by the server's clock, rather than advisory locks, which a
// pooler would not keep.
func (j *Journal) WithLease(ctx context.Context, name string, report func(journal.LeaseOwner), f func(context.Context) error) error {
	var reported *journal.LeaseOwner
	defer j.release(name) // also what was acquired although the answer got lost
	for {
		began := time.Now()
		owner, err := j.acquire(ctx, name)
		if err == nil && (reported == nil || *reported != owner) {
			reported = &owner
			report(owner)
		}
		if err != nil || !owner.Self {
			select {
			case <-time.After(askEvery):
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err = j.holding(ctx, name, began, f); !errors.Is(err, journal.ErrLeaseLost) {
			return err
		}
	}
}

// acquire takes the lease if nobody holds it, or renews it, and returns who has it.
func (j *Journal) acquire(ctx context.Context, name string) (o journal.LeaseOwner, err error) {
	ctx, cancel := context.WithTimeout(ctx, askEvery)
	defer cancel()
	err = j.loosely(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `INSERT INTO aspectop.holders AS h (job, token, name, until)
			VALUES ($1, $2, $3, clock_timestamp() + make_interval(secs => $4))
			ON CONFLICT (job) DO UPDATE SET token = excluded.token, name = excluded.name, until = excluded.until
				WHERE h.token = excluded.token OR h.until < clock_timestamp()`, name, j.token, j.name, leaseTime.Seconds())
		if err != nil || tag.RowsAffected() == 1 {
			o = journal.LeaseOwner{Self: true, Name: j.name}
			return err
		}
		return tx.QueryRow(ctx, `SELECT name FROM aspectop.holders WHERE job = $1`, name).Scan(&o.Name)
	})
	return o, err
}

// holding runs f and renews the lease, which was taken at the time began. It
// returns journal.ErrLeaseLost when the lease could not be renewed in time, and ctx
// has not ended either.
func (j *Journal) holding(ctx context.Context, name string, began time.Time, f func(context.Context) error) error {
	held, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	doubt := time.AfterFunc(doubtTime-time.Since(began), func() { cancel(journal.ErrLeaseLost) })
	defer doubt.Stop()
	done := make(chan error, 1)
	go func() { done <- f(held) }()
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if ctx.Err() == nil && errors.Is(context.Cause(held), journal.ErrLeaseLost) {
				return journal.ErrLeaseLost
			}
			return err
		case <-tick.C:
		}
		if held.Err() != nil {
			continue // f ends by itself
		}
		began := time.Now()
		switch owner, err := j.acquire(ctx, name); {
		case err != nil: // and perhaps not the next time
		case !owner.Self:
			cancel(journal.ErrLeaseLost)
		case doubt.Stop():
			doubt.Reset(doubtTime - time.Since(began))
		}
	}
}

// release lets another process have the lease at once.
func (j *Journal) release(name string) {
	ctx, cancel := context.WithTimeout(context.Background(), askEvery)
	defer cancel()
	j.loosely(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM aspectop.holders WHERE job = $1 AND token = $2`, name, j.token)
		return err
	})
}
