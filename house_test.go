package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// rooms are the packages of the house, from the roof to the ground. Imports only
// point down. forbid names what a room, and every room inside it, may not import
// although it is below: rooms with all that is inside them, and modules.
var rooms = []struct {
	name   string
	forbid []string
}{
	{"cli", nil},
	{"cli/session", nil},
	{"cli/settings", []string{"ui", "share", "demo"}},
	{"cli/terminal", []string{"ui", "journal", "receiver"}},
	{"cli/exit", []string{"ui", "journal", "receiver"}},
	{"share/web", []string{"ui", "receiver", "journal", "tunnel", "source", "forward", "aspect", "demo"}},
	{"share/ssh", []string{"ui", "receiver", "journal", "tunnel", "source", "forward", "aspect", "demo", "printer"}},
	{"ui", []string{
		"receiver", "journal", "tunnel", "source", "forward", "aspect", "demo",
		"net/http", "database/sql", "modernc.org/", "github.com/svix/",
	}},
	{"ui/cast", []string{"feed", "model"}},
	{"ui/picture", []string{"feed", "model"}},
	{"ui/view", nil},
	{"ui/render", nil},
	{"ui/screen", nil},
	{"ui/edit", []string{"feed", "model"}},
	{"ui/draw", []string{"feed"}},
	{"ui/keys", []string{"feed", "model"}},
	{"tty", []string{"ui", "feed", "model", "words"}},
	{"printer/report", nil},
	{"printer", []string{
		"receiver", "journal", "tunnel", "source", "forward", "aspect", "demo",
		"net/http", "database/sql", "charm.land/",
	}},
	{"check", []string{"ui", "feed", "journal", "printer", "charm.land/", "database/sql", "github.com/spf13/"}},
	{"demo", []string{"ui", "receiver", "charm.land/", "database/sql"}},
	{"forward", []string{"ui", "journal/sqlite", "journal/postgres"}},
	{"receiver", []string{"ui", "tunnel", "journal/sqlite", "journal/postgres"}},
	{"source", []string{"ui", "tunnel", "journal/sqlite", "journal/postgres"}},
	{"tunnel", []string{"ui", "receiver", "journal/sqlite", "journal/postgres"}},
	{"feed", []string{"ui", "journal", "net/http", "database/sql", "charm.land/"}},
	{"aspect", []string{"journal"}},
	{"journal/sqlite", nil},
	{"journal/postgres", nil},
	{"journal", []string{"ui", "net/http", "charm.land/"}},
	{"words", []string{"ui", "feed", "journal", "printer", "net/http", "charm.land/"}},
	{"model", nil},
	{"jsonl", nil},
	{"clean", nil},
	{"sig", nil},
	{"broadcast", nil},
	{"private", nil},
	{"loopback", nil},
}

// decoder is all that model imports beyond the standard library.
const decoder = "github.com/go-json-experiment/json/jsontext"

// outside are packages that test the house and are no rooms of it.
var outside = []string{"bench", "e2e", "feed/feedtest", "journal/journaltest", "journal/postgres/pgtest"}

func TestImportsPointDownTheHouse(t *testing.T) {
	floor := map[string]int{}
	for i, r := range rooms {
		floor[r.name] = i
	}
	for pkg, imports := range directImports(t) {
		room, inside := strings.CutPrefix(pkg, "aspectop/")
		if !inside {
			if want := []string{"aspectop/cli"}; pkg == "aspectop" && !slices.Equal(own(imports), want) {
				t.Errorf("main imports %v of this module, not just cli", own(imports))
			}
			continue
		}
		here, known := floor[room]
		if !known {
			if !slices.Contains(outside, room) {
				t.Errorf("%s is no room of the house", room)
			}
			continue
		}
		for _, imported := range imports {
			if room == "model" && imported != decoder && strings.Contains(strings.Split(imported, "/")[0], ".") {
				t.Errorf("model imports %s", imported)
			}
			below, ours := strings.CutPrefix(imported, "aspectop/")
			if ours && floor[below] <= here {
				t.Errorf("%s imports %s, which is above it", room, below)
			}
			for _, r := range rooms {
				if !within(room, r.name) {
					continue
				}
				if i := slices.IndexFunc(r.forbid, func(f string) bool { return within(below, f) }); i >= 0 {
					t.Errorf("%s imports %s; %s may not know %s", room, below, r.name, r.forbid[i])
				}
			}
		}
	}
}

// within reports whether a package is the room, or inside it. A module path ends
// with a slash.
func within(pkg, room string) bool {
	rest, ok := strings.CutPrefix(pkg, room)
	return ok && (rest == "" || rest[0] == '/' || strings.HasSuffix(room, "/"))
}

// directImports asks the go command what each package imports, tests aside.
func directImports(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	imports := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		imports[fields[0]] = fields[1:]
	}
	if len(imports) < 5 {
		t.Fatalf("go list found only %d packages", len(imports))
	}
	return imports
}

func own(imports []string) []string {
	return slices.DeleteFunc(slices.Clone(imports), func(p string) bool { return !strings.HasPrefix(p, "aspectop/") })
}
