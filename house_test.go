package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// rooms are the packages of the house, from the roof to the ground, each with
// the rooms it may not know although they are below it. Imports only point
// down.
var rooms = []struct {
	name   string
	forbid []string
}{
	{"cli", nil},
	{"ui", []string{"receiver", "journal", "tunnel", "source", "forward", "aspect", "demo"}},
	{"ui/draw", []string{"receiver", "journal", "tunnel", "source", "forward", "aspect", "demo"}},
	{"ui/keys", nil},
	{"printer", []string{"receiver", "journal", "tunnel", "source", "forward", "aspect", "demo"}},
	{"demo", []string{"ui", "receiver"}},
	{"forward", []string{"ui"}},
	{"receiver", []string{"ui", "tunnel"}},
	{"source", []string{"ui", "tunnel"}},
	{"tunnel", []string{"ui", "receiver"}},
	{"aspect", []string{"journal", "model"}},
	{"journal", []string{"ui"}},
	{"model", nil},
	{"private", nil},
}

// foreign are modules that a room may not import either: ui knows no HTTP and
// no SQL, the journal no HTTP, and only ui and cli know Bubble Tea.
var foreign = map[string][]string{
	"ui":      {"net/http", "database/sql", "modernc.org/", "github.com/svix/"},
	"printer": {"net/http", "database/sql", "charm.land/"},
	"journal": {"net/http", "charm.land/"},
	"demo":    {"charm.land/", "database/sql"},
}

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
			if room != "bench" && room != "e2e" {
				t.Errorf("%s is no room of the house", room)
			}
			continue
		}
		for _, imported := range imports {
			for _, f := range foreign[room] {
				if strings.HasPrefix(imported, f) {
					t.Errorf("%s imports %s", room, imported)
				}
			}
			if room == "model" && strings.Contains(strings.Split(imported, "/")[0], ".") {
				t.Errorf("model imports %s, which is not in the standard library", imported)
			}
			below, ours := strings.CutPrefix(imported, "aspectop/")
			if !ours {
				continue
			}
			if floor[below] <= here {
				t.Errorf("%s imports %s, which is above it", room, below)
			}
			if slices.Contains(rooms[here].forbid, below) {
				t.Errorf("%s imports %s, which it may not know", room, below)
			}
		}
	}
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
