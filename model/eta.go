package model

import "time"

// A median is trusted for an estimate from few spans on, and for a warning from
// some more.
const (
	spansForETA   = 3
	spansForStall = 5
)

// Without enough spans to judge by, a task is stalled after stalledAfter
// without news; with them after stalledTimes the median, but not earlier than
// stalledAtLeast.
const (
	stalledAfter   = 10 * time.Minute
	stalledAtLeast = time.Minute
	stalledTimes   = 4
)

// ETA estimates how long the task still needs: the longest that one of its
// unfinished features still needs, if it stays queued and processing as long as
// the median. A feature that is overdue by that needs 0. Internal features do
// not count. ok is false when nothing can be said: the task is done or has no
// unfinished feature, a feature is neither queued nor processing, or it is not known since when,
// or a median is missing.
func (b *Board) ETA(t *Task, now time.Time) (left time.Duration, ok bool) {
	if t.State().Terminal() {
		return 0, false
	}
	stats := b.Stats()
	for _, f := range t.Features() {
		if f.State.Terminal() || Internal(f.Name) {
			continue
		}
		need, known := stats.Feature(f.Name).need(f.State, t.Since(f.Name), now)
		if !known {
			return 0, false
		}
		left, ok = max(left, need), true
	}
	return left, ok
}

// need estimates how long a feature still needs that is in state since then.
func (f *FeatureStats) need(state State, since, now time.Time) (time.Duration, bool) {
	if state != Queued && state != Processing || since.IsZero() {
		return 0, false
	}
	stay, then := f.Processing(), time.Duration(0)
	if state == Queued {
		processing, ok := f.Processing().median(spansForETA)
		if !ok {
			return 0, false
		}
		stay, then = f.Queued(), processing
	}
	median, ok := stay.median(spansForETA)
	if !ok {
		return 0, false
	}
	return max(0, median-max(0, now.Sub(since))) + then, true
}

// Stalled reports whether the task is active but has had no news for longer
// than its unfinished features give reason to expect, and since when. News is
// the arrival of a message, by the local clock: see [Task.Heard].
func (b *Board) Stalled(t *Task, now time.Time) (since time.Time, ok bool) {
	if t.State().Terminal() {
		return time.Time{}, false
	}
	silence := now.Sub(t.Heard())
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
	if silence <= limit {
		return time.Time{}, false
	}
	return t.Heard(), true
}

// patience is how long a feature may be in a state before that is odd.
func (f *FeatureStats) patience(state State) time.Duration {
	stay := f.Processing()
	if state == Queued {
		stay = f.Queued()
	}
	median, ok := stay.median(spansForStall)
	if !ok {
		return stalledAfter
	}
	return max(stalledAtLeast, stalledTimes*median)
}
