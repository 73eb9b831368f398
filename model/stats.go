package model

// Stats are statistics over tasks: per feature how many are in which state, and
// how long they stayed queued and processing.
type Stats struct{}

// NewStats returns statistics over no tasks.
func NewStats() Stats { return Stats{} }

// Add takes a task in.
func (s *Stats) Add(t *Task) {}

// Remove takes a task out that was added and has not changed since.
func (s *Stats) Remove(t *Task) {}
