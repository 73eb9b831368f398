package sqlite

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"strings"

	"aspectop/journal"
	"aspectop/model"
)

// arrival is a delivery on its way into the file, and what became of it.
type arrival struct {
	journal.Arrival
	hash idHash
}

// Append keeps d; see [journal.Journal]. When it returns nil, d is on the disk.
func (j *Journal) Append(ctx context.Context, d *model.Delivery) error {
	var room [2048]byte
	a := &arrival{
		journal.Arrival{Delivery: d, Header: string(journal.AppendHeader(room[:0], d.Header, d.ID))},
		j.ids.hash(d.ID),
	}
	if err := j.group.Add(ctx, a); err != nil {
		return err
	}
	a.Acknowledge()
	return nil
}

// commitAndTell commits a batch and tells the readers.
func (j *Journal) commitAndTell(arrivals []*arrival) error {
	err := explain(j.path, j.commit(arrivals))
	if j.failed = err != nil; !j.failed && j.options.Committed != nil {
		stored := make([]model.Delivery, len(arrivals))
		for i, a := range arrivals {
			stored[i] = a.Stored()
		}
		j.options.Committed(stored)
	}
	j.news.tell()
	return err
}

// commit writes a batch in one transaction, or nothing of it.
func (j *Journal) commit(b []*arrival) (err error) {
	if j.loadErr != nil {
		return j.loadErr
	}
	if j.moved || j.unsynced.Load() != nil {
		if err := j.present(); err != nil {
			return err
		}
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
	j.last += int64(len(b))
	n := int64(pageSize)
	for _, a := range b {
		n += int64(len(a.Header) + len(a.Delivery.Body))
	}
	j.noteWritten(n)
	j.restartLog(logLimit)
	// After the sync, and before it is acknowledged. A file that went away may come
	// back with b in it, so b stays numbered: what Svix sends again is then a repeat.
	return j.present()
}

// present returns a [*MovedError] if the journal's path no longer leads to the
// open file, and a [*SyncError] after a sync failed. The caller holds writing.
func (j *Journal) present() error {
	err := j.check()
	if err != nil && !j.moved && j.unsynced.Load() == nil {
		j.emptyLog() // brings what only a removed log holds into the file
	}
	j.moved = err != nil
	return err
}

// number tells messages from repeats and gives each its place.
func (j *Journal) number(b []*arrival) error {
	for i, a := range b {
		seq := j.last + 1 + int64(i)
		message, known := j.ids.message(a.hash)
		if !known {
			j.ids.add(a.hash, seq)
			a.Seq, a.Message, a.Attempt = seq, seq, 1
			continue
		}
		same, err := j.sameBody(message, a.Delivery.Body, b)
		if err != nil {
			return err
		}
		a.Seq, a.Message, a.Differs = seq, message, !same
		a.Attempt = max(j.ids.attempts[message], 1) + 1
		j.ids.attempts[message] = a.Attempt
	}
	return nil
}

// forget takes back what number noted of a batch that could not be committed.
func (j *Journal) forget(b []*arrival) {
	for _, a := range b {
		switch {
		case a.Seq == 0:
		case a.Repeat():
			if j.ids.attempts[a.Message]--; j.ids.attempts[a.Message] < 2 {
				delete(j.ids.attempts, a.Message)
			}
		default:
			delete(j.ids.seqs, a.hash)
		}
	}
}

// sameBody compares body with that of a message's first delivery, which is in the
// file, in the same batch, or removed save for its digest.
func (j *Journal) sameBody(message int64, body []byte, b []*arrival) (bool, error) {
	if i := message - j.last - 1; i >= 0 {
		return bytes.Equal(b[i].Delivery.Body, body), nil
	}
	var first []byte
	err := j.writer.row(`SELECT body FROM deliveries WHERE seq = ?`, []any{message}, &first)
	if isDamage(err) {
		return false, nil // so this one's is kept too
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return bytes.Equal(first, body), err
	}
	var digest []byte
	err = j.writer.row(`SELECT digest FROM removed WHERE seq = ?`, []any{message}, &digest)
	sum := sha256.Sum256(body)
	return bytes.Equal(digest, sum[:]), err
}

// insert writes the rows of b.
func insert(s *session, b []*arrival) error {
	firsts := s.inserted[:0]
	defer func() { clear(s.inserted) }()
	for _, a := range b {
		if a.Repeat() {
			if err := insertRepeat(s, a); err != nil {
				return err
			}
			continue
		}
		d := a.Delivery
		firsts = append(firsts, a.Seq, d.ID, d.Received.UnixMicro(), string(d.Source), d.Secret, a.Header, d.Body)
	}
	s.inserted = firsts
	for i := range insertions {
		for n := insertions[i].rows * insertedColumns; len(firsts) >= n; firsts = firsts[n:] {
			if err := s.run(insertions[i].text, firsts[:n]); err != nil {
				return err
			}
		}
	}
	return nil
}

// insertions insert so many messages at once, in two thirds of the time that
// inserting each by itself takes.
var insertions = []struct {
	rows int
	text string
}{{16, insertion(16)}, {4, insertion(4)}, {1, insertion(1)}}

const insertedColumns = 7

func insertion(rows int) string {
	return `INSERT INTO deliveries (seq, id, received, source, secret, headers, body) VALUES ` +
		strings.Repeat(`(?, ?, ?, ?, ?, ?, ?), `, rows-1) + `(?, ?, ?, ?, ?, ?, ?)`
}

func insertRepeat(s *session, a *arrival) error {
	d := a.Delivery
	var body []byte
	if a.Differs {
		body = d.Body
	}
	_, err := s.exec(`INSERT INTO repeats (seq, id, received, source, secret, headers, body, message, attempt, differs)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		a.Seq, d.ID, d.Received.UnixMicro(), string(d.Source), d.Secret, a.Header, body, a.Message, a.Attempt, a.Differs)
	return err
}
