package sqlite

import (
	"database/sql/driver"
	_ "embed"
	"errors"
	"fmt"
)

const (
	// schemaVersion is raised by a change that a reader of this version cannot read.
	schemaVersion = 2
	applicationID = 0x61737074 // "aspt"

	// pageSize is in bytes. Deliveries of 1 to 2 KB leave a good part of
	// 4 KiB pages empty.
	pageSize = 16384
)

//go:embed schema.sql
var createTables string

// member is SQL for a member of a JSON object: of a name that stands twice the last,
// as everywhere in aspectop. json_extract would give the first. object must not have
// the name of a column of json_each.
func member(object, name, value string) string {
	return fmt.Sprintf("(SELECT %s FROM json_each(%s) WHERE key = '%s' ORDER BY id DESC LIMIT 1)", value, object, name)
}

// taskIn is SQL for the task in a body, which is all of it if it was read from the API.
func taskIn(json string) string {
	const ifObject = "CASE type WHEN 'object' THEN value END"
	return "CASE source WHEN 'api' THEN " + json + " ELSE " + member(member(json, "data", ifObject), "task", ifObject) + " END"
}

// viewOfEvents and viewOfTasks show the JSON in the bodies. A body that is no JSON has
// nulls. In tasks, newest means the greatest updated, as text, then the greatest seq:
// near enough to the order that aspectop itself applies.
var viewOfEvents = `CREATE VIEW events AS
SELECT seq,
	strftime('%Y-%m-%dT%H:%M:%S', received / 1000000, 'unixepoch') || printf('.%06dZ', received % 1000000) AS received,
	id, source,
	CASE source WHEN 'api' THEN 'snapshot' ELSE ` + member("content", "event_type", "value") + ` END AS event_type,
	` + member("content", "event_id", "value") + ` AS event_id,
	` + member("task", "id", "value") + ` AS task_id,
	` + member("task", "asset_id", "value") + ` AS asset_id,
	` + member("content", "timestamp", "value") + ` AS timestamp,
	` + member("task", "updated", "value") + ` AS updated
FROM (
	SELECT *, ` + taskIn("content") + ` AS task
	FROM (SELECT *, CASE WHEN json_valid(CAST(body AS TEXT)) THEN CAST(body AS TEXT) END AS content FROM deliveries)
)`

var viewOfTasks = `CREATE VIEW tasks AS
SELECT e.task_id, e.asset_id, e.event_type, e.updated, e.seq,
	(SELECT ` + member(taskIn("CAST(body AS TEXT)"), "features", "value") + ` FROM deliveries AS d WHERE d.seq = e.seq) AS features
FROM (
	SELECT *, row_number() OVER (PARTITION BY task_id ORDER BY updated DESC, seq DESC) AS age
	FROM events WHERE task_id IS NOT NULL
) AS e
WHERE e.age = 1`

// createViews makes the views, in place of those of an earlier version.
var createViews = "DROP VIEW IF EXISTS tasks; DROP VIEW IF EXISTS events;\n" + viewOfEvents + ";\n" + viewOfTasks + ";\n"

// renewViews replaces views of an earlier version. It is not needed for anything but
// them, so a file that cannot be written for now is left to the next start.
func renewViews(s *session) {
	var current int64
	err := s.row(`SELECT count(*) FROM sqlite_schema WHERE type = 'view' AND sql IN (?, ?)`, []driver.Value{viewOfEvents, viewOfTasks}, &current)
	if err != nil || current == 2 {
		return
	}
	_ = s.transaction(func() error {
		_, err := s.conn.ExecContext(background, createViews)
		return err
	})
}

// checkFormat returns the format of the journal in the file, 0 if nothing has been
// written to it yet, and an error if this version of aspectop cannot read it.
func checkFormat(s *session, path string) (version int, err error) {
	var application, format, objects int64
	// To count the objects SQLite has to read, and so to check, the schema.
	err = s.row(`SELECT
		(SELECT application_id FROM pragma_application_id),
		(SELECT user_version FROM pragma_user_version),
		(SELECT count(*) FROM sqlite_schema)`, nil, &application, &format, &objects)
	version = int(format)
	switch {
	case err != nil:
		return 0, err
	case application == 0 && version == 0 && objects == 0:
		return 0, nil
	case application != applicationID:
		return 0, &Error{Foreign, path, errors.New("it is another program's SQLite database")}
	case version > schemaVersion:
		return 0, &Error{Newer, path, fmt.Errorf("format %d, and this aspectop knows formats up to %d", version, schemaVersion)}
	}
	return version, nil
}

// format makes a new file a journal, and refuses one that is something else.
func format(s *session, path string) error {
	version, err := checkFormat(s, path)
	if err != nil {
		return err
	}
	if version == 0 { // the size of pages can be chosen only before anything is written
		if _, err := s.exec(fmt.Sprintf("PRAGMA page_size = %d", pageSize)); err != nil {
			return err
		}
	}
	var mode string
	if err := s.row("PRAGMA journal_mode = WAL", nil, &mode); err != nil {
		return err
	}
	if mode != "wal" {
		return &Error{Unshareable, path, fmt.Errorf("SQLite's journal_mode is %q, not wal", mode)}
	}
	switch version {
	case schemaVersion:
		renewViews(s)
		return nil
	case 1: // has the same tables
		_, err := s.exec(fmt.Sprintf("PRAGMA user_version = %d", schemaVersion))
		renewViews(s)
		return err
	}
	return s.transaction(func() error {
		_, err := s.conn.ExecContext(background, fmt.Sprintf("%s %s PRAGMA application_id = %d; PRAGMA user_version = %d",
			createTables, createViews, applicationID, schemaVersion))
		return err
	})
}
