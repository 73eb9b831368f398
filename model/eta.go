package model

import "time"

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
// feature, one is neither queued nor processing or it is not known since when, or a
// median is missing.
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
		processing, ok := f.Processing().median(intervalsForETA)
		if !ok {
			return 0, false
		}
		stay, then = f.Queued(), processing
	}
	median, ok := stay.median(intervalsForETA)
	if !ok {
		return 0, false
	}
	return max(0, median-max(0, now.Sub(since))) + then, true
}

// Stalled reports whether the task is active but no message of it has arrived (see
// [Task.Heard]) for longer than its unfinished features usually take, and since when.
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
	if silence <= limit {
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
