package aspect

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheNewestOrphanIsTakenOverAndTheOthersDeleted(t *testing.T) {
	s, dir := newStandIn(t), t.TempDir()
	r := NewLeases(s.serve(), dir)
	for range 3 {
		orphaned(t, r)
	}
	rec := must(r.Recover(t.Context(), "https://new.example"))(t)
	if got := outcomes(rec); got != "repointed ep_3, deleted ep_2, deleted ep_1" {
		t.Errorf("found %s", got)
	}
	g := rec.Lease
	if g == nil || g.EndpointID != "ep_3" || g.Secret.Reveal() != testSecret || g.URL() != "https://new.example" {
		t.Fatalf("took over %+v", g)
	}
	if s.urlOf("ep_3") != "https://new.example" || len(s.alive()) != 1 {
		t.Errorf("there is %v", s.alive())
	}
	if err := rec.Shown(); err != nil {
		t.Error(err)
	}
	if again := must(r.Recover(t.Context(), "https://other.example"))(t); len(again.Orphans) != 0 {
		t.Errorf("what is in use was found again: %v", again.Orphans)
	}
	if _, err := g.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, s, dir)
}

func TestWithoutAURLEveryOrphanIsDeleted(t *testing.T) {
	s, dir := newStandIn(t), t.TempDir()
	r := NewLeases(s.serve(), dir)
	orphaned(t, r)
	orphaned(t, r)
	rec := must(r.Recover(t.Context(), ""))(t)
	if got := outcomes(rec); got != "deleted ep_2, deleted ep_1" || rec.Lease != nil {
		t.Errorf("found %s", got)
	}
	nothingLeft(t, s, dir)
}

func TestAnOrphanThatIsGoneIsForgotten(t *testing.T) {
	s, dir := newStandIn(t), t.TempDir()
	r := NewLeases(s.serve(), dir)
	orphaned(t, r)
	orphaned(t, r)
	delete(s.endpoints, "ep_2")
	rec := must(r.Recover(t.Context(), "https://new.example"))(t)
	if got := outcomes(rec); got != "gone ep_2, repointed ep_1" {
		t.Errorf("found %s", got)
	}
	rec.Lease.file.close()
	delete(s.endpoints, "ep_1")
	if got := outcomes(must(r.Recover(t.Context(), ""))(t)); got != "gone ep_1" {
		t.Errorf("found %s", got)
	}
	nothingLeft(t, s, dir)
}

func TestAKeptEndpointIsResumedAndNeverDeletedByTheWay(t *testing.T) {
	s, dir := newStandIn(t), t.TempDir()
	r := NewLeases(s.serve(), dir)
	for range 2 {
		if err := must(r.Register(t.Context(), "https://old.example"))(t).Keep(); err != nil {
			t.Fatal(err)
		}
		later()
	}
	orphaned(t, r)
	if got := outcomes(must(r.Recover(t.Context(), ""))(t)); got != "kept ep_2, kept ep_1, deleted ep_3" {
		t.Errorf("without a URL: %s", got)
	}
	orphaned(t, r)
	rec := must(r.Recover(t.Context(), "https://new.example"))(t)
	if got := outcomes(rec); got != "repointed ep_2, kept ep_1, deleted ep_4" {
		t.Errorf("with a URL: %s", got)
	}
	rec.Lease.file.close() // it crashes: now it is an orphan, and no longer kept
	rec = must(r.Recover(t.Context(), ""))(t)
	if got := outcomes(rec); got != "kept ep_1, deleted ep_2" {
		t.Errorf("after a crash: %s", got)
	}
	if got, want := rec.Orphans[0].String(), "ASPECT_URL="+r.client.base+" aspectop endpoints delete ep_1"; !strings.Contains(got, want) {
		t.Errorf("%q does not say %q", got, want)
	}
}

func TestAnotherAccountsEndpointIsLeftAlone(t *testing.T) {
	s, dir := newStandIn(t), t.TempDir()
	ours := s.serve()
	orphaned(t, NewLeases(ours, dir))
	s.asked()
	otherKey, err := New(Config{BaseURL: ours.base, Key: NewCredential("sk_another_key_of_somebody")})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*Client{"another key": otherKey, "another address": clientOf(t, strings.Replace(ours.base, "127.0.0.1", "localhost", 1))} {
		rec := must(NewLeases(c, dir).Recover(t.Context(), "https://new.example"))(t)
		if got := outcomes(rec); got != "foreign ep_1" || rec.Lease != nil {
			t.Errorf("%s: found %s", name, got)
		}
		if f := rec.Orphans[0].String(); !strings.Contains(f, onlyLease(t, dir)) || !strings.Contains(f, ours.base) {
			t.Errorf("%s: %s", name, f)
		}
	}
	if asked := s.asked(); len(asked) != 0 {
		t.Errorf("asked for %v", asked)
	}
	if got := outcomes(must(NewLeases(ours, dir).Recover(t.Context(), ""))(t)); got != "deleted ep_1" {
		t.Errorf("its owner finds %s", got)
	}
}

func TestAnUnansweredRegistrationIsReportedUntilItWasShown(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
		r := NewLeases(c, dir)
		_, err := r.Register(t.Context(), "https://a.example")
		var lost *LostAnswerError
		if !errors.As(err, &lost) {
			t.Fatal(err)
		}
		for range 2 {
			if got := outcomes(must(r.Recover(t.Context(), ""))(t)); got != "unanswered" {
				t.Errorf("before it was shown: %s", got)
			}
		}
		rec := must(r.Recover(t.Context(), ""))(t)
		if f := rec.Orphans[0]; f.Nonce != lost.Nonce || !strings.Contains(f.String(), lost.Description) || !strings.Contains(f.String(), "http://api.test") {
			t.Errorf("the finding is %+v", f)
		}
		if err := rec.Shown(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(29 * 24 * time.Hour)
		if got := outcomes(must(r.Recover(t.Context(), ""))(t)); got != "" {
			t.Errorf("after it was shown: %s", got)
		}
		onlyLease(t, dir)
		time.Sleep(2 * 24 * time.Hour)
		must(r.Recover(t.Context(), ""))(t)
		nothingLeft(t, nil, dir)
	})
}

func TestANoteThatTheUserRemovedStaysRemoved(t *testing.T) {
	dir := t.TempDir()
	r := NewLeases(answering(t, 500, ""), dir)
	r.Register(t.Context(), "https://a.example")
	rec := must(r.Recover(t.Context(), ""))(t)
	if err := os.Remove(onlyLease(t, dir)); err != nil {
		t.Fatal(err)
	}
	if err := rec.Shown(); err != nil {
		t.Error(err)
	}
	nothingLeft(t, nil, dir)
}

func TestWhatCannotBeCleanedUpIsToldAndStaysForTheNextStart(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		want   string
		asked  int
	}{
		"the key is refused":    {403, "failed ep_2, failed ep_1", 1}, // the other is not even tried
		"the values are":        {422, "failed ep_2, failed ep_1", 2},
		"there is trouble here": {501, "failed ep_2, failed ep_1", 4}, // tries of the first
	} {
		synctest.Test(t, func(t *testing.T) {
			s, dir, broken, asked := newStandIn(t), t.TempDir(), false, 0
			r := NewLeases(inMemory(t, func(w http.ResponseWriter, r *http.Request) {
				if asked++; broken {
					w.WriteHeader(test.status)
					return
				}
				s.ServeHTTP(w, r)
			}), dir)
			orphaned(t, r)
			orphaned(t, r)
			broken, asked = true, 0
			rec := must(r.Recover(t.Context(), ""))(t)
			if got := outcomes(rec); got != test.want || asked != test.asked {
				t.Errorf("%s: found %s with %d requests", name, got, asked)
			}
			for _, f := range rec.Orphans {
				if !strings.Contains(f.String(), "aspectop endpoints delete "+f.EndpointID) || !strings.Contains(f.String(), "curl") {
					t.Errorf("%s: %s", name, f)
				}
				holdsNothingSecret(t, f.Err)
			}
			rec = must(r.Recover(t.Context(), "https://new.example"))(t)
			if got := outcomes(rec); got != test.want || rec.Lease != nil {
				t.Errorf("%s: taking over found %s", name, got)
			}
			broken = false
			if got := outcomes(must(r.Recover(t.Context(), ""))(t)); got != "deleted ep_2, deleted ep_1" {
				t.Errorf("%s: the next start finds %s", name, got)
			}
			nothingLeft(t, s, dir)
		})
	}
}

func TestALeaseThatCannotBeReadIsReportedAndKept(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"damaged":      func(path string) error { return os.WriteFile(path, []byte(`{"version":`), 0o600) },
		"empty":        func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"from a later": func(path string) error { return os.WriteFile(path, []byte(`{"version":2}`), 0o600) },
		"a link": func(path string) error {
			if runtime.GOOS == "windows" {
				return os.WriteFile(path, nil, 0o600)
			}
			return errors.Join(os.Rename(path, path+".away"), os.Symlink(path+".away", path))
		},
	} {
		s, dir := newStandIn(t), t.TempDir()
		r := NewLeases(s.serve(), dir)
		orphaned(t, r)
		path := onlyLease(t, dir)
		if err := spoil(path); err != nil {
			t.Fatal(err)
		}
		rec := must(r.Recover(t.Context(), "https://new.example"))(t)
		if outcomes(rec) != "unreadable" || rec.Lease != nil || len(s.alive()) != 1 {
			t.Errorf("%s: found %s", name, outcomes(rec))
			continue
		}
		nonce := strings.TrimSuffix(filepath.Base(path), ".json")
		if f := rec.Orphans[0].String(); !strings.Contains(f, path) || !strings.Contains(f, "nonce "+nonce) {
			t.Errorf("%s: %s", name, f)
		}
		onlyLease(t, dir)
	}
}

func TestALeaseWrittenButNotRenamedCounts(t *testing.T) {
	s, dir := newStandIn(t), t.TempDir()
	r := NewLeases(s.serve(), dir)
	orphaned(t, r)
	path := onlyLease(t, dir)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	next := strings.TrimSuffix(path, ".json") + ".tmp"
	if err := errors.Join(os.WriteFile(next, whole, 0o600), os.WriteFile(path, []byte(`{"version":1}`), 0o600)); err != nil {
		t.Fatal(err)
	}
	if got := outcomes(must(r.Recover(t.Context(), ""))(t)); got != "deleted ep_1" {
		t.Errorf("found %s", got)
	}
	nothingLeft(t, s, dir)

	orphaned(t, r)
	path = onlyLease(t, dir)
	if err := os.WriteFile(strings.TrimSuffix(path, ".json")+".tmp", whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	if got := outcomes(must(r.Recover(t.Context(), ""))(t)); got != "deleted ep_2" {
		t.Errorf("with a half-written one: %s", got)
	}
	nothingLeft(t, s, dir)
}

func TestALockLeftAloneIsSweptAndOtherFilesAreNot(t *testing.T) {
	s, dir := newStandIn(t), t.TempDir()
	folder := filepath.Join(dir, "endpoints")
	other := filepath.Join(folder, "notes.txt")
	if err := errors.Join(os.Mkdir(folder, 0o700), os.WriteFile(other, nil, 0o600),
		os.WriteFile(filepath.Join(folder, "0123456789abcdef.lock"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	rec := must(NewLeases(s.serve(), dir).Recover(t.Context(), "https://new.example"))(t)
	if len(rec.Orphans) != 0 {
		t.Errorf("found %v", rec.Orphans)
	}
	if entries, _ := os.ReadDir(folder); len(entries) != 1 || entries[0].Name() != "notes.txt" {
		t.Errorf("left: %v", entries)
	}
}
