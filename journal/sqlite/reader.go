package sqlite

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"aspectop/journal"
	"aspectop/model"
)

// Reader reads a journal while another process, or this one, writes it; see
// [journal.Reader]. It writes nothing, so the file may be read-only. What After,
// Before, Range and Since cannot read of a damaged file is left out and reported;
// see [Reader.OnDamage]. The other calls fail with a [*DamagedError].
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
	r, err := openAt(path)
	if err != nil {
		return nil, err
	}
	if log, damaged := checkLog(path).(*CorruptError); damaged && !isWritten(path) {
		r.damage.noteLog(log)
	}
	return r, nil
}

// isWritten reports whether a process writes the journal, so that its log is in use.
func isWritten(path string) bool {
	_, alive, err := Writer(path)
	return alive || err != nil
}

func openAt(path string) (*Reader, error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, noJournal(path)
	}
	if err := checkFiles(path); err != nil {
		return nil, unopened(path, err)
	}
	r, err := openReader(path, "mode=ro")
	if isUnshareable(err) {
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
	if err != nil {
		s.close()
		return nil, err
	}
	file, err := openedAt(path)
	if err != nil {
		s.close()
		return nil, err
	}
	return &Reader{path: path, session: s, file: file, closed: make(chan struct{}), damage: &damage{path: path}}, nil
}

// OnDamage has tell called with a [*DamagedError], once: when anything is found that
// cannot be read, or at once if that is known.
func (r *Reader) OnDamage(tell func(error)) { r.damage.onDamage(tell) }

// Unreadable lists what could not be read so far, such as "numbers 41 to 57". Some of
// the numbers may never have been used.
func (r *Reader) Unreadable() []string { return r.damage.unreadable() }

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
	for {
		err := r.each(ctx, query, []driver.Value{seq, int64(limit - len(found))}, func(d model.Delivery) error {
			if (d.Seq-seq)*step <= 0 {
				return &rowError{fmt.Errorf("number %d stands after %d", d.Seq, seq)}
			}
			seq, found = d.Seq, append(found, d)
			return nil
		})
		if !isDamage(err) {
			return found, explain(r.path, err)
		}
		around, err := r.around(ctx, seq, step, err)
		if err != nil && len(found) > 0 {
			return found, nil // the next call says why there is no more
		} else if err != nil {
			return nil, explain(r.path, err)
		}
		if around.Seq == 0 {
			return found, nil
		}
		if seq, found = around.Seq, append(found, around); len(found) == limit {
			return found, nil
		}
	}
}

// around returns the readable delivery next to seq, in the direction of step, where
// what is nearer cannot be read because of why; one without number if there is none.
// It notes the numbers in between. The caller holds mu.
func (r *Reader) around(ctx context.Context, seq, step int64, why error) (nearest model.Delivery, err error) {
	var last int64
	noLast := r.session.row(lastNumber, nil, &last)
	if lost, known := r.damage.at(seq + step); known && lost.last == maxSeq || isUnread(noLast) || noLast != nil && step < 0 {
		return nearest, why
	}
	order := ` WHERE seq >= ?1 ORDER BY seq LIMIT 1`
	if seq = max(seq, 0); step < 0 {
		order, seq = ` WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1`, min(seq, last+1)
	}
	next := int64(math.MaxInt64) // the distance of nearest from seq
	far := int64(1)              // the distance from which on both tables can be read
	most := seq - 1
	if step > 0 {
		most = maxSeq - seq
	}
	lost := false
	for _, table := range []string{firsts, repeats} {
		at, err := passOver(most, func(at int64) error {
			return r.each(ctx, table+order, []driver.Value{seq + at*step}, func(d model.Delivery) error {
				distance := (d.Seq - seq) * step
				if distance < at || d.Seq > maxSeq {
					return &rowError{fmt.Errorf("number %d stands after %d", d.Seq, seq)}
				}
				if distance < next {
					nearest, next = d, distance
				}
				return nil
			})
		})
		if err != nil && !isDamage(err) {
			return nearest, err
		}
		lost = lost || err != nil
		far = max(far, at)
	}
	if lost = lost && nearest.Seq == 0; lost && isUnread(why) { // a disk that is gone may come back
		return nearest, why
	}
	if !lost {
		far = min(far, next) - 1
	}
	if far > 0 {
		last := seq + far*step
		r.damage.note(span{min(seq+step, last), max(seq+step, last)}, why)
	}
	if lost {
		return nearest, why
	}
	return nearest, nil
}

// Get returns one delivery; see [journal.Reader].
func (r *Reader) Get(ctx context.Context, seq int64) (model.Delivery, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := model.Delivery{}
	take := func(d model.Delivery) error {
		found = d
		return nil
	}
	err := r.each(ctx, getQuery, []driver.Value{seq}, take)
	if isDamage(err) {
		found, err = r.around(ctx, seq-1, 1, err)
		if _, lost := r.damage.at(seq); lost && found.Seq != seq {
			return model.Delivery{}, r.damage.err()
		}
	}
	if err != nil {
		return model.Delivery{}, explain(r.path, err)
	}
	if found.Seq != seq {
		return model.Delivery{}, fmt.Errorf("%w: number %d", journal.ErrNotFound, seq)
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
		var d model.Delivery
		if d, err = r.around(ctx, 0, 1, err); err == nil {
			first, err = d.Seq, r.session.row(lastNumber, nil, &last)
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
	if r.noHeader {
		query = strings.ReplaceAll(query, "headers", "NULL")
	}
	return r.session.values(query, args, func(row []driver.Value) error {
		d, err := deliveryOf(row)
		if err == nil {
			err = f(d)
		}
		return cmp.Or(err, ctx.Err())
	})
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
