package sqlite

import (
	"reflect"
	"testing"

	"aspectop/journal"
	"aspectop/model"
)

// What aspectop wrote before there were answers and rejected requests.
const (
	earlierTables = `CREATE TABLE IF NOT EXISTS forward_targets (
	id     INTEGER PRIMARY KEY,
	key    TEXT NOT NULL UNIQUE,
	url    TEXT NOT NULL,
	cursor INTEGER NOT NULL
);
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
)`
	earlierTarget = `INSERT INTO forward_targets (key, url, cursor) VALUES (?, ?, ?)
			ON CONFLICT (key) DO UPDATE SET url = excluded.url, cursor = excluded.cursor RETURNING id`
	earlierOutcome = `INSERT OR REPLACE INTO forwards
				(seq, target, at, status, latency, tries, resigned, final, gave_up, error, hint, body)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	earlierRead = `SELECT f.seq, t.url, f.at, f.status, f.latency, f.tries, f.resigned, f.final, f.gave_up, f.error, f.hint, f.body
			FROM forwards AS f JOIN forward_targets AS t ON t.id = f.target WHERE f.seq = ? ORDER BY t.id`
)

// earlierSave stores the outcome of a delivery as an earlier version does.
func earlierSave(t *testing.T, path string, seq int64) {
	t.Helper()
	s, err := connect(path, settings("synchronous(NORMAL)")...)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if _, err := s.conn.ExecContext(t.Context(), earlierTables); err != nil {
		t.Fatal(err)
	}
	if _, err := s.conn.ExecContext(t.Context(), earlierTarget, "a", "http://a", seq); err != nil {
		t.Fatal(err)
	}
	f := outcome(seq, "http://a")
	if _, err := s.conn.ExecContext(t.Context(), earlierOutcome, f.Seq, 1, f.At.UnixMicro(), f.Status, f.Latency.Microseconds(), f.Tries,
		f.Resigned, f.Final, f.GaveUp, f.Error, f.Hint, f.Body); err != nil {
		t.Fatal(err)
	}
}

func TestEarlierAndLaterVersionsShareAJournal(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path, journal.Options{})
	mustAppend(t, j, delivery("msg_1", "{}"))
	j.Close()
	earlierSave(t, path, 1)

	r := mustRead(t, path) // before anything is added
	rejected, err := r.Rejections(t.Context(), 10)
	if len(rejected) != 0 || err != nil {
		t.Errorf("%v, %v", rejected, err)
	}
	old := outcome(1, "http://a")
	if got := forwardsOf(t, r, 1); len(got) != 1 || !reflect.DeepEqual(got[0], old) {
		t.Errorf("of an earlier version came %+v", got)
	}

	j = mustOpen(t, path, journal.Options{})
	answered := outcome(2, "http://a")
	answered.Answer = "Invalid signature"
	mustSave(t, j, "a", 2, answered)
	if err := j.SaveRejections([]model.Rejected{{At: received, ID: "msg_1"}}); err != nil {
		t.Fatal(err)
	}
	for seq, want := range map[int64]model.Forward{1: old, 2: answered} {
		if got := forwardsOf(t, r, seq); len(got) != 1 || !reflect.DeepEqual(got[0], want) {
			t.Errorf("the outcome of %d is %+v", seq, got)
		}
	}
	wantRows(t, path, "PRAGMA user_version", "2")
	j.Close()

	earlierSave(t, path, 2) // in place of the one with an answer
	earlierSave(t, path, 3)
	for seq := range int64(3) {
		if got := forwardsOf(t, r, seq+1); len(got) != 1 || !reflect.DeepEqual(got[0], outcome(seq+1, "http://a")) {
			t.Errorf("after an earlier version, the outcome of %d is %+v", seq+1, got)
		}
	}
	if found, err := r.Rejections(t.Context(), 10); len(found) != 1 || err != nil {
		t.Errorf("after an earlier version, %v, %v", found, err)
	}
	mustSave(t, mustOpen(t, path, journal.Options{}), "a", 3, answered)
	s, err := connect(path, "mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	var columns int
	rows, err := s.conn.QueryContext(t.Context(), earlierRead, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		names, _ := rows.Columns()
		columns = len(names)
	}
	if columns != 12 {
		t.Errorf("an earlier version reads %d columns", columns)
	}
}
