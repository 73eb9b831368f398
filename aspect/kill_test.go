package aspect

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// The environment variables that make the test binary a program which registers
// and releases endpoints until it is killed.
const (
	childDir = "ASPECT_TEST_CHILD_DIR"
	childURL = "ASPECT_TEST_CHILD_URL"
	// childUpdates is the id of an endpoint that it only updates.
	childUpdates = "ASPECT_TEST_CHILD_UPDATES"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := child(dir, os.Getenv(childURL)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child goes through every way that a run may take with its endpoint. What it
// finds it prints, as a run would show it.
func child(dir, url string) error {
	ctx := context.Background()
	c, err := New(Config{BaseURL: url, Key: NewCredential(testKey)})
	if err != nil {
		return err
	}
	r := NewLeases(c, dir)
	if id := os.Getenv(childUpdates); id != "" {
		_, err := r.Update(ctx, id, EndpointSpec{URL: "https://b.example", Description: "Prod listener"})
		fmt.Println(err)
		return nil
	}
	for n := 0; ; n++ {
		rec, err := r.Recover(ctx, "https://a.example")
		if err != nil {
			return err
		}
		for _, f := range rec.Orphans {
			fmt.Println(f)
		}
		if err := rec.Shown(); err != nil {
			return err
		}
		g := rec.Lease
		if g == nil {
			if g, err = r.Register(ctx, "https://a.example"); err != nil {
				return err
			}
		}
		switch n % 3 {
		case 0:
			_, err = g.Repoint(ctx, "https://b.example")
			if err == nil {
				_, err = g.Release(ctx)
			}
		case 1:
			_, err = g.Release(ctx)
		case 2:
			err = g.Keep()
		}
		if err != nil {
			return err
		}
	}
}

// startChild runs the child. The function kills it and returns what it printed.
func startChild(t *testing.T, dir, url string) (kill func() string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childURL+"="+url)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return sync.OnceValue(func() string {
		cmd.Process.Kill()
		cmd.Wait()
		if errs.Len() > 0 {
			t.Errorf("the child said: %s", &errs)
		}
		return out.String()
	})
}

// everyEndpointIsAccountedFor starts once more, and demands of each endpoint
// that it is gone then, or was told by its nonce. told is what all runs printed
// so far. It returns how many only a person can delete.
func everyEndpointIsAccountedFor(t *testing.T, s *standIn, c *Client, dir string, told *string) int {
	t.Helper()
	for range 2 { // a start leaves alone what was kept on purpose, if it has one already
		rec := must(NewLeases(c, dir).Recover(t.Context(), "https://a.example"))(t)
		for _, f := range rec.Orphans {
			*told += f.String() + "\n"
		}
		if err := rec.Shown(); err != nil {
			t.Error(err)
		}
		if rec.Lease != nil {
			if _, err := rec.Lease.Release(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
	left := s.alive()
	for id, description := range left {
		if _, nonce, _ := strings.Cut(description, "nonce "); nonce == "" || !strings.Contains(*told, "nonce "+nonce) {
			t.Errorf("%s (%s) is still there, and nobody was told", id, description)
		}
	}
	if strings.Contains(*told, testKey) || strings.Contains(*told, testSecret) {
		t.Errorf("a credential was printed: %s", *told)
	}
	return len(left)
}

func TestAKillAtAnyPointOfACallLeavesNoEndpointUnaccountedFor(t *testing.T) {
	for _, point := range []struct {
		method, moment string
		lost           int // endpoints that only a person can delete
	}{
		{"POST", "asked", 1}, {"POST", "done", 1}, // what was asked for is still done when its asker is dead
		{"PUT", "asked", 0}, {"PUT", "done", 0},
		{"DELETE", "asked", 0}, {"DELETE", "done", 0},
	} {
		s, dir := newStandIn(t), t.TempDir()
		reached, killed := make(chan struct{}), make(chan struct{})
		var once sync.Once
		s.pause = func(r *http.Request, moment string) {
			if r.Method == point.method && moment == point.moment {
				once.Do(func() { close(reached); <-killed })
			}
		}
		c := s.serve()
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
		if lost := everyEndpointIsAccountedFor(t, s, c, dir, &told); lost != point.lost {
			t.Errorf("killed when %s was %s: %d endpoints are left to a person, want %d", point.method, point.moment, lost, point.lost)
		}
	}
}

func TestKillsAtRandomMomentsLeaveNoEndpointUnaccountedFor(t *testing.T) {
	s, dir := newStandIn(t), t.TempDir()
	first := make(chan struct{}, 1)
	s.pause = func(*http.Request, string) {
		select {
		case first <- struct{}{}:
		default:
		}
		time.Sleep(rand.N(3 * time.Millisecond)) // so that the kills spread over the calls too
	}
	c := s.serve()
	told, lost := "", 0
	for n := range 20 {
		kill := startChild(t, dir, c.base)
		t.Cleanup(func() { kill() })
		select {
		case <-first:
		case <-time.After(time.Minute):
			t.Fatalf("child %d did nothing: %s", n, kill())
		}
		time.Sleep(rand.N(60 * time.Millisecond)) // the random moment
		told += kill()
		settle(t, s)
		select {
		case <-first:
		default:
		}
		if n%4 == 3 { // in between, one kill is not yet cleaned up when the next comes
			lost = everyEndpointIsAccountedFor(t, s, c, dir, &told)
		}
	}
	t.Logf("%d endpoints were created, %d were left to a person", s.made, lost)
	if s.made == 0 {
		t.Error("no endpoint was created: the kills came too early to mean anything")
	}
}

// settle waits until no request is under way.
func settle(t *testing.T, s *standIn) {
	t.Helper()
	waitUntil(t, func() bool { return s.underWay.Load() == 0 })
}

func waitUntil(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never came to that")
		}
	}
}
