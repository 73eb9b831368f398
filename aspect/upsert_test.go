package aspect

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// svixStandIn answers a PUT of an endpoint that does not exist by creating another one.
func svixStandIn(t *testing.T) *standIn {
	s := newStandIn(t)
	s.upsert = true
	return s
}

func TestAnEndpointThatAnUpdateCreatesIsDeletedAndTheOldOneIsGone(t *testing.T) {
	s, dir := svixStandIn(t), t.TempDir()
	c := s.serve()
	leases := NewLeases(c, dir)
	g := must(leases.Register(t.Context(), "https://a.example"))(t)
	if err := c.DeleteEndpoint(t.Context(), "ep_1"); err != nil {
		t.Fatal(err)
	}
	_, err := g.Repoint(t.Context(), "https://b.example")
	if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), `made another one instead, "ep_2", which was deleted`) {
		t.Errorf("repointing says %v", err)
	}
	nothingLeft(t, s, dir)
	if outcome, err := g.Release(t.Context()); outcome != Gone || err != nil {
		t.Errorf("releasing it: outcome %d, %v", outcome, err)
	}

	_, err = leases.Update(t.Context(), "ep_1", EndpointSpec{URL: "https://b.example", Description: "Prod listener"})
	if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), `"ep_3", which was deleted`) {
		t.Errorf("updating says %v", err)
	}
	nothingLeft(t, s, dir)

	kept := must(leases.Register(t.Context(), "https://a.example"))(t)
	if err := errors.Join(kept.Keep(), c.DeleteEndpoint(t.Context(), "ep_4")); err != nil {
		t.Fatal(err)
	}
	rec := must(leases.Recover(t.Context(), "https://b.example"))(t)
	if rec.Lease != nil || outcomes(rec) != "gone ep_4" || !strings.Contains(rec.Orphans[0].String(), `another one instead, "ep_5", which was deleted`) {
		t.Errorf("the next start has %v and says %v", rec.Lease, rec.Orphans)
	}
	nothingLeft(t, s, dir)
}

func TestOnlyAnotherIDIsANewcomer(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		notice bool
	}{
		{200, `{"endpoint":{"id":"ep_1"}}`, false},
		{200, `{"id":"ep_1"}`, false},
		{200, ``, false},
		{201, `{"endpoint":{"id":"ep_1"}}`, true},
		{201, `{"success":true}`, true},
		{201, ``, true},
		{200, `{"id":"ep_svix","uid":"ep_1"}`, false}, // asked for by its uid
	} {
		var deleted []string
		client := handling(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "DELETE" {
				deleted = append(deleted, r.URL.Path)
			}
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		})
		dir := t.TempDir()
		e, err := NewLeases(client, dir).Update(t.Context(), "ep_1", EndpointSpec{URL: "https://a.example"})
		if err != nil || e.ID != "ep_1" || deleted != nil || (e.Notice != "") != c.notice {
			t.Errorf("%d %s: %v with the notice %q, %v; deleted %q", c.status, c.body, e.ID, e.Notice, err, deleted)
		}
		nothingLeft(t, nil, dir)
	}
}

func TestANewcomerThatCannotBeDeletedIsToldWithTheCommandAndDeletedByTheNextStart(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, l *Leases, g *Lease) error{
		"repoint": func(t *testing.T, _ *Leases, g *Lease) error {
			_, err := g.Repoint(t.Context(), "https://joe:s3cret@b.example")
			return err
		},
		"update": func(t *testing.T, l *Leases, g *Lease) error {
			if _, err := g.Release(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, err := l.Update(t.Context(), "ep_1", EndpointSpec{URL: "https://joe:s3cret@b.example"})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := svixStandIn(t), t.TempDir()
			refuse := false
			c := handling(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == "DELETE" && refuse {
					answer(w, 403, map[string]any{"detail": "no"})
					return
				}
				s.ServeHTTP(w, r)
			})
			leases := NewLeases(c, dir)
			g := must(leases.Register(t.Context(), "https://a.example"))(t)
			s.mu.Lock()
			clear(s.endpoints)
			s.mu.Unlock()
			if name == "update" {
				s.endpoints["ep_1"] = map[string]any{"description": ""}
			}
			s.pause = func(r *http.Request, moment string) { refuse = r.Method == "PUT" || refuse }
			err := change(t, leases, g)
			var left *CleanupError
			if !errors.Is(err, ErrNotFound) || !errors.As(err, &left) || left.EndpointID != "ep_2" ||
				!strings.Contains(err.Error(), "ASPECT_URL="+c.base+" aspectop endpoints delete ep_2") || strings.Contains(err.Error(), "s3cret") {
				t.Fatalf("it says %v", err)
			}
			refuse, s.pause = false, nil
			rec := must(leases.Recover(t.Context(), "https://c.example"))(t)
			if rec.Lease != nil || outcomes(rec) != "deleted ep_2" {
				t.Errorf("the next start has %v and says %v", rec.Lease, rec.Orphans)
			}
			nothingLeft(t, s, dir)
		})
	}
}

// The answer to the first attempt is lost, so the second one makes another newcomer.
func TestANewcomerWhoseAnswerIsLostIsTold(t *testing.T) {
	for name, change := range map[string]func(l *Leases, g *Lease) error{
		"repoint": func(_ *Leases, g *Lease) error {
			_, err := g.Repoint(t.Context(), "https://b.example")
			return err
		},
		"update": func(l *Leases, g *Lease) error {
			_, err := l.Update(t.Context(), "ep_1", EndpointSpec{URL: "https://b.example", Description: "Prod listener"})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := svixStandIn(t), t.TempDir()
			var once sync.Once
			s.pause = func(r *http.Request, moment string) {
				if r.Method == "PUT" && moment == "done" {
					once.Do(func() { panic(http.ErrAbortHandler) })
				}
			}
			c := s.serve()
			leases := NewLeases(c, dir)
			g := must(leases.Register(t.Context(), "https://a.example"))(t)
			if err := c.DeleteEndpoint(t.Context(), "ep_1"); err != nil {
				t.Fatal(err)
			}
			err := change(leases, g)
			if name == "update" {
				g.file.close()
			}
			left := slices.Collect(maps.Values(s.alive()))
			if len(left) != 1 || !errors.Is(err, ErrNotFound) || !errors.As(err, new(*LostAnswerError)) {
				t.Fatalf("%q are left, and it says %v", left, err)
			}
			_, mark, _ := strings.Cut(left[0], "nonce ")
			if name == "update" {
				mark = `described as "Prod listener"`
			}
			if !strings.Contains(err.Error(), mark) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q is left, and it says %v", left, err)
			}
		})
	}
}

func TestAKillBetweenTheStepsOfAnUpsertLeavesNoEndpointUnaccountedFor(t *testing.T) {
	for _, point := range []struct {
		method, moment string
		lost           int // endpoints that only a person can delete
	}{
		{"PUT", "asked", 1}, {"PUT", "done", 1}, // what was asked for is still done when its asker is dead
		{"DELETE", "asked", 0}, {"DELETE", "done", 0},
	} {
		for _, recovering := range []bool{false, true} {
			s, dir := svixStandIn(t), t.TempDir()
			reached, killed := make(chan struct{}), make(chan struct{})
			var once sync.Once
			s.pause = func(r *http.Request, moment string) {
				if r.Method == "PUT" && moment == "asked" { // somebody deleted it in the dashboard
					s.mu.Lock()
					clear(s.endpoints)
					s.mu.Unlock()
				}
				if r.Method == point.method && moment == point.moment {
					once.Do(func() { close(reached); <-killed })
				}
			}
			c := s.serve()
			if recovering {
				if err := must(NewLeases(c, dir).Register(t.Context(), "https://a.example"))(t).Keep(); err != nil {
					t.Fatal(err)
				}
			}
			kill := startChild(t, dir, c.base)
			t.Cleanup(func() { kill() })
			select {
			case <-reached:
			case <-time.After(time.Minute):
				close(killed)
				t.Fatalf("the child never came to %s %s: %s", point.method, point.moment, kill())
			}
			told := kill()
			close(killed)
			settle(t, s)
			s.pause = nil
			if lost := everyEndpointIsAccountedFor(t, s, c, dir, &told); lost != point.lost {
				t.Errorf("killed when %s was %s: %d endpoints are left to a person, want %d: %s", point.method, point.moment, lost, point.lost, told)
			}
		}
	}
}

func TestAKillDuringAnUpdateOfTheUsersEndpointLeavesNothingUnsaid(t *testing.T) {
	for _, point := range []struct {
		method, moment string
		told           string
		left           int
	}{
		{"PUT", "asked", `described as "Prod listener"`, 1}, {"PUT", "done", `described as "Prod listener"`, 1},
		{"DELETE", "asked", `webhook endpoint "ep_1" from an earlier run had already been deleted`, 0},
		{"DELETE", "done", `webhook endpoint "ep_1" from an earlier run had already been deleted`, 0},
	} {
		s, dir := svixStandIn(t), t.TempDir()
		reached, killed := make(chan struct{}), make(chan struct{})
		var once sync.Once
		s.pause = func(r *http.Request, moment string) {
			if r.Method == point.method && moment == point.moment {
				once.Do(func() { close(reached); <-killed })
			}
		}
		c := s.serve()
		t.Setenv(childUpdates, "ep_9")
		kill := startChild(t, dir, c.base)
		t.Cleanup(func() { kill() })
		select {
		case <-reached:
		case <-time.After(time.Minute):
			close(killed)
			t.Fatalf("the child never came to %s %s: %s", point.method, point.moment, kill())
		}
		kill()
		close(killed)
		settle(t, s)
		rec := must(NewLeases(c, dir).Recover(t.Context(), ""))(t)
		if len(rec.Orphans) != 1 || !strings.Contains(rec.Orphans[0].String(), point.told) || len(s.alive()) != point.left {
			t.Errorf("killed when %s was %s: %v is left, and the next start says %v", point.method, point.moment, s.alive(), rec.Orphans)
		}
		if err := rec.Shown(); err != nil {
			t.Error(err)
		}
		if rec := must(NewLeases(c, dir).Recover(t.Context(), ""))(t); len(rec.Orphans) != 0 {
			t.Errorf("the start after that says %v again", rec.Orphans)
		}
	}
}
