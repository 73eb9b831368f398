package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"aspectop/journal"
	"aspectop/model"
)

// Import keeps deliveries of another journal under their own numbers; see
// [journal.Journal].
func (j *Journal) Import(_ context.Context, deliveries []model.Delivery) error {
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
	batch := make([]*arrival, len(deliveries))
	size := int64(pageSize)
	for i := range deliveries {
		d := &deliveries[i]
		batch[i] = &arrival{journal.Arrival{
			Delivery: d, Header: string(journal.AppendHeader(nil, d.Header, d.ID)),
			Seq: d.Seq, Message: d.Message, Attempt: d.Attempt, Differs: d.Differs,
		}, j.ids.hash(d.ID)}
		size += int64(len(batch[i].Header) + len(d.Body))
	}
	gap := j.last+int64(len(batch)) != batch[len(batch)-1].Seq
	err := j.writer.transaction(func() error {
		if gap { // retention made it in the other journal
			if _, err := j.writer.exec(`UPDATE meta SET value = ? WHERE name = 'last_seq'`, batch[len(batch)-1].Seq); err != nil {
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
			j.ids.add(a.hash, a.Seq)
		}
	}
	j.last = deliveries[len(deliveries)-1].Seq
	j.noteWritten(size)
	j.restartLog(logLimit)
	j.news.tell()
	return explain(j.path, j.present())
}

// ForwardTargets returns the targets that deliveries were forwarded to.
func (r *Reader) ForwardTargets(ctx context.Context) (found []journal.ForwardTarget, err error) {
	err = r.forwarded(ctx, func() error {
		return r.session.each(`SELECT key, url, cursor FROM forward_targets ORDER BY id`, nil, func(rows *sql.Rows) error {
			var t journal.ForwardTarget
			err := rows.Scan(&t.Key, &t.URL, &t.Cursor)
			found = append(found, t)
			return err
		})
	})
	return found, err
}
