package model

import (
	"slices"
	"sync"
)

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
