package model

import (
	"encoding/binary"
	"slices"
	"strings"
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
	// All names, and all states once, in lower case, for filters. Apart, because
	// short texts are searched several times faster than long ones.
	names, states string
	phases        phases // of all its features
}

type phases uint8

// phaseOf is the set of one state; an unknown one counts as processing.
func phaseOf(s State) phases {
	return 1 << slices.IndexFunc(States, func(i StateInfo) bool { return i.State == s.phase() })
}

type shapes struct {
	all   []shape
	byKey map[string]uint32
	key   []byte // scratch
}

func newShapes() shapes { return shapes{byKey: map[string]uint32{}} }

func (s *shapes) at(i uint32) *shape { return &s.all[i] }

func (s *shapes) intern(features []Feature) uint32 {
	s.key = s.key[:0]
	for _, f := range features {
		s.key = appendText(s.key, f.Name)
		s.key = appendText(s.key, string(f.State))
	}
	if i, ok := s.byKey[string(s.key)]; ok {
		return i
	}
	i := uint32(len(s.all))
	s.byKey[string(s.key)] = i
	s.all = append(s.all, newShape(features))
	return i
}

// appendText appends s so that no other texts in its place give the same.
func appendText(key []byte, s string) []byte {
	return append(binary.AppendUvarint(key, uint64(len(s))), s...)
}

func newShape(features []Feature) shape {
	s := shape{features: features, state: stateOf(features)}
	var names, states []string
	for _, f := range features {
		names = append(names, f.Name)
		if !slices.Contains(states, string(f.State)) {
			states = append(states, string(f.State))
		}
		s.phases |= phaseOf(f.State)
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
	s.names, s.states = strings.ToLower(strings.Join(names, "\n")), strings.ToLower(strings.Join(states, "\n"))
	return s
}

// stateOf is the state of a task of which nothing but its features is known.
// Internal ones do not count.
func stateOf(features []Feature) State {
	var decisive *StateInfo
	for _, f := range features {
		if info := f.State.phase().Info(); !Internal(f.Name) && (decisive == nil || info.Order < decisive.Order) {
			decisive = info
		}
	}
	switch {
	case decisive == nil:
		return Queued
	case decisive.Success:
		return Completed
	}
	return decisive.State
}

func (s *shape) find(name string) (State, bool) {
	features := s.features
	if len(features) > 16 { // where searching is quicker than looking at each
		i, _ := slices.BinarySearchFunc(features, name, func(f Feature, name string) int { return CompareFeatures(f.Name, name) })
		features = features[i:min(i+1, len(features))]
	}
	for _, f := range features {
		if f.Name == name {
			return f.State, true
		}
	}
	return "", false
}

// table gives each different value a number, from 0 up. It is how the board
// keeps what many messages have in common only once.
type table[T comparable] struct {
	all []T
	ids map[T]uint32
}

func newTable[T comparable]() table[T] { return table[T]{ids: map[T]uint32{}} }

func (t *table[T]) intern(v T) uint32 {
	if i, ok := t.ids[v]; ok {
		return i
	}
	i := uint32(len(t.all))
	t.all = append(t.all, v)
	t.ids[v] = i
	return i
}

func (t *table[T]) at(i uint32) *T { return &t.all[i] }
