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

// Overview draws all that is known of a task: in words, as a timeline, and as its last
// events where sight, the lines that are visible, leaves room. Where sight is short, the
// facts stand last.
func Overview(sc *screen.Screen, t *model.Task, w, sight int) []string {
	head, blank := []string{headline(sc, t, w)}, []string{draw.Blank(sc.Theme, w)}
	told, board := flow(sc, facts(sc, t, false), w), Timeline(sc, t, w)
	if sight < 16 {
		return slices.Concat(head, board, blank, told)
	}
	all := slices.Concat(head, told, blank, board)
	if room := sight - len(all) - 1; room > 1 {
		all = slices.Concat(all, blank, lastEvents(sc, t, w, room))
	}
	return all
}

// Timeline draws a line for each feature of a task, with the axis below.
func Timeline(sc *screen.Screen, t *model.Task, w int) (lines []string) {
	features := t.Features()
	if len(features) == 0 {
		return []string{draw.NewLine(sc.Theme, w).Put(draw.Dim, "no features").String()}
	}
	more := len(features) - MaxFeatures
	features = features[:min(len(features), MaxFeatures)]
	bars, name := make([]draw.Bar, len(features)), 0
	for i, f := range features {
		bars[i] = FeatureBar(sc, t, f)
		_, n, _ := draw.Fit(f.Name, max(8, min(20, w/3)))
		name = max(name, n)
	}
	from, to := span(bars, sc.At)
	s := draw.NewScale(from, to, sc.At, max(1, w-name-4), bars)
	for i, f := range features {
		l := draw.NewLine(sc.Theme, w)
		putFeatureName(sc, l, f, name)
		lines = append(lines, l.Space(2).PutBar(s, &bars[i]).String())
	}
	if more > 0 {
		lines = append(lines, draw.NewLine(sc.Theme, w).Put(draw.Dim, fmt.Sprintf("and %d more features; see the payload", more)).String())
	}
	return append(lines, draw.NewLine(sc.Theme, w).Space(name+4).PutAxis(s).String())
}

// putFeatureName draws the state of a feature as a sign, and its name.
func putFeatureName(sc *screen.Screen, l *draw.Line, f model.Feature, w int) {
	r := draw.Plain
	if model.Internal(f.Name) {
		r = draw.Dim
	}
	l.Put(f.State.Info().Role, Sign(sc, f.State, true)).Space(1).Cell(r, f.Name, w)
}

func headline(sc *screen.Screen, t *model.Task, w int) string {
	l := draw.NewLine(sc.Theme, w)
	_, stalled := sc.Board.Stalled(t, sc.At)
	PutState(sc, l, t, 13, stalled)
	done, total := t.Progress()
	l.Space(1).Put(draw.Plain, fmt.Sprintf("%d of %d", done, total)).Put(draw.Dim, " ended  ")
	told, r := timeOf(sc, t)
	if t.Gone() {
		told = "no longer known to Aspect"
	}
	l.Put(r, told)
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

// Beside shows a selection in at most h lines of w cells: side by side if it is wide enough.
func Beside(sc *screen.Screen, s screen.Selection, w, h int) []string {
	const gap = 2
	one, other := w, w
	if w >= 100 {
		one = w * 11 / 20
		other = w - one - gap
	}
	var first, second []string
	switch {
	case s.Row != (feed.RowKey{}):
		if first = describeRow(sc, s.Row, one); s.Task != nil {
			second = append([]string{headline(sc, s.Task, other)}, Timeline(sc, s.Task, other)...)
		}
	case s.Task != nil:
		if first = []string{headline(sc, s.Task, one)}; h >= 20 {
			first = append(first, flow(sc, facts(sc, s.Task, true), one)...)
			first = append(first, draw.Blank(sc.Theme, one))
		}
		first = append(first, Timeline(sc, s.Task, one)...)
		room := h
		if one == w {
			room = h - len(first) - 1
		}
		second = lastEvents(sc, s.Task, other, room)
	}
	if one == w {
		if len(second) > 0 && len(first) < h {
			first = append(first, draw.Blank(sc.Theme, w))
		}
		return append(first, second...)
	}
	n := min(h, max(len(first), len(second)))
	first, second = draw.PadHeight(sc.Theme, first, one, n), draw.PadHeight(sc.Theme, second, other, n)
	for i := range first {
		first[i] += draw.Blank(sc.Theme, gap) + second[i]
	}
	return first
}

// drawAnswer says which handler answered what.
func drawAnswer(sc *screen.Screen, f *model.Forward, w int) string {
	l := draw.NewLine(sc.Theme, w).Cell(draw.Dim, "handler", 10)
	if name := sc.HandlerName(f.To); name != "" {
		l.Put(draw.Plain, name+" ")
	}
	return l.PutAll(words.Forward(f, sc.Masked)).String()
}

// lastEvents lists what the newest messages changed, oldest first, with what the handlers
// answered to the last one, in at most h lines.
func lastEvents(sc *screen.Screen, t *model.Task, w, h int) (lines []string) {
	seqs := t.Seqs()
	newest := slices.Max(seqs)
	var answers []string
	for _, f := range sc.Answers(newest) {
		answers = append(answers, drawAnswer(sc, f, w))
	}
	room := min(len(seqs), h-1-min(len(answers), h/3))
	if room < 1 || sc.Loading() {
		return nil
	}
	lines = append(lines, draw.Rule(sc.Theme, "Last events", "", w))
	slices.Sort(seqs)
	for _, seq := range seqs[len(seqs)-room:] {
		effect, _ := t.Effect(seq)
		l := draw.NewLine(sc.Theme, w).Put(draw.Dim, draw.DayClock(effect.Updated, sc.At)).Space(1)
		for _, f := range sc.Forwards(seq) {
			putForward(l, f)
		}
		switch {
		case seq == newest && t.Gone():
			l.Put(draw.Warn, "no longer known to Aspect")
		case effect.Late:
			l.Put(draw.Warn, "late")
		case len(effect.Changes) == 0:
			l.Put(draw.Dim, "no change")
		default:
			putChanges(l, effect.Changes)
		}
		lines = append(lines, l.String())
	}
	return append(lines, answers...)
}
