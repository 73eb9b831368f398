package postgres

import (
	_ "embed"
	"reflect"
	"strings"
	"testing"
	"time"

	"aspectop/journal"
	"aspectop/journal/postgres/pgtest"
	"aspectop/model"
)

//go:embed testdata/earlier.sql
var earlierSchema string

// earlierSave is how an earlier version stores an outcome.
const earlierSave = `INSERT INTO aspectop.forwards (seq, target, at, status, latency, tries, resigned, final, gave_up, error, hint, body)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
	ON CONFLICT (seq, target) DO UPDATE SET at = excluded.at, status = excluded.status, latency = excluded.latency,
		tries = excluded.tries, resigned = excluded.resigned, final = excluded.final, gave_up = excluded.gave_up,
		error = excluded.error, hint = excluded.hint, body = excluded.body`

// A receiver may not change the schema that the owner made with an earlier version.
func TestEarlierAndLaterVersionsShareADatabase(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, "fsync = off")
	s.Exec("aspectop", "SET ROLE aspectop; "+earlierSchema)
	s.Exec("aspectop", `CREATE ROLE receiver LOGIN; GRANT USAGE ON SCHEMA aspectop TO receiver;
		GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA aspectop TO receiver;
		CREATE ROLE viewer LOGIN; GRANT USAGE ON SCHEMA aspectop TO viewer; GRANT SELECT ON ALL TABLES IN SCHEMA aspectop TO viewer`)
	restricted := database(s.URL("receiver", "aspectop")).parse(t)
	j, err := restricted.Open(t.Context(), journal.Options{Retain: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if told := restricted.Remarks(); len(told) != 1 || !strings.Contains(told[0], "run aspectop journal migrate") || j.Outdated() == nil {
		t.Errorf("it says %q", told)
	}
	r := database(s.URL("viewer", "aspectop")).Reader(t)
	answered := model.Forward{Seq: 1, To: "http://a", At: time.Unix(1, 0).UTC(), Answer: "Invalid signature"}
	if err := j.SaveForwards("a", "http://a", 1, []model.Forward{answered}); err != nil {
		t.Error(err)
	}
	silent := answered
	silent.Answer = ""
	wantForward := func(want model.Forward) {
		t.Helper()
		got, err := r.Forwards(t.Context(), want.Seq)
		if len(got) != 1 || !reflect.DeepEqual(got[0], want) || err != nil {
			t.Errorf("the outcome is %+v, %v", got, err)
		}
	}
	wantForward(silent)
	if err := j.Append(t.Context(), delivery("msg_1", "{}")); err != nil {
		t.Error(err)
	}
	refused := []model.Rejected{{At: time.Unix(1, 0), ID: "msg_1"}}
	if err := j.SaveRejections(refused); err == nil || !strings.Contains(err.Error(), "run aspectop journal migrate") {
		t.Errorf("a rejected request without a table: %v", err)
	}
	if found, err := r.Rejections(t.Context(), 10); len(found) != 0 || err != nil {
		t.Errorf("%v, %v", found, err)
	}

	owner := database(s.URL("aspectop", "aspectop")).Open(t, journal.Options{}).(*Journal)
	if owner.Outdated() != nil {
		t.Error(owner.Outdated())
	}
	if _, err := j.pool.Exec(t.Context(), earlierSave, 2, 1, answered.At, 500, time.Second, 1, false, true, false, "answered 500", "", nil); err != nil {
		t.Errorf("an earlier version: %v", err)
	}
	wantForward(model.Forward{Seq: 2, To: "http://a", At: answered.At, Status: 500, Latency: time.Second, Tries: 1, Final: true, Error: "answered 500"})
	if err := j.SaveForwards("a", "http://a", 1, []model.Forward{silent}); err != nil { // it began before
		t.Error(err)
	}
	later, err := database(s.URL("receiver", "aspectop")).parse(t).Open(t.Context(), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer later.Close()
	if err := later.SaveForwards("a", "http://a", 1, []model.Forward{answered}); err != nil {
		t.Error(err)
	}
	wantForward(answered)
	if _, err := j.pool.Exec(t.Context(), earlierSave, 1, 1, answered.At.Add(time.Second), 204, time.Duration(0), 2, false, true, false, "", "", nil); err != nil {
		t.Error(err)
	}
	wantForward(model.Forward{Seq: 1, To: "http://a", At: answered.At.Add(time.Second), Status: 204, Tries: 2, Final: true})
	if err := later.SaveRejections(refused); err != nil {
		t.Error(err)
	}
	if found, err := r.Rejections(t.Context(), 10); len(found) != 1 || err != nil {
		t.Errorf("the viewer sees %v, %v", found, err)
	}
	var version int
	if err := j.pool.QueryRow(t.Context(), `SELECT version FROM aspectop.head`).Scan(&version); version != 1 || err != nil {
		t.Errorf("version %d, %v", version, err)
	}
}
