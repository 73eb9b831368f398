package render

import (
	"fmt"
	"slices"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/screen"
	"aspectop/words"
)

// MaxFeatures is how many features of a task are drawn: a body can name fifty thousand.
const MaxFeatures = 100

// Story is a task over time. To is now while work goes on.
type Story struct {
	draw.Gantt
	more int // features beyond MaxFeatures
}

func StoryOf(sc *screen.Screen, t *model.Task) *Story {
	// A task that a feature failed may go on with others; one that an event ended does not.
	_, byFeatures := t.DecidedBy()
	s := &Story{Gantt: draw.Gantt{Now: sc.At, To: t.Updated(), Working: t.Active()}}
	features := t.Features()
	if s.more = len(features) - MaxFeatures; s.more > 0 {
		features = features[:MaxFeatures]
	}
	for _, f := range features {
		intervals := t.Timeline(f.Name)
		s.Bars = append(s.Bars, draw.GanttBar{Feature: f, Intervals: intervals})
		s.Working = s.Working || byFeatures && !f.State.Terminal() && !model.Internal(f.Name)
		if n := len(intervals); n > 0 {
			if first := intervals[0].From; s.From.IsZero() || first.Before(s.From) {
				s.From = first
			}
			if last := intervals[n-1].From; last.After(s.To) {
				s.To = last
			}
		}
	}
	if s.Working && s.Now.After(s.To) {
		s.To = s.Now
	}
	return s
}

// Overview draws all that is known of a task: in words, as a board and as a timeline.
// If less than sight lines are visible, the facts stand last.
func Overview(sc *screen.Screen, t *model.Task, w, sight int) []string {
	return compose(sc, t, flow(sc, facts(sc, t, false), w), w, sight)
}

func compose(sc *screen.Screen, t *model.Task, facts []string, w, sight int) []string {
	s := StoryOf(sc, t)
	blank := []string{draw.Blank(sc.Theme, w)}
	board := drawPaths(sc, s, w)
	if chart := s.Draw(sc.Theme, w); len(chart) > 0 {
		board = slices.Concat(board, blank, chart)
	}
	head := []string{headline(sc, t, w)}
	switch {
	case len(facts) == 0:
		return append(head, board...)
	case sight < 16:
		return slices.Concat(head, board, blank, facts)
	}
	return slices.Concat(head, facts, blank, board)
}

func headline(sc *screen.Screen, t *model.Task, w int) string {
	l := draw.NewLine(sc.Theme, w)
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
		l.Put(draw.Warn, "no event for "+words.Since(t.News(), sc.At))
	case known:
		l.Put(draw.Dim, "left ").Put(draw.Plain, words.Remaining(left))
	case !t.Created().IsZero():
		l.Put(draw.Dim, "running ").Put(draw.Plain, took)
	}
	typ, byFeatures := t.DecidedBy()
	if byFeatures {
		typ = "features in " + typ
	}
	if told := "  decided by " + typ; l.Fits(told) {
		l.Put(draw.Dim, told)
	}
	return l.String()
}

type fact struct{ name, value string }

// facts are those of a task; in brief, only what a list has no room for.
func facts(sc *screen.Screen, t *model.Task, brief bool) []fact {
	facts := []fact{{"task", t.ID()}, {"asset", words.OrNone(t.AssetID())}}
	if name := sc.AssetName(t); name != t.AssetID() {
		facts = append(facts, fact{"name", name})
	}
	updated := fact{"updated", draw.Moment(t.Updated(), sc.At)}
	if brief {
		return append(facts, updated)
	}
	messages := fmt.Sprint(t.Messages())
	if n := lateOnes(t.Seqs()); n > 0 {
		messages += fmt.Sprintf(", %d late", n)
	}
	return append(facts,
		fact{"user", words.OrNone(sc.Shown(t.UserID()))},
		fact{"created", draw.Moment(t.Created(), sc.At)},
		updated,
		fact{"received", draw.Moment(t.Heard(), sc.At)},
		fact{"messages", messages},
	)
}

// lateOnes counts the messages that came after a newer one; seqs are in order of news.
func lateOnes(seqs []int64) (n int) {
	for i, first := len(seqs)-1, int64(1<<62); i >= 0; i-- {
		if seqs[i] > first {
			n++
		}
		first = min(first, seqs[i])
	}
	return n
}

// flow draws facts, two in a line where both are short.
func flow(sc *screen.Screen, facts []fact, w int) []string {
	const label = 10
	var lines []string
	half := min(w/2, 60)
	short := func(f fact) bool {
		_, _, cut := draw.Fit(f.value, half-label-2)
		return !cut
	}
	for i := 0; i < len(facts); i++ {
		l := draw.NewLine(sc.Theme, w).Cell(draw.Dim, facts[i].name, label).Put(draw.Plain, facts[i].value)
		if i+1 < len(facts) && short(facts[i]) && short(facts[i+1]) {
			i++
			l.To(half).Cell(draw.Dim, facts[i].name, label).Put(draw.Plain, facts[i].value)
		}
		lines = append(lines, l.String())
	}
	return lines
}

// Preview shows a selection in words, in at most h lines of w cells.
func Preview(sc *screen.Screen, s screen.Selection, w, h int) []string {
	var lines, told []string
	if s.Row != (feed.RowKey{}) {
		lines = append(describeRow(sc, s.Row, w), draw.Blank(sc.Theme, w))
	} else if s.Task != nil {
		told = flow(sc, facts(sc, s.Task, true), w)
	}
	if s.Task == nil {
		return lines
	}
	return append(lines, compose(sc, s.Task, told, w, h)...)
}

// pathForm is how the path of a feature through its states is written.
type pathForm int

const (
	pathWords    pathForm = iota // queued 2s → processing 9s → completed
	pathSigns                    // · 2s → ▸ 9s → ✓ completed
	pathTight                    // ·q2s ▸p9s ✓ completed
	pathTightest                 // ·q2s ▸p9s ✓c
)

// drawPaths draws a line for each feature with its intervals and how long they lasted.
func drawPaths(sc *screen.Screen, s *Story, w int) []string {
	name := s.NameWidth(w)
	form := pathWords
	for form < pathTight && slices.ContainsFunc(s.Bars, func(f draw.GanttBar) bool { return !s.pathFits(sc, w-name-4, &f, form, 0) }) {
		form++
	}
	var lines []string
	for _, f := range s.Bars {
		l := draw.NewLine(sc.Theme, w).Put(f.State.Info().Role, Sign(sc, f.State, true)).Space(1)
		r := draw.Plain
		if model.Internal(f.Name) {
			r = draw.Dim
		}
		l.Cell(r, f.Name, name).Space(2)
		s.putPath(sc, l, &f, form)
		lines = append(lines, l.String())
	}
	switch {
	case len(s.Bars) == 0:
		lines = append(lines, draw.NewLine(sc.Theme, w).Put(draw.Dim, "no features").String())
	case s.more > 0:
		lines = append(lines, draw.NewLine(sc.Theme, w).Put(draw.Dim, fmt.Sprintf("and %d more features; see the payload", s.more)).String())
	}
	return lines
}

func (s *Story) pathFits(sc *screen.Screen, w int, f *draw.GanttBar, form pathForm, skip int) bool {
	l := draw.NewLine(sc.Theme, w)
	s.writePath(l, f, form, skip)
	return !l.Cut
}

// putPath draws a path. In the tight forms the oldest intervals give way.
func (s *Story) putPath(sc *screen.Screen, l *draw.Line, f *draw.GanttBar, form pathForm) {
	skip := 0
	if form == pathTight && !s.pathFits(sc, l.Free, f, form, skip) {
		form = pathTightest
	}
	for skip < len(f.Intervals)-1 && !s.pathFits(sc, l.Free, f, form, skip) {
		skip++
	}
	s.writePath(l, f, form, skip)
}

func (s *Story) writePath(l *draw.Line, f *draw.GanttBar, form pathForm, skip int) {
	tight := form >= pathTight
	if model.Internal(f.Name) && !tight {
		l.Put(draw.Faint, "internal  ")
	}
	if len(f.Intervals) == 0 { // no message told when
		l.Put(f.State.Info().Role, f.State.Word())
		return
	}
	arrow := " " + draw.GlyphArrow + " "
	if tight {
		arrow = " "
	}
	if skip > 0 {
		l.Put(draw.Faint, draw.GlyphEllipsis+arrow)
	}
	for i := skip; i < len(f.Intervals); i++ {
		interval := &f.Intervals[i]
		last := i == len(f.Intervals)-1
		told, blank := intervalName(interval.State, form, last), " "
		if tight && !(last && form == pathTight) {
			blank = ""
		}
		l.Put(interval.State.Info().Role, told)
		switch {
		case !last:
			l.Put(draw.Dim, blank+words.Lasted(interval.Length(s.To))).Put(draw.Faint, arrow)
		case !interval.State.Terminal():
			l.Put(draw.Dim, blank+words.Ago(interval.Length(s.To)))
		}
	}
	if model.Internal(f.Name) && tight {
		l.Put(draw.Faint, "  internal")
	}
}

// intervalName is a state in a path. An undocumented one has its word in all forms.
func intervalName(s model.State, form pathForm, last bool) string {
	switch {
	case form == pathWords:
		return s.Word()
	case !s.Known() || last && form < pathTightest:
		return s.Info().Sign + " " + s.Word()
	case form == pathSigns:
		return s.Info().Sign
	}
	return s.Info().Sign + s.Info().Letter
}
