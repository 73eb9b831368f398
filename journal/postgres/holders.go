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
	// doubtTime is how long a holder that cannot renew goes on. It is shorter than
	// holdTime, so that nobody else has begun by then.
	doubtTime = 8 * time.Second
)

var errLost = errors.New("the job was lost to another process")

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
		if ctx.Err() != nil || !errors.Is(err, errLost) {
			j.release(job)
			return err
		}
	}
}

// claim takes the job if nobody holds it, or renews it, and returns who has it.
func (j *Journal) claim(ctx context.Context, job string) (h journal.Holder, err error) {
	ctx, cancel := context.WithTimeout(ctx, askEvery)
	defer cancel()
	var token string
	err = j.pool.QueryRow(ctx, `INSERT INTO aspectop.holders AS h (job, token, name, until)
		VALUES ($1, $2, $3, clock_timestamp() + make_interval(secs => $4))
		ON CONFLICT (job) DO UPDATE SET token = excluded.token, name = excluded.name, until = excluded.until
			WHERE h.token = excluded.token OR h.until < clock_timestamp()
		RETURNING token`, job, j.token, j.name, holdTime.Seconds()).Scan(&token)
	if err == nil {
		return journal.Holder{Self: true, Name: j.name}, nil
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return h, err
	}
	err = j.pool.QueryRow(ctx, `SELECT name FROM aspectop.holders WHERE job = $1`, job).Scan(&h.Name)
	return h, err
}

// holding runs f and renews the claim, which was taken at the time began. It
// returns errLost when the claim could not be renewed in time.
func (j *Journal) holding(ctx context.Context, job string, began time.Time, f func(context.Context) error) error {
	held, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan error, 1)
	go func() { done <- f(held) }()
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if held.Err() != nil && errors.Is(context.Cause(held), errLost) {
				return errLost
			}
			return err
		case <-tick.C:
		}
		if ctx.Err() != nil {
			continue // f ends by itself
		}
		now := time.Now()
		holder, err := j.claim(ctx, job)
		switch {
		case err == nil && holder.Self:
			began = now
		case err == nil, time.Since(began) > doubtTime:
			cancel(errLost)
		}
	}
}

// release lets another process have the job at once.
func (j *Journal) release(job string) {
	ctx, cancel := context.WithTimeout(context.Background(), askEvery)
	defer cancel()
	j.pool.Exec(ctx, `DELETE FROM aspectop.holders WHERE job = $1 AND token = $2`, job, j.token)
}
