package postgres

import (
	"context"
	"errors"
	"net"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"aspectop/loopback"
)

// pool is the connections of a journal or of the readers. What its methods run must bear
// to be run twice: if the connection turns out to have been closed before, or meets
// prepared statements of others, it runs once more on a new one, for each of the two. Ids make that safe for
// deliveries: what was committed although its answer got lost is found again as a repeat.
type pool struct {
	*pgxpool.Pool
	database *Database
}

func (p *pool) do(ctx context.Context, f func(*pgxpool.Conn) error) error {
	once := func() error {
		c, err := p.Acquire(ctx)
		if err != nil {
			return err
		}
		defer c.Release()
		return f(c)
	}
	for closed, met := false, false; ; {
		err := once()
		switch {
		case err == nil || ctx.Err() != nil:
			return err
		case meetsOthers(err) && !met:
			met = true
			p.database.doWithoutStatements()
		case isClosed(err) && !closed:
			closed = true
		default:
			return err
		}
		p.Reset() // the other connections are probably no better
	}
}

func (p *pool) begin(ctx context.Context, f func(pgx.Tx) error) error {
	return p.do(ctx, func(c *pgxpool.Conn) error {
		return pgx.BeginTxFunc(ctx, c, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, f)
	})
}

// Exec runs a statement.
func (p *pool) Exec(ctx context.Context, sql string, args ...any) (tag pgconn.CommandTag, err error) {
	err = p.do(ctx, func(c *pgxpool.Conn) (err error) {
		tag, err = c.Exec(ctx, sql, args...)
		return err
	})
	return tag, err
}

func (p *pool) row(ctx context.Context, into []any, sql string, args ...any) error {
	return p.do(ctx, func(c *pgxpool.Conn) error { return c.QueryRow(ctx, sql, args...).Scan(into...) })
}

func collect[T any](ctx context.Context, p *pool, scan pgx.RowToFunc[T], sql string, args ...any) (all []T, err error) {
	err = p.do(ctx, func(c *pgxpool.Conn) error {
		rows, err := c.Query(ctx, sql, args...)
		if err == nil {
			all, err = pgx.CollectRows(rows, scan)
		}
		return err
	})
	return all, err
}

// meetsOthers reports whether a prepared statement is there that this connection did not
// make, or is missing: there is a pooler in transaction mode, or a server with one session
// for all.
func meetsOthers(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "42P05" || e.Code == "26000") // duplicate_prepared_statement, invalid_sql_statement_name
}

// isClosed reports whether the server, or what lies on the way to it, has ended a
// connection that was open.
func isClosed(err error) bool {
	if errors.As(err, new(*pgconn.ConnectError)) {
		return false
	}
	var e *pgconn.PgError
	if errors.As(err, &e) { // idle_session_timeout, admin_shutdown, crash_shutdown
		return slices.Contains([]string{"57P05", "57P01", "57P02"}, e.Code)
	}
	return pgconn.SafeToRetry(err) || errors.Is(err, net.ErrClosed) || loopback.Broken(err)
}
