package model

import (
	"math"
	"math/bits"
	"slices"
	"time"
)

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
		t.walk(t.in(f.Name), true, func(phase State, from, to int64) {
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

// Durations is a multiset of durations, kept as a histogram: it takes at most
// 8 KiB, whatever it holds, and its quantiles are off by at most 1.6 %.
type Durations struct {
	count   int
	buckets []uint32 // by bucketOf; no longer than the greatest duration needs

	half      time.Duration // the median
	halfFresh bool          // since the last change
}

// Count is the number of durations.
func (d *Durations) Count() int { return d.count }

// Quantile returns the duration that a share of q of all do not exceed, within
// 1.6 % of its value; ok is false if there is none. q is between 0 and 1.
func (d *Durations) Quantile(q float64) (value time.Duration, ok bool) {
	if d.count == 0 {
		return 0, false
	}
	rank := min(max(int(math.Ceil(q*float64(d.count))), 1), d.count)
	for i, n := range d.buckets {
		if rank -= int(n); rank <= 0 {
			return bucketMiddle(i), true
		}
	}
	return 0, false
}

// median is the median if it stands on enough durations. It is worked out once
// after each change, as estimates ask for it time and again.
func (d *Durations) median(enough int) (time.Duration, bool) {
	if d.count < enough {
		return 0, false
	}
	if !d.halfFresh {
		d.half, _ = d.Quantile(0.5)
		d.halfFresh = true
	}
	return d.half, true
}

// add enters a duration n times, or takes it out if n is -1. A negative
// duration counts as 0.
func (d *Durations) add(length time.Duration, n int) {
	i := bucketOf(max(0, length))
	if i >= len(d.buckets) {
		d.buckets = slices.Grow(d.buckets, i+1-len(d.buckets))[:i+1]
	}
	d.buckets[i] += uint32(n)
	d.count += n
	d.halfFresh = false
}

// Buckets of a power of two are divided into 32 of equal width. So the middle
// of a bucket is off by half a width, a 64th, from its bounds. Below 64 ns each
// duration has a bucket of its own.
const bucketBits = 5

func bucketOf(d time.Duration) int {
	shift := max(0, bits.Len64(uint64(d))-bucketBits-1)
	return shift<<bucketBits + int(d>>shift)
}

func bucketMiddle(i int) time.Duration {
	shift := max(0, i>>bucketBits-1)
	low := time.Duration(i-shift<<bucketBits) << shift
	return low + (1<<shift-1)/2
}

// A task is stalled stalledTimes the median without a message, but not before
// stalledAtLeast; without enough stays for a median, after stalledAfter.
const (
	intervalsForETA   = 3 // that a median needs for an estimate
	intervalsForStall = 5 // for a warning
	stalledAfter      = 10 * time.Minute
	stalledAtLeast    = time.Minute
	stalledTimes      = 4
)

// ETA estimates how long the task still needs: the longest that one of its unfinished
// features still needs if it stays queued and processing for the median; 0 if it is
// overdue. Internal features do not count. ok is false if the task has no unfinished
// feature, one is neither queued nor processing or it is not known since when, a median is
// missing, or the API no longer knows the task.
func (b *Board) ETA(t *Task, now time.Time) (left time.Duration, ok bool) {
	end, ok := b.lastEnd(t, func(f Feature) (time.Time, bool) {
		since := t.Since(f.Name)
		stay, then, ok := b.Stats().Feature(f.Name).usual(f.State)
		return now.Add(max(0, stay-max(0, now.Sub(since))) + then), ok && !since.IsZero()
	})
	if !ok {
		return 0, false
	}
	return end.Sub(now), true
}

// UsualEnd is when the task usually ends, by the medians since its features entered their
// states; it may be over. ok is false if [Board.ETA] has no estimate.
func (b *Board) UsualEnd(t *Task) (end time.Time, ok bool) {
	return b.lastEnd(t, func(f Feature) (time.Time, bool) { return b.UsualEndOf(t, f) })
}

// UsualEndOf is that of one of its features.
func (b *Board) UsualEndOf(t *Task, f Feature) (end time.Time, ok bool) {
	since := t.Since(f.Name)
	if f.State.Terminal() || since.IsZero() {
		return end, false
	}
	stay, then, ok := b.Stats().Feature(f.Name).usual(f.State)
	return since.Add(stay + then), ok
}

// lastEnd is the latest end of the unfinished features of an active task, if all are known.
func (b *Board) lastEnd(t *Task, of func(Feature) (time.Time, bool)) (last time.Time, ok bool) {
	if t.State().Terminal() || t.Gone() {
		return last, false
	}
	for _, f := range t.Features() {
		if f.State.Terminal() || Internal(f.Name) {
			continue
		}
		end, known := of(f)
		if !known {
			return last, false
		}
		if ok = true; end.After(last) {
			last = end
		}
	}
	return last, ok
}

// usual is how long a feature stays in a state, and how long it is processed then, by the
// medians.
func (f *FeatureStats) usual(state State) (stay, then time.Duration, ok bool) {
	switch state {
	case Queued:
		if then, ok = f.processing.median(intervalsForETA); ok {
			stay, ok = f.queued.median(intervalsForETA)
		}
	case Processing:
		stay, ok = f.processing.median(intervalsForETA)
	}
	return stay, then, ok
}

// Stalled reports whether the task is active but there is no news of it (see [Task.News])
// for longer than its unfinished features usually take, and since when. Of a task that the
// API no longer knows none is expected.
func (b *Board) Stalled(t *Task, now time.Time) (since time.Time, ok bool) {
	if t.State().Terminal() {
		return time.Time{}, false
	}
	silence := now.Sub(t.News())
	if silence <= stalledAtLeast {
		return time.Time{}, false
	}
	limit := time.Duration(0)
	for _, f := range t.Features() {
		if !f.State.Terminal() && !Internal(f.Name) {
			limit = max(limit, b.Stats().Feature(f.Name).patience(f.State))
		}
	}
	if limit == 0 {
		limit = stalledAfter
	}
	if silence <= limit || t.Gone() {
		return time.Time{}, false
	}
	return t.News(), true
}

// patience is how long a feature may be in a state before that is odd.
func (f *FeatureStats) patience(state State) time.Duration {
	stay := f.Processing()
	if state == Queued {
		stay = f.Queued()
	}
	median, ok := stay.median(intervalsForStall)
	if !ok {
		return stalledAfter
	}
	return max(stalledAtLeast, stalledTimes*median)
}
