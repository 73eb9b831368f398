package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"aspectop/journal"
	"aspectop/model"
)

// Reader reads. It keeps the promises of [journal.Reader]. A role with nothing
// but SELECT on the schema will do.
type Reader struct {
	database *Database
	pool     *pool
	leave    func() // closes what was opened for it
	noHeader atomic.Bool
	seen     int64 // the last number, by Wait
	closed   chan struct{}
	once     sync.Once
}

func newReader(d *Database, pool *pool, leave func()) *Reader {
	return &Reader{database: d, pool: pool, leave: leave, seen: -1, closed: make(chan struct{})}
}

const pollTime = 5 * time.Second

// OpenReader opens the journal for reading. The readers of a Database share its
// connections.
func (d *Database) OpenReader(ctx context.Context) (*Reader, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.readers == 0 {
		pool, err := d.pool(ctx, nil)
		if err != nil {
			return nil, err
		}
		var version int
		err = pool.row(ctx, []any{&version}, `SELECT version FROM aspectop.head`)
		if err = d.checkVersion(version, err); err != nil {
			pool.Close()
			return nil, d.explain(err)
		}
		d.reading = pool
	}
	d.readers++
	return newReader(d, d.reading, d.leave), nil
}

func (d *Database) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.readers--; d.readers == 0 {
		within(d.reading.Close)
	}
}

// OmitHeader makes all further deliveries come without their Header.
func (r *Reader) OmitHeader() { r.noHeader.Store(true) }

// Close releases the connections. Further calls fail with ErrClosed.
func (r *Reader) Close() error {
	r.once.Do(func() {
		close(r.closed)
		r.leave()
	})
	return nil
}

func (r *Reader) usable(ctx context.Context) error {
	select {
	case <-r.closed:
		return journal.ErrClosed
	default:
		return ctx.Err()
	}
}

const (
	firsts  = `SELECT seq, seq AS message, 1 AS attempt, false AS differs, id, received, source, secret, %[1]s, body FROM aspectop.deliveries`
	repeats = `SELECT seq, message, attempt, differs, id, received, source, secret, %[1]s, body FROM aspectop.repeats`

	afterQuery   = `(` + firsts + ` WHERE seq > $1 ORDER BY seq LIMIT $2) UNION ALL (` + repeats + ` WHERE seq > $1 ORDER BY seq LIMIT $2) ORDER BY seq LIMIT $2`
	beforeQuery  = `(` + firsts + ` WHERE seq < $1 ORDER BY seq DESC LIMIT $2) UNION ALL (` + repeats + ` WHERE seq < $1 ORDER BY seq DESC LIMIT $2) ORDER BY seq DESC LIMIT $2`
	getQuery     = firsts + ` WHERE seq = $1 UNION ALL ` + repeats + ` WHERE seq = $1`
	repeatsQuery = repeats + ` WHERE message = $1 ORDER BY seq`

	rangeQuery = `SELECT
		coalesce(least((SELECT min(seq) FROM aspectop.deliveries), (SELECT min(seq) FROM aspectop.repeats)), 0),
		coalesce(greatest((SELECT max(seq) FROM aspectop.deliveries), (SELECT max(seq) FROM aspectop.repeats)), 0)`

	// receivedQuery finds the first arrival at or after a number.
	receivedQuery = `(SELECT seq, received FROM aspectop.deliveries WHERE seq >= $1 ORDER BY seq LIMIT 1)
		UNION ALL (SELECT seq, received FROM aspectop.repeats WHERE seq >= $1 ORDER BY seq LIMIT 1) ORDER BY seq LIMIT 1`
)

// After returns deliveries after seq; see [journal.Reader].
func (r *Reader) After(ctx context.Context, seq int64, limit int) ([]model.Delivery, error) {
	return r.deliveries(ctx, afterQuery, seq, limit)
}

// Before returns deliveries before seq, newest first; see [journal.Reader].
func (r *Reader) Before(ctx context.Context, seq int64, limit int) ([]model.Delivery, error) {
	return r.deliveries(ctx, beforeQuery, seq, limit)
}

// Get returns one delivery, or ErrNotFound.
func (r *Reader) Get(ctx context.Context, seq int64) (model.Delivery, error) {
	found, err := r.deliveries(ctx, getQuery, seq)
	if err != nil {
		return model.Delivery{}, err
	}
	if len(found) == 0 {
		return model.Delivery{}, fmt.Errorf("%w: number %d", journal.ErrNotFound, seq)
	}
	return found[0], nil
}

// Repeats returns the kept repeats of a message, oldest first.
func (r *Reader) Repeats(ctx context.Context, message int64) ([]model.Delivery, error) {
	return r.deliveries(ctx, repeatsQuery, message)
}

// Range returns the least and the greatest number that is kept.
func (r *Reader) Range(ctx context.Context) (first, last int64, err error) {
	if err := r.usable(ctx); err != nil {
		return 0, 0, err
	}
	err = r.pool.row(ctx, []any{&first, &last}, rangeQuery)
	return first, last, r.database.explain(err)
}

// Since returns the greatest number received before t; see [journal.Reader].
func (r *Reader) Since(ctx context.Context, t time.Time) (int64, error) {
	if err := r.usable(ctx); err != nil {
		return 0, err
	}
	seq, err := lastBefore(ctx, r.pool, t)
	return seq, r.database.explain(err)
}

// lastBefore halves the range of numbers instead of reading all.
func lastBefore(ctx context.Context, pool *pool, t time.Time) (int64, error) {
	var first, last int64
	if err := pool.row(ctx, []any{&first, &last}, rangeQuery); err != nil || last == 0 {
		return 0, err
	}
	return journal.LastBefore(first, last, t, func(from int64) (seq int64, at time.Time, err error) {
		var received pgtype.Timestamptz
		err = pool.row(ctx, []any{&seq, &received}, receivedQuery, from)
		if errors.Is(err, pgx.ErrNoRows) { // retention removed what was there
			err = journal.ErrNotFound
		}
		return seq, received.Time, err
	})
}

// Wait returns when something was committed since its last call returned; see
// [journal.Reader]. It polls the head row: NOTIFY would pass neither every pooler nor
// every engine, and takes a global lock at each commit.
func (r *Reader) Wait(ctx context.Context) error { return journal.Poll(ctx, r.closed, r.changed) }

// changed reports whether the head row has another number than at its last call.
func (r *Reader) changed(ctx context.Context) (bool, error) {
	if err := r.usable(ctx); err != nil {
		return false, err
	}
	poll, cancel := context.WithTimeout(ctx, pollTime)
	defer cancel()
	before := r.seen
	err := r.pool.row(poll, []any{&r.seen}, `SELECT last FROM aspectop.head`)
	return r.seen != before, cmp.Or(r.usable(ctx), r.database.explain(err))
}

func (r *Reader) deliveries(ctx context.Context, text string, args ...any) ([]model.Delivery, error) {
	headers := "headers"
	if r.noHeader.Load() {
		headers = "NULL"
	}
	return query(ctx, r, scan, fmt.Sprintf(text, headers), args...)
}

func query[T any](ctx context.Context, r *Reader, scan pgx.RowToFunc[T], text string, args ...any) ([]T, error) {
	if err := r.usable(ctx); err != nil {
		return nil, err
	}
	found, err := collect(ctx, r.pool, scan, text, args...)
	return found, r.database.explain(err)
}

// scan reads a row. What somebody else put there and no delivery can hold is
// left out, and named in Damage.
func scan(row pgx.CollectableRow) (d model.Delivery, err error) {
	var header *string
	var source string
	var received pgtype.Timestamptz
	if err := row.Scan(&d.Seq, &d.Message, &d.Attempt, &d.Differs, &d.ID, &received, &source, &d.Secret, &header, &d.Body); err != nil {
		return d, err
	}
	d.ID, d.Secret, d.Source, d.Received = decodeText(d.ID), decodeText(d.Secret), model.Source(source), received.Time.UTC()
	if received.InfinityModifier != pgtype.Finite {
		d.Damage = "its time of arrival is lost"
	}
	if len(d.Body) == 0 {
		d.Body = nil
	}
	if header != nil {
		if d.Header, err = journal.ParseHeader(*header, d.ID); err != nil {
			d.Damage, err = "it has "+err.Error(), nil
		}
	}
	return d, nil
}
