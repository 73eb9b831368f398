package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"aspectop/journal"
	"aspectop/model"
)

// Reader reads a journal while another process, or this one, writes it; see
// [journal.Reader]. It writes nothing, so the file may be read-only. What cannot be
// read in a damaged file is skipped and reported; see [Reader.OnDamage].
type Reader struct {
	path string

	mu       sync.Mutex
	file     *openFile
	session  *session // nil when closed
	noHeader bool
	version  int64 // data_version at the last call of changed
	closed   chan struct{}
	damage   *damage

	// For Wait, which only one goroutine at a time calls.
	news *news // of the writer in this process; nil: Wait polls the file
	seen int64 // commits as of the last return of Wait
}

// OpenReader opens the journal at path for reading. If there is none, the error
// is fs.ErrNotExist.
//
// SQLite keeps two files beside a journal (-wal and -shm) and creates them if they
// are missing. Where it may not, the Reader assumes that nobody writes the journal,
// and does not see what is appended later.
func OpenReader(path string) (*Reader, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, noJournal(path)
	}
	if err := checkFiles(path); err != nil {
		return nil, explain(path, err)
	}
	r, err := openReader(path, "mode=ro")
	if isUnshareable(err) {
		if info, e := os.Lstat(path + "-wal"); e == nil && info.Size() > 0 {
			return nil, fmt.Errorf("the newest deliveries of %s are in %s-wal, which cannot be read without writing beside it (%w); copy both into a folder of your own and name the copy with --journal", path, filepath.Base(path), err)
		}
		r, err = openReader(path, "mode=ro", "immutable=1")
	}
	if err != nil {
		return nil, explain(path, err)
	}
	return r, nil
}

// noJournal says that nothing is at the path; it wraps fs.ErrNotExist.
func noJournal(path string) error {
	return fmt.Errorf("there is no journal at %s (%w): start aspectop watch, or name another with --journal", path, fs.ErrNotExist)
}

func openReader(path string, parameters ...string) (*Reader, error) {
	s, err := connect(path, append(parameters, "_pragma=busy_timeout(5000)")...)
	if err != nil {
		return nil, err
	}
	version, err := checkFormat(s, path)
	if err == nil && version == 0 {
		err = errors.New("nothing has been written to it yet; start aspectop watch")
	}
	if err != nil {
		s.close()
		return nil, err
	}
	file, err := openedAt(path)
	if err != nil {
		s.close()
		return nil, err
	}
	return &Reader{path: path, session: s, file: file, closed: make(chan struct{}), damage: newDamage(path)}, nil
}

// OnDamage has tell called with a [*DamagedError] when anything is found that
// cannot be read: at once, if it is known, and whenever there is more of it.
func (r *Reader) OnDamage(tell func(error)) { r.damage.onDamage(tell) }

// OmitHeader leaves the headers out from now on; see [journal.Reader].
func (r *Reader) OmitHeader() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.noHeader = true
}

// Close closes the file. Further calls fail with journal.ErrClosed.
func (r *Reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.session == nil {
		return nil
	}
	defer func() { r.session = nil }()
	close(r.closed)
	return r.session.close()
}

// The queries join the two tables in the order of their common counter. Both are
// stored in that order, so SQLite merges them without sorting.
const (
	firstColumns  = `seq, seq AS message, 1 AS attempt, 0 AS differs, id, received, source, secret, headers, body`
	repeatColumns = `seq, message, attempt, differs, id, received, source, secret, headers, body`

	firsts  = `SELECT ` + firstColumns + ` FROM deliveries`
	repeats = `SELECT ` + repeatColumns + ` FROM repeats`

	afterQuery   = firsts + ` WHERE seq > ?1 UNION ALL ` + repeats + ` WHERE seq > ?1 ORDER BY seq LIMIT ?2`
	beforeQuery  = firsts + ` WHERE seq < ?1 UNION ALL ` + repeats + ` WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2`
	getQuery     = firsts + ` WHERE seq = ?1 UNION ALL ` + repeats + ` WHERE seq = ?1`
	repeatsQuery = repeats + ` WHERE message = ?1 ORDER BY seq`

	rangeQuery = `SELECT
		min(ifnull((SELECT min(seq) FROM deliveries), 0x7fffffffffffffff), ifnull((SELECT min(seq) FROM repeats), 0x7fffffffffffffff)),
		max(ifnull((SELECT max(seq) FROM deliveries), 0), ifnull((SELECT max(seq) FROM repeats), 0))`

	// receivedQuery finds the first arrival at or after a number.
	receivedQuery = `SELECT * FROM (SELECT seq, received FROM deliveries WHERE seq >= ?1 ORDER BY seq LIMIT 1)
		UNION ALL SELECT * FROM (SELECT seq, received FROM repeats WHERE seq >= ?1 ORDER BY seq LIMIT 1) ORDER BY seq LIMIT 1`
)

// After returns the deliveries after seq; see [journal.Reader].
func (r *Reader) After(ctx context.Context, seq int64, limit int) ([]model.Delivery, error) {
	return r.deliveries(ctx, afterQuery, limit, func(d *detour) error { return d.after(seq, limit) }, seq, int64(limit))
}

// Before returns the deliveries before seq, newest first; see [journal.Reader].
func (r *Reader) Before(ctx context.Context, seq int64, limit int) ([]model.Delivery, error) {
	return r.deliveries(ctx, beforeQuery, limit, func(d *detour) error { return d.before(seq, limit) }, seq, int64(limit))
}

// Get returns one delivery; see [journal.Reader].
func (r *Reader) Get(ctx context.Context, seq int64) (model.Delivery, error) {
	found, err := r.deliveries(ctx, getQuery, 1, func(d *detour) error { return d.get(seq) }, seq)
	if err != nil {
		return model.Delivery{}, err
	}
	if len(found) == 0 {
		return model.Delivery{}, fmt.Errorf("%w: number %d", journal.ErrNotFound, seq)
	}
	return found[0], nil
}

// Repeats returns the repeats of a message, oldest first. It reads all repeats in
// the journal.
func (r *Reader) Repeats(ctx context.Context, message int64) ([]model.Delivery, error) {
	return r.deliveries(ctx, repeatsQuery, 0, func(d *detour) error { return d.repeats(message) }, message)
}

// Range returns the first and the last number; see [journal.Reader].
func (r *Reader) Range(ctx context.Context) (first, last int64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.usable(ctx); err != nil {
		return 0, 0, err
	}
	err = r.session.row(rangeQuery, nil, &first, &last)
	if isDamage(err) {
		d := &detour{ctx: ctx, session: r.session, damage: r.damage, noHeader: true}
		first, last, err = d.bounds()
	}
	if err != nil {
		return 0, 0, explain(r.path, err)
	}
	if last == 0 {
		return 0, 0, nil
	}
	return first, last, nil
}

// Since returns the last number received before t; see [journal.Reader]. It is a
// binary search.
func (r *Reader) Since(ctx context.Context, t time.Time) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.usable(ctx); err != nil {
		return 0, err
	}
	seq, err := lastBefore(r.session, t)
	if isDamage(err) {
		d := &detour{ctx: ctx, session: r.session, damage: r.damage, noHeader: true}
		seq, err = d.since(t)
	}
	return seq, explain(r.path, err)
}

// changed reports whether anything was committed since its last call; at the
// first it is true. It costs microseconds, for polling. Now and then it says
// true when housekeeping changed the file without adding a delivery.
func (r *Reader) changed(ctx context.Context) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.usable(ctx); err != nil {
		return false, err
	}
	before := r.version
	if err := r.session.row("PRAGMA data_version", nil, &r.version); err != nil {
		return false, explain(r.path, err)
	}
	return r.version != before, nil
}

// usable returns why a call cannot proceed. The caller holds mu.
func (r *Reader) usable(ctx context.Context) error {
	if r.session == nil {
		return journal.ErrClosed
	}
	if err := r.file.present(); err != nil {
		return err
	}
	return ctx.Err()
}

// deliveries runs a query; size is the expected number of rows. If the query meets
// damage, around is called in its place.
func (r *Reader) deliveries(ctx context.Context, query string, size int, around func(*detour) error, args ...driver.Value) ([]model.Delivery, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.usable(ctx); err != nil {
		return nil, err
	}
	if r.noHeader {
		query = withoutHeaders(query)
	}
	found := make([]model.Delivery, 0, min(size, 4096))
	err := r.session.values(query, args, func(row []driver.Value) error {
		d, err := deliveryOf(row)
		if err != nil {
			return err
		}
		found = append(found, d)
		return ctx.Err()
	})
	if isDamage(err) {
		d := &detour{ctx: ctx, session: r.session, damage: r.damage, noHeader: r.noHeader}
		err = around(d)
		found = d.found
	}
	if err != nil {
		return nil, explain(r.path, err)
	}
	return found, nil
}

// deliveryOf makes a delivery of a row, in the order of firstColumns. It keeps
// what is in the row.
func deliveryOf(row []driver.Value) (d model.Delivery, err error) {
	fine := len(row) == 10
	integer := func(i int) (n int64) {
		if fine {
			n, fine = row[i].(int64)
		}
		return n
	}
	text := func(i int) (s string) {
		if fine {
			s, fine = row[i].(string)
		}
		return s
	}
	d = model.Delivery{
		Seq: integer(0), Message: integer(1), Attempt: int(integer(2)), Differs: integer(3) != 0,
		ID: text(4), Received: time.UnixMicro(integer(5)).UTC(), Source: model.Source(text(6)), Secret: text(7),
	}
	if !fine {
		return d, &rowError{errors.New("a row has values of other kinds than are written")}
	}
	switch body := row[9].(type) {
	case []byte:
		d.Body = body
	case string: // somebody else wrote it
		d.Body = []byte(body)
	}
	if header, ok := row[8].(string); ok {
		if d.Header, err = journal.ParseHeader(header, d.ID); err != nil {
			d.Damage, err = err.Error(), nil
		}
	}
	return d, nil
}

// withoutHeaders changes a query to read no headers.
func withoutHeaders(query string) string { return strings.ReplaceAll(query, "headers", "NULL") }
