-- What is created when the first outcome of a forward or rejected request is stored.
-- Versions of aspectop that do not know these tables can read and write the journal. Times
-- are in microseconds, at since 1970.

-- The handlers: key identifies one, url is for people and holds no credentials, all
-- messages up to cursor are settled; also how far event streams and commands of --exec came.
CREATE TABLE IF NOT EXISTS forward_targets (
	id     INTEGER PRIMARY KEY,
	key    TEXT NOT NULL UNIQUE,
	url    TEXT NOT NULL,
	cursor INTEGER NOT NULL
);
-- The latest outcome of each delivery at each handler, an id in forward_targets. Later
-- versions add the column answer.
CREATE TABLE IF NOT EXISTS forwards (
	seq      INTEGER NOT NULL,
	target   INTEGER NOT NULL,
	at       INTEGER NOT NULL,
	status   INTEGER NOT NULL,
	latency  INTEGER NOT NULL,
	tries    INTEGER NOT NULL,
	resigned INTEGER NOT NULL,
	final    INTEGER NOT NULL,
	gave_up  INTEGER NOT NULL,
	error    TEXT NOT NULL,
	hint     TEXT NOT NULL,
	body     BLOB,
	PRIMARY KEY (seq, target)
);
-- The ring of rejected requests, the newest last. facts is a JSON object of what was found
-- out, headers is as in deliveries.
CREATE TABLE IF NOT EXISTS rejections (
	n       INTEGER PRIMARY KEY,
	at      INTEGER NOT NULL,
	facts   TEXT NOT NULL,
	headers TEXT NOT NULL,
	body    BLOB
);
