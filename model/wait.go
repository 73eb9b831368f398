package model

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Wait decides when somebody who waits for tasks may go on. Events are folded
// into it as into a [Board]; it keeps those of the tasks in question only. It is
// for one goroutine.
//
// A task is done when it is completed, failed or cancelled; a feature, when it
// is completed, na, failed or cancelled. What was found done once stays so, even
// if the task is taken up again.
type Wait struct {
	feature string
	any     bool
	goals   []goal
	board   *Board
	missed  bool // something done did not succeed
}

// goal is one of the tasks that are waited for.
type goal struct {
	name string // the id, or how it begins
	id   string // the task it turned out to be, "" while none is known
	done bool
	gone bool // said by Gone
}

// Outcome is how far one task came.
type Outcome struct {
	TaskID  string // as it was asked for if no such task is known
	Feature string // the one that is waited for, "" if it is the task itself
	State   State  // of that feature or the task, "" if unknown, also to Aspect
	Task    State  // of the task itself if a feature is waited for, "" if unknown
	Done    bool
}

// AmbiguousError says that the beginning of an id fits several tasks.
type AmbiguousError struct {
	Name  string
	Tasks []string // some of them, sorted
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%q fits several tasks (%s); write more of the id", e.Name, strings.Join(e.Tasks, ", "))
}

// NewWait waits for the tasks, each named by its id or by a beginning of it that
// fits no other: for the feature of that name, or if it is "" for the task
// itself; for all of them, or for any one. An empty name is an error.
func NewWait(tasks []string, feature string, any bool) (*Wait, error) {
	w := &Wait{feature: feature, any: any, board: NewBoard()}
	for _, name := range tasks {
		if name == "" {
			return nil, errors.New("a task's id cannot be empty")
		}
		if !slices.ContainsFunc(w.goals, func(g goal) bool { return g.name == name }) {
			w.goals = append(w.goals, goal{name: name})
		}
	}
	return w, nil
}

// Concerns reports whether a body may tell of one of the tasks. It costs little
// beside decoding the body, and errs only by saying yes.
func (w *Wait) Concerns(body []byte) bool {
	if bytes.IndexByte(body, '\\') >= 0 { // an id may be spelt with escapes
		return true
	}
	return slices.ContainsFunc(w.goals, func(g goal) bool { return bytes.Contains(body, []byte(g.name)) })
}

// Fold takes the event to account if it tells of one of the tasks.
func (w *Wait) Fold(e *Event) {
	if e.Task != nil && slices.ContainsFunc(w.goals, func(g goal) bool { return strings.HasPrefix(e.Task.ID, g.name) }) {
		w.board.Fold(e)
	}
}

// Look returns what was found done since the last look, in the order in which
// the tasks were named. If any one is waited for, that is the one whose news are
// the oldest, and nothing more after it. The error is an [*AmbiguousError]: the
// first task that a name fits when looked for is the one that is meant.
func (w *Wait) Look() ([]Outcome, error) {
	if over, _ := w.Over(); over {
		return nil, nil
	}
	var found []*goal
	for i := range w.goals {
		g := &w.goals[i]
		if err := w.identify(g); err != nil {
			return nil, err
		}
		if o := w.outcome(g); o.Done && !g.done {
			found = append(found, g)
		}
	}
	if w.any && len(found) > 1 {
		first := slices.MinFunc(found, func(a, b *goal) int {
			return w.board.Task(a.id).Updated().Compare(w.board.Task(b.id).Updated())
		})
		found = []*goal{first}
	}
	var outcomes []Outcome
	for _, g := range found {
		if g.done { // by another name for the same task
			continue
		}
		o := w.outcome(g)
		outcomes = append(outcomes, o)
		w.missed = w.missed || !o.State.Success()
		for i := range w.goals {
			if w.goals[i].id == g.id {
				w.goals[i].done = true
			}
		}
	}
	return outcomes, nil
}

// Over reports whether the wait has an end, and then whether it is a good one:
// what was waited for is completed (a feature may be na).
func (w *Wait) Over() (over, good bool) {
	isDone := func(g goal) bool { return g.done }
	if w.any {
		over = slices.ContainsFunc(w.goals, isDone)
	} else {
		over = !slices.ContainsFunc(w.goals, func(g goal) bool { return !g.done })
	}
	return over, over && !w.missed
}

// Unfinished are the tasks that are not done, in the order in which they were
// named.
func (w *Wait) Unfinished() []Outcome {
	var outcomes []Outcome
	for i := range w.goals {
		g := &w.goals[i]
		twin := func(o Outcome) bool { return o.TaskID == g.id }
		if !g.done && !slices.ContainsFunc(outcomes, twin) {
			outcomes = append(outcomes, w.outcome(g))
		}
	}
	return outcomes
}

func (w *Wait) outcome(g *goal) Outcome {
	t := w.board.Task(g.id)
	if t == nil {
		return Outcome{TaskID: cmp.Or(g.id, g.name), Feature: w.feature}
	}
	o := Outcome{TaskID: g.id, Feature: w.feature, State: t.State()}
	if w.feature != "" {
		o.Task = o.State
		o.State, _ = t.Feature(w.feature)
	}
	o.Done = o.State.Terminal()
	if !o.Done && t.Gone() { // the state it was in may be long past, or was never told
		o.State = ""
	}
	return o
}

// Gone are the tasks that are not done and that Aspect's API did not know when it
// was last asked. Each is returned once.
func (w *Wait) Gone() (ids []string) {
	for i := range w.goals {
		g := &w.goals[i]
		t := w.board.Task(g.id)
		if t == nil || g.done || g.gone || t.State().Terminal() || !t.Gone() {
			continue
		}
		g.gone = true
		ids = append(ids, g.id)
	}
	return ids
}

// identify finds out which task is meant.
func (w *Wait) identify(g *goal) (err error) {
	if g.id != "" {
		return nil
	}
	ids := make([]string, w.board.Len())
	for i := range ids {
		ids[i] = w.board.At(i).ID()
	}
	g.id, err = Meant(g.name, ids)
	return err
}

// Meant is the task that a name means among all the tasks there are: the id itself,
// or the only one that begins so; "" if there is none. The error is an
// [*AmbiguousError].
func Meant(name string, ids []string) (string, error) {
	var fit []string
	for _, id := range ids {
		if id == name {
			return id, nil
		}
		if strings.HasPrefix(id, name) && !slices.Contains(fit, id) {
			fit = append(fit, id)
		}
	}
	switch len(fit) {
	case 0:
		return "", nil
	case 1:
		return fit[0], nil
	}
	slices.Sort(fit)
	return "", &AmbiguousError{name, fit[:min(len(fit), 5)]}
}
