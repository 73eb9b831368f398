-- The schema, for those who open a journal with sqlite3 as well. Its version is
-- PRAGMA user_version.
--
-- deliveries and repeats share one counter, seq: every arrival has one, and no number is
-- given twice. received is in microseconds since 1970, UTC. headers is a JSON object from
-- each header's name to its value, to an array where it has several, and to null where it
-- has the id; a byte that is not UTF-8 stands in it as \udc80 to \udcff. body is as it
-- came. In rows that format 1 wrote, each header has an array.
--
-- The view events has the deliveries with the fields of their JSON, tasks the newest event
-- of each task.
--
-- The tables have no index beside their primary key: each would cost more on the way to
-- the acknowledgement than the insertion itself.

-- Each message, told by its id, at its first arrival.
CREATE TABLE deliveries (
	seq      INTEGER PRIMARY KEY,
	id       TEXT NOT NULL,
	received INTEGER NOT NULL,
	source   TEXT NOT NULL,
	secret   TEXT NOT NULL,
	headers  TEXT NOT NULL,
	body     BLOB
);
-- Each further arrival of a message; message is the seq of its first; body only where differs is 1.
CREATE TABLE repeats (
	seq      INTEGER PRIMARY KEY,
	message  INTEGER NOT NULL,
	attempt  INTEGER NOT NULL,
	differs  INTEGER NOT NULL,
	id       TEXT NOT NULL,
	received INTEGER NOT NULL,
	source   TEXT NOT NULL,
	secret   TEXT NOT NULL,
	headers  TEXT NOT NULL,
	body     BLOB
);
-- The ids that retention remembers after it removed the delivery, with the SHA-256 of its body.
CREATE TABLE removed (
	seq      INTEGER PRIMARY KEY,
	id       TEXT NOT NULL,
	received INTEGER NOT NULL,
	digest   BLOB NOT NULL
);
-- last_seq: the greatest seq given so far, as of the last removal.
CREATE TABLE meta (
	name  TEXT PRIMARY KEY,
	value INTEGER NOT NULL
);
INSERT INTO meta VALUES ('last_seq', 0);
