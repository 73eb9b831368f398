package sqlite

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"aspectop/journal"
	"aspectop/model"
)

// rowsOf runs a query as somebody with sqlite3 would and joins each row's columns.
func rowsOf(t *testing.T, path, query string) []string {
	t.Helper()
	s, err := connect(path, "mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	var found []string
	err = s.values(query, nil, func(row []driver.Value) error {
		var texts []string
		for _, v := range row {
			text := "NULL"
			switch v := v.(type) {
			case nil:
			case []byte:
				text = string(v)
			default:
				text = fmt.Sprint(v)
			}
			texts = append(texts, text)
		}
		found = append(found, strings.Join(texts, "|"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func wantRows(t *testing.T, path, query string, want ...string) {
	t.Helper()
	if got := rowsOf(t, path, query); !slices.Equal(got, want) {
		t.Errorf("%s\n got %q\nwant %q", query, got, want)
	}
}

func TestTheViewsShowTheJSONAndPassOverWhatIsNone(t *testing.T) {
	path := newPath(t)
	j := mustOpenUnkept(t, path, journal.Options{})
	api := delivery("api:t2:1", `{"id":"t2","asset_id":"a2","features":{"proxy":{"state":"queued"}},"updated":"2026-11-23T12:00:00Z"}`)
	api.Source = model.SourceAPI
	for _, d := range []*model.Delivery{
		event("msg_1", "t1", "task.progress", "processing", received),
		event("msg_2", "t1", "task.completed", "completed", received.Add(time.Minute)),
		event("msg_3", "t1", "task.progress", "queued", received.Add(-time.Minute)), // late
		api,
		delivery("msg_ping", `{"success":true}`),
		delivery("msg_text", "no JSON"),
		delivery("msg_cut", `{"event_type":"task.progress","data":{"task":{"id":`),
		delivery("msg_bytes", "\xff\xfe\x00"),
		delivery("msg_empty", ""),
		delivery("msg_odd", `{"event_type":"task.odd","data":{"task":{"id":"t3","features":["visual"]}}}`),
		delivery("msg_array", `[1,2]`),
		delivery("msg_twice", `{"event_type":"task.progress","event_type":"task.failed","data":{"task":{"id":"t0"}},"data":{"task":{"id":"tx"},`+
			`"task":{"id":"t0","id":"t4","updated":"1","features":{"a":{"state":"queued"}},"features":{"b":{"state":"na"}},"updated":"2"}}}`),
		delivery("msg_null", `{"event_type":"a","event_type":null,"data":{"task":{"id":"t0"}},"data":"text"}`),
		delivery("msg_escaped", `{"event\u005ftype":"task.odd","data":{"task":{"i\u0064":"t5"}}}`),
	} {
		d.Received = received
		mustAppend(t, j, d)
	}
	wantRows(t, path, "SELECT seq, received, id, source, event_type, event_id, task_id, asset_id, timestamp, updated FROM events ORDER BY seq",
		"1|2026-11-23T12:00:00.123456Z|msg_1|webhook|task.progress|e|t1|NULL|2026-11-23T12:00:00Z|2026-11-23T12:00:00Z",
		"2|2026-11-23T12:00:00.123456Z|msg_2|webhook|task.completed|e|t1|NULL|2026-11-23T12:01:00Z|2026-11-23T12:01:00Z",
		"3|2026-11-23T12:00:00.123456Z|msg_3|webhook|task.progress|e|t1|NULL|2026-11-23T11:59:00Z|2026-11-23T11:59:00Z",
		"4|2026-11-23T12:00:00.123456Z|api:t2:1|api|snapshot|NULL|t2|a2|NULL|2026-11-23T12:00:00Z",
		"5|2026-11-23T12:00:00.123456Z|msg_ping|webhook|NULL|NULL|NULL|NULL|NULL|NULL",
		"6|2026-11-23T12:00:00.123456Z|msg_text|webhook|NULL|NULL|NULL|NULL|NULL|NULL",
		"7|2026-11-23T12:00:00.123456Z|msg_cut|webhook|NULL|NULL|NULL|NULL|NULL|NULL",
		"8|2026-11-23T12:00:00.123456Z|msg_bytes|webhook|NULL|NULL|NULL|NULL|NULL|NULL",
		"9|2026-11-23T12:00:00.123456Z|msg_empty|webhook|NULL|NULL|NULL|NULL|NULL|NULL",
		"10|2026-11-23T12:00:00.123456Z|msg_odd|webhook|task.odd|NULL|t3|NULL|NULL|NULL",
		"11|2026-11-23T12:00:00.123456Z|msg_array|webhook|NULL|NULL|NULL|NULL|NULL|NULL",
		"12|2026-11-23T12:00:00.123456Z|msg_twice|webhook|task.failed|NULL|t4|NULL|NULL|2",
		"13|2026-11-23T12:00:00.123456Z|msg_null|webhook|NULL|NULL|NULL|NULL|NULL|NULL",
		"14|2026-11-23T12:00:00.123456Z|msg_escaped|webhook|task.odd|NULL|t5|NULL|NULL|NULL",
	)
	wantRows(t, path, "SELECT * FROM tasks ORDER BY task_id",
		`t1|NULL|task.completed|2026-11-23T12:01:00Z|2|{"visual":{"state":"completed"}}`,
		`t2|a2|snapshot|2026-11-23T12:00:00Z|4|{"proxy":{"state":"queued"}}`,
		`t3|NULL|task.odd|NULL|10|["visual"]`,
		`t4|NULL|task.failed|2|12|{"b":{"state":"na"}}`,
		`t5|NULL|task.odd|NULL|14|NULL`,
	)
	// What the views are for.
	wantRows(t, path, "SELECT task_id, json_extract(features, '$.visual.state') FROM tasks WHERE event_type = 'task.completed'",
		"t1|completed")
	wantRows(t, path, "SELECT json_extract(headers, '$.Accept[1]') FROM deliveries WHERE seq = 2", "text/plain")
}

// The views mean what the board means, which an earlier version's did not.
func TestTheViewsOfAnEarlierVersionAreReplaced(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path, journal.Options{})
	mustAppend(t, j, delivery("msg_1", `{"event_type":"task.progress","event_type":"task.failed"}`))
	_, err := j.writer.conn.ExecContext(background, `DROP VIEW tasks; DROP VIEW events;
		CREATE VIEW events AS SELECT seq, json_extract(CAST(body AS TEXT), '$.event_type') AS event_type FROM deliveries; CREATE VIEW mine AS SELECT 1 AS one`)
	if err := errors.Join(err, j.Close()); err != nil {
		t.Fatal(err)
	}
	wantRows(t, path, "SELECT event_type FROM events", "task.progress")
	for range 2 {
		if err := mustOpen(t, path, journal.Options{}).Close(); err != nil {
			t.Fatal(err)
		}
		wantRows(t, path, "SELECT event_type FROM events", "task.failed")
		wantRows(t, path, "SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name", "events", "mine", "tasks")
	}
}

func TestAJournalOfFormat1IsReadAndWritten(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path, journal.Options{})
	want := mustAppend(t, j, delivery("msg_1", "body"))
	err := j.writer.transaction(func() error {
		_, err := j.writer.conn.ExecContext(background, `PRAGMA user_version = 1;
			UPDATE deliveries SET headers = (SELECT json_group_object(key,
				json(CASE type WHEN 'array' THEN value WHEN 'null' THEN json_array(deliveries.id) ELSE json_array(value) END)) FROM json_each(headers))`)
		return err
	})
	if err := errors.Join(err, j.Close()); err != nil {
		t.Fatal(err)
	}
	wantRows(t, path, "SELECT DISTINCT json_type(value) FROM deliveries, json_each(headers)", "array")
	if got := all(t, mustRead(t, path)); !reflect.DeepEqual(got, []model.Delivery{*want}) {
		t.Errorf("read %+v\nwant %+v", got, *want)
	}
	wantRows(t, path, "PRAGMA user_version", "1") // reading changes nothing

	j = mustOpen(t, path, journal.Options{})
	more := mustAppend(t, j, delivery("msg_2", "body"))
	wantRows(t, path, "PRAGMA user_version", "2")
	if got := all(t, mustRead(t, path)); !reflect.DeepEqual(got, []model.Delivery{*want, *more}) {
		t.Errorf("read %+v\nwant %+v", got, []model.Delivery{*want, *more})
	}
}

func TestTheFileSaysWhatItIs(t *testing.T) {
	path := newPath(t)
	j := mustOpenUnkept(t, path, journal.Options{})
	wantRows(t, path, "PRAGMA user_version", "2")
	wantRows(t, path, "PRAGMA application_id", "1634955380")
	wantRows(t, path, "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name <> 'meta'")
	j.writing.Lock() // until then the ids are being read
	defer j.writing.Unlock()
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "fullfsync": "1", "checkpoint_fullfsync": "1", "wal_autocheckpoint": "0",
	} {
		for _, s := range []*session{j.writer, j.keeper} {
			var got string
			if err := s.conn.QueryRowContext(background, "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s is %s, not %s (%v)", pragma, got, want, err)
			}
		}
	}
}
