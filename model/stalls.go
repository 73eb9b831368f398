package model

import "time"

// Stalls finds the tasks that have stalled, each once until there is news of it.
type Stalls struct {
	told map[int]time.Time // by a task's index: the news after which it was told
}

// Look counts the stalled tasks, and returns those that had not stalled when it looked last.
func (s *Stalls) Look(b *Board, now time.Time) (n int, more []*Task) {
	if s.told == nil {
		s.told = map[int]time.Time{}
	}
	for i := range b.Len() {
		t := b.At(i)
		if !t.Active() {
			continue
		}
		since, stalled := b.Stalled(t, now)
		if !stalled {
			continue
		}
		n++
		if !s.told[i].Equal(since) {
			s.told[i] = since
			more = append(more, t)
		}
	}
	return n, more
}
