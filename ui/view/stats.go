package view

import (
	"fmt"
	"slices"
	"strconv"
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

// Stats shows statistics over the tasks that match. The tasks in it can be opened.
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
	if v.now().tasks == 0 && v.walk == nil {
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

// statsSplit is the width from which on the sections stand in two columns.
const statsSplit = 100

func (v *Stats) compose(sc *screen.Screen, w, h int) {
	v.spots = v.spots[:0]
	if w < statsSplit {
		inner := max(1, w-2)
		text := v.numbers(sc, inner, h, 10)
		v.lines = indent(sc, append(text, v.tasks(sc, inner, 1, len(text), 0)...), w)
		return
	}
	left := (w - 5) / 2
	right := w - 5 - left
	a, b := v.numbers(sc, left, h, 20), v.tasks(sc, right, left+4, 0, h)
	rows := max(len(a), len(b))
	a, b = draw.PadHeight(sc.Theme, a, left, rows), draw.PadHeight(sc.Theme, b, right, rows)
	gap := draw.Blank(sc.Theme, 3)
	for i := range a {
		a[i] += gap + b[i]
	}
	v.lines = indent(sc, a, w)
}

func indent(sc *screen.Screen, lines []string, w int) []string {
	left, right := draw.Blank(sc.Theme, min(1, w)), ""
	if w > 1 {
		right = draw.Blank(sc.Theme, 1)
	}
	for i := range lines {
		lines[i] = left + lines[i] + right
	}
	return lines
}

// numbers draws the sections that count. The chart takes the height that is left, up to
// highest lines.
func (v *Stats) numbers(sc *screen.Screen, w, h, highest int) []string {
	n := v.now()
	stats := sc.Board.Stats()
	if n.stats != nil {
		stats = n.stats
	}
	lines := drawFeatureStats(sc, stats, w)
	lines = append(lines, draw.Blank(sc.Theme, w))
	high := max(3, min(h-len(lines)-3, highest))
	return append(lines, drawThroughput(sc, w, high)...)
}

// fewest is how many tasks a list has, room or not.
const fewest = 5

// tasks draws the sections with tasks, from the cell x of line y. The lists share what
// is left of h lines.
func (v *Stats) tasks(sc *screen.Screen, w, x, y, h int) []string {
	n := v.now()
	lines := drawTaskStates(sc, n, w)
	if v.shown == nil && v.walk != nil {
		lines[0] = draw.Rule(sc.Theme, "Tasks", "counting, "+draw.Percent(v.walk.next, sc.Board.Len()), w)
	}
	free := h - len(lines) - 4 // each list has a blank line and a title
	stalled := n.stalled.top[:min(len(n.stalled.top), max(fewest, free/2))]
	slowest := n.slowest.top[:min(len(n.slowest.top), max(fewest, free-max(1, len(stalled))))]
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
	list("Slowest", "", "no task has ended yet", slowest, func(r ranked) (string, draw.Role) {
		return words.Ago(r.time), draw.Plain
	})
	note := ""
	if more := n.stalled.of - len(stalled); more > 0 {
		note = fmt.Sprintf("and %d more", more)
	}
	list("Stalled", note, "none: all active tasks are reporting", stalled, func(r ranked) (string, draw.Role) {
		return "no event for " + words.Since(r.task.News(), sc.At), draw.Warn
	})
	return lines
}

func (v *Stats) Do(sc *screen.Screen, a keys.Action) (tea.Cmd, bool) {
	switch a {
	case keys.Up:
		v.step(-1)
	case keys.Down:
		v.step(1)
	case keys.Open:
		if v.picked.task == nil {
			sc.Say("no task selected; j and k select one of the slowest or stalled")
		} else {
			sc.Open(v.picked.task, feed.RowKey{})
		}
	default:
		if !draw.Scroll(&v.top, a, len(v.lines), v.h) {
			return nil, false
		}
		v.scroll(0)
	}
	return nil, true
}

func (v *Stats) find(p pick) int {
	return slices.IndexFunc(v.spots, func(s spot) bool { return s.pick == p })
}

func (v *Stats) inSight(s spot) bool { return s.line >= v.top && s.line < v.top+v.h }

// scroll moves the text, and drops a selection that leaves the screen.
func (v *Stats) scroll(by int) {
	v.top = max(0, min(v.top+by, len(v.lines)-v.h))
	if i := v.find(v.picked); i >= 0 && !v.inSight(v.spots[i]) {
		v.picked = pick{}
	}
}

// step selects the next task in sight, or scrolls.
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

const maxFeatureRows = 40

// drawFeatureStats draws two lines for each feature: its rate of success and how long
// it is queued; how many tasks have it and how long it is processing. Times are the
// median and the 95th percentile.
func drawFeatureStats(sc *screen.Screen, stats *model.Stats, w int) []string {
	names := stats.Features()
	more := len(names) - maxFeatureRows
	names = names[:min(len(names), maxFeatureRows)]
	name, label := 14, 13
	if w < 60 {
		name, label = max(10, w/4), 2
	}
	bar := w - name - 5 - label - 7 - 6
	lines := []string{draw.Rule(sc.Theme, "Features", "p50 "+draw.Repeat(draw.GlyphFull, 2)+" p95 "+draw.Repeat(draw.GlyphWait, 2), w)}
	l := draw.NewLine(sc.Theme, w).Cell(draw.Dim, "FEATURE", name).Cell(draw.Dim, "OK", 5).Cell(draw.Dim, "TIME IN", label+bar)
	lines = append(lines, l.Right(draw.Dim, "P50", 7).Right(draw.Dim, "P95", 6).String())
	var scale time.Duration // of all bars
	for _, n := range names {
		f := stats.Feature(n)
		queued, _ := f.Queued().Quantile(0.95)
		processing, _ := f.Processing().Quantile(0.95)
		scale = max(scale, queued, processing)
	}
	for _, n := range names {
		f := stats.Feature(n)
		times := func(l *draw.Line, s model.State, d *model.Durations) {
			told, r := s.Info().Sign, s.Info().Role
			if label > 2 {
				told += " " + s.Word()
			}
			if model.Internal(n) {
				r = draw.Dim
			}
			l.Cell(r, told, label)
			p50, known := d.Quantile(0.5)
			if !known {
				lines = append(lines, l.Space(bar).Right(draw.Dim, "–", 7).Right(draw.Dim, "–", 6).String())
				return
			}
			p95, _ := d.Quantile(0.95)
			l.Spread(r, int64(p50), int64(p95), int64(scale), bar)
			lines = append(lines, l.Right(draw.Plain, words.Tenths(p50), 7).Right(draw.Dim, words.Tenths(p95), 6).String())
		}
		l := draw.NewLine(sc.Theme, w)
		putFeatureName(l, n, f, name)
		times(l, model.Queued, f.Queued())
		l = draw.NewLine(sc.Theme, w).Cell(draw.Dim, "  "+words.Count(f.Tasks(), "task", "tasks"), name+5)
		times(l, model.Processing, f.Processing())
	}
	if more > 0 {
		lines = append(lines, draw.NewLine(sc.Theme, w).Put(draw.Dim, fmt.Sprintf("and %d more features", more)).String())
	}
	return lines
}

func putFeatureName(l *draw.Line, name string, f *model.FeatureStats, w int) {
	r := draw.Strong
	if model.Internal(name) {
		r = draw.Dim
	}
	l.Cell(r, name, w-1).Space(1)
	completed, failed := f.In(model.Completed), f.In(model.Failed)
	switch {
	case completed+failed == 0:
		l.Cell(draw.Dim, "–", 5)
	case failed > 0:
		l.Cell(draw.Warn, draw.Percent(completed, completed+failed), 5)
	default:
		l.Cell(draw.Good, draw.Percent(completed, completed), 5)
	}
}

func drawTaskStates(sc *screen.Screen, n *tally, w int) []string {
	total := n.tasks
	if n.stats == nil {
		total = sc.Board.Len()
	}
	note := words.Count(total, "task", "tasks")
	lines := []string{draw.Rule(sc.Theme, "Tasks", note, w)}
	bar := w - 13 - 1 - 6 - 5
	for _, s := range model.CountedStates() {
		in := n.in(sc, s)
		r := s.Info().Role
		if in == 0 {
			r = draw.Dim
		}
		l := draw.NewLine(sc.Theme, w).Cell(r, s.Info().Sign+" "+s.Word(), 13)
		l.Bar(r, int64(in), int64(total), bar).Space(1)
		lines = append(lines, l.Right(draw.Plain, strconv.Itoa(in), 6).Right(draw.Dim, draw.Percent(in, total), 5).String())
	}
	completed, failed := n.in(sc, model.Completed), n.in(sc, model.Failed)
	l := draw.NewLine(sc.Theme, w)
	if ended := completed + failed; ended > 0 {
		l.Put(draw.Plain, draw.Percent(completed, ended)).Put(draw.Dim, fmt.Sprintf(" success: %d of %d", completed, ended))
	} else {
		l.Put(draw.Dim, "no task has completed or failed yet")
	}
	return append(lines, l.String())
}

func taskLine(sc *screen.Screen, t *model.Task, told string, r draw.Role, selected bool, w int) string {
	l, s := draw.NewRow(sc.Theme, w, selected), t.State()
	l.Put(s.Info().Role, s.Info().Sign+" ")
	l.Cell(draw.Plain, draw.Short(t.ID(), 8), 9)
	l.Cell(draw.Dim, sc.AssetName(t), l.Free-len(told)-1).Space(1)
	return l.Right(r, told, len(told)).String()
}

// maxColumns is how many stretches of time are drawn at most.
const maxColumns = 180

// leastColumns is how many are drawn at least, however short ago the first delivery was.
const leastColumns = 4

// drawThroughput draws the matching deliveries as columns, one per stretch of time.
func drawThroughput(sc *screen.Screen, w, high int) []string {
	counts, each := sc.Log.Pace().Last(sc.At, max(0, min(w-6, maxColumns)))
	name := "Deliveries per minute"
	if each < time.Minute {
		name = "Deliveries per " + words.Ago(each)
	}
	axis := len(strconv.Itoa(max(1, slices.Max(counts)))) + 1
	counts = counts[len(counts)-max(1, min(w-axis-1, len(counts))):]
	if empty := slices.IndexFunc(counts, func(n int) bool { return n > 0 }); empty > 0 { // there was nothing yet
		counts = counts[min(empty, max(0, len(counts)-leastColumns)):]
	}
	sum, most := 0, max(1, slices.Max(counts))
	for _, n := range counts {
		sum += n
	}
	whole := words.ShortAgo(time.Duration(len(counts)) * each)
	if wider := (w - axis - 1) / len(counts); wider > 1 {
		var wide []int
		for _, n := range counts {
			wide = append(wide, slices.Repeat([]int{n}, wider)...)
		}
		counts, each = wide, each/time.Duration(wider)
	}
	lines := []string{draw.Rule(sc.Theme, name, strconv.Itoa(sum)+" in the last "+whole, w)}
	for row := high - 1; row >= 0; row-- {
		l := draw.NewLine(sc.Theme, w)
		label := ""
		switch row {
		case high - 1:
			label = strconv.Itoa(most)
		case 0:
			label = "0"
		}
		l.Right(draw.Dim, label, axis-1).Space(1).Put(draw.Faint, draw.GlyphWall)
		for _, n := range counts {
			l.Put(draw.Busy, draw.ColumnPart(n, most, row, high))
		}
		lines = append(lines, l.String())
	}
	l := draw.NewLine(sc.Theme, w).Space(axis).Put(draw.Faint, draw.Round.BottomLeft+draw.Repeat(draw.Round.Edge, len(counts)))
	when := draw.NewScale(sc.At.Add(-time.Duration(len(counts))*each), sc.At, sc.At, len(counts), nil)
	return append(lines, l.String(), draw.NewLine(sc.Theme, w).Space(axis+1).PutAxis(when).String())
}
