package screen

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"aspectop/feed"
)

// maxDoubt is how many rows of one task are matched again: its newest.
const maxDoubt = 1000

// Doubt has the rows of tasks matched again whose state has changed, if the filter asks
// for that.
func (l *Log) Doubt(tasks []int32) {
	if loading, _, _ := l.s.Feed.Loading(); loading || !l.filtered || !l.s.Filter.Words.NeedsBoard() {
		return
	}
	for _, i := range tasks {
		if state := l.s.Board.At(int(i)).State(); l.states[i] != state {
			l.states[i] = state
			l.doubtful = append(l.doubtful, i)
		}
	}
}

// matchAgain reads the rows of the next task in doubt.
func (l *Log) matchAgain() tea.Cmd {
	if l.doubting || len(l.doubtful) == 0 || l.s.Frozen() {
		return nil
	}
	seqs := l.s.Board.At(int(l.doubtful[0])).Seqs()
	slices.Sort(seqs)
	seqs = seqs[max(0, len(seqs)-maxDoubt):]
	l.doubtful, l.doubting = l.doubtful[1:], true
	s, generation := l.s, l.generation
	return func() tea.Msg {
		var rows []feed.Arrival
		for _, seq := range seqs {
			if a, err := s.Feed.Row(s.Ctx, seq); err == nil {
				rows = append(rows, a)
			}
		}
		return Result(func() { l.matchedAgain(generation, rows) })
	}
}

func (l *Log) matchedAgain(generation int, rows []feed.Arrival) {
	l.doubting = false
	if generation != l.generation {
		return
	}
	for i := range rows {
		switch a := &rows[i]; {
		case a.Seq < l.oldest || a.Seq > l.newest: // not looked at yet
		case l.s.Filter.keepRow(l.s, a):
			l.matches.Add(a.Seq)
		default:
			l.matches.Remove(a.Seq)
		}
	}
}
