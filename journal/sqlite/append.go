package sqlite

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"aspectop/journal"
	"aspectop/model"
)

// Append keeps d; see [journal.Journal]. When it returns nil, d is on the disk.
func (j *Journal) Append(ctx context.Context, d *model.Delivery) error { return j.group.Append(ctx, d) }

// AppendAll keeps several deliveries; see [journal.Journal].
func (j *Journal) AppendAll(ctx context.Context, deliveries []*model.Delivery) error {
	return j.group.Append(ctx, deliveries...)
}

func (j *Journal) commitBatch(take func() []*journal.Arrival) error {
	arrivals := take()
	err := explain(j.path, j.commit(arrivals))
	if j.failed = err != nil; !j.failed {
		j.options.HandOver(arrivals)
	}
	return err
}

// commit writes a batch in one transaction, or nothing of it.
func (j *Journal) commit(b []*journal.Arrival) (err error) {
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
	if err = j.writer.transaction(write); errors.Is(explain(j.path, err), Full) && j.emptyLog() == nil {
		err = j.writer.transaction(write)
	}
	if err != nil {
		j.forget(b)
		return err
	}
	j.last += int64(len(b))
	j.noteBatch(b)
	// A file that went away may come back with b in it, so b stays numbered: what Svix
	// sends again is then a repeat.
	return j.present()
}

func (j *Journal) noteBatch(b []*journal.Arrival) {
	n := int64(pageSize)
	for _, a := range b {
		n += int64(len(a.Header) + len(a.Delivery.Body))
	}
	j.noteWritten(n)
	j.restartLog(logLimit)
}

// present returns a [Moved] error if the journal's path no longer leads to the
// open file, and a [Unsynced] one after a sync failed. The caller holds writing.
func (j *Journal) present() error {
	err := j.check()
	if err != nil && !j.moved && j.unsynced.Load() == nil {
		j.emptyLog() // brings what only a removed log holds into the file
	}
	j.moved = err != nil
	return err
}

func (j *Journal) number(b []*journal.Arrival) error {
	for i, a := range b {
		seq := j.last + 1 + int64(i)
		hash := j.ids.hash(a.Delivery.ID)
		message, known := j.ids.message(hash)
		if twin := a.Delivery.Twin; !known && twin != "" {
			message, known = j.ids.message(j.ids.hash(twin))
		}
		if !known {
			j.ids.add(hash, seq)
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
func (j *Journal) forget(b []*journal.Arrival) {
	for _, a := range b {
		switch {
		case a.Seq == 0:
		case a.Repeat():
			if j.ids.attempts[a.Message]--; j.ids.attempts[a.Message] < 2 {
				delete(j.ids.attempts, a.Message)
			}
		default:
			delete(j.ids.seqs, j.ids.hash(a.Delivery.ID))
		}
	}
}

// sameBody compares body with that of a message's first delivery, which is in the
// file, in the same batch, or removed save for its digest.
func (j *Journal) sameBody(message int64, body []byte, b []*journal.Arrival) (bool, error) {
	if i := message - j.last - 1; i >= 0 {
		return bytes.Equal(b[i].Delivery.Body, body), nil
	}
	var first []byte
	err := j.writer.row(`SELECT body FROM deliveries WHERE seq = ?`, []driver.Value{message}, &first)
	if isDamage(err) {
		return false, nil // so this one's is kept too
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return bytes.Equal(first, body), err
	}
	var digest []byte
	err = j.writer.row(`SELECT digest FROM removed WHERE seq = ?`, []driver.Value{message}, &digest)
	sum := sha256.Sum256(body)
	return bytes.Equal(digest, sum[:]), err
}

func insert(s *session, b []*journal.Arrival) error {
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
			if _, err := s.exec(insertions[i].text, firsts[:n]...); err != nil {
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

func insertRepeat(s *session, a *journal.Arrival) error {
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

// Import keeps deliveries of another journal under their own numbers; see
// [journal.Journal].
func (j *Journal) Import(ctx context.Context, deliveries []model.Delivery) error {
	if len(deliveries) == 0 {
		return nil
	}
	j.writing.Lock()
	defer j.writing.Unlock()
	switch {
	case j.group.Closed():
		return journal.ErrClosed
	case j.loadErr != nil:
		return j.loadErr
	case deliveries[0].Seq <= j.last:
		return fmt.Errorf("delivery %d cannot be imported: the journal %s ends at %d already", deliveries[0].Seq, j.path, j.last)
	}
	if err := j.present(); err != nil {
		return explain(j.path, err)
	}
	batch := make([]*journal.Arrival, len(deliveries))
	for i := range deliveries {
		d := &deliveries[i]
		batch[i] = journal.NewArrival(ctx, d)
		batch[i].Seq, batch[i].Message, batch[i].Attempt, batch[i].Differs = d.Seq, d.Message, d.Attempt, d.Differs
	}
	last := deliveries[len(deliveries)-1].Seq
	err := j.writer.transaction(func() error {
		if j.last+int64(len(batch)) != last { // retention made gaps in the other journal
			if _, err := j.writer.exec(setLast, last); err != nil {
				return err
			}
		}
		return insert(j.writer, batch)
	})
	if err != nil {
		return explain(j.path, err)
	}
	for _, a := range batch {
		if a.Repeat() {
			j.ids.attempts[a.Message] = max(j.ids.attempts[a.Message], a.Attempt)
		} else {
			j.ids.add(j.ids.hash(a.Delivery.ID), a.Seq)
		}
	}
	j.last = last
	j.noteBatch(batch)
	return explain(j.path, j.present())
}
