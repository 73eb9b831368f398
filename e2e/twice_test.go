//go:build unix

package e2e

import (
	"database/sql"
	"strings"
	"syscall"
	"testing"

	_ "modernc.org/sqlite"
)

// What a body says twice, which secret verified a repeat, and an id of odd bytes are
// told alike on the lines and in the journal's views.
func TestWhatIsSaidTwiceIsToldAlikeEverywhere(t *testing.T) {
	const other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
	path := t.TempDir() + "/j.db"
	p := inPipe(t, with(program(t, "watch", "--json", "--listen", "127.0.0.1:0", "--journal", path), "ASPECT_WEBHOOK_SECRET=first="+secret+" second="+other))
	url := p.next("ready")["url"].(string)
	body := strings.Replace(some()[0].body, `"event_type":"task.progress"`, `"event_type":"task.progress","event_type":"task.failed"`, 1)
	keeps(t, url, delivery{id: "msg_1", body: body})
	if e := p.next("event"); e["event_type"] != "task.failed" || e["secret"] != "first" {
		t.Errorf("told %v", e)
	}
	keeps(t, url, delivery{id: "msg_1", body: body, key: other})
	if d := p.next("duplicate"); d["secret"] != "second" || d["seq"] != 1.0 {
		t.Errorf("told %v", d)
	}
	for _, id := range []string{"msg_\xff", "msg_\xfe"} {
		keeps(t, url, delivery{id: id, body: body})
		want := strings.NewReplacer("\xff", `\xff`, "\xfe", `\xfe`).Replace(id)
		if e := p.next("event"); e["id"] != want {
			t.Errorf("%q is told as %q", id, e["id"])
		}
	}
	p.signal(syscall.SIGINT)
	p.ends()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var events, tasks string
	if err := db.QueryRow("SELECT (SELECT event_type FROM events WHERE seq = 1), (SELECT event_type FROM tasks)").Scan(&events, &tasks); err != nil || events != "task.failed" || tasks != "task.failed" {
		t.Errorf("the views tell %s, %s, %v", events, tasks, err)
	}
}
