package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"aspectop/journal"
)

func TestTheDefaultPathIsInTheUsersStateFolder(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Setenv("LocalAppData", `C:\Users\me\AppData\Local`)
		if got, err := DefaultPath(); err != nil || got != `C:\Users\me\AppData\Local\aspectop\journal.db` {
			t.Errorf("%s, %v", got, err)
		}
		t.Setenv("LocalAppData", "")
		if _, err := DefaultPath(); err == nil || !strings.Contains(err.Error(), "--journal") {
			t.Error(err)
		}
		return
	}
	for _, c := range []struct{ state, home, want string }{
		{"/state", "/home/me", "/state/aspectop/journal.db"},
		{"", "/home/me", "/home/me/.local/state/aspectop/journal.db"},
		{"relative", "/home/me", "/home/me/.local/state/aspectop/journal.db"},
		{"/state", "", "/state/aspectop/journal.db"},
	} {
		t.Setenv("XDG_STATE_HOME", c.state)
		t.Setenv("HOME", c.home)
		if got, err := DefaultPath(); err != nil || got != c.want {
			t.Errorf("state %q, home %q: %s, %v", c.state, c.home, got, err)
		}
	}
	t.Setenv("XDG_STATE_HOME", "")
	t.Setenv("HOME", "")
	if _, err := DefaultPath(); err == nil || !strings.Contains(err.Error(), "--journal") {
		t.Error(err)
	}
}

func TestAPathMayHoldWhatURIsDoNot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?mode=memory#50%25&ü", "journal.db")
	if runtime.GOOS == "windows" {
		path = filepath.Join(t.TempDir(), "a b#50%25&ü", "journal.db")
	}
	j := mustOpen(t, path, journal.Options{})
	if j.Place() != path {
		t.Errorf("path %s", j.Place())
	}
	mustAppend(t, j, delivery("msg_1", "{}"))
	if n := len(all(t, mustRead(t, path))); n != 1 {
		t.Errorf("%d deliveries", n)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestAMemoryJournalIsReadLikeAnyOtherAndLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	j, err := OpenMemory(journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	mustAppend(t, j, delivery("msg_1", "{}"))
	r := mustRead(t, j.Place())
	if n := len(all(t, r)); n != 1 {
		t.Errorf("%d deliveries", n)
	}
	r.Close()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(filepath.Dir(j.Place())); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("left behind: %v", err)
	}
}

func TestNothingIsLeftBesideAClosedJournalButItsLock(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path, journal.Options{})
	mustAppend(t, j, delivery("msg_1", "{}"))
	r := mustRead(t, path)
	all(t, r)
	r.Close()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 2 {
		t.Errorf("%v, %v", left, err)
	}
}
