package postgres

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"aspectop/journal"
	"aspectop/model"
)

const (
	// slow is how long a commit takes until the server is asked what it waits for,
	// and then how often.
	slow = 2 * time.Second
	// commitTime is how long a commit may take that does not wait for a standby. It
	// bounds how long a dead connection is waited for.
	commitTime = 8 * time.Second
)

// Append keeps d; see [journal.Journal]. When it returns nil, the server has
// committed d as durably as its synchronous_commit asks for.
func (j *Journal) Append(ctx context.Context, d *model.Delivery) error {
	return j.AppendAll(ctx, []*model.Delivery{d})
}

// AppendAll keeps several deliveries; see [journal.Journal].
func (j *Journal) AppendAll(ctx context.Context, deliveries []*model.Delivery) error {
	err := j.group.Append(ctx, deliveries...)
	if failed := j.failed.Load(); err != nil && failed != nil && ctx.Err() != nil {
		return failed.err // says why time ran out
	}
	return err
}

// begin starts a transaction that sees what others commit while it waits for its turn,
// whatever the server's, the database's or the role's default is.
const begin = `BEGIN ISOLATION LEVEL READ COMMITTED`

// commit keeps a batch in one transaction, or nothing of it. If other receivers wrote since
// the last one, it waits for its turn before it takes the batch: what comes meanwhile shares
// the commit. The round trip more would only delay a receiver that is alone.
func (j *Journal) commit(take func() []*journal.Arrival) error {
	ctx, giveUp := context.WithCancelCause(context.Background())
	defer giveUp(nil)
	done := j.attend(giveUp)
	var wanted []*journal.Arrival
	err := j.database.explain(j.pool.do(ctx, func(c *pgxpool.Conn) error {
		if j.shared {
			if _, err := c.Conn().PgConn().Exec(ctx, begin+`; SELECT FROM aspectop.head FOR UPDATE`).ReadAll(); err != nil {
				return err
			}
		}
		// While the server does not answer, callers give up and Svix tries again.
		if wanted = slices.DeleteFunc(slices.Clone(take()), func(a *journal.Arrival) bool { return !a.Wanted() }); len(wanted) == 0 {
			return nil // releasing the connection ends what was begun
		}
		return j.send(ctx, c, wanted, j.shared)
	}))
	done()
	if why := context.Cause(ctx); err != nil && why != nil {
		err = why
	}
	if err != nil {
		j.fail(err)
		return err
	}
	if len(wanted) == 0 {
		return nil
	}
	j.failed.Store(nil)
	j.options.HandOver(wanted)
	j.shared = wanted[0].Seq != j.seen.Load()+1
	j.seen.Store(wanted[len(wanted)-1].Seq)
	return nil
}

// attend watches a commit until done is called. If it takes long, the server is asked
// why. While it waits for the synchronous standby it goes on: cancelled, it would become
// visible without being on both disks. Any other is given up after commitTime.
func (j *Journal) attend(giveUp context.CancelCauseFunc) (done func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var attendant sync.WaitGroup
	attendant.Add(1)
	timer := time.AfterFunc(slow, func() {
		defer attendant.Done()
		for began := time.Now().Add(-slow); ctx.Err() == nil; {
			waits, why := j.waitsForStandby(ctx)
			if waits {
				began = time.Now()
			}
			if ctx.Err() != nil {
				return
			}
			j.fail(why)
			if time.Since(began) > commitTime {
				giveUp(why)
				j.pool.Reset() // its other connections may be as dead
				return
			}
			select {
			case <-time.After(slow):
			case <-ctx.Done():
			}
		}
	})
	return func() {
		cancel()
		if timer.Stop() {
			attendant.Done()
		}
		attendant.Wait()
	}
}

// waitsForStandby asks whether commits wait for the synchronous standby, and says
// why a commit takes long.
func (j *Journal) waitsForStandby(ctx context.Context) (waits bool, why error) {
	ctx, cancel := context.WithTimeout(ctx, slow)
	defer cancel()
	err := j.pool.row(ctx, []any{&waits}, `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'SyncRep')`)
	switch {
	case err != nil:
		return false, j.database.explain(err)
	case waits:
		return true, &Error{j.Place(), "commits wait for the synchronous standby: check that it runs", nil}
	}
	return false, &Error{j.Place(), "the server takes long to commit", nil}
}

//go:embed insert.sql
var insertBatch string

// send runs the transaction in one round trip, or what is left of one that was begun.
func (j *Journal) send(ctx context.Context, c *pgxpool.Conn, arrivals []*journal.Arrival, begun bool) error {
	n := len(arrivals)
	ids, sources, secrets, headers := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	twins := make([]*string, n)
	received, bodies := make([]time.Time, n), make([][]byte, n)
	first, nth, same := make([]int32, n), make([]int32, n), make([]bool, n)
	places := make(map[string][]int, n) // of each id
	for i, a := range arrivals {
		d := a.Delivery
		ids[i], received[i], sources[i], secrets[i] = encodeText(d.ID), d.Received, string(d.Source), encodeText(d.Secret)
		headers[i], bodies[i] = a.Header, d.Body
		if bodies[i] == nil {
			bodies[i] = []byte{}
		}
		if d.Twin != "" {
			twin := encodeText(d.Twin)
			twins[i] = &twin
		}
		places[ids[i]] = append(places[ids[i]], i)
		before := places[ids[i]]
		first[i], nth[i] = int32(before[0])+1, int32(len(before))
		same[i] = bytes.Equal(d.Body, arrivals[before[0]].Delivery.Body)
	}

	notes := c.Conn().PgConn().CustomData()
	delete(notes, warningKey)
	batch := &pgx.Batch{}
	if !begun {
		batch.Queue(begin)
	}
	batch.Queue(`UPDATE aspectop.head SET last = last + $1`, n).Exec(func(tag pgconn.CommandTag) error {
		if tag.RowsAffected() != 1 {
			return errHeadless
		}
		return nil
	})
	placed := 0
	batch.Queue(insertBatch, n, ids, received, sources, secrets, headers, bodies, first, nth, same, twins).Query(func(rows pgx.Rows) error {
		for ; placed < n && rows.Next(); placed++ {
			a := arrivals[placed]
			if err := rows.Scan(&a.Seq, &a.Message, &a.Attempt, &a.Differs); err != nil {
				return err
			}
		}
		return nil
	})
	batch.Queue(`COMMIT`).Exec(func(tag pgconn.CommandTag) error {
		if placed != n {
			return fmt.Errorf("the server kept %d of %d deliveries", placed, n)
		}
		if tag.String() != "COMMIT" {
			return fmt.Errorf("the server answered %s instead of COMMIT", tag)
		}
		return nil
	})
	if err := c.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	// A cancelled wait for the synchronous standby is a commit with a warning.
	// What is kept on one disk of two is not acknowledged; Svix sends it again.
	if warning, _ := notes[warningKey].(string); warning != "" {
		return errors.New("the commit is not as durable as the server is set up for: " + warning)
	}
	return nil
}

const warningKey = "aspectop warning"

// noteWarning remembers a warning of the server until the next send.
func noteWarning(c *pgconn.PgConn, n *pgconn.Notice) {
	if n.Severity == "WARNING" || n.SeverityUnlocalized == "WARNING" {
		c.CustomData()[warningKey] = n.Message
	}
}

const escaped = "base64:"

// encodeText is s as PostgreSQL's text type can hold it: without NUL, and valid
// UTF-8. Ids come from outside.
func encodeText(s string) string {
	if utf8.ValidString(s) && !strings.Contains(s, "\x00") && !strings.HasPrefix(s, escaped) {
		return s
	}
	return escaped + base64.StdEncoding.EncodeToString([]byte(s))
}

func decodeText(s string) string {
	text, ok := strings.CutPrefix(s, escaped)
	if !ok {
		return s
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return s
	}
	return string(b)
}

// Import keeps deliveries of another journal under their own numbers; see
// [journal.Journal].
func (j *Journal) Import(ctx context.Context, deliveries []model.Delivery) error {
	if len(deliveries) == 0 {
		return nil
	}
	if j.group.Closed() {
		return journal.ErrClosed
	}
	return j.database.explain(pgx.BeginTxFunc(ctx, j.pool.Pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		var last int64
		if err := tx.QueryRow(ctx, `SELECT last FROM aspectop.head FOR UPDATE`).Scan(&last); err != nil {
			return err
		}
		if deliveries[0].Seq <= last {
			return &Error{j.Place(), fmt.Sprintf("delivery %d cannot be imported: the journal ends at %d already", deliveries[0].Seq, last), nil}
		}
		batch := &pgx.Batch{}
		for i := range deliveries {
			d := &deliveries[i]
			header := string(journal.AppendHeader(nil, d.Header, d.ID))
			if !d.Repeat() {
				batch.Queue(`INSERT INTO aspectop.deliveries (seq, id, received, source, secret, headers, body) VALUES ($1, $2, $3, $4, $5, $6, coalesce($7, ''::bytea))`,
					d.Seq, encodeText(d.ID), d.Received, string(d.Source), encodeText(d.Secret), header, d.Body)
				continue
			}
			batch.Queue(`INSERT INTO aspectop.repeats (seq, message, attempt, differs, id, received, source, secret, headers, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
				d.Seq, d.Message, d.Attempt, d.Differs, encodeText(d.ID), d.Received, string(d.Source), encodeText(d.Secret), header, d.Body)
		}
		batch.Queue(`UPDATE aspectop.head SET last = $1`, deliveries[len(deliveries)-1].Seq)
		return tx.SendBatch(ctx, batch).Close()
	}))
}
