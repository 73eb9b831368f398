package postgres

import (
	"context"
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

// createSchema makes everything, and may be run again. Numbers are handed out by
// the head row, whose lock a batch holds until it has committed: so they become
// visible in their order and without gaps, which a sequence does not promise.
//
//	head             one row: the last number given, and the schema's version
//	deliveries       each message, by its id, at its first arrival
//	repeats          each further arrival of a message; message is the seq of its
//	                 first; body only where differs
//	removed          ids that retention remembers after it removed the delivery,
//	                 with the SHA-256 of its body
//	forward_targets  each place that deliveries are forwarded to
//	forwards         the newest outcome of each delivery at each target; answer begins
//	                 with the microseconds since 1970 of the try that it answers
//	holders          the leases: job names one, token and name tell its owner
//	receivers        the processes that append, each until it has been silent for
//	                 some time
//	rejections       a ring of rejected requests, the newest last; facts is a JSON
//	                 object of what was found out
//	events, tasks    the JSON in the bodies, for people
const createSchema = `
CREATE SCHEMA IF NOT EXISTS aspectop;
CREATE TABLE IF NOT EXISTS aspectop.head (
	single  boolean PRIMARY KEY DEFAULT true CHECK (single),
	version integer NOT NULL,
	last    bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS aspectop.deliveries (
	seq      bigint PRIMARY KEY,
	id       text COLLATE "C" NOT NULL,
	received timestamptz NOT NULL,
	source   text NOT NULL,
	secret   text NOT NULL,
	headers  text NOT NULL,
	body     bytea NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS deliveries_id ON aspectop.deliveries (id);
CREATE TABLE IF NOT EXISTS aspectop.repeats (
	seq      bigint PRIMARY KEY,
	message  bigint NOT NULL,
	attempt  integer NOT NULL,
	differs  boolean NOT NULL,
	id       text COLLATE "C" NOT NULL,
	received timestamptz NOT NULL,
	source   text NOT NULL,
	secret   text NOT NULL,
	headers  text NOT NULL,
	body     bytea
);
CREATE INDEX IF NOT EXISTS repeats_message ON aspectop.repeats (message);
CREATE TABLE IF NOT EXISTS aspectop.removed (
	seq      bigint PRIMARY KEY,
	id       text COLLATE "C" NOT NULL UNIQUE,
	received timestamptz NOT NULL,
	digest   bytea NOT NULL
);
CREATE TABLE IF NOT EXISTS aspectop.forward_targets (
	id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	key    text NOT NULL UNIQUE,
	url    text NOT NULL,
	cursor bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS aspectop.forwards (
	seq      bigint NOT NULL,
	target   bigint NOT NULL REFERENCES aspectop.forward_targets,
	at       timestamptz NOT NULL,
	status   integer NOT NULL,
	latency  interval NOT NULL,
	tries    integer NOT NULL,
	resigned boolean NOT NULL,
	final    boolean NOT NULL,
	gave_up  boolean NOT NULL,
	error    text NOT NULL,
	hint     text NOT NULL,
	body     bytea,
	PRIMARY KEY (seq, target)
);
CREATE TABLE IF NOT EXISTS aspectop.holders (
	job    text PRIMARY KEY,
	token  text NOT NULL,
	name   text NOT NULL,
	until  timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS aspectop.receivers (
	token  text PRIMARY KEY,
	name   text NOT NULL,
	until  timestamptz NOT NULL
);
CREATE OR REPLACE FUNCTION aspectop.json_of(body bytea) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	RETURN convert_from(body, 'UTF8')::jsonb;
EXCEPTION WHEN OTHERS THEN
	RETURN NULL;
END $$;
CREATE OR REPLACE VIEW aspectop.events AS
SELECT seq, received, id, source,
	CASE source WHEN 'api' THEN 'snapshot' ELSE json->>'event_type' END AS event_type,
	json->>'event_id' AS event_id,
	task->>'id' AS task_id,
	task->>'asset_id' AS asset_id,
	json->>'timestamp' AS timestamp,
	task->>'updated' AS updated,
	task->'features' AS features
FROM (
	SELECT *, CASE source WHEN 'api' THEN json ELSE json->'data'->'task' END AS task
	FROM (SELECT *, aspectop.json_of(body) AS json FROM aspectop.deliveries) AS d
) AS e;
CREATE OR REPLACE VIEW aspectop.tasks AS
SELECT DISTINCT ON (task_id) task_id, asset_id, event_type, updated, seq, features
FROM aspectop.events WHERE task_id IS NOT NULL
ORDER BY task_id, updated DESC, seq DESC;
INSERT INTO aspectop.head (version, last)
SELECT 1, greatest(0, (SELECT max(seq) FROM aspectop.deliveries), (SELECT max(seq) FROM aspectop.repeats))
ON CONFLICT DO NOTHING;
`

// extendSchema adds what this version of the schema may lack: earlier programs know
// nothing of it, and go on reading and writing. Who may do something with the outcomes of
// forwards may do it with rejected requests too.
const extendSchema = `
SET LOCAL lock_timeout = '3s';
ALTER TABLE aspectop.forwards ADD COLUMN IF NOT EXISTS answer text;
CREATE TABLE IF NOT EXISTS aspectop.rejections (
	n       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at      timestamptz NOT NULL,
	facts   text NOT NULL,
	headers text NOT NULL,
	body    bytea
);
DO $$
DECLARE statement text;
BEGIN
	FOR statement IN SELECT format('GRANT %s ON aspectop.rejections TO %s', privilege_type, CASE grantee WHEN 'PUBLIC' THEN grantee ELSE quote_ident(grantee) END)
		FROM information_schema.table_privileges WHERE table_schema = 'aspectop' AND table_name = 'forwards'
	LOOP EXECUTE statement; END LOOP;
END $$;
`

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
