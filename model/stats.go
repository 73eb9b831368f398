package model

import "slices"

// Stats are statistics over tasks: per feature how many are in which state, and
// how long they stayed queued and processing. Internal features are features
// here like all others.
type Stats struct {
	features map[string]*FeatureStats
}

// NewStats returns statistics over no tasks.
func NewStats() Stats { return Stats{features: map[string]*FeatureStats{}} }

// Add takes a task in: the features that its newest message tells, with their
// timelines. It costs features times messages.
func (s *Stats) Add(t *Task) { s.count(t, 1) }

// Remove takes a task out that was added and has not changed since.
func (s *Stats) Remove(t *Task) { s.count(t, -1) }

func (s *Stats) count(t *Task, n int) {
	for _, f := range t.Features() {
		stats := s.features[f.Name]
		if stats == nil {
			stats = &FeatureStats{in: make([]int, len(States))}
			s.features[f.Name] = stats
		}
		stats.in[f.State.phase().index()] += n
		t.walk(f.Name, true, func(phase State, from, to int64) {
			switch {
			case to == noTime: // it has not ended
			case phase == Queued:
				stats.queued.add(fromNano(to).Sub(fromNano(from)), n)
			case phase == Processing:
				stats.processing.add(fromNano(to).Sub(fromNano(from)), n)
			}
		})
	}
}

// Features are the names of the features that tasks have, sorted by
// [CompareFeatures].
func (s *Stats) Features() []string {
	names := make([]string, 0, len(s.features))
	for name, f := range s.features {
		if f.Tasks() > 0 {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, CompareFeatures)
	return names
}

// Feature returns the statistics of one feature, or nil if no task has it.
func (s *Stats) Feature(name string) *FeatureStats {
	if f := s.features[name]; f != nil && f.Tasks() > 0 {
		return f
	}
	return nil
}

// settle works out the medians.
func (s *Stats) settle() {
	for _, f := range s.features {
		f.queued.median(1)
		f.processing.median(1)
	}
}

// Clone returns a copy that does not change with the board.
func (s *Stats) Clone() *Stats {
	c := NewStats()
	for name, f := range s.features {
		copied := *f
		copied.in = slices.Clone(f.in)
		copied.queued.buckets = slices.Clone(f.queued.buckets)
		copied.processing.buckets = slices.Clone(f.processing.buckets)
		c.features[name] = &copied
	}
	return &c
}

// FeatureStats are the statistics of one feature.
type FeatureStats struct {
	in                 []int // by place in States
	queued, processing Durations
}

// Tasks is the number of tasks that have the feature.
func (f *FeatureStats) Tasks() int {
	n := 0
	for _, in := range f.in {
		n += in
	}
	return n
}

// In is the number of tasks in which the feature is in s now. Unknown states
// count as processing.
func (f *FeatureStats) In(s State) int { return f.in[s.phase().index()] }

// SuccessRate is the share of completed ones among the completed and the
// failed; ok is false if there are none.
func (f *FeatureStats) SuccessRate() (rate float64, ok bool) {
	completed, failed := f.In(Completed), f.In(Failed)
	if completed+failed == 0 {
		return 0, false
	}
	return float64(completed) / float64(completed+failed), true
}

// Queued and Processing are the lengths of the stays in that state which have
// ended. They belong to the statistics and go on changing with them.
func (f *FeatureStats) Queued() *Durations     { return &f.queued }
func (f *FeatureStats) Processing() *Durations { return &f.processing }
