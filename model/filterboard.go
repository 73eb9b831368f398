package model

import "slices"

// NeedsBoard reports whether a term asks about more than a line of the event log
// tells by itself: whether it was late, or about its task as it is now (is:late,
// is:stalled, is:active, is:done). For all other terms, [Subject.Task] may be
// nil where Event tells the task.
func (f *Filter) NeedsBoard() bool {
	return slices.ContainsFunc(f.terms, func(t term) bool {
		return t.field == byCondition && t.is&(isLate|isStalled|isActive|isDone) != 0
	})
}
