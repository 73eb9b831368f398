package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aspectop/feed/feedtest"
	"aspectop/journal"
	"aspectop/journal/sqlite"
)

// additions are what docs/architecture.md says is to be written to add a thing: new
// files, and lines put into a file behind another line.
var additions = []struct {
	file, behind, text string // a whole file if behind is ""
}{
	// A view.
	{"ui/views.go", `{"stats", "Stats",`,
		`	{"newest", "Newest", "the newest delivery", func(*screen.Screen, *view.Tasks) oneView { return view.Newest{} }, 1, false},`},
	{"ui/view/newest.go", "", `package view

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"aspectop/ui/draw"
	"aspectop/ui/keys"
	"aspectop/ui/screen"
)

type Newest struct{}

func (Newest) Changed(*screen.Screen, screen.Change)                    {}
func (Newest) Arrange(*screen.Screen, int, int)                         {}
func (Newest) Preview(*screen.Screen, int, int) []string                { return nil }
func (Newest) Do(*screen.Screen, keys.Action) (tea.Cmd, bool)           { return nil, false }
func (Newest) Has(*screen.Screen, keys.Action) bool                     { return false }
func (Newest) Selection(*screen.Screen, bool) (none screen.Selection)   { return none }
func (Newest) Shown(*screen.Screen) (n int, looking bool)               { return 1, false }
func (Newest) InSight(*screen.Screen) []int64                           { return nil }
func (Newest) Click(*screen.Screen, int, int) bool                      { return false }

func (Newest) Draw(sc *screen.Screen, w, h int) []string {
	line := draw.NewLine(sc.Theme, w).Put(draw.Plain, fmt.Sprintf("newest-is-%d", sc.Feed.Seen()))
	return draw.PadHeight(sc.Theme, []string{line.String()}, w, h)
}
`},
	// A column.
	{"ui/view/tasks.go", `table := draw.Table[taskRow]{`, `		{Title: "OWNER", Sizes: []draw.Size{draw.Whole(rankLeast, 9)},
			Draw: func(l *draw.Line, t taskRow, w int) { l.Cell(draw.Dim, draw.Short(sc.Shown(t.UserID()), w), w) }},`},
	// A filter term.
	{"model/filter.go", `var fields = []field{`,
		`	{"source", func(s target, _ *term, v string) bool { return s.event != nil && beginsWith(string(s.event.Source), v) }, nil},`},
	// An export format.
	{"printer/export.go", `var ExportFormats = []ExportFormat{`,
		`	{"numbers", "one number per line", newNumbers},`},
	{"printer/numbers.go", "", `package printer

import (
	"bytes"
	"fmt"

	"aspectop/model"
)

func newNumbers(*ExportOptions) form {
	return form{delivery: func(out *bytes.Buffer, d *model.Delivery) { fmt.Fprintln(out, d.Seq) }}
}
`},
	// A state.
	{"model/state.go", `var States = []StateInfo{`,
		`	{"paused", "held by somebody", "=", '=', "z", 2, false, false, RoleWaiting},`},
	// A kind of tunnel.
	{"tunnel/tunnel.go", `var kinds = []kind{`,
		`	{"pigeon", true, "birds read it", func(Options) (provider, error) { return nil, errors.New("no pigeon") }},`},
}

// The page on the architecture says where to add a view, a column, a filter term, an
// export format, a state and a tunnel. A program to which one of each was added so,
// and nothing else, has them everywhere.
func TestWhatIsAddedWhereThePageSaysWorks(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the program; runs without -short, as in the gate")
	}
	dir := t.TempDir()
	aspectop := extended(t, dir)
	run := func(code int, args ...string) string {
		t.Helper()
		cmd := exec.Command(aspectop, args...)
		own := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "ASPECT") })
		cmd.Env = append(own, "HOME="+dir, "XDG_STATE_HOME="+dir+"/state", "XDG_CONFIG_HOME="+dir+"/config", "NO_COLOR=1")
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != code {
			t.Fatalf("aspectop %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	says := func(text string, words ...string) {
		t.Helper()
		for _, w := range words {
			if !strings.Contains(text, w) {
				t.Errorf("%q is not in\n%s", w, text)
			}
		}
	}
	kept := filepath.Join(dir, "j.db")
	j, err := sqlite.Open(kept, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, state := range []string{"queued", "paused", "completed"} {
		d := feedtest.Event(i+1, "task.progress", 0, "visual="+state)
		if err := j.Append(t.Context(), &d); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	picture := filepath.Join(dir, "frame.svg")
	frame := func(view string) string {
		run(0, "view", "--journal", kept, "--picture", picture, "--view", view, "--size", "160x24")
		text, err := os.ReadFile(picture)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	says(frame("newest"), "newest-is-3", "Newest")
	says(frame("tasks"), "OWNER", "3f5d7e38", "paused")
	for filter, numbers := range map[string]string{"source:webhook": "1\n2\n3\n", "-source:web": "", "state:paused": "2\n", "visual:pau": "2\n"} {
		if got := run(0, "export", "--journal", kept, "--format", "numbers", "--filter", filter); !strings.HasPrefix(got, numbers) {
			t.Errorf("%q exports %q, not %q", filter, got, numbers)
		}
	}
	says(run(0, "man"), "the newest delivery")
	says(run(0, "export", "--help"), "numbers", "one number per line")
	says(run(0, "__complete", "export", "--format", ""), "numbers")
	says(run(0, "__complete", "view", "--view", ""), "newest")
	says(run(0, "__complete", "watch", "--tunnel="), "pigeon")
	says(run(2, "watch", "--tunnel=dog"), "pigeon")
	says(run(2, "export", "--format", "none"), "numbers")
	says(run(2, "export", "--filter", "sauce:x"), "source", "became and is")
	says(run(2, "export", "--filter", "state:x"), "paused")
}

// extended is the program with the additions.
func extended(t *testing.T, dir string) (path string) {
	t.Helper()
	replace := map[string]string{}
	for i, a := range additions {
		text := a.text
		if a.behind != "" {
			b, err := os.ReadFile(a.file)
			if err != nil {
				t.Fatal(err)
			}
			before, after, found := strings.Cut(string(b), a.behind)
			rest, tail, _ := strings.Cut(after, "\n")
			if !found {
				t.Fatalf("%s has no line with %q any more", a.file, a.behind)
			}
			text = before + a.behind + rest + "\n" + a.text + "\n" + tail
		}
		name, err := filepath.Abs(a.file)
		if err != nil {
			t.Fatal(err)
		}
		replace[name] = filepath.Join(dir, fmt.Sprint(i, ".go"))
		if err := os.WriteFile(replace[name], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	overlay := filepath.Join(dir, "overlay.json")
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err == nil {
		err = os.WriteFile(overlay, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "aspectop")
	if out, err := exec.Command("go", "build", "-overlay", overlay, "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}
