package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"runtime"

	"aspectop/model"
)

// A batch is what one transaction commits. Whoever opens it is its leader: it
// waits until the file is free, while others join, and commits for all. So a
// lone arrival is committed at once, by its own goroutine, and the more come
// the more share one sync of the disk.
type batch struct {
	arrivals []*arrival
	done     chan struct{} // closed when err is decided
	err      error
}

// arrival is a delivery on its way into the file, and what became of it.
type arrival struct {
	delivery *model.Delivery
	hash     idHash
	header   string

	seq, message int64
	attempt      int
	differs      bool
}

func (a *arrival) repeat() bool { return a.seq != a.message }

// Append keeps d: when it returns nil, d is on the disk and its Seq, Message,
// Attempt and Differs are filled in; everything else in d is the caller's to
// fill before, the ID not empty. After an error, whether for a full disk or
// another trouble, d is as it was and the next Append is free to try again.
//
// It takes as long as the disk takes. ctx is looked at before the start only:
// once others may have joined a commit, it is seen through.
func (j *Journal) Append(ctx context.Context, d *model.Delivery) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var room [2048]byte
	a := &arrival{
		delivery: d,
		hash:     j.ids.hash(d.ID),
		header:   string(appendHeader(room[:0], d.Header)),
	}

	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return ErrClosed
	}
	b := j.open
	leader := b == nil
	if leader {
		b = &batch{done: make(chan struct{})}
		j.open = b
	}
	b.arrivals = append(b.arrivals, a)
	j.mu.Unlock()

	if leader {
		j.lead(b)
	} else {
		<-b.done
	}
	if b.err != nil {
		return b.err
	}
	d.Seq, d.Message, d.Attempt, d.Differs = a.seq, a.message, a.attempt, a.differs
	return nil
}

// lead commits b when its turn has come.
func (j *Journal) lead(b *batch) {
	j.writing.Lock()
	defer j.writing.Unlock()
	j.gather(b)
	b.err = explain(j.path, j.commit(b))
	close(b.done)
}

// gather closes b to further arrivals. Those that are just about to come are let
// in: yielding costs nothing when there are none, and a timer would delay all.
func (j *Journal) gather(b *batch) {
	size := 0
	for range 8 {
		j.mu.Lock()
		grown := len(b.arrivals) > size
		size = len(b.arrivals)
		j.mu.Unlock()
		if !grown {
			break
		}
		runtime.Gosched()
	}
	j.mu.Lock()
	j.open = nil
	j.mu.Unlock()
}

// commit writes b in one transaction, or nothing of it.
func (j *Journal) commit(b *batch) (err error) {
	if j.loadErr != nil {
		return j.loadErr
	}
	ctx := context.Background()
	defer func() {
		if err != nil {
			j.forget(b)
		}
	}()
	if err := j.number(ctx, b); err != nil {
		return err
	}
	n, err := j.writer.write(ctx, b)
	if err != nil {
		return err
	}
	j.last = b.arrivals[len(b.arrivals)-1].seq
	j.noteWritten(n)
	return nil
}

// number tells messages from repeats and gives each its place.
func (j *Journal) number(ctx context.Context, b *batch) error {
	for i, a := range b.arrivals {
		seq := j.last + 1 + int64(i)
		message, known := j.ids.message(a.hash)
		if !known {
			j.ids.add(a.hash, seq)
			a.message, a.attempt = seq, 1
			a.seq = seq
			continue
		}
		a.message = message
		attempt := max(j.ids.attempts[message], 1) + 1
		j.ids.attempts[message] = attempt
		a.attempt = attempt
		a.seq = seq // from here on forget counts it
		same, err := j.sameBody(ctx, a, b)
		if err != nil {
			return err
		}
		a.differs = !same
	}
	return nil
}

// forget takes back what number noted of a batch that could not be committed.
func (j *Journal) forget(b *batch) {
	for _, a := range b.arrivals {
		switch {
		case a.seq == 0:
		case a.repeat():
			if j.ids.attempts[a.message]--; j.ids.attempts[a.message] < 2 {
				delete(j.ids.attempts, a.message)
			}
		default:
			delete(j.ids.seqs, a.hash)
		}
	}
}

// sameBody compares a repeat with the first delivery of its message, which is
// in the file, in the same batch, or removed save for its digest.
func (j *Journal) sameBody(ctx context.Context, a *arrival, b *batch) (bool, error) {
	if i := a.message - j.last - 1; i >= 0 {
		return bytes.Equal(b.arrivals[i].delivery.Body, a.delivery.Body), nil
	}
	var body []byte
	err := j.writer.body.QueryRowContext(ctx, a.message).Scan(&body)
	if !errors.Is(err, sql.ErrNoRows) {
		return bytes.Equal(body, a.delivery.Body), err
	}
	var digest []byte
	err = j.writer.digest.QueryRowContext(ctx, a.message).Scan(&digest)
	sum := sha256.Sum256(a.delivery.Body)
	return bytes.Equal(digest, sum[:]), err
}

// writer holds the prepared statements of the connection that appends.
type writer struct {
	conn                          *sql.Conn
	begin, commit, insert, repeat *sql.Stmt
	body, digest                  *sql.Stmt
	args                          []any
}

func newWriter(ctx context.Context, c *sql.Conn) (*writer, error) {
	w := &writer{conn: c}
	for _, s := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&w.begin, "BEGIN IMMEDIATE"},
		{&w.commit, "COMMIT"},
		{&w.insert, "INSERT INTO deliveries (seq, id, received, source, secret, headers, body) VALUES (?, ?, ?, ?, ?, ?, ?)"},
		{&w.repeat, "INSERT INTO repeats (seq, message, attempt, differs, id, received, source, secret, headers, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
		{&w.body, "SELECT body FROM deliveries WHERE seq = ?"},
		{&w.digest, "SELECT digest FROM removed WHERE seq = ?"},
	} {
		var err error
		if *s.stmt, err = c.PrepareContext(ctx, s.text); err != nil {
			return nil, fmt.Errorf("%s: %w", s.text, err)
		}
	}
	return w, nil
}

// write commits b and returns about how many bytes that were.
func (w *writer) write(ctx context.Context, b *batch) (n int64, err error) {
	if _, err := w.begin.ExecContext(ctx); err != nil {
		return 0, err
	}
	defer func() {
		if err != nil { // SQLite may have rolled back by itself: then this fails, and rightly
			w.conn.ExecContext(ctx, "ROLLBACK")
		}
	}()
	for _, a := range b.arrivals {
		d := a.delivery
		n += int64(len(a.header) + len(d.Body))
		if !a.repeat() {
			_, err = w.insert.ExecContext(ctx, a.seq, d.ID, d.Received.UnixMicro(), string(d.Source), d.Secret, a.header, d.Body)
		} else {
			var body []byte
			if a.differs {
				body = d.Body
			}
			_, err = w.repeat.ExecContext(ctx, a.seq, a.message, a.attempt, a.differs, d.ID, d.Received.UnixMicro(), string(d.Source), d.Secret, a.header, body)
		}
		if err != nil {
			return 0, err
		}
	}
	_, err = w.commit.ExecContext(ctx)
	return n + pageSize, err
}

// close closes the connection, and its statements with it.
func (w *writer) close() error { return w.conn.Close() }
