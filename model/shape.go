package model

import (
	"encoding/binary"
	"slices"
)

// shape is one combination of feature names and states. Tasks have few
// different ones (four features of six states have 1,296), so marks refer to a
// shape by number and what follows from it is worked out once.
type shape struct {
	features []Feature // sorted by CompareFeatures
	terminal int       // how many of them are in a terminal state
	done     int       // the same without internal features
	total    int       // without internal features
	state    State     // what a task in this shape is in
}

type shapes struct {
	all   []shape
	byKey map[string]uint32
	key   []byte // scratch

	names, states texts
	types         texts // event types
	users         texts
	odd           texts // event ids that are no UUIDs
}

func newShapes() shapes {
	return shapes{
		byKey: map[string]uint32{},
		names: newTexts(), states: newTexts(), types: newTexts(), users: newTexts(), odd: newTexts(),
	}
}

func (s *shapes) at(i uint32) *shape { return &s.all[i] }

// intern returns the number of the shape with these features.
func (s *shapes) intern(features []Feature) uint32 {
	s.key = s.key[:0]
	for _, f := range features {
		s.key = binary.LittleEndian.AppendUint32(s.key, s.names.intern(f.Name))
		s.key = binary.LittleEndian.AppendUint32(s.key, s.states.intern(string(f.State)))
	}
	if i, ok := s.byKey[string(s.key)]; ok {
		return i
	}
	i := uint32(len(s.all))
	s.byKey[string(s.key)] = i
	s.all = append(s.all, newShape(features))
	return i
}

func newShape(features []Feature) shape {
	s := shape{features: features, state: stateOf(features)}
	for _, f := range features {
		ended := f.State.Terminal()
		if ended {
			s.terminal++
		}
		if Internal(f.Name) {
			continue
		}
		s.total++
		if ended {
			s.done++
		}
	}
	return s
}

// stateOf is the state of a task of which nothing but its features is known.
// Internal ones do not count.
func stateOf(features []Feature) State {
	weights := [...]State{Completed, Cancelled, Queued, Processing, Failed}
	heaviest := -1
	for _, f := range features {
		if !Internal(f.Name) {
			heaviest = max(heaviest, slices.Index(weights[:], f.State.phase()), 0) // na weighs as completed
		}
	}
	if heaviest < 0 {
		return Queued
	}
	return weights[heaviest]
}

// find returns the state of the feature and whether the shape has it.
func (s *shape) find(name string) (State, bool) {
	for _, f := range s.features {
		if f.Name == name {
			return f.State, true
		}
	}
	return "", false
}

// texts gives each different string a number, from 0 up.
type texts struct {
	all  []string
	byID map[string]uint32
}

func newTexts() texts { return texts{byID: map[string]uint32{}} }

func (t *texts) intern(s string) uint32 {
	if i, ok := t.byID[s]; ok {
		return i
	}
	i := uint32(len(t.all))
	t.all = append(t.all, s)
	t.byID[s] = i
	return i
}

// share returns s in the one copy that is kept.
func (t *texts) share(s string) string { return t.all[t.intern(s)] }
