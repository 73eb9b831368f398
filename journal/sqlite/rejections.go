package sqlite

import (
	"context"
	"database/sql/driver"
	"time"

	"aspectop/journal"
	"aspectop/model"
)

// SaveRejections keeps rejected requests; see [journal.Journal].
func (j *Journal) SaveRejections(rejected []model.Rejected) error {
	return j.loosely(func(s *session) (n int64, err error) {
		for i := range rejected {
			r := &rejected[i]
			facts, header := journal.EncodeRejected(r)
			if _, err := s.exec(`INSERT INTO rejections (at, facts, headers, body) VALUES (?, ?, ?, ?)`, r.At.UnixMicro(), facts, header, r.Body); err != nil {
				return 0, err
			}
			n += int64(len(facts) + len(header) + len(r.Body))
		}
		_, err = s.exec(`DELETE FROM rejections WHERE n <= (SELECT n FROM rejections ORDER BY n DESC LIMIT 1 OFFSET ?)`, journal.RejectionsKept)
		return n, err
	})
}

// Rejections returns the newest rejected requests; see [journal.Reader].
func (r *Reader) Rejections(ctx context.Context, limit int) ([]model.Rejected, error) {
	return optionalRows(ctx, r, "rejections", `SELECT at, facts, headers, body FROM rejections ORDER BY n DESC LIMIT ?`, []driver.Value{limit},
		func(row []driver.Value) (rejected model.Rejected, err error) {
			var at int64
			var facts, header string
			var body []byte
			if err = scan(row, &at, &facts, &header, &body); err == nil {
				if rejected, err = journal.DecodeRejected(time.UnixMicro(at), facts, header, body); err != nil {
					err = &rowError{err}
				}
			}
			return rejected, err
		})
}
