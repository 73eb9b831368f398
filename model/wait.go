package model

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Wait decides whether the tasks that are waited for are done: first by a board, then
// by each message. It is for one goroutine.
//
// A task or feature is done in a terminal state, and stays so even if the task is
// taken up again.
type Wait struct {
	feature string
	any     bool
	goals   []goal
	missed  bool // something done did not succeed
}

type goal struct {
	name string // the id, or how it begins
	id   string // the task it turned out to be, "" while none is known
	done bool

	task, state State     // of the task and of what is waited for
	updated     time.Time // the instant they are from
	gone        bool      // Aspect's API did not know the task when it was last asked
	reported    bool      // by Gone
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

// NewWait waits for all tasks or for any one, each named by its id or a prefix that
// fits no other; for the feature of that name, or if it is "" for the task itself. An
// empty name is an error.
func NewWait(tasks []string, feature string, any bool) (*Wait, error) {
	w := &Wait{feature: feature, any: any}
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

// Look takes the tasks as they are on the board, and returns those newly found done,
// in the order in which they were named. If any one is waited for, that is the one
// updated first, and nothing more after it. The error is an [*AmbiguousError].
func (w *Wait) Look(b *Board) ([]Outcome, error) {
	ids := make([]string, b.Len())
	for i := range ids {
		ids[i] = b.At(i).ID()
	}
	for i := range w.goals {
		g := &w.goals[i]
		if g.id == "" {
			var err error
			if g.id, err = Meant(g.name, ids); err != nil {
				return nil, err
			}
		}
		if t := b.Task(g.id); t != nil {
			w.take(g, t.State(), t.Features(), t.Updated(), t.Gone())
		}
	}
	return w.found(), nil
}

// See takes what a message did to a task, and returns what is newly found done. Of
// several tasks that a prefix fits, the first one seen counts.
func (w *Wait) See(t *Task, e *Effect) []Outcome {
	for i := range w.goals {
		g := &w.goals[i]
		if g.id == "" && strings.HasPrefix(t.ID(), g.name) {
			g.id = t.ID()
		}
		if g.id == t.ID() {
			w.take(g, e.After, e.Features, e.Updated, t.Gone())
		}
	}
	return w.found()
}

func (w *Wait) take(g *goal, task State, features []Feature, updated time.Time, gone bool) {
	if g.done {
		return
	}
	g.task, g.state, g.updated, g.gone = task, task, updated, gone
	if w.feature != "" {
		g.state = ""
		for _, f := range features {
			if f.Name == w.feature {
				g.state = f.State
			}
		}
	}
}

// found returns what is done and was not returned before.
func (w *Wait) found() (outcomes []Outcome) {
	if over, _ := w.Over(); over {
		return nil
	}
	var found []*goal
	for i := range w.goals {
		if g := &w.goals[i]; !g.done && g.state.Terminal() {
			found = append(found, g)
		}
	}
	if w.any && len(found) > 1 {
		found = []*goal{slices.MinFunc(found, func(a, b *goal) int { return a.updated.Compare(b.updated) })}
	}
	for _, g := range found {
		if g.done { // by another name for the same task
			continue
		}
		outcomes = append(outcomes, w.outcome(g))
		w.missed = w.missed || !g.state.Success()
		for i := range w.goals {
			if w.goals[i].id == g.id {
				w.goals[i].done = true
			}
		}
	}
	return outcomes
}

// Over reports whether the wait has an end, and then whether it is a good one:
// what was waited for is completed (a feature may be na).
func (w *Wait) Over() (over, good bool) {
	// Any one is enough, or none may be left.
	over = w.any == slices.ContainsFunc(w.goals, func(g goal) bool { return g.done == w.any })
	return over, over && !w.missed
}

// Unfinished are the tasks that are not done, as they were named.
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
	o := Outcome{TaskID: cmp.Or(g.id, g.name), Feature: w.feature, State: g.state, Done: g.state.Terminal()}
	if w.feature != "" {
		o.Task = g.task
	}
	if !o.Done && g.gone { // the last known state may be long past
		o.State = ""
	}
	return o
}

// Gone are the tasks that are not done and that Aspect's API did not know when it
// was last asked. Each is returned once.
func (w *Wait) Gone() (ids []string) {
	for i := range w.goals {
		if g := &w.goals[i]; g.gone && !g.done && !g.reported && !g.task.Terminal() {
			g.reported = true
			ids = append(ids, g.id)
		}
	}
	return ids
}

// Meant is the id that a name stands for: itself, or the only one with that prefix; ""
// if there is none. The error is an [*AmbiguousError].
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
