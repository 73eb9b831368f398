package model

import (
	"slices"
	"sync"
)

// wireFeatures is the map of features in a task, read as loosely as can be: a
// feature told as a bare value is in that state, one without a state is in the
// state "", and what is no map has no features.
type wireFeatures []Feature

// UnmarshalJSON reads any value and never fails.
func (w *wireFeatures) UnmarshalJSON(value []byte) error {
	*w = knownFeatures.get(value)
	return nil
}

func parseFeatures(value []byte) []Feature {
	o, _ := objectOf(value)
	if len(o) == 0 {
		return nil
	}
	features := make([]Feature, 0, len(o))
	for name, state := range o {
		if info, ok := objectOf(state); ok {
			state = info["state"]
		}
		features = append(features, Feature{name, State(text(state))})
	}
	slices.SortFunc(features, func(a, b Feature) int { return CompareFeatures(a.Name, b.Name) })
	return features
}

// knownFeatures remembers what parseFeatures made of a text. One sender writes
// the few combinations of features and states that occur in always the same
// way, and parsing them is half of what an event costs.
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
