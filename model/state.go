package model

import (
	"slices"
)

// State is the state of a feature, as Aspect names it. A state outside the
// documented ones is kept as it came and counts as processing.
type State string

// The documented states. The last four are terminal.
const (
	Queued     State = "queued"
	Processing State = "processing"
	Completed  State = "completed"
	Failed     State = "failed"
	Cancelled  State = "cancelled"
	NA         State = "na" // not applicable to this kind of asset; counts as done
)

// States lists the documented states in the order of a life.
var States = []State{Queued, Processing, Completed, Failed, Cancelled, NA}

// Terminal reports whether nothing more is expected in s.
func (s State) Terminal() bool {
	switch s {
	case Completed, Failed, Cancelled, NA:
		return true
	}
	return false
}

// Known reports whether s is one of the documented [States].
func (s State) Known() bool { return slices.Contains(States, s) }

// phase is s with every unknown state taken for [Processing].
func (s State) phase() State {
	if s.Known() {
		return s
	}
	return Processing
}

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

// CompareFeatures orders feature names for people: the four documented ones
// first (proxy, preview, visual, transcription), the others alphabetically.
func CompareFeatures(a, b string) int {
	i, j := slices.Index(documented, a), slices.Index(documented, b)
	switch {
	case i >= 0 && j >= 0:
		return i - j
	case i >= 0:
		return -1
	case j >= 0:
		return 1
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// DocumentedFeatures are the features of the provider's page, in the order in
// which they are always shown.
func DocumentedFeatures() []string { return slices.Clone(documented) }
