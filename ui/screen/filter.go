package screen

import (
	"slices"

	"aspectop/feed"
	"aspectop/model"
)

// Filter is a filter in words, and the switch for failures only. It holds in all views.
type Filter struct {
	Words    *model.Filter
	Failures bool
}

func (f *Filter) set(words *model.Filter) {
	if f.Words = words; words == nil {
		f.Words, _ = model.ParseFilter("")
	}
}

// Clear lets everything pass.
func (f *Filter) Clear() { *f = Filter{}; f.set(nil) }

// Active reports whether anything is filtered out.
func (f *Filter) Active() bool { return f.Failures || !f.Words.Empty() }

// Drifts reports whether tasks may change what they match without news: by time or names.
func (s *Screen) Drifts() bool {
	return s.Filter.Failures || s.Filter.Words.NeedsBoard() || s.Names != nil && !s.Filter.Words.Empty()
}

// Keep reports whether a task passes the filter and --since.
func (s *Screen) Keep(t *model.Task) bool {
	f := &s.Filter
	if t.Heard().Before(s.Since) || f.Failures && !s.NeedsAttention(t) {
		return false
	}
	return f.Words.Empty() || f.Words.MatchTask(t, s.AssetName(t), s.At)
}

// NeedsAttention reports whether the task is stalled, or it or a feature failed.
func (s *Screen) NeedsAttention(t *model.Task) bool {
	_, stalled := s.Board.Stalled(t, s.At)
	return stalled || HasFailed(t)
}

// HasFailed reports whether the task or one of its features is failed.
func HasFailed(t *model.Task) bool {
	return t.State() == model.Failed ||
		slices.ContainsFunc(t.Features(), func(f model.Feature) bool { return f.State == model.Failed })
}

// keepRow reports whether a delivery passes. Its task must have been folded.
func (f *Filter) keepRow(s *Screen, a *feed.Arrival) bool {
	if a.Received.Before(s.Since) || f.Failures && !a.TellsFailure() {
		return false
	}
	t := s.Board.TaskOf(&a.Event)
	return f.Words.Empty() || f.Words.MatchEvent(&a.Event, t, s.AssetName(t), s.At)
}

func (f *Filter) keepNote(s *Screen, n *feed.Note) bool {
	switch {
	case n.Rejected != nil:
		return f.Words.MatchRejected(n.Rejected, nil)
	case s.Private: // notices may tell URLs, and who else watches
		return false
	}
	return !f.Failures && f.Words.Empty()
}
