package sqlite

import (
	"context"
	"database/sql/driver"
	"time"

	"aspectop/journal"
	"aspectop/model"
)

// createRejections makes the ring of rejected requests, newest last. headers is as in
// deliveries; skew and tolerance are in seconds, at in microseconds since 1970.
const createRejections = `CREATE TABLE IF NOT EXISTS rejections (
	n         INTEGER PRIMARY KEY,
	at        INTEGER NOT NULL,
	id        TEXT NOT NULL,
	method    TEXT NOT NULL,
	path      TEXT NOT NULL,
	reason    TEXT NOT NULL,
	detail    TEXT NOT NULL,
	hint      TEXT NOT NULL,
	evidence  TEXT NOT NULL,
	skew      INTEGER NOT NULL,
	tolerance INTEGER NOT NULL,
	headers   TEXT NOT NULL,
	body      BLOB,
	size      INTEGER NOT NULL
)`

const rejectionColumns = `at, id, method, path, reason, detail, hint, evidence, skew, tolerance, headers, body, size`

// SaveRejections keeps rejected requests; see [journal.Journal].
func (j *Journal) SaveRejections(rejected []model.Rejected) error {
	return j.loosely(func(s *session) (n int64, err error) {
		for i := range rejected {
			r, v := &rejected[i], &rejected[i].Verdict
			header := string(journal.AppendHeader(nil, r.Header, r.ID))
			n += int64(len(header) + len(r.Body))
			if _, err := s.exec(`INSERT INTO rejections (`+rejectionColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
				r.At.UnixMicro(), r.ID, r.Method, r.Path, string(v.Reason), v.Detail, v.Hint, v.Evidence,
				v.SkewSeconds, v.ToleranceSeconds, header, r.Body, r.Size); err != nil {
				return 0, err
			}
		}
		_, err = s.exec(`DELETE FROM rejections WHERE n <= (SELECT n FROM rejections ORDER BY n DESC LIMIT 1 OFFSET ?)`, journal.RejectionsKept)
		return n, err
	})
}

// Rejections returns the newest rejected requests; see [journal.Reader].
func (r *Reader) Rejections(ctx context.Context, limit int) (found []model.Rejected, err error) {
	err = r.optional(ctx, "rejections", func() error {
		return r.session.values(`SELECT `+rejectionColumns+` FROM rejections ORDER BY n DESC LIMIT ?`, []driver.Value{limit}, func(row []driver.Value) error {
			var x model.Rejected
			var at int64
			var reason, header string
			v := &x.Verdict
			err := scan(row, &at, &x.ID, &x.Method, &x.Path, &reason, &v.Detail, &v.Hint, &v.Evidence,
				&v.SkewSeconds, &v.ToleranceSeconds, &header, &x.Body, &x.Size)
			if err != nil {
				return err
			}
			x.At, v.Reason = time.UnixMicro(at).UTC(), model.Reason(reason)
			if x.Header, err = journal.ParseHeader(header, x.ID); err != nil {
				return &rowError{err}
			}
			found = append(found, x)
			return nil
		})
	})
	return found, err
}
