package render

import (
	"fmt"
	"time"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/screen"
	"aspectop/words"
)

// MaxFeatures is how many features of a task are drawn. Aspect has about ten; a
// body of a megabyte can name fifty thousand.
const MaxFeatures = 100

// Story is what the screen tells of one task over time.
type Story struct {
	task     *model.Task
	features []featureStory
	more     int       // features beyond MaxFeatures
	from, to time.Time // the first and the last instant; to is now while work goes on
	now      time.Time
	working  bool
}

type featureStory struct {
	model.Feature
	intervals []model.Interval
}

func StoryOf(sc *screen.Screen, t *model.Task) *Story {
	// What failed by one feature may go on with the others; what an event ended
	// does not.
	_, byFeatures := t.DecidedBy()
	s := &Story{task: t, now: sc.At, to: t.Updated(), working: t.Active()}
	features := t.Features()
	if s.more = len(features) - MaxFeatures; s.more > 0 {
		features = features[:MaxFeatures]
	}
	for _, f := range features {
		f := featureStory{f, t.Timeline(f.Name)}
		s.features = append(s.features, f)
		s.working = s.working || byFeatures && !f.State.Terminal() && !model.Internal(f.Name)
		if n := len(f.intervals); n > 0 {
			if first := f.intervals[0].From; s.from.IsZero() || first.Before(s.from) {
				s.from = first
			}
			if last := f.intervals[n-1].From; last.After(s.to) {
				s.to = last
			}
		}
	}
	if s.working && s.now.After(s.to) {
		s.to = s.now
	}
	return s
}

// Gantt is the Story as a chart.
func (s *Story) Gantt() *draw.Gantt {
	g := &draw.Gantt{From: s.from, To: s.to, Now: s.now, Working: s.working}
	for _, f := range s.features {
		g.Names = append(g.Names, f.Name)
		g.Intervals = append(g.Intervals, f.intervals)
	}
	return g
}

// Overview draws all there is to say of a task in words, as a board and as a
// timeline, in as many lines as that takes. Where only few are in sight, what
// moves stands before the facts.
func Overview(sc *screen.Screen, t *model.Task, w, sight int) []string {
	return Compose(sc, t, Flow(sc, facts(sc, t), w), w, sight)
}

func Compose(sc *screen.Screen, t *model.Task, facts []string, w, sight int) []string {
	s := StoryOf(sc, t)
	board := drawPaths(sc, s, w)
	if chart := s.Gantt().Draw(sc.Theme, w); len(chart) > 0 {
		board = append(append(board, draw.Blank(sc.Theme, w)), chart...)
	}
	lines := []string{headline(sc, t, w)}
	switch {
	case len(facts) == 0:
		return append(lines, board...)
	case sight < 16:
		return append(append(append(lines, board...), draw.Blank(sc.Theme, w)), facts...)
	}
	return append(append(append(lines, facts...), draw.Blank(sc.Theme, w)), board...)
}

// headline tells the task's state, how far it is, how long that took or will
// take, and, where there is room, which message decided the state.
func headline(sc *screen.Screen, t *model.Task, w int) string {
	l := draw.NewLine(sc.Theme, w)
	putHeadline(sc, l, t)
	told := "  decided by "
	typ, byFeatures := t.DecidedBy()
	if byFeatures {
		told += "features in "
	}
	if try := draw.NewLine(sc.Theme, l.Free).Put(draw.Dim, told+typ); !try.Cut {
		l.Put(draw.Dim, told+typ)
	}
	return l.String()
}

func putHeadline(sc *screen.Screen, l *draw.Line, t *model.Task) {
	_, stalled := sc.Board.Stalled(t, sc.At)
	PutState(sc, l, t, 13, stalled)
	done, total := t.Progress()
	l.Space(1).Put(draw.Plain, fmt.Sprintf("%d of %d", done, total)).Put(draw.Dim, " done  ")
	took := words.Ago(t.Took(sc.At))
	switch left, known := sc.Board.ETA(t, sc.At); {
	case t.Created().IsZero() && !t.Active():
	case !t.Active():
		l.Put(draw.Dim, "took ").Put(draw.Plain, took)
	case stalled:
		l.Put(draw.Warn, "no event for "+words.Since(t.Heard(), sc.At))
	case known:
		l.Put(draw.Dim, "left ").Put(draw.Plain, words.Remaining(left))
	case !t.Created().IsZero():
		l.Put(draw.Dim, "running ").Put(draw.Plain, took)
	}
}

// Fact is a name and a value.
type Fact struct{ name, value string }

func facts(sc *screen.Screen, t *model.Task) []Fact {
	facts := []Fact{{"task", t.ID()}, {"asset", words.OrNone(t.AssetID())}}
	if name := sc.AssetName(t); name != t.AssetID() {
		facts = append(facts, Fact{"name", name})
	}
	messages := fmt.Sprint(t.Messages())
	if n := lateOnes(t.Seqs()); n > 0 {
		messages += fmt.Sprintf(", %d late", n)
	}
	return append(facts,
		Fact{"user", words.OrNone(sc.UserID(t))},
		Fact{"created", draw.Moment(t.Created(), sc.At)},
		Fact{"updated", draw.Moment(t.Updated(), sc.At)},
		Fact{"received", draw.Moment(t.Heard(), sc.At)},
		Fact{"messages", messages},
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

// Flow draws facts one below the other, two of them side by side where both
// are short.
func Flow(sc *screen.Screen, facts []Fact, w int) []string {
	const label = 10
	var lines []string
	half := min(w/2, 60)
	fits := func(f Fact) bool {
		_, _, cut := draw.Fit(f.value, half-label-2)
		return !cut
	}
	for i := 0; i < len(facts); i++ {
		l := draw.NewLine(sc.Theme, w).Cell(draw.Dim, facts[i].name, label).Put(draw.Plain, facts[i].value)
		if i+1 < len(facts) && fits(facts[i]) && fits(facts[i+1]) {
			i++
			l.To(half)
			l.Cell(draw.Dim, facts[i].name, label).Put(draw.Plain, facts[i].value)
		}
		lines = append(lines, l.String())
	}
	return lines
}

// BriefFacts are those that a list has no room for.
func BriefFacts(sc *screen.Screen, t *model.Task) []Fact {
	facts := []Fact{{"task", t.ID()}, {"asset", words.OrNone(t.AssetID())}}
	if name := sc.AssetName(t); name != t.AssetID() {
		facts = append(facts, Fact{"name", name})
	}
	return append(facts, Fact{"updated", draw.Moment(t.Updated(), sc.At)})
}

// Preview shows a selection in words, in at most h lines of w cells.
func Preview(sc *screen.Screen, s screen.Selection, w, h int) []string {
	var lines []string
	if s.Row != (feed.RowKey{}) {
		lines = append(DescribeRow(sc, s.Row, w), draw.Blank(sc.Theme, w))
	}
	if s.Task == nil {
		return lines
	}
	var facts []string
	if s.Row == (feed.RowKey{}) {
		facts = Flow(sc, BriefFacts(sc, s.Task), w)
	}
	return append(lines, Compose(sc, s.Task, facts, w, h)...)
}
