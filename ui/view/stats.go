package view

import (
	"fmt"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/keys"
	"aspectop/ui/render"
	"aspectop/ui/screen"
	"aspectop/words"
)

// Stats shows statistics over the tasks that pass the filter. Its text
// scrolls; the tasks named in it can be selected and opened.
type Stats struct {
	list     *Tasks
	shown    *tally // the newest finished one for this filter
	walk     *walk  // the one under way
	counted  time.Time
	stale    bool // the board changed since
	stepping bool // the next step is on its way

	lines  []string
	spots  []spot // of the tasks that can be selected, from above
	top, h int
	picked pick
}

// pick names a selected task and the list it stands in, which may both have it.
type pick struct {
	task *model.Task // nil: none
	list string
}

// spot is where a task stands in the text.
type spot struct {
	pick
	line, from, to int // from and to are cells; to is the first behind it
}

// NewStats returns statistics over the tasks of the list.
func NewStats(list *Tasks) *Stats { return &Stats{list: list} }

func (v *Stats) Has(_ *screen.Screen, a keys.Action) bool { return a == keys.Open }

func (v *Stats) Shown(sc *screen.Screen) (n int, looking bool) { return v.list.Shown(sc) }

func (v *Stats) InSight(*screen.Screen) []int64 { return nil }

func (v *Stats) Preview(*screen.Screen, int, int) []string { return nil }

func (v *Stats) Changed(_ *screen.Screen, c screen.Change) {
	if c.Filter || c.All {
		v.shown, v.walk = nil, nil
	}
	v.stale = v.stale || c.Filter || c.All || len(c.Tasks) > 0
}

func (v *Stats) Selection(*screen.Screen, bool) screen.Selection {
	return screen.Selection{Task: v.picked.task}
}

func (v *Stats) Arrange(sc *screen.Screen, w, h int) {
	v.refresh(sc)
	v.compose(sc, w, h)
	if v.h = h; len(v.lines) > h {
		v.h = max(1, h-1) // the last line tells that there is more
	}
	if v.find(v.picked) < 0 {
		v.picked = pick{}
	}
	v.scroll(0)
}

func (v *Stats) Draw(sc *screen.Screen, w, h int) []string {
	switch n := v.now(); {
	case sc.Board.Len() == 0 && !sc.Loading():
		return drawNoStats(sc, w, h)
	case n.tasks == 0 && v.walk == nil:
		return render.Empty(sc, false, w, h)
	}
	end := min(len(v.lines), v.top+v.h)
	lines := slices.Clone(v.lines[v.top:end])
	if below := len(v.lines) - end; below > 0 {
		lines = append(lines, draw.NewLine(sc.Theme, w).Put(draw.Dim, " ↓ "+words.Count(below, "more line", "more lines")).String())
	} else if v.top > 0 {
		lines = append(lines, draw.NewLine(sc.Theme, w).Put(draw.Dim, " ↑ "+words.Count(v.top, "line above", "lines above")).String())
	}
	return draw.PadHeight(sc.Theme, lines, w, h)
}

// drawNoStats says what will be here and when.
func drawNoStats(sc *screen.Screen, w, h int) []string {
	lines := []string{draw.Blank(sc.Theme, w)}
	say := func(r draw.Role, s string) {
		lines = append(lines, draw.NewLine(sc.Theme, w).Space(2).Put(r, s).String())
	}
	say(draw.Plain, "No statistics yet. They will show:")
	for _, s := range []string{
		"how long features are queued and processed",
		"success rates, and tasks by state",
		"deliveries a minute",
		"the slowest and the stalled tasks",
	} {
		say(draw.Dim, draw.GlyphDot+" "+s)
	}
	if sc.Try != "" && sc.Receiver != "" {
		say(draw.Plain, "")
		say(draw.Dim, "To send an event:")
		say(draw.Accent, "  "+sc.Try)
	}
	return draw.PadHeight(sc.Theme, lines, w, h)
}

// statsSplit is the width from which on the sections stand in two columns.
const statsSplit = 100

// compose draws all sections, made for a screen of w times h.
func (v *Stats) compose(sc *screen.Screen, w, h int) {
	v.spots = v.spots[:0]
	if w < statsSplit {
		inner := max(1, w-2)
		text := v.numbers(sc, inner, h)
		v.lines = indent(sc, append(text, v.tasks(sc, inner, 1, len(text))...), w)
		return
	}
	left := (w - 5) / 2
	right := w - 5 - left
	a, b := v.numbers(sc, left, h), v.tasks(sc, right, left+4, 0)
	rows := max(len(a), len(b))
	a, b = draw.PadHeight(sc.Theme, a, left, rows), draw.PadHeight(sc.Theme, b, right, rows)
	gap := draw.Blank(sc.Theme, 3)
	for i := range a {
		a[i] += gap + b[i]
	}
	v.lines = indent(sc, a, w)
}

// indent puts a blank at either side of the lines.
func indent(sc *screen.Screen, lines []string, w int) []string {
	for i := range lines {
		lines[i] = draw.Blank(sc.Theme, min(1, w)) + lines[i]
		if w > 1 {
			lines[i] += draw.Blank(sc.Theme, 1)
		}
	}
	return lines
}

// numbers draws the sections that count. The columns of the last one use what
// is left of the height, as far as that looks well.
func (v *Stats) numbers(sc *screen.Screen, w, h int) []string {
	n := v.now()
	stats := sc.Board.Stats()
	if n.stats != nil {
		stats = n.stats
	}
	lines := drawFeatureStats(sc, stats, w)
	lines = append(lines, draw.Blank(sc.Theme, w))
	high := max(3, min(h-len(lines)-3, 10))
	return append(lines, drawThroughput(sc, w, high)...)
}

// tasks draws the sections that tell of tasks. The first line stands at y, its
// first cell at x.
func (v *Stats) tasks(sc *screen.Screen, w, x, y int) []string {
	n := v.now()
	lines := drawTaskStates(sc, n, w)
	if v.shown == nil && v.walk != nil {
		lines[0] = draw.Rule(sc.Theme, "Tasks", "counting, "+draw.Percent(v.walk.next, sc.Board.Len()), w)
	}
	list := func(name, note, none string, of []ranked, told func(ranked) (string, draw.Role)) {
		lines = append(lines, draw.Blank(sc.Theme, w), draw.Rule(sc.Theme, name, note, w))
		if len(of) == 0 {
			lines = append(lines, draw.NewLine(sc.Theme, w).Put(draw.Dim, none).String())
		}
		for _, r := range of {
			p := pick{r.task, name}
			v.spots = append(v.spots, spot{p, y + len(lines), x, x + w})
			s, role := told(r)
			lines = append(lines, taskLine(sc, r.task, s, role, p == v.picked, w))
		}
	}
	list("Slowest", "", "no task has ended yet", n.slowest.top, func(r ranked) (string, draw.Role) {
		return words.Ago(r.time), draw.Plain
	})
	note := ""
	if more := n.stalled.of - len(n.stalled.top); more > 0 {
		note = fmt.Sprintf("and %d more", more)
	}
	list("Stalled", note, "none: all active tasks are reporting", n.stalled.top, func(r ranked) (string, draw.Role) {
		return "no event for " + words.Since(r.task.Heard(), sc.At), draw.Warn
	})
	return lines
}

func (v *Stats) Do(sc *screen.Screen, a keys.Action) (tea.Cmd, bool) {
	switch a {
	case keys.Up:
		v.step(-1)
	case keys.Down:
		v.step(1)
	case keys.HalfUp:
		v.scroll(-v.h / 2)
	case keys.HalfDown:
		v.scroll(v.h / 2)
	case keys.PageUp:
		v.scroll(1 - v.h)
	case keys.PageDown:
		v.scroll(v.h - 1)
	case keys.Top:
		v.scroll(-len(v.lines))
	case keys.Bottom:
		v.scroll(len(v.lines))
	case keys.Open:
		if v.picked.task == nil {
			sc.Say("no task selected; j and k select one of the slowest or stalled")
		} else {
			sc.Open(v.picked.task, feed.RowKey{})
		}
	default:
		return nil, false
	}
	return nil, true
}

// find is the place of a pick in the text, or -1.
func (v *Stats) find(p pick) int {
	return slices.IndexFunc(v.spots, func(s spot) bool { return s.pick == p })
}

func (v *Stats) inSight(s spot) bool { return s.line >= v.top && s.line < v.top+v.h }

// scroll moves the text. A selection that leaves the screen is dropped: what is out of
// sight must not be opened.
func (v *Stats) scroll(by int) {
	v.top = max(0, min(v.top+by, len(v.lines)-v.h))
	if i := v.find(v.picked); i >= 0 && !v.inSight(v.spots[i]) {
		v.picked = pick{}
	}
}

// step selects the next task in the direction, as long as it is in sight;
// otherwise the text scrolls.
func (v *Stats) step(by int) {
	i := v.find(v.picked) + by
	if v.picked.task == nil {
		i = slices.IndexFunc(v.spots, v.inSight)
		for by < 0 && i >= 0 && i+1 < len(v.spots) && v.inSight(v.spots[i+1]) {
			i++
		}
	}
	if i >= 0 && i < len(v.spots) && v.inSight(v.spots[i]) {
		v.picked = v.spots[i].pick
		return
	}
	v.scroll(by)
}

func (v *Stats) Click(_ *screen.Screen, x, y int) bool {
	for _, s := range v.spots {
		if s.line == v.top+y && s.from <= x && x < s.to {
			v.picked = s.pick
			return true
		}
	}
	return false
}
