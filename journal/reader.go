package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"aspectop/model"
)

// Reader reads a journal while another, in this process or elsewhere, writes
// it. It is for one goroutine at a time, holds no transaction between calls,
// and writes nothing into the file, so that one that is read-only will do.
type Reader struct {
	path    string
	db      *sql.DB
	conn    *sql.Conn
	version int64 // data_version at the last call of Changed
	stmts   map[string]*sql.Stmt
}

// OpenReader opens the journal at path for reading. If there is none, the error
// is fs.ErrNotExist.
func OpenReader(path string) (*Reader, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no journal yet: %w; start aspectop watch, or name another with --journal", err)
	}
	if err := checkFiles(path); err != nil {
		return nil, explain(path, err)
	}
	r, err := openReader(path, "mode=ro")
	if err != nil {
		return nil, explain(path, err)
	}
	return r, nil
}

func openReader(path string, parameters ...string) (*Reader, error) {
	ctx := context.Background()
	db, err := connect(path, append(parameters, "_pragma=busy_timeout(5000)")...)
	if err != nil {
		return nil, err
	}
	r := &Reader{path: path, db: db, stmts: make(map[string]*sql.Stmt)}
	if r.conn, err = db.Conn(ctx); err != nil {
		r.Close()
		return nil, err
	}
	fresh, err := checkFormat(ctx, r.conn, path)
	if err == nil && fresh {
		err = errors.New("nothing has been written to it yet; start aspectop watch")
	}
	if err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// Close gives the file free. The reader is of no use after.
func (r *Reader) Close() error {
	if r.conn != nil {
		r.conn.Close()
	}
	return r.db.Close()
}

// The two tables in the order of their common counter. Both are read in that
// order, so that SQLite merges them without sorting.
const (
	columns     = `SELECT seq, seq AS message, 1 AS attempt, 0 AS differs, id, received, source, secret, headers, body FROM deliveries`
	repeatsOnly = `SELECT seq, message, attempt, differs, id, received, source, secret, headers, body FROM repeats`
	afterQuery  = columns + ` WHERE seq > ?1 UNION ALL ` + repeatsOnly + ` WHERE seq > ?1 ORDER BY seq LIMIT ?2`
	beforeQuery = columns + ` WHERE seq < ?1 UNION ALL ` + repeatsOnly + ` WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2`
	getQuery    = columns + ` WHERE seq = ?1 UNION ALL ` + repeatsOnly + ` WHERE seq = ?1`
	rangeQuery  = `SELECT
		min(ifnull((SELECT min(seq) FROM deliveries), 0x7fffffffffffffff), ifnull((SELECT min(seq) FROM repeats), 0x7fffffffffffffff)),
		max(ifnull((SELECT max(seq) FROM deliveries), 0), ifnull((SELECT max(seq) FROM repeats), 0))`
	// receivedQuery gives the first arrival from a sequence number on.
	receivedQuery = `SELECT seq, received FROM (SELECT seq, received FROM deliveries WHERE seq >= ?1 LIMIT 1)
		UNION ALL SELECT seq, received FROM (SELECT seq, received FROM repeats WHERE seq >= ?1 LIMIT 1) ORDER BY seq LIMIT 1`
)

// After returns at most limit deliveries, repeats among them, that came after
// seq, in the order of their sequence numbers. After 0 they are from the start.
func (r *Reader) After(ctx context.Context, seq int64, limit int) ([]model.Delivery, error) {
	return r.deliveries(ctx, afterQuery, limit, seq, limit)
}

// Before returns at most limit deliveries, repeats among them, that came before
// seq, newest first. Before math.MaxInt64 they are from the end.
func (r *Reader) Before(ctx context.Context, seq int64, limit int) ([]model.Delivery, error) {
	return r.deliveries(ctx, beforeQuery, limit, seq, limit)
}

// Get returns one delivery, or ErrNotFound.
func (r *Reader) Get(ctx context.Context, seq int64) (model.Delivery, error) {
	found, err := r.deliveries(ctx, getQuery, 1, seq)
	if err != nil {
		return model.Delivery{}, err
	}
	if len(found) == 0 {
		return model.Delivery{}, fmt.Errorf("%w: number %d", ErrNotFound, seq)
	}
	return found[0], nil
}

// Repeats returns the kept repeats of a message, oldest first. It looks through
// all repeats there are.
func (r *Reader) Repeats(ctx context.Context, message int64) ([]model.Delivery, error) {
	return r.deliveries(ctx, repeatsOnly+` WHERE message = ?1 ORDER BY seq`, 0, message)
}

// Range returns the least and the greatest sequence number that is kept, both 0
// if nothing is. Numbers between them may be missing.
func (r *Reader) Range(ctx context.Context) (first, last int64, err error) {
	s, err := r.prepared(ctx, rangeQuery)
	if err != nil {
		return 0, 0, err
	}
	if err := s.QueryRowContext(context.WithoutCancel(ctx)).Scan(&first, &last); err != nil {
		return 0, 0, explain(r.path, err)
	}
	if last == 0 {
		return 0, 0, nil
	}
	return first, last, nil
}

// Since returns the greatest sequence number received before t, 0 if there is
// none: the cursor with which After goes on from t. It halves the range instead
// of looking at all, so it takes times for growing with the numbers; where the
// clock was set back in between, it finds one of the places that fit.
func (r *Reader) Since(ctx context.Context, t time.Time) (int64, error) {
	first, last, err := r.Range(ctx)
	if err != nil || last == 0 {
		return 0, err
	}
	s, err := r.prepared(ctx, receivedQuery)
	if err != nil {
		return 0, err
	}
	limit := t.UnixMicro()
	before := int64(0)               // greatest number known to be before t
	for low := first; low <= last; { // everything from last+1 on is known to be from t on
		middle := low + (last-low)/2
		var seq, received int64
		if err := s.QueryRowContext(context.WithoutCancel(ctx), middle).Scan(&seq, &received); err != nil {
			return 0, explain(r.path, err)
		}
		if received < limit {
			before, low = seq, seq+1
		} else {
			last = middle - 1
		}
	}
	return before, nil
}

// Changed reports whether anything was committed since its last call; at the
// first it is true. It costs microseconds, for polling. Now and then it says
// true when housekeeping changed the file without adding a delivery.
func (r *Reader) Changed(ctx context.Context) (bool, error) {
	s, err := r.prepared(ctx, "PRAGMA data_version")
	if err != nil {
		return false, err
	}
	before := r.version
	if err := s.QueryRowContext(context.WithoutCancel(ctx)).Scan(&r.version); err != nil {
		return false, explain(r.path, err)
	}
	return r.version != before, nil
}

// prepared returns the statement for a query, prepared at its first use.
//
// The queries are short, so a context is looked at between them and not handed
// down: watching it would cost the driver a goroutine for each.
func (r *Reader) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s := r.stmts[query]; s != nil {
		return s, nil
	}
	s, err := r.conn.PrepareContext(context.WithoutCancel(ctx), query)
	if err != nil {
		return nil, explain(r.path, err)
	}
	r.stmts[query] = s
	return s, nil
}

// deliveries runs a query for the columns above; size is how many rows are
// expected.
func (r *Reader) deliveries(ctx context.Context, query string, size int, args ...any) ([]model.Delivery, error) {
	s, err := r.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(context.WithoutCancel(ctx), args...)
	if err != nil {
		return nil, explain(r.path, err)
	}
	defer rows.Close()
	found := make([]model.Delivery, 0, min(size, 1024))
	for rows.Next() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var d model.Delivery
		// Into other types than SQLite's own, database/sql converts by way of text.
		var attempt, differs, received int64
		var source, header string
		err := rows.Scan(&d.Seq, &d.Message, &attempt, &differs, &d.ID, &received, &source, &d.Secret, &header, &d.Body)
		if err != nil {
			return nil, explain(r.path, err)
		}
		d.Attempt, d.Differs = int(attempt), differs != 0
		d.Source = model.Source(source)
		d.Received = time.UnixMicro(received).UTC()
		if d.Header, err = parseHeader(header); err != nil {
			return nil, fmt.Errorf("journal %s: delivery %d has %w", r.path, d.Seq, err)
		}
		found = append(found, d)
	}
	return found, explain(r.path, rows.Err())
}
