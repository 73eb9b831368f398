-- Everything but what extend.sql adds. It may be run again. Numbers are handed out by the
-- head row, whose lock a batch holds until it has committed: so they become visible in
-- their order and without gaps, which a sequence does not promise.

CREATE SCHEMA IF NOT EXISTS aspectop;
-- One row: the last number given, and the version of the schema.
CREATE TABLE IF NOT EXISTS aspectop.head (
	single  boolean PRIMARY KEY DEFAULT true CHECK (single),
	version integer NOT NULL,
	last    bigint NOT NULL
);
-- Each message, by its id, at its first arrival.
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
-- Each further arrival of a message; message is the seq of its first; body only where differs.
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
-- Ids that retention remembers after it removed the delivery, with the SHA-256 of its body.
CREATE TABLE IF NOT EXISTS aspectop.removed (
	seq      bigint PRIMARY KEY,
	id       text COLLATE "C" NOT NULL UNIQUE,
	received timestamptz NOT NULL,
	digest   bytea NOT NULL
);
-- Each place that deliveries are forwarded to.
CREATE TABLE IF NOT EXISTS aspectop.forward_targets (
	id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	key    text NOT NULL UNIQUE,
	url    text NOT NULL,
	cursor bigint NOT NULL
);
-- The newest outcome of each delivery at each target.
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
-- The leases: job names one, token and name tell its owner.
CREATE TABLE IF NOT EXISTS aspectop.holders (
	job    text PRIMARY KEY,
	token  text NOT NULL,
	name   text NOT NULL,
	until  timestamptz NOT NULL
);
-- The processes that append, each until it has been silent for some time.
CREATE TABLE IF NOT EXISTS aspectop.receivers (
	token  text PRIMARY KEY,
	name   text NOT NULL,
	until  timestamptz NOT NULL
);
-- The JSON in the bodies, for people: events and tasks.
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
