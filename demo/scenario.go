// Package demo is a stand-in for Aspect: it simulates tasks, signs their events as Svix
// does, and posts them to any receiver, with the faults of real delivery (repeats, late
// and swapped events, forgeries). The same seed gives the same tasks, ids, states and
// times relative to the start.
//
// A [Scenario] says which tasks there are and what happens to them: the built-in mix,
// which is random and may be endless, or a file in the format of scenarios/README.md.
package demo

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"aspectop/model"
)

// Scenario says which tasks there are, what happens to them, and what goes wrong during
// delivery.
type Scenario struct {
	Name  string // the built-in name, or the path it was read from
	Title string // one line; "" if its file does not begin with a comment

	steps []step // nil: the mix
}

type step struct {
	at time.Duration
	do action

	// Of a task.
	task      string
	kind      kind // only for a new task
	changes   []model.Feature
	eventType string // "": derived
	hold      time.Duration
	repeats   []time.Duration
	wrong     Break

	// Of uploads, which have a kind too.
	count   int
	over    time.Duration
	outcome outcome
}

type action string

const (
	changeTask action = "task"
	upload     action = "upload"
	ping       action = "ping"
)

//go:embed scenarios/*.scenario
var files embed.FS

// The built-in scenarios, the default first. All but the mix are files.
var builtin = []string{"mix", "upload", "failure", "rotten", "burst"}

// Scenarios lists the names of the built-in scenarios, the default one first.
func Scenarios() []string { return slices.Clone(builtin) }

// maxFile is the maximum size of a scenario file, in bytes.
const maxFile = 1 << 20

// Load returns the built-in scenario with the name, or else reads the file. Errors in
// the file have a line and column.
func Load(name string) (*Scenario, error) {
	if name == "mix" {
		return &Scenario{Name: name, Title: "Uploads of all kinds for as long as you like, with the troubles of real delivery."}, nil
	}
	open := func() (fs.File, error) { return os.Open(name) }
	if slices.Contains(builtin, name) {
		open = func() (fs.File, error) { return files.Open("scenarios/" + name + ".scenario") }
	}
	f, err := open()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%q is neither a file nor a built-in scenario (%s)", name, strings.Join(builtin, ", "))
	} else if err != nil {
		return nil, fmt.Errorf("cannot read the scenario: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read the scenario: %w", err)
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s: the scenario is larger than 1 MiB", name)
	}
	return parse(name, string(text))
}

func (w *world) play(steps []step) {
	tasks := map[string]*task{}
	for _, s := range steps {
		switch s.do {
		case changeTask:
			w.at(s.at, func() {
				if s.kind != "" {
					tasks[s.task] = w.newTask()
				}
				w.changeTask(tasks[s.task], s)
			})
		case upload:
			for i := range s.count {
				w.at(s.at+s.over*time.Duration(i)/time.Duration(s.count), func() { w.upload(s.kind, s.outcome, noExtra) })
			}
		case ping:
			w.at(s.at, func() {
				m := Message{ID: messageID(w.rng, w.instant(w.now)), Body: pingBody, Break: s.wrong}
				w.postStep(nil, m, w.now+w.latency(), s)
			})
		}
	}
}

// changeTask changes the task and posts an event about it. An invalid message does not
// change the task.
func (w *world) changeTask(t *task, s step) {
	features, visible := maps.Clone(t.features), s.kind != ""
	for _, r := range recipes[s.kind] {
		features[r.feature] = r.first()
	}
	for _, c := range s.changes {
		features[c.Name] = c.State
		visible = visible || !model.Internal(c.Name)
	}
	kind := typeProgress
	if visible {
		kind = eventType(features)
	}
	kind = cmp.Or(s.eventType, kind)
	updated := max(w.now, t.updated+time.Microsecond)
	if s.wrong == "" {
		t.features, t.updated = features, updated
	}
	m := Message{ID: messageID(w.rng, w.instant(updated)), Body: w.body(t, kind, features, updated), Break: s.wrong}
	w.postStep(&t.sequence, m, max(updated+w.latency(), t.sequence.due+time.Millisecond), s)
}

// postStep posts the step's message, delayed or repeated if the step says so.
func (w *world) postStep(l *sequence, m Message, due time.Duration, s step) {
	if s.hold > 0 || s.wrong != "" {
		l, due = nil, due+s.hold
	}
	w.post(l, m, due)
	for _, again := range s.repeats {
		w.post(nil, m, due+again)
	}
}
