package aspect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestAnEndpointIsNotedBeforeItIsAskedForAndLeasedAfter(t *testing.T) {
	s, dir := newStandIn(t), t.TempDir()
	var note []byte
	s.pause = func(r *http.Request, moment string) {
		if r.Method == "POST" && moment == "asked" {
			note, _ = os.ReadFile(onlyLease(t, dir))
		}
	}
	c := s.serve()
	g, err := NewLeases(c, dir).Register(t.Context(), "https://a.example/hook")
	if err != nil {
		t.Fatal(err)
	}
	if g.EndpointID != "ep_1" || g.Secret.Reveal() != testSecret || g.URL() != "https://a.example/hook" {
		t.Errorf("registered %s at %s", g.EndpointID, g.URL())
	}
	nonce := strings.TrimSuffix(filepath.Base(onlyLease(t, dir)), ".json")
	if d := s.alive()["ep_1"]; !strings.HasSuffix(d, " nonce "+nonce) || !strings.HasPrefix(d, fmt.Sprintf("aspectop %d@", os.Getpid())) {
		t.Errorf("the dashboard shows %q, the lease is %s", d, nonce)
	}
	if !bytes.Contains(note, []byte(nonce)) || bytes.Contains(note, []byte("endpoint_id")) {
		t.Errorf("while the answer was open, the note was %s", note)
	}
	lease, _ := os.ReadFile(onlyLease(t, dir))
	for _, part := range []string{`"ep_1"`, testSecret, c.base, c.key.fingerprint(), "https://a.example/hook"} {
		if !bytes.Contains(lease, []byte(part)) {
			t.Errorf("the lease lacks %s: %s", part, lease)
		}
	}
	if bytes.Contains(append(lease, note...), []byte(testKey[:8])) {
		t.Errorf("the lease holds the key: %s", lease)
	}
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		if out := fmt.Sprintf(verb, g); shows(out, testSecret) || shows(out, testKey) {
			t.Errorf("%s of a registration shows a credential: %s", verb, out)
		}
	}
	if runtime.GOOS != "windows" {
		for _, name := range []string{onlyLease(t, dir), strings.TrimSuffix(onlyLease(t, dir), "json") + "lock"} {
			if info, err := os.Stat(name); err != nil || info.Mode() != 0o600 {
				t.Errorf("%s: %v, %v", name, info.Mode(), err)
			}
		}
		if info, _ := os.Stat(filepath.Join(dir, "endpoints")); info.Mode().Perm() != 0o700 {
			t.Errorf("the folder: %v", info.Mode())
		}
	}
	if _, err := g.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, s, dir)
	if _, err := g.Release(t.Context()); err != nil {
		t.Errorf("released twice: %v", err)
	}
	if err := g.Keep(); err == nil {
		t.Error("a released endpoint is kept")
	}
}

func TestARefusedRegistrationLeavesNothing(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 422} {
		dir := t.TempDir()
		_, err := NewLeases(answering(t, status, `{"detail":"no"}`), dir).Register(t.Context(), "https://a.example")
		var refused *APIError
		if !errors.As(err, &refused) || refused.Status != status {
			t.Errorf("%d: %v", status, err)
		}
		nothingLeft(t, nil, dir)
	}
}

func TestALostAnswerIsToldWithWhatToLookFor(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"500":            func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"408":            func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(408) },
		"hung up":        func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"truncated JSON": func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"endpoint":{"id":"ep_1"`)) },
		"truncated body": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			w.Write([]byte(`{}`))
		},
		"no id":           func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"secret":"` + testSecret + `"}`)) },
		"a page of HTML":  func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>" + testSecret)) },
		"an endless page": func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, maxBody+1)) },
	} {
		dir := t.TempDir()
		r := NewLeases(handling(t, h), dir)
		_, err := r.Register(t.Context(), "https://a.example/hook")
		var lost *LostAnswerError
		if !errors.As(err, &lost) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		holdsNothingSecret(t, err)
		if !strings.Contains(err.Error(), lost.Description) || !strings.HasSuffix(lost.Description, "nonce "+lost.Nonce) {
			t.Errorf("%s: %v", name, err)
		}
		rec := must(r.Recover(t.Context(), "https://b.example"))(t)
		if rec.Lease != nil || outcomes(rec) != "unanswered" || !strings.Contains(rec.Orphans[0].String(), lost.Description) {
			t.Errorf("%s: the next start says %v", name, rec.Orphans)
		}
	}
}

func TestAnEndpointWithoutASecretIsDeletedAgain(t *testing.T) {
	dir, deleted := t.TempDir(), false
	c := handling(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "DELETE" && r.URL.Path == "/webhooks/endpoints/ep_1" {
			deleted = true
			answer(w, 200, map[string]any{"success": true})
			return
		}
		answer(w, 200, map[string]any{"endpoint": map[string]any{"id": "ep_1"}})
	})
	_, err := NewLeases(c, dir).Register(t.Context(), "https://a.example")
	if err == nil || !strings.Contains(err.Error(), "returned no secret") || !deleted {
		t.Errorf("%v, deleted: %v", err, deleted)
	}
	nothingLeft(t, nil, dir)
}

func TestEndingARegistrationUnderWayDeletesWhatItCreated(t *testing.T) {
	s, dir := newStandIn(t), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	s.pause = func(r *http.Request, moment string) {
		if r.Method == "POST" && moment == "done" {
			cancel()
		}
	}
	if _, err := NewLeases(s.serve(), dir).Register(ctx, "https://a.example"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if s.made != 1 {
		t.Errorf("%d endpoints were created", s.made)
	}
	nothingLeft(t, s, dir)
	if _, err := NewLeases(s.serve(), dir).Register(ctx, "https://a.example"); !errors.Is(err, context.Canceled) || s.made != 1 {
		t.Errorf("ended before it began: %v", err)
	}
	nothingLeft(t, s, dir)
}

func TestAnEndpointWhoseLeaseCannotBeKeptIsDeletedAgain(t *testing.T) {
	s, dir := newStandIn(t), t.TempDir()
	s.pause = func(r *http.Request, moment string) {
		if r.Method == "POST" && moment == "done" { // something stands where the new lease is to be written
			os.MkdirAll(strings.TrimSuffix(onlyLease(t, dir), ".json")+".tmp/x", 0o700)
		}
	}
	_, err := NewLeases(s.serve(), dir).Register(t.Context(), "https://a.example")
	if err == nil || !strings.Contains(err.Error(), "cannot save the lease") || s.made != 1 || len(s.alive()) != 0 {
		t.Errorf("%v; there: %v", err, s.alive())
	}
}

func TestWithoutAPlaceForTheLeaseNothingIsAskedFor(t *testing.T) {
	for name, prepare := range map[string]func(folder string) error{
		"a file in its place": func(folder string) error { return os.WriteFile(folder, nil, 0o600) },
		"a symbolic link": func(folder string) error {
			if runtime.GOOS == "windows" {
				return os.WriteFile(folder, nil, 0o600)
			}
			return os.Symlink(t.TempDir(), folder)
		},
		"a folder that others may write": func(folder string) error {
			if runtime.GOOS == "windows" {
				return os.WriteFile(folder, nil, 0o600)
			}
			return errors.Join(os.Mkdir(folder, 0o700), os.Chmod(folder, 0o777))
		},
	} {
		s, dir := newStandIn(t), t.TempDir()
		if err := prepare(filepath.Join(dir, "endpoints")); err != nil {
			t.Fatal(err)
		}
		r := NewLeases(s.serve(), dir)
		if _, err := r.Register(t.Context(), "https://a.example"); err == nil || !strings.Contains(err.Error(), "endpoints") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := r.Recover(t.Context(), "https://a.example"); err == nil {
			t.Errorf("%s: recovered from", name)
		}
		if asked := s.asked(); len(asked) != 0 {
			t.Errorf("%s: asked for %v", name, asked)
		}
	}
}

// onlyLease is the path of the one lease in the state directory.
func onlyLease(t *testing.T, dir string) string {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(dir, "endpoints", "*.json"))
	if len(found) != 1 {
		t.Fatalf("leases: %v", found)
	}
	return found[0]
}

func nothingLeft(t *testing.T, s *standIn, dir string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "endpoints"))
	if len(entries) > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("left on disk: %v, %v", entries, err)
	}
	if s != nil && len(s.alive()) > 0 {
		t.Errorf("left at Aspect: %v", s.alive())
	}
}

// outcomes is what a recovery found, in words.
func outcomes(rec *Recovery) string {
	names := map[Outcome]string{Repointed: "repointed", Deleted: "deleted", Gone: "gone", Kept: "kept",
		Foreign: "foreign", Unanswered: "unanswered", Failed: "failed", Unreadable: "unreadable"}
	var all []string
	for _, f := range rec.Orphans {
		all = append(all, strings.TrimSpace(names[f.Outcome]+" "+f.EndpointID))
	}
	return strings.Join(all, ", ")
}

// orphaned registers an endpoint whose owner then ends without a word. Later
// ones are newer.
func orphaned(t *testing.T, r *Leases) {
	t.Helper()
	must(r.Register(t.Context(), "https://old.example"))(t).file.close()
	later()
}

// later returns when the clock has moved on: in a synctest bubble, too, where
// it only does so while everything sleeps.
func later() {
	for now := time.Now().UnixNano(); time.Now().UnixNano() == now; {
		time.Sleep(time.Millisecond)
	}
}

func TestAnEndpointThatIsNotAsAskedForIsSaid(t *testing.T) {
	for answered, want := range map[string]string{
		`{"id":"ep_1","url":"https://a.example","event_types":["task.failed"],"disabled":false}`: "",
		`{"id":"ep_1"}`:                           "",
		`{"id":"ep_1","disabled":true}`:           "it is disabled",
		`{"id":"ep_1","url":"https://b.example"}`: "it points to https://b.example instead of https://a.example",
		`{"id":"ep_1","event_types":[]}`:          "it receives no types of events",
	} {
		c := answering(t, 200, `{"endpoint":`+answered+`,"secret":"`+testSecret+`"}`)
		g := must(NewLeases(c, t.TempDir()).Register(t.Context(), "https://a.example"))(t)
		if !strings.HasPrefix(g.Unlike, want) || (g.Unlike == "") != (want == "") {
			t.Errorf("%s: %q", answered, g.Unlike)
		}
	}
}
