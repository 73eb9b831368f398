package model

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// State is the state of a feature, as Aspect names it. A state outside the
// documented ones is kept as it came and counts as processing.
type State string

// The documented states that the rules of tasks name; see [States] for the rest.
const (
	Queued     State = "queued"
	Processing State = "processing"
	Completed  State = "completed"
	Failed     State = "failed"
	Cancelled  State = "cancelled"
	NA         State = "na" // not applicable to this kind of asset
)

// StateInfo is all that is known of a state.
type StateInfo struct {
	State   State
	Meaning string // for the help
	Sign    string // one cell wide
	ASCII   byte   // in place of Sign where only ASCII is shown
	Letter  string // one character, lower case
	// Order is the urgency, most urgent first: it sorts lists, and the most urgent of a
	// task's features decides the task's state.
	Order    int
	Terminal bool // nothing more is expected
	Success  bool // nothing is missing
	Role     Role
}

// States are the documented states in the order of a life. To add one, add a line.
var States = []StateInfo{
	{Queued, "queued", "·", '.', "q", 2, false, false, RoleWaiting},
	{Processing, "processing, time so far", "▸", '>', "p", 1, false, false, RoleBusy},
	{Completed, "completed, time it took", "✓", '+', "c", 4, true, true, RoleGood},
	{Failed, "failed", "✗", '!', "f", 0, true, false, RoleBad},
	{Cancelled, "cancelled", "⊘", 'x', "x", 3, true, false, RoleStopped},
	{NA, "not applicable; done", "–", '-', "n", 4, true, true, RoleNone},
}

// UnknownState stands for all states that are not documented.
var UnknownState = StateInfo{"", "not documented", "?", '?', "?", 1, false, false, RoleBusy}

// index is the place of s in [States], or -1.
func (s State) index() int {
	for i := range States {
		if States[i].State == s {
			return i
		}
	}
	return -1
}

// Info is the line of s in [States], or [UnknownState].
func (s State) Info() *StateInfo {
	if i := s.index(); i >= 0 {
		return &States[i]
	}
	return &UnknownState
}

// Known reports whether s is one of the documented [States].
func (s State) Known() bool { return s.index() >= 0 }

// Terminal reports whether nothing more is expected in s.
func (s State) Terminal() bool { return s.Info().Terminal }

// Success reports whether nothing is missing in s: completed, or not applicable.
func (s State) Success() bool { return s.Info().Success }

// Word is s as text; a missing state is (none).
func (s State) Word() string {
	if s == "" {
		return "(none)"
	}
	return string(s)
}

// phase is s with every unknown state taken for [Processing].
func (s State) phase() State {
	if s.Known() {
		return s
	}
	return Processing
}

// StateNames are the names of the documented states, in the order of [States].
func StateNames() []State {
	names := make([]State, len(States))
	for i := range States {
		names[i] = States[i].State
	}
	return names
}

// CountedStates are the states that a task can be in, as counts list them: what is
// active by its order, then what has ended.
func CountedStates() []State {
	names := slices.DeleteFunc(StateNames(), func(s State) bool { return s.Success() && s != Completed })
	place := func(s State) int {
		if s.Terminal() {
			return len(States)
		}
		return s.Info().Order
	}
	slices.SortStableFunc(names, func(a, b State) int { return cmp.Compare(place(a), place(b)) })
	return names
}

// Role is what a text means, whatever shows it: a theme of the terminal and a
// style sheet say how it looks.
type Role uint8

const (
	RolePlain Role = iota
	RoleDim        // labels, units, what can be skipped
	RoleFaint      // separators
	RoleWaiting
	RoleBusy
	RoleGood
	RoleBad
	RoleWarn
	RoleStopped
	RoleNone // not applicable
	Roles    // their number
)

// Feature is one part of a task's processing and the state it is in.
type Feature struct {
	Name  string
	State State
}

// documented are the features of the provider's page, in the order in which
// they are always shown.
var documented = []string{"proxy", "preview", "visual", "transcription"}

// internal are the features that Aspect runs for itself. They are shown, but
// count neither in a task's state nor in its progress.
var internal = []string{"scene_detect", "audio_proxy", "model_proxy"}

// Internal reports whether name is a feature that Aspect runs for itself.
func Internal(name string) bool { return slices.Contains(internal, name) }

// CompareFeatures orders feature names: the documented ones first, the others
// alphabetically.
func CompareFeatures(a, b string) int {
	place := func(name string) int {
		if i := slices.Index(documented, name); i >= 0 {
			return i
		}
		return len(documented)
	}
	return cmp.Or(cmp.Compare(place(a), place(b)), strings.Compare(a, b))
}

// DocumentedFeatures are the features of the provider's page, in the order in
// which they are always shown.
func DocumentedFeatures() []string { return slices.Clone(documented) }

// parseFeatures reads the map of features in a task: a bare value is the feature's
// state, a feature without one is in the state "", and what is no map has none.
func parseFeatures(value []byte) []Feature {
	states := map[string]State{}
	readBody(value, func(r *reader, name []byte) error {
		var state string
		feature := string(name)
		if r.dec.PeekKind() != '{' {
			err := r.text(&state)
			states[feature] = State(state)
			return err
		}
		err := r.object(func(r *reader, name []byte) error {
			if string(name) != "state" {
				return r.dec.SkipValue()
			}
			return r.text(&state)
		})
		states[feature] = State(state)
		return err
	})
	if len(states) == 0 {
		return nil
	}
	features := make([]Feature, 0, len(states))
	for name, state := range states {
		features = append(features, Feature{name, state})
	}
	slices.SortFunc(features, func(a, b Feature) int { return CompareFeatures(a.Name, b.Name) })
	return features
}

// knownFeatures remembers what parseFeatures made of a text: a sender writes the few
// combinations that occur in the same way, and parsing is half of an event's cost.
var knownFeatures = featureCache{parsed: map[string][]Feature{}}

type featureCache struct {
	mu     sync.RWMutex
	parsed map[string][]Feature
}

// Beyond this many texts, nothing more is remembered, and never a longer one.
const (
	cachedFeatures   = 4096
	cachedFeaturesOf = 1024 // bytes
)

func (c *featureCache) get(value []byte) []Feature {
	c.mu.RLock()
	features, ok := c.parsed[string(value)]
	full := len(c.parsed) >= cachedFeatures
	c.mu.RUnlock()
	if ok {
		return features
	}
	features = parseFeatures(value)
	if !full && len(value) <= cachedFeaturesOf {
		c.mu.Lock()
		c.parsed[string(value)] = features
		c.mu.Unlock()
	}
	return features
}
