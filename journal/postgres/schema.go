package postgres

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// schemaVersion is kept in the head row. A change that a reader of this version
// cannot read raises it.
const schemaVersion = 1

// leastServer is the oldest PostgreSQL that has what is used here, as in
// server_version_num.
const leastServer = 130000

var (
	//go:embed schema.sql
	createSchema string

	//go:embed extend.sql
	extendSchema string
)

// errHeadless says that somebody removed the row that numbers come from. migrate
// makes it anew.
var errHeadless = errors.New("the row of aspectop.head is missing: run aspectop journal migrate")

// migrationLock keeps two starts from making the schema at the same moment.
const migrationLock = 0x61737074

// migrate makes the schema if it is missing, and completes that of an earlier program.
// outdated is why that could not be done; everything else works without.
func (d *Database) migrate(ctx context.Context, c *pgx.Conn) (outdated, err error) {
	version, err := versionOf(ctx, c)
	if isMissing(err) {
		if err := define(ctx, c, createSchema); err != nil {
			return nil, err
		}
		version, err = versionOf(ctx, c)
	}
	if err := d.checkVersion(version, err); err != nil {
		return nil, err
	}
	var complete bool
	err = c.QueryRow(ctx, `SELECT to_regclass('aspectop.rejections') IS NOT NULL AND EXISTS (
		SELECT FROM pg_attribute WHERE attrelid = to_regclass('aspectop.forwards') AND attname = 'answer')`).Scan(&complete)
	if err != nil || complete {
		return nil, err
	}
	var refusal *pgconn.PgError
	if err = define(ctx, c, extendSchema); errors.As(err, &refusal) {
		return &Error{d.String(), "its schema has no room for rejected requests and for the answers of handlers, so they are not kept (" +
			refusal.Message + "): run aspectop journal migrate as the role that owns it, then start this again", err}, nil
	}
	return nil, err
}

// define runs statements that change the schema, all or nothing.
func define(ctx context.Context, c *pgx.Conn, statements string) error {
	return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, migrationLock)
		if err == nil {
			_, err = tx.Exec(ctx, statements)
		}
		return err
	})
}

func versionOf(ctx context.Context, c *pgx.Conn) (version int, err error) {
	err = c.QueryRow(ctx, `SELECT version FROM aspectop.head`).Scan(&version)
	return version, err
}

func (d *Database) checkVersion(version int, err error) error {
	switch {
	case err != nil:
		return err
	case version > schemaVersion:
		return &Error{d.String(), fmt.Sprintf("it has schema version %d, and this aspectop knows versions up to %d: update aspectop", version, schemaVersion), nil}
	}
	return nil
}

// isMissing reports whether err says that the schema was never made.
func isMissing(err error) bool {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code == "42P01" || e.Code == "3F000" // undefined_table, invalid_schema_name
	}
	return errors.Is(err, pgx.ErrNoRows)
}
