package aspect

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
)

func TestAnEndpointIsRepointed(t *testing.T) {
	s, dir := newStandIn(t), t.TempDir()
	c := s.serve()
	g := must(NewLeases(c, dir).Register(t.Context(), "https://a.example"))(t)
	if _, err := g.Repoint(t.Context(), "https://b.example"); err != nil {
		t.Fatal(err)
	}
	if s.urlOf("ep_1") != "https://b.example" || g.URL() != "https://b.example" || s.made != 1 {
		t.Errorf("it points to %v", s.urlOf("ep_1"))
	}
	if b, _ := os.ReadFile(onlyLease(t, dir)); !bytes.Contains(b, []byte("https://b.example")) || !bytes.Contains(b, []byte(testSecret)) {
		t.Errorf("the lease is %s", b)
	}
	if err := c.DeleteEndpoint(t.Context(), "ep_1"); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Repoint(t.Context(), "https://c.example"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a deleted one: %v", err)
	}
	if outcome, err := g.Release(t.Context()); err != nil || outcome != Gone {
		t.Errorf("releasing a deleted one: outcome %d, %v", outcome, err)
	}
	nothingLeft(t, s, dir)
	if _, err := g.Repoint(t.Context(), "https://c.example"); err == nil {
		t.Error("a released one can be repointed")
	}
}

func TestAFailedReleaseTellsTheCommandAndMayBeRepeated(t *testing.T) {
	s, dir := newStandIn(t), t.TempDir()
	fail := 401
	c := handling(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "DELETE" && fail != 0 {
			w.WriteHeader(fail)
			return
		}
		s.ServeHTTP(w, r)
	})
	g := must(NewLeases(c, dir).Register(t.Context(), "https://a.example"))(t)
	_, err := g.Release(t.Context())
	var left *CleanupError
	if !errors.As(err, &left) {
		t.Fatal(err)
	}
	holdsNothingSecret(t, err)
	if want := "ASPECT_URL=" + c.base + " aspectop endpoints delete ep_1"; left.Command != want {
		t.Errorf("command: %s", left.Command)
	}
	if want := `curl -X DELETE -H "Authorization: Bearer $ASPECT_API_KEY" ` + c.base + "/webhooks/endpoints/ep_1"; left.Curl != want {
		t.Errorf("curl: %s", left.Curl)
	}
	if !strings.Contains(err.Error(), left.Command) || !strings.Contains(err.Error(), left.Curl) || !strings.Contains(err.Error(), "401") {
		t.Error(err)
	}
	if rec := must(NewLeases(c, dir).Recover(t.Context(), ""))(t); len(rec.Orphans) != 0 {
		t.Errorf("another start took it from its living owner: %v", rec.Orphans)
	}
	fail = 0
	if outcome, err := g.Release(t.Context()); err != nil || outcome != Deleted {
		t.Fatalf("outcome %d, %v", outcome, err)
	}
	nothingLeft(t, s, dir)
}

func TestAnAnswerThatIsNotAspectsNeitherDeletesNorUpdates(t *testing.T) {
	const login = "<!doctype html><html><title>Log in</title></html>"
	for _, c := range []struct {
		status     int
		body       string
		onlyDelete bool // an update may be answered by an endpoint
	}{
		{200, login, false},
		{404, login, false},
		{410, "gone", false},
		{404, "", false},
		{200, `"ok"`, false},
		{200, `{"detail":"Log in"}`, true},
	} {
		s, dir := newStandIn(t), t.TempDir()
		broken := false
		client := handling(t, func(w http.ResponseWriter, r *http.Request) {
			if !broken {
				s.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		})
		g := must(NewLeases(client, dir).Register(t.Context(), "https://a.example"))(t)
		broken = true
		if _, err := g.Repoint(t.Context(), "https://b.example"); !c.onlyDelete && (err == nil || errors.Is(err, ErrNotFound) || g.URL() != "https://a.example") {
			t.Errorf("%d %q: repointing says %v, it points to %s", c.status, c.body, err, g.URL())
		}
		_, err := g.Release(t.Context())
		if !errors.As(err, new(*CleanupError)) || !strings.Contains(err.Error(), "not one of Aspect's") {
			t.Errorf("%d %q: releasing says %v", c.status, c.body, err)
		}
		onlyLease(t, dir)
		g.file.close() // as if the process ended
		if rec := must(NewLeases(client, dir).Recover(t.Context(), ""))(t); outcomes(rec) != "failed ep_1" {
			t.Errorf("%d %q: the next start says %v", c.status, c.body, rec.Orphans)
		}
		onlyLease(t, dir)
		broken = false
		if rec := must(NewLeases(client, dir).Recover(t.Context(), ""))(t); outcomes(rec) != "deleted ep_1" {
			t.Errorf("%d %q: then the next start says %v", c.status, c.body, rec.Orphans)
		}
		nothingLeft(t, s, dir)
	}
}

func TestACommandHoldsAStrangeIdSafely(t *testing.T) {
	c, err := New(Config{Key: NewCredential(testKey)})
	if err != nil {
		t.Fatal(err)
	}
	e := c.cleanupError(leaseRecord{EndpointID: "ep'$(reboot)", APIURL: DefaultURL}, errors.New("x"))
	if want := `aspectop endpoints delete 'ep'\''$(reboot)'`; e.Command != want {
		t.Errorf("command: %s", e.Command)
	}
	if want := `curl -X DELETE -H "Authorization: Bearer $ASPECT_API_KEY" 'https://api.aspect.inc/webhooks/endpoints/ep%27$%28reboot%29'`; e.Curl != want {
		t.Errorf("curl: %s", e.Curl)
	}
}
