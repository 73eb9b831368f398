package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"aspectop/clean"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/screen"
	"aspectop/words"
)

// MaxFeatures is how many features of a task are drawn: a body can name fifty thousand.
const MaxFeatures = 100

// goesOn reports whether a feature may still change: none does in a task that an event
// ended; in one that a feature failed, those do that count.
func goesOn(t *model.Task, feature string) bool {
	_, byFeatures := t.DecidedBy()
	return t.Active() || byFeatures && !model.Internal(feature)
}

// stays are intervals up to the state that a task or a feature of it is in now, none in the
// future. What no message dates is drawn at the receipt of the last one.
func stays(sc *screen.Screen, t *model.Task, intervals []model.Interval, s model.State, goesOn bool) []model.Interval {
	if len(intervals) == 0 {
		intervals = []model.Interval{{State: s, From: t.Heard()}}
	}
	past := func(at time.Time) time.Time {
		if at.After(sc.At) {
			return sc.At
		}
		return at
	}
	for i := range intervals {
		v := &intervals[i]
		if v.From = past(v.From); !v.To.IsZero() {
			v.To = past(v.To)
		}
	}
	last := &intervals[len(intervals)-1]
	if !last.State.Terminal() && !goesOn {
		last.To = past(t.Updated())
		if last.To.Before(last.From) {
			last.To = last.From
		}
	}
	return intervals
}

// FeatureBar is the bar of one feature of a task.
func FeatureBar(sc *screen.Screen, t *model.Task, f model.Feature) draw.Bar {
	b := draw.Bar{Intervals: stays(sc, t, t.Timeline(f.Name), f.State, goesOn(t, f.Name))}
	if end, ok := sc.Board.UsualEndOf(t, f); ok && b.Open() {
		b.Usual = end
	}
	b.Labels = featureLabels(f, b.Intervals, sc.At)
	return b
}

// featureLabels tell how long a feature was queued and processed, and how it ended.
func featureLabels(f model.Feature, intervals []model.Interval, now time.Time) []string {
	queued, processing := phasesOf(intervals, now)
	word := clean.Cut(f.State.Word(), 20)
	told, short := word, word
	if processing.times > 0 {
		short = words.Lasted(processing.total)
		how := map[model.State]string{model.Completed: "completed in ", model.Failed: "failed after ", model.Cancelled: "cancelled after "}[f.State]
		told = cmp.Or(how, word+" ") + short
	} else if queued.times > 0 && !f.State.Terminal() {
		short = words.Lasted(queued.total)
		told = word + " " + short
	}
	labels := []string{told, short}
	if queued.times > 0 && f.State != model.Queued {
		labels = slices.Insert(labels, 0, "queued "+words.Lasted(queued.total)+", "+told)
	}
	if model.Internal(f.Name) {
		labels[0] = "internal, " + labels[0]
	}
	if runs := max(queued.times, processing.times); runs > 1 {
		labels[0] += fmt.Sprintf(", run %d times", runs)
	}
	return slices.DeleteFunc(labels, func(l string) bool { // a character is a cell there
		return strings.ContainsFunc(l, func(r rune) bool { return r < ' ' || r > '~' })
	})
}

// TaskBar is the bar of a task in its own state, up to its end: one that a feature failed
// goes on while others do. What lies before the first event is not known.
func TaskBar(sc *screen.Screen, t *model.Task) draw.Bar {
	b := draw.Bar{Intervals: stays(sc, t, t.States(), t.State(), t.Active()), Since: t.Created()}
	if n := len(b.Intervals); n > 1 && b.Intervals[n-1].State.Terminal() {
		if end := t.Ended(); end.After(b.Intervals[n-1].From) && !end.After(sc.At) {
			b.Intervals[n-2].To, b.Intervals[n-1].From = end, end
		}
	}
	if end, ok := sc.Board.UsualEnd(t); ok && b.Open() {
		b.Usual = end
	}
	b.Labels = []string{words.Lasted(max(0, b.End(sc.At).Sub(b.Begin())))}
	return b
}

// span is the time from the first beginning to the last end of bars.
func span(bars []draw.Bar, now time.Time) (from, to time.Time) {
	for i := range bars {
		if first := bars[i].Begin(); from.IsZero() || first.Before(from) {
			from = first
		}
		if end := bars[i].End(now); end.After(to) {
			to = end
		}
	}
	return from, to
}

// Begin is when the first of n tasks began.
func Begin(sc *screen.Screen, n int, at func(i int) *model.Task) time.Time {
	var bars []draw.Bar
	for i := range n {
		bars = append(bars, TaskBar(sc, at(i)))
	}
	from, _ := span(bars, sc.At)
	return from
}

// TimelineRow is a line of the timeline of all tasks.
type TimelineRow struct {
	Task     *model.Task
	Feature  int // -1: the task itself
	Selected bool
}

// DrawTimeline draws an axis and a line for each row.
func DrawTimeline(sc *screen.Screen, rows []TimelineRow, from, to time.Time, w int) []string {
	bars := make([]draw.Bar, len(rows))
	for i, r := range rows {
		if r.Feature < 0 {
			bars[i] = TaskBar(sc, r.Task)
		} else {
			bars[i] = FeatureBar(sc, r.Task, r.Task.Features()[r.Feature])
		}
	}
	name, asset := 8, 0
	if w >= 72 {
		name = 13 // of the longest feature that is documented
	}
	if w >= 110 && sc.Names != nil {
		asset = 21
	}
	head := 2 + 2 + name + 1 + asset
	s := draw.NewScale(from, to, sc.At, max(1, w-head), bars)
	lines := []string{draw.NewLine(sc.Theme, w).Space(2).Put(draw.Dim, "TASK").To(head).PutAxis(s).String()}
	for i, r := range rows {
		l := draw.NewRow(sc.Theme, w, r.Selected)
		if r.Feature < 0 {
			putTaskName(sc, l, r.Task, name)
			if asset > 0 {
				l.Space(1).Cell(draw.Dim, draw.Short(sc.AssetName(r.Task), asset-1), asset-1)
			}
		} else {
			l.Space(1) // below its task
			putFeatureName(sc, l, r.Task.Features()[r.Feature], name)
		}
		lines = append(lines, l.To(head).PutBar(s, &bars[i]).String())
	}
	return lines
}

func putTaskName(sc *screen.Screen, l *draw.Line, t *model.Task, w int) {
	_, stalled := sc.Board.Stalled(t, sc.At)
	_, r, moving := stateWord(t, stalled)
	l.Put(r, Sign(sc, t.State(), moving)).Space(1)
	l.Cell(draw.Plain, draw.Short(t.ID(), w), w)
}

// Legend explains the signs of the timeline, as many as fit, with a note at the end.
func Legend(sc *screen.Screen, note string, w int) string {
	l, full := draw.NewLine(sc.Theme, w).Space(2), false
	sign := func(r draw.Role, glyphs, meaning string, room int) {
		meaning = " " + meaning + "  "
		if full = full || draw.Cells(glyphs+meaning) > l.Free-room; !full {
			l.Put(r, glyphs).Put(draw.Dim, meaning)
		}
	}
	sign(draw.Waiting, draw.GlyphWait, "queued", 0)
	sign(draw.Busy, draw.GlyphFull, "processing", 0)
	sign(draw.Warn, draw.GlyphUsual, "usual end", 0)
	sign(draw.Warn, draw.GlyphUsual+draw.GlyphFull, "overdue", len(note))
	for _, end := range []model.State{model.Completed, model.Failed, model.Cancelled} {
		sign(end.Info().Role, draw.GlyphFull+end.Info().Sign, end.Word(), len(note))
	}
	return l.End(draw.Dim, note).String()
}
