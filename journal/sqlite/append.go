package sqlite

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"runtime"

	"aspectop/journal"
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
// It takes as long as the disk takes, or until ctx ends: then d may be kept all
// the same, and must not be changed any more, for a commit that others may have
// joined is seen through.
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
		return journal.ErrClosed
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
	}
	select {
	case <-b.done:
	case <-ctx.Done():
		return fmt.Errorf("the disk did not answer in time: %w", context.Cause(ctx))
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
	j.failed = b.err != nil
	close(b.done)
	j.news.tell()
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
	if err := j.present(); err != nil {
		return err
	}
	if err := j.number(b); err != nil {
		j.forget(b)
		return err
	}
	write := func() error { return insert(j.writer, b) }
	if err = j.writer.transaction(write); isFullError(j.path, err) && j.emptyLog() == nil {
		err = j.writer.transaction(write)
	}
	if err != nil {
		j.forget(b)
		return err
	}
	j.last += int64(len(b.arrivals))
	n := int64(pageSize)
	for _, a := range b.arrivals {
		n += int64(len(a.header) + len(a.delivery.Body))
	}
	j.noteWritten(n)
	j.shortenLog(n)
	// A file that went away meanwhile may come back with b in it, so b stays
	// numbered: what Svix sends again is then a repeat.
	return j.present()
}

// present returns a [*MovedError] if the journal's path no longer leads to the
// open file. The caller holds writing.
func (j *Journal) present() error {
	err := j.file.check()
	switch {
	case errors.Is(err, errCutShort):
		if err2 := j.file.shorten(j.logCopied); err2 == nil {
			return j.file.check() // the checkpoint of another program emptied it
		}
		j.broken.Store(true)
	case err != nil && !j.rescued:
		j.emptyLog() // brings what only a removed log holds into the file
	}
	j.rescued = err != nil
	return err
}

// number tells messages from repeats and gives each its place.
func (j *Journal) number(b *batch) error {
	for i, a := range b.arrivals {
		seq := j.last + 1 + int64(i)
		message, known := j.ids.message(a.hash)
		if !known {
			j.ids.add(a.hash, seq)
			a.seq, a.message, a.attempt = seq, seq, 1
			continue
		}
		same, err := j.sameBody(message, a.delivery.Body, b)
		if err != nil {
			return err
		}
		a.seq, a.message, a.differs = seq, message, !same
		a.attempt = max(j.ids.attempts[message], 1) + 1
		j.ids.attempts[message] = a.attempt
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

// sameBody compares body with that of a message's first delivery, which is in the
// file, in the same batch, or removed save for its digest.
func (j *Journal) sameBody(message int64, body []byte, b *batch) (bool, error) {
	if i := message - j.last - 1; i >= 0 {
		return bytes.Equal(b.arrivals[i].delivery.Body, body), nil
	}
	var first []byte
	err := j.writer.row(`SELECT body FROM deliveries WHERE seq = ?`, []any{message}, &first)
	if !errors.Is(err, sql.ErrNoRows) {
		return bytes.Equal(first, body), err
	}
	var digest []byte
	err = j.writer.row(`SELECT digest FROM removed WHERE seq = ?`, []any{message}, &digest)
	sum := sha256.Sum256(body)
	return bytes.Equal(digest, sum[:]), err
}

// insert writes the rows of b, one statement each: statements of many rows were
// not measurably cheaper.
func insert(s *session, b *batch) error {
	first, err := s.stmt(`INSERT INTO deliveries (seq, id, received, source, secret, headers, body)
		VALUES (?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	repeat, err := s.stmt(`INSERT INTO repeats (seq, id, received, source, secret, headers, body, message, attempt, differs)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	for _, a := range b.arrivals {
		d := a.delivery
		if !a.repeat() {
			_, err = first.ExecContext(background, a.seq, d.ID, d.Received.UnixMicro(), string(d.Source), d.Secret, a.header, d.Body)
		} else {
			body := d.Body
			if !a.differs {
				body = nil
			}
			_, err = repeat.ExecContext(background, a.seq, d.ID, d.Received.UnixMicro(), string(d.Source), d.Secret, a.header, body,
				a.message, a.attempt, a.differs)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
