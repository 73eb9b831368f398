package model

// State is the state that the snapshot alone would give its task.
func (s *Snapshot) State() State { return stateOf(s.Features) }
