package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"aspectop/journal"
)

const (
	// holdTime is how long a claim holds without being renewed. Another process
	// takes a job over within holdTime and askEvery of its holder's death.
	holdTime = 10 * time.Second
	// renewEvery is how often a holder renews its claim, and askEvery how often
	// others ask for it.
	renewEvery = 3 * time.Second
	askEvery   = 2 * time.Second
	// doubtTime is how long a holder that cannot renew goes on. Nobody else has
	// begun by then, even if a failover lost its last renewal.
	doubtTime = holdTime - renewEvery - time.Second
)

// Hold runs f while this process holds the job; see [journal.Journal]. Claims are
// rows with an end, by the server's clock, rather than advisory locks, which a
// pooler would not keep.
func (j *Journal) Hold(ctx context.Context, job string, tell func(journal.Holder), f func(context.Context) error) error {
	var told *journal.Holder
	say := func(h journal.Holder) {
		if told == nil || *told != h {
			told = &h
			tell(h)
		}
	}
	defer j.release(job) // also what was claimed although the answer got lost
	for {
		began := time.Now()
		holder, err := j.claim(ctx, job)
		if err == nil {
			say(holder)
		}
		if err != nil || !holder.Self {
			select {
			case <-time.After(askEvery):
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		err = j.holding(ctx, job, began, f)
		if ctx.Err() != nil || !errors.Is(err, journal.ErrJobLost) {
			return err
		}
	}
}

// claim takes the job if nobody holds it, or renews it, and returns who has it.
func (j *Journal) claim(ctx context.Context, job string) (h journal.Holder, err error) {
	ctx, cancel := context.WithTimeout(ctx, askEvery)
	defer cancel()
	err = j.loosely(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `INSERT INTO aspectop.holders AS h (job, token, name, until)
			VALUES ($1, $2, $3, clock_timestamp() + make_interval(secs => $4))
			ON CONFLICT (job) DO UPDATE SET token = excluded.token, name = excluded.name, until = excluded.until
				WHERE h.token = excluded.token OR h.until < clock_timestamp()`, job, j.token, j.name, holdTime.Seconds())
		if err != nil || tag.RowsAffected() == 1 {
			h = journal.Holder{Self: true, Name: j.name}
			return err
		}
		return tx.QueryRow(ctx, `SELECT name FROM aspectop.holders WHERE job = $1`, job).Scan(&h.Name)
	})
	return h, err
}

// holding runs f and renews the claim, which was taken at the time began. It
// returns journal.ErrJobLost when the claim could not be renewed in time, and ctx
// has not ended either.
func (j *Journal) holding(ctx context.Context, job string, began time.Time, f func(context.Context) error) error {
	held, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	doubt := time.AfterFunc(doubtTime-time.Since(began), func() { cancel(journal.ErrJobLost) })
	defer doubt.Stop()
	done := make(chan error, 1)
	go func() { done <- f(held) }()
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if ctx.Err() == nil && errors.Is(context.Cause(held), journal.ErrJobLost) {
				return journal.ErrJobLost
			}
			return err
		case <-tick.C:
		}
		if held.Err() != nil {
			continue // f ends by itself
		}
		began := time.Now()
		switch holder, err := j.claim(ctx, job); {
		case err != nil: // and perhaps not the next time
		case !holder.Self:
			cancel(journal.ErrJobLost)
		case doubt.Stop():
			doubt.Reset(doubtTime - time.Since(began))
		}
	}
}

// release lets another process have the job at once.
func (j *Journal) release(job string) {
	ctx, cancel := context.WithTimeout(context.Background(), askEvery)
	defer cancel()
	j.loosely(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM aspectop.holders WHERE job = $1 AND token = $2`, job, j.token)
		return err
	})
}
