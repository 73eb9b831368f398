package postgres

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aspectop/journal"
	"aspectop/journal/postgres/pgtest"
)

func TestBadInputGetsOneClearSentenceWithoutAPassword(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, "fsync = off")
	s.Exec("postgres", "CREATE ROLE stranger LOGIN")
	s.Exec("postgres", "CREATE DATABASE newer OWNER aspectop")
	newer := database(s.URL("aspectop", "newer"))
	newer.Open(t, journal.Options{}).Close()
	s.Exec("newer", "UPDATE aspectop.head SET version = 99")
	// A role to whom the server seems to be an old one.
	s.Exec("aspectop", `CREATE ROLE historian LOGIN; CREATE SCHEMA old; GRANT USAGE ON SCHEMA old TO historian;
		CREATE FUNCTION old.current_setting(text) RETURNS text LANGUAGE sql AS $$ SELECT '120022' $$;
		ALTER ROLE historian SET search_path = old, pg_catalog`)
	s.RequirePassword("keyholder", "right")
	for name, c := range map[string]struct {
		url, says string
	}{
		"no such host":      {"postgres://u:hunter2@no-such-host.invalid/x", "does not resolve"},
		"nobody listens":    {"postgres://u:hunter2@127.0.0.1:1/x", "connection refused"},
		"two such":          {"postgres://u:hunter2@127.0.0.1:1,127.0.0.1:2/x", "127.0.0.1:1: connect: connection refused; 127.0.0.1:2: connect"},
		"a wrong password":  {strings.Replace(s.URL("keyholder", "aspectop"), "keyholder@", "keyholder:hunter2@", 1), "refused the login"},
		"an old server":     {s.URL("historian", "aspectop"), "the server is PostgreSQL 12; aspectop needs 13 or later"},
		"no such database":  {strings.Replace(s.URL("aspectop", "nothing"), "aspectop@", "aspectop:hunter2@", 1), "createdb"},
		"no rights":         {strings.Replace(s.URL("stranger", "aspectop"), "stranger@", "stranger:hunter2@", 1), "lacks a right"},
		"a newer schema":    {s.URL("aspectop", "newer"), "update aspectop"},
		"nothing there yet": {s.URL("aspectop", "postgres"), "no journal yet"},
	} {
		d, err := Parse(c.url)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if name == "nothing there yet" {
			_, err = d.OpenReader(t.Context())
		} else {
			_, err = d.Open(t.Context(), journal.Options{})
		}
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hunter2") || strings.Contains(d.String(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Parse("postgres://u:hunter2@host:port/x"); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("an unreadable URL: %v", err)
	}
}

func TestAStandbyAloneTakesNoDeliveriesButReaders(t *testing.T) {
	t.Parallel()
	primary := pgtest.Start(t)
	database(primary.URL("aspectop", "aspectop")).Open(t, journal.Options{})
	standby := database(primary.Standby().URL("aspectop", "aspectop"))
	_, err := standby.parse(t).Open(t.Context(), journal.Options{})
	if err == nil || !strings.HasSuffix(err.Error(), "takes no writes: it is a standby") {
		t.Errorf("opened for writing: %v", err)
	}
	if _, _, err := standby.Reader(t).Range(t.Context()); err != nil {
		t.Errorf("opened for reading: %v", err)
	}
}

func TestARoleThatMaySelectIsEnoughToRead(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, "fsync = off")
	j := database(s.URL("aspectop", "aspectop")).Open(t, journal.Options{})
	if err := j.Append(t.Context(), delivery("msg_1", "{}")); err != nil {
		t.Fatal(err)
	}
	s.Exec("aspectop", `CREATE ROLE viewer LOGIN; GRANT USAGE ON SCHEMA aspectop TO viewer; GRANT SELECT ON ALL TABLES IN SCHEMA aspectop TO viewer`)
	viewer := database(s.URL("viewer", "aspectop"))
	r := viewer.Reader(t)
	if found, err := r.After(t.Context(), 0, 10); err != nil || len(found) != 1 {
		t.Errorf("read %v, %v", found, err)
	}
	if err := r.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := r.Forwards(t.Context(), 1); err != nil {
		t.Error(err)
	}
	if names, err := viewer.parse(t).Receivers(t.Context()); err != nil || len(names) != 1 {
		t.Errorf("receivers: %v, %v", names, err)
	}
}

func TestRowsThatSomebodyElseDamagedAreNamedAndHoldUpNobody(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, "fsync = off")
	d := database(s.URL("aspectop", "aspectop"))
	j, r := d.Open(t, journal.Options{}), d.Reader(t)
	for _, id := range []string{"msg_1", "msg_2", "msg_3", "msg_4"} {
		if err := j.Append(t.Context(), delivery(id, "{}")); err != nil {
			t.Fatal(err)
		}
	}
	s.Exec("aspectop", `UPDATE aspectop.deliveries SET headers = 'gone' WHERE seq = 1;
		UPDATE aspectop.deliveries SET received = 'infinity' WHERE seq = 2;
		UPDATE aspectop.deliveries SET id = 'base64:?', source = '', body = '\xff00' WHERE seq = 3;
		DELETE FROM aspectop.head`)
	found, err := r.After(t.Context(), 0, 10)
	if err != nil || len(found) != 4 {
		t.Fatalf("read %v, %v", found, err)
	}
	for i, want := range []string{"it has headers that are no JSON object", "its time of arrival is lost", "", ""} {
		if got := found[i].Damage; got != want && (want == "" || !strings.HasPrefix(got, want)) {
			t.Errorf("the damage of %d is %q", i+1, found[i].Damage)
		}
	}
	if _, err := r.Since(t.Context(), found[3].Received); err != nil {
		t.Errorf("since: %v", err)
	}
	for name, err := range map[string]error{"append": j.Append(t.Context(), delivery("msg_5", "{}")), "ready": j.Ready(t.Context())} {
		if err == nil || !strings.Contains(err.Error(), "run aspectop journal migrate") {
			t.Errorf("%s without a head row: %v", name, err)
		}
	}
	d.Open(t, journal.Options{})
	next := delivery("msg_5", "{}")
	if err := j.Append(t.Context(), next); err != nil || next.Seq != 5 {
		t.Errorf("after a migration: number %d, %v", next.Seq, err)
	}
	s.Exec("aspectop", `UPDATE aspectop.head SET last = 3`)
	if err := j.Append(t.Context(), delivery("msg_6", "{}")); err == nil || !strings.Contains(err.Error(), "somebody else wrote into its tables") {
		t.Errorf("with a head row that was set back: %v", err)
	}
}

func TestWhatAURLLeavesOutComesFromTheEnvironment(t *testing.T) {
	s := pgtest.Start(t, "fsync = off")
	s.RequirePassword("keyholder", "right")
	s.Exec("postgres", "CREATE DATABASE theirs OWNER keyholder")
	host, port, _ := net.SplitHostPort(s.Address())
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	service := file("service", "[team]\nhost="+host+"\nport="+port+"\nuser=keyholder\ndbname=theirs\n")
	pass := file("pgpass", host+":"+port+":theirs:keyholder:right\n")
	for name, c := range map[string]struct {
		url string
		env map[string]string
	}{
		"variables":               {"postgres://", map[string]string{"PGHOST": host, "PGPORT": port, "PGUSER": "keyholder", "PGDATABASE": "theirs", "PGPASSWORD": "right"}},
		"a password file":         {"postgres://keyholder@" + s.Address() + "/theirs", map[string]string{"PGPASSFILE": pass}},
		"a service":               {"postgres:///?service=team", map[string]string{"PGSERVICEFILE": service, "PGPASSFILE": pass}},
		"a service of a variable": {"postgres://", map[string]string{"PGSERVICE": "team", "PGSERVICEFILE": service, "PGPASSWORD": "right"}},
		"several hosts":           {"postgresql://keyholder@127.0.0.1:1," + s.Address() + "/theirs?sslmode=disable", map[string]string{"PGPASSWORD": "right"}},
	} {
		t.Run(name, func(t *testing.T) {
			for variable, value := range c.env {
				t.Setenv(variable, value)
			}
			d := database(c.url)
			if err := d.Open(t, journal.Options{}).Append(t.Context(), delivery("msg_"+name, "{}")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPasswordsInAURLAreFound(t *testing.T) {
	for text, want := range map[string]bool{
		"postgres://u@h/d":                  false,
		"postgres://u@h1:1,h2:2/d":          false,
		"postgres://h1:1,h2:2/d":            false,
		"postgres://u:p@h/d":                true,
		"postgres://u:p@h1:1,h2:2/d":        true,
		"postgres://u@h/d?password=p":       true,
		"postgres://u@h1:1,h2:2?password=p": true,
		"postgres://u:p@h:port/d":           true,
		"postgres://u@h/d?sslpassword=p":    true,
	} {
		if got := HasPassword(text); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// wire is a connection between two addresses.
type wire struct {
	net.Conn
	here, there string
}

func (w wire) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(w.here)) }
func (w wire) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(w.there)) }

func TestAConnectionBeyondThisMachineWithoutTLSIsExposed(t *testing.T) {
	for _, c := range []struct {
		here, there string
		want        bool
	}{
		{"127.0.0.1:40000", "127.0.0.1:5432", false},
		{"[::1]:40000", "[::1]:5432", false},
		{"10.0.0.7:40000", "10.0.0.7:5432", false},
		{"10.0.0.7:40000", "10.0.0.8:5432", true},
		{"[2001:db8::1]:40000", "[2001:db8::2]:5432", true},
	} {
		if got := exposed(wire{here: c.here, there: c.there}); got != c.want {
			t.Errorf("from %s to %s: %v", c.here, c.there, got)
		}
	}
}
