package tunnel

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aspectop/model"
)

func TestTheAddressIsTheSameNextTime(t *testing.T) {
	state := filepath.Join(t.TempDir(), "made", "on demand")
	var first, second string
	relayedFrom(t, state, func(t *testing.T, r *relayed) { first = r.State().PublicURL })
	relayedFrom(t, state, func(t *testing.T, r *relayed) { second = r.State().PublicURL })
	if first == "" || first != second {
		t.Errorf("first %s, then %s", first, second)
	}
	for path, want := range map[string]os.FileMode{filepath.Join(state, "relay.json"): 0o600, state: 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	if files, err := os.ReadDir(state); err != nil || len(files) != 1 {
		t.Errorf("in the folder: %v, %v", files, err)
	}
}

func TestAFileWithoutATokenIsReplaced(t *testing.T) {
	for _, text := range []string{"", "{}", `{"token":"../../etc"}`, `{"token":"c_short"}`, `{"token":"c_with a blank"}`} {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, tokenFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		token, err := loadToken(folder)
		if again, err2 := loadToken(folder); err != nil || err2 != nil || token != again || len(token) != 29 || !tokenForm.MatchString(token) {
			t.Errorf("from %q: %q, then %q: %v, %v", text, token, again, err, err2)
		}
	}
}

// An earlier run that ended without a word may still hold it, or its machine's network.
func TestATokenInUseAtTheStartIsTriedForAWhile(t *testing.T) {
	state := t.TempDir()
	kept, err := loadToken(state)
	if err != nil {
		t.Fatal(err)
	}
	relayedFrom(t, state, func(t *testing.T, r *relayed) {
		r.Stop()
		r.svix.change(func() { r.svix.taken[kept] = true })
		again := func() {
			r.Tunnel = launch(t.Context(), r.o, r.relay.run, "")
		}
		again()
		after(30 * time.Second)
		if got := r.State(); got.State != model.TunnelReconnecting || !strings.Contains(got.PublicURL, kept) || !strings.Contains(got.Detail, "in use") {
			t.Errorf("after half a minute: %+v", got)
		}
		r.svix.change(func() { clear(r.svix.taken) })
		after(7 * time.Second)
		if got := r.State(); got.State != model.TunnelConnected || !strings.Contains(got.PublicURL, kept) {
			t.Errorf("when it was free: %+v", got)
		}
		r.Stop()

		r.svix.change(func() { r.svix.taken[kept] = true })
		again()
		defer r.Stop()
		after(time.Minute)
		if got := r.State(); got.State != model.TunnelConnected || strings.Contains(got.PublicURL, kept) || !strings.Contains(got.Detail, "new address for this run") {
			t.Errorf("when it was not: %+v", got)
		}
		if now, err := loadToken(state); err != nil || now != kept {
			t.Errorf("the next run has %q, %v, not %q", now, err, kept)
		}
	})
}

func TestTheTokenInTheAnswerToTheStartCounts(t *testing.T) {
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		own := r.svix.tokens[0]
		r.svix.change(func() { r.svix.given = "c_giventoken"; r.svix.conn.CloseNow() })
		after(time.Second)
		if got := r.State(); got.State != model.TunnelConnected || got.PublicURL != "http://play.example.com/in/c_giventoken/" || got.Probe == nil || !got.Probe.OK {
			t.Errorf("%+v", got)
		}
		if now, err := loadToken(r.state); err != nil || now != "c_giventoken" {
			t.Errorf("the next run has %q, %v", now, err)
		}
		for _, hostile := range []string{"../../view", "c_\x1b[31m", strings.Repeat("c", 100)} {
			r.svix.change(func() { r.svix.given = hostile; r.svix.conn.CloseNow() })
			after(time.Minute)
			if got := r.State(); strings.Contains(got.PublicURL, hostile) || strings.Contains(got.PublicURL, own) {
				t.Errorf("%q gave %s", hostile, got.PublicURL)
			}
		}
	})
}

// The relay may not know yet that our own connection is dead.
func TestATokenThatWeHeldOurselvesIsTriedForAWhile(t *testing.T) {
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		before := r.State().PublicURL
		r.svix.change(func() { r.svix.taken[r.svix.tokens[0]] = true; r.svix.conn.CloseNow() })
		after(30 * time.Second)
		if got := r.State(); got.State != model.TunnelReconnecting || got.PublicURL != before || !strings.Contains(got.Detail, "in use") {
			t.Errorf("after half a minute: %+v", got)
		}
		r.svix.change(func() { clear(r.svix.taken) })
		after(7 * time.Second)
		if got := r.State(); got.State != model.TunnelConnected || got.PublicURL != before {
			t.Errorf("when it was free: %+v", got)
		}
		r.svix.change(func() { r.svix.taken[r.svix.tokens[0]] = true; r.svix.conn.CloseNow() })
		after(time.Minute)
		if got := r.State(); got.State != model.TunnelConnected || got.PublicURL == before {
			t.Errorf("when it was not: %+v", got)
		}
	})
}

func TestTokensThatAreAllInUseAreTriedEverMoreSeldom(t *testing.T) {
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		before, dials, told := r.State().PublicURL, r.svix.dialed(), len(r.list())
		r.svix.change(func() { r.svix.full = true; r.svix.conn.CloseNow() })
		after(time.Minute) // for the token that we held
		if n := r.svix.dialed() - dials; n > 20 {
			t.Fatalf("%d dials in a minute", n)
		}
		dials = r.svix.dialed()
		after(2 * time.Hour)
		if n := r.svix.dialed() - dials; n < 20 || n > 40 { // at last one in five minutes
			t.Errorf("%d dials in two hours", n)
		}
		for _, m := range r.list()[told:] {
			if m.PublicURL != before {
				t.Fatalf("an address that never worked was told: %+v", m)
			}
		}
		r.svix.change(func() { r.svix.full = false })
		after(7 * time.Minute)
		if got := r.State(); got.State != model.TunnelConnected || got.PublicURL == before {
			t.Errorf("when one was free: %+v", got)
		}
	})
}
