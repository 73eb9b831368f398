package screen

import (
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/model"
)

// answers are what the user's handlers answered to the selected delivery, as the journal has it.
type answers struct {
	of   int64
	read []model.Forward
}

// answersAfter is how long a delivery is selected before the journal is asked: rows that are
// passed by cost nothing.
const answersAfter = 150 * time.Millisecond

// NeedAnswers reads the answers to a delivery that is selected, unless this run knows them.
func (s *Screen) NeedAnswers(seq int64) {
	a := &s.answers
	if seq == a.of {
		return
	}
	*a = answers{of: seq}
	if seq == 0 || s.Private || s.Journal == nil || len(s.Forwards(seq)) > 0 {
		return
	}
	s.Later(tea.Tick(answersAfter, func(time.Time) tea.Msg {
		return Result(func() {
			if a.of != seq {
				return
			}
			s.Later(func() tea.Msg {
				read, err := s.Journal.Forwards(s.Ctx, seq)
				return Result(func() {
					if a.of == seq && err == nil { // a journal that cannot be read is told elsewhere
						a.read = read
					}
				})
			})
		})
	}))
}

// Answers are a delivery's newest outcomes at the handlers; none if private.
func (s *Screen) Answers(seq int64) (all []*model.Forward) {
	all = slices.Clone(s.Forwards(seq))
	if s.answers.of != seq || s.Private {
		return all
	}
	for i := range s.answers.read {
		f := &s.answers.read[i]
		if !slices.ContainsFunc(all, func(o *model.Forward) bool { return o.To == f.To }) {
			all = append(all, f)
		}
	}
	return all
}
