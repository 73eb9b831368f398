package ui

import (
	"fmt"
	"time"

	"aspectop/model"
	"aspectop/ui/draw"
)

// maxFeatures is how many features of a task are drawn. Aspect has about ten; a
// body of a megabyte can name fifty thousand.
const maxFeatures = 100

// story is what the screen tells of one task over time.
type story struct {
	task     *model.Task
	features []featureStory
	more     int       // features beyond maxFeatures
	from, to time.Time // the first and the last instant; to is now while work goes on
	now      time.Time
	working  bool
}

type featureStory struct {
	model.Feature
	stays []model.Span
}

func (m *Model) story(t *model.Task) *story {
	// What failed by one feature may go on with the others; what an event ended
	// does not.
	_, byFeatures := t.DecidedBy()
	s := &story{task: t, now: m.at, to: t.Updated(), working: active(t)}
	features := t.Features()
	if s.more = len(features) - maxFeatures; s.more > 0 {
		features = features[:maxFeatures]
	}
	for _, f := range features {
		f := featureStory{f, t.Timeline(f.Name)}
		s.features = append(s.features, f)
		s.working = s.working || byFeatures && !f.State.Terminal() && !model.Internal(f.Name)
		if n := len(f.stays); n > 0 {
			if first := f.stays[0].From; s.from.IsZero() || first.Before(s.from) {
				s.from = first
			}
			if last := f.stays[n-1].From; last.After(s.to) {
				s.to = last
			}
		}
	}
	if s.working && s.now.After(s.to) {
		s.to = s.now
	}
	return s
}

// gantt is the story as a chart.
func (s *story) gantt() *draw.Gantt {
	g := &draw.Gantt{From: s.from, To: s.to, Now: s.now, Working: s.working}
	for _, f := range s.features {
		g.Names = append(g.Names, f.Name)
		g.Stays = append(g.Stays, f.stays)
	}
	return g
}

// overview draws all there is to say of a task in words, as a board and as a
// timeline, in as many lines as that takes. Where only few are in sight, what
// moves stands before the facts.
func (m *Model) overview(t *model.Task, w, sight int) []string {
	return m.compose(t, m.flow(m.facts(t), w), w, sight)
}

func (m *Model) compose(t *model.Task, facts []string, w, sight int) []string {
	s := m.story(t)
	board := m.drawPaths(s, w)
	if chart := s.gantt().Draw(m.th, w); len(chart) > 0 {
		board = append(append(board, draw.Blank(m.th, w)), chart...)
	}
	lines := []string{m.headline(t, w)}
	switch {
	case len(facts) == 0:
		return append(lines, board...)
	case sight < 16:
		return append(append(append(lines, board...), draw.Blank(m.th, w)), facts...)
	}
	return append(append(append(lines, facts...), draw.Blank(m.th, w)), board...)
}

// headline tells the task's state, how far it is, how long that took or will
// take, and, where there is room, what the state was told by.
func (m *Model) headline(t *model.Task, w int) string {
	l := draw.NewLine(m.th, w)
	m.putHeadline(l, t)
	told := "  told by "
	typ, byFeatures := t.DecidedBy()
	if byFeatures {
		told += "the features in "
	}
	if try := draw.NewLine(m.th, l.Free).Put(draw.Dim, told+typ); !try.Cut {
		l.Put(draw.Dim, told+typ)
	}
	return l.String()
}

func (m *Model) putHeadline(l *draw.Line, t *model.Task) {
	_, stalled := m.board.Stalled(t, m.at)
	m.putState(l, t, 13, stalled)
	done, total := t.Progress()
	l.Space(1).Put(draw.Plain, fmt.Sprintf("%d of %d", done, total)).Put(draw.Dim, " done  ")
	took := draw.Ago(duration(t, m.at))
	switch left, known := m.board.ETA(t, m.at); {
	case t.Created().IsZero() && !active(t):
	case !active(t):
		l.Put(draw.Dim, "took ").Put(draw.Plain, took)
	case stalled:
		l.Put(draw.Warn, "no news for "+draw.Since(t.Heard(), m.at))
	case known:
		l.Put(draw.Dim, "left: ").Put(draw.Plain, remaining(left))
	case !t.Created().IsZero():
		l.Put(draw.Dim, "for ").Put(draw.Plain, took)
	}
}

// fact is a name and a value.
type fact struct{ name, value string }

func (m *Model) facts(t *model.Task) []fact {
	facts := []fact{{"task", t.ID()}, {"asset", draw.OrNone(t.AssetID())}}
	if name := m.assetName(t); name != t.AssetID() {
		facts = append(facts, fact{"name", name})
	}
	messages := fmt.Sprint(t.Messages())
	if n := lateOnes(t.Seqs()); n > 0 {
		messages += fmt.Sprintf(", %d late", n)
	}
	return append(facts,
		fact{"user", draw.OrNone(m.userID(t))},
		fact{"created", draw.Moment(t.Created(), m.at)},
		fact{"updated", draw.Moment(t.Updated(), m.at)},
		fact{"heard", draw.Moment(t.Heard(), m.at)},
		fact{"messages", messages},
	)
}

// lateOnes counts the messages that came after a newer one; seqs are in the
// order of the news.
func lateOnes(seqs []int64) (n int) {
	for i, first := len(seqs)-1, int64(1<<62); i >= 0; i-- {
		if seqs[i] > first {
			n++
		}
		first = min(first, seqs[i])
	}
	return n
}

// flow draws facts one below the other, two of them side by side where both
// are short.
func (m *Model) flow(facts []fact, w int) []string {
	const label = 10
	var lines []string
	half := min(w/2, 60)
	fits := func(f fact) bool {
		_, _, cut := draw.Fit(f.value, half-label-2)
		return !cut
	}
	for i := 0; i < len(facts); i++ {
		l := draw.NewLine(m.th, w).Cell(draw.Dim, facts[i].name, label).Put(draw.Plain, facts[i].value)
		if i+1 < len(facts) && fits(facts[i]) && fits(facts[i+1]) {
			i++
			l.To(half)
			l.Cell(draw.Dim, facts[i].name, label).Put(draw.Plain, facts[i].value)
		}
		lines = append(lines, l.String())
	}
	return lines
}
