package sqlite

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"aspectop/journal"
	"aspectop/model"
)

// Reader reads a journal while another process, or this one, writes it; see
// [journal.Reader]. It writes nothing, so the file may be read-only. What After,
// Before, Range and Since cannot read of a damaged file is left out and noted; the
// other calls fail with [Damaged].
type Reader struct {
	path string

	mu       sync.Mutex
	file     *openFile
	session  *session // nil when closed
	noHeader bool
	version  int64 // data_version at the last call of changed
	closed   chan struct{}
	*Damage
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
	r, err := openAt(path)
	if e, ok := err.(*Error); ok && e.Kind == Corrupt {
		return nil, &Error{Foreign, path, e.Err}
	} else if err != nil {
		return nil, err
	}
	if damaged := checkLog(path); damaged != nil {
		if _, alive, err := Writer(path); err == nil && !alive { // else the log is in use
			r.log = fmt.Errorf("%s-wal (%w)", path, damaged)
			r.found(path+"-wal", damaged)
		}
	}
	return r, nil
}

func openAt(path string) (*Reader, error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, noJournal(path)
	}
	if err := checkFiles(path); err != nil {
		return nil, unopened(path, err)
	}
	r, err := openReader(path, "mode=ro")
	code, extended := codeOf(err)
	if code == sqlite3.SQLITE_CANTOPEN || code == sqlite3.SQLITE_READONLY || extended == sqlite3.SQLITE_IOERR_SHMMAP { // the files beside it could not be made
		if info, e := os.Lstat(path + "-wal"); e == nil && info.Size() > 0 {
			return nil, fmt.Errorf("the newest deliveries of %s are in %s-wal, which cannot be read without writing beside it (%w); copy both into a folder of your own and name the copy with --journal", path, filepath.Base(path), err)
		}
		r, err = openReader(path, "mode=ro", "immutable=1")
	}
	return r, unopened(path, err)
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
	file, missing := openedAt(path)
	if err = cmp.Or(err, missing); err != nil {
		s.close()
		return nil, err
	}
	return &Reader{path: path, session: s, file: file, closed: make(chan struct{}), Damage: new(Damage)}, nil
}

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
		(` + lastNumber + `)`
	lastNumber = `SELECT max(ifnull((SELECT max(seq) FROM deliveries), 0), ifnull((SELECT max(seq) FROM repeats), 0))`

	// receivedQuery finds the first arrival at or after a number.
	receivedQuery = `SELECT * FROM (SELECT seq, received FROM deliveries WHERE seq >= ?1 ORDER BY seq LIMIT 1)
		UNION ALL SELECT * FROM (SELECT seq, received FROM repeats WHERE seq >= ?1 ORDER BY seq LIMIT 1) ORDER BY seq LIMIT 1`
)

// After returns the deliveries after seq; see [journal.Reader].
func (r *Reader) After(ctx context.Context, seq int64, limit int) ([]model.Delivery, error) {
	return r.next(ctx, seq, limit, afterQuery, 1)
}

// Before returns the deliveries before seq, newest first; see [journal.Reader].
func (r *Reader) Before(ctx context.Context, seq int64, limit int) ([]model.Delivery, error) {
	return r.next(ctx, seq, limit, beforeQuery, -1)
}

// next returns the deliveries next to seq in the direction of step, 1 or -1.
func (r *Reader) next(ctx context.Context, seq int64, limit int, query string, step int64) ([]model.Delivery, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := make([]model.Delivery, 0, min(limit, 4096))
	err := r.each(ctx, query, []driver.Value{seq, int64(limit)}, func(d model.Delivery) error {
		if (d.Seq-seq)*step <= 0 {
			return &rowError{fmt.Errorf("number %d stands after %d", d.Seq, seq)}
		}
		seq, found = d.Seq, append(found, d)
		return nil
	})
	if isDamage(err) {
		var rest []model.Delivery
		rest, err = r.pastDamage(ctx, seq, step, limit-len(found), err)
		if found = append(found, rest...); isDamage(err) && len(found) > 0 {
			err = nil // the next call says why there is no more
		}
	}
	return found, explain(r.path, err)
}

// pastDamage returns the readable deliveries next to seq in the direction of step,
// where some cannot be read because of why, and notes which. It fails if they are the
// last. The caller holds mu.
func (r *Reader) pastDamage(ctx context.Context, seq, step int64, limit int, why error) (found []model.Delivery, err error) {
	var last int64
	if err := r.session.row(lastNumber, nil, &last); isUnread(err) || err != nil && step < 0 {
		return nil, why
	}
	query := ` WHERE seq >= ?1 ORDER BY seq LIMIT ?2`
	if seq = max(seq, 0); step < 0 {
		query, seq = ` WHERE seq <= ?1 ORDER BY seq DESC LIMIT ?2`, min(seq, last+1)
	}
	var lost []span
	var end error // why the end of a table cannot be read
	for _, table := range []string{firsts, repeats} {
		err := r.session.scan(tableScan{r.queryOf(table + query), seq + step, step, int64(limit), func(row []driver.Value, keep bool) error {
			d, err := deliveryOf(row)
			if keep && err == nil {
				found = append(found, d)
			}
			return cmp.Or(err, ctx.Err())
		}, func(s span, _ error) { lost = append(lost, s) }})
		if err != nil && !isDamage(err) {
			return nil, err
		}
		end = cmp.Or(end, err)
	}
	slices.SortFunc(found, func(a, b model.Delivery) int { return cmp.Compare(a.Seq*step, b.Seq*step) })
	if len(found) >= limit {
		found, end = found[:limit], nil
	}
	if end != nil && len(found) == 0 && isUnread(why) { // a disk that is gone may come back
		return nil, why
	}
	if len(lost) > 0 {
		r.Damage.found(r.path, why)
	}
	gap := func(to int64) { // the numbers between seq and to
		for _, s := range lost {
			s = span{max(s.first, min(seq, to)+1), min(s.last, max(seq, to)-1)}
			if s.first <= s.last {
				r.Damage.note(s)
			}
		}
		seq = to
	}
	for i := range found {
		gap(found[i].Seq)
	}
	if end != nil {
		gap(max(step, 0) * (maxSeq + 1))
	}
	return found, end
}

// Get returns one delivery; see [journal.Reader].
func (r *Reader) Get(ctx context.Context, seq int64) (found model.Delivery, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	err = r.each(ctx, getQuery, []driver.Value{seq}, func(d model.Delivery) error {
		found = d
		return nil
	})
	if isDamage(err) {
		var next []model.Delivery
		next, err = r.pastDamage(ctx, seq-1, 1, 1, err)
		if len(next) > 0 {
			found = next[0]
		}
		if found.Seq != seq && r.Damage.at(seq) {
			err = r.Damage.first()
		}
	}
	if err == nil && found.Seq != seq {
		err = fmt.Errorf("%w: number %d", journal.ErrNotFound, seq)
	}
	if err != nil {
		return model.Delivery{}, explain(r.path, err)
	}
	return found, nil
}

// Repeats returns the repeats of a message, oldest first. It reads all repeats in
// the journal.
func (r *Reader) Repeats(ctx context.Context, message int64) (found []model.Delivery, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	err = r.each(ctx, repeatsQuery, []driver.Value{message}, func(d model.Delivery) error {
		found = append(found, d)
		return nil
	})
	return found, explain(r.path, err)
}

// Range returns the first and the last number; see [journal.Reader].
func (r *Reader) Range(ctx context.Context) (first, last int64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	first, last, err = r.bounds(ctx)
	return first, last, explain(r.path, err)
}

// bounds is Range for callers that hold mu.
func (r *Reader) bounds(ctx context.Context) (first, last int64, err error) {
	if err := r.usable(ctx); err != nil {
		return 0, 0, err
	}
	if err = r.session.row(rangeQuery, nil, &first, &last); isDamage(err) {
		var found []model.Delivery
		if found, err = r.pastDamage(ctx, 0, 1, 1, err); len(found) > 0 {
			first, err = found[0].Seq, r.session.row(lastNumber, nil, &last)
		}
	}
	if err != nil || last == 0 {
		return 0, 0, err
	}
	return first, last, nil
}

// Since returns the last number received before t; see [journal.Reader]. It is a
// binary search.
func (r *Reader) Since(ctx context.Context, t time.Time) (seq int64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	first, last, err := r.bounds(ctx)
	if err == nil {
		seq, err = lastBefore(r.session, first, last, t)
	}
	return seq, explain(r.path, err)
}

// Wait returns when something was committed since its last call returned; see
// [journal.Reader].
func (r *Reader) Wait(ctx context.Context) error { return journal.Poll(ctx, r.closed, r.changed) }

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

// each calls f with each delivery of a query. The caller holds mu.
func (r *Reader) each(ctx context.Context, query string, args []driver.Value, f func(model.Delivery) error) error {
	if err := r.usable(ctx); err != nil {
		return err
	}
	return r.session.values(r.queryOf(query), args, func(row []driver.Value) error {
		d, err := deliveryOf(row)
		if err == nil {
			err = f(d)
		}
		return cmp.Or(err, ctx.Err())
	})
}

// queryOf leaves the headers out of a query, if nobody needs them.
func (r *Reader) queryOf(query string) string {
	if r.noHeader {
		return strings.ReplaceAll(query, "headers", "NULL")
	}
	return query
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
