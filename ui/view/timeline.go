package view

import (
	"fmt"
	"slices"
	"sort"
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

// Timeline shows the tasks on one axis of time, a line for each, what is active first.
type Timeline struct {
	list[line]
	order   feed.Order
	pending []int32 // tasks that changed since the order was made
	all     bool    // any may have
	opened  map[int32]bool

	span   time.Duration // of the axis; 0: from the oldest active task on
	to     time.Time     // its end; zero: now
	from   time.Time     // as it was last arranged
	before int           // tasks that ended before it
	oldest time.Time     // when the oldest active task began; zero: none is active
	looked time.Time     // when that was looked for
	shown  shownRows
}

// line is a row: a task, or one of its features.
type line struct {
	task    int32
	feature int // -1: the task
}

// lines are the rows of tasks, of which some are open.
type lines struct {
	tasks []int32
	open  []openTask // in order
}

// openTask is the place of a task whose n features are listed below it.
type openTask struct{ at, n int }

func (r *lines) Len() int {
	n := len(r.tasks)
	for _, o := range r.open {
		n += o.n
	}
	return n
}

func (r *lines) At(i int) line {
	for _, o := range r.open {
		if i <= o.at {
			break
		}
		if i <= o.at+o.n {
			return line{r.tasks[o.at], i - o.at - 1}
		}
		i -= o.n
	}
	return line{r.tasks[i], -1}
}

func (r *lines) Find(k line) int {
	at := slices.Index(r.tasks, k.task)
	row := at
	for _, o := range r.open {
		switch {
		case at > o.at:
			row += o.n
		case at == o.at:
			row += min(k.feature+1, o.n)
		}
	}
	return row
}

func (r *lines) Looking() bool { return false }

// shownRows is what the rows were made for.
type shownRows struct {
	n, first, last int
	to             time.Time
}

// NewTimeline returns the timeline, with the first row selected.
func NewTimeline() *Timeline {
	return &Timeline{all: true, opened: map[int32]bool{}, order: feed.Order{By: feed.ByActivity}, list: list[line]{
		rows: &lines{}, follow: true, none: "no failed or stalled task",
		failed: func(sc *screen.Screen, k line) (failed, known bool) {
			return k.feature < 0 && sc.NeedsAttention(sc.Board.At(int(k.task))), true
		},
	}}
}

// maxPending is how many changes are kept while the view is not looked at.
const maxPending = 4096

func (v *Timeline) Changed(_ *screen.Screen, c screen.Change) {
	v.all = v.all || c.All || c.Filter || len(v.pending)+len(c.Tasks) > maxPending
	if v.all {
		v.pending = v.pending[:0]
		return
	}
	v.pending = append(v.pending, c.Tasks...)
}

func (v *Timeline) Arrange(sc *screen.Screen, _, h int) {
	v.foot = legendLines(sc)
	v.update(sc, max(1, h-v.foot-1))
	v.arrange(sc, h-v.foot, 1)
}

// legendLines is the room for the explanation of the signs.
func legendLines(sc *screen.Screen) int { return min(1, sc.H/16) }

// update brings order and rows up to date, for a screen of h rows.
func (v *Timeline) update(sc *screen.Screen, h int) {
	changed := v.all || len(v.pending) > 0
	if v.all {
		v.order.Rebuild(&sc.Board, sc.Keep)
	} else {
		slices.Sort(v.pending)
		v.order.Update(&sc.Board, slices.Compact(v.pending), sc.Keep)
	}
	v.all, v.pending = false, v.pending[:0]
	rows := v.order.Rows()
	at := func(i int) *model.Task { return sc.Board.At(int(rows[i])) }
	active := sort.Search(len(rows), func(i int) bool { return !at(i).Active() })
	v.begin(sc, h, active, at)
	// What has ended is in the order of its last news.
	since := func(t time.Time) int {
		return active + sort.Search(len(rows)-active, func(i int) bool { return at(active + i).Heard().Before(t) })
	}
	show := shownRows{n: len(rows), last: since(v.from), to: v.to}
	v.before = len(rows) - show.last
	if !v.to.IsZero() {
		show.first = since(v.to)
	}
	if !changed && show == v.shown {
		return
	}
	v.shown = show
	tasks := rows[:show.last]
	if !v.to.IsZero() { // without those that began later
		began := func(i int32) bool { return sc.Board.At(int(i)).Created().After(v.to) }
		near := max(active, show.first-maxPending)
		tasks = slices.DeleteFunc(slices.Concat(rows[:active], rows[near:show.first]), began)
		tasks = append(tasks, rows[show.first:max(show.first, show.last)]...)
	}
	v.relist(sc, tasks)
}

// relist makes the rows of tasks, and keeps the cursor.
func (v *Timeline) relist(sc *screen.Screen, tasks []int32) {
	r := &lines{tasks: tasks}
	for i := range v.opened {
		if at := slices.Index(tasks, i); at >= 0 {
			r.open = append(r.open, openTask{at, min(len(sc.Board.At(int(i)).Features()), render.MaxFeatures)})
		}
	}
	slices.SortFunc(r.open, func(a, b openTask) int { return a.at - b.at })
	v.rows = r
	v.hold(sc)
}

// The least and the greatest range of the axis, and the longest that is chosen by itself.
const (
	leastRange = time.Minute
	leastZoom  = time.Second
	mostZoom   = 10 * 365 * 24 * time.Hour
	mostRange  = 24 * time.Hour
)

// begin works out where the axis begins: where the oldest active task did or, to fill the
// least range or if none is active, where the first of those did that fit the screen.
func (v *Timeline) begin(sc *screen.Screen, h, active int, at func(i int) *model.Task) {
	if v.span > 0 {
		v.from = v.end(sc).Add(-v.span)
		return
	}
	n, newest := min(len(v.order.Rows()), h), sc.At
	switch first := render.Begin(sc, n, at); {
	case n == 0:
		v.from = newest.Add(-leastRange)
		return
	case active == 0:
		v.from, v.looked, newest = first, time.Time{}, at(0).Heard()
	default:
		if d := sc.At.Sub(v.looked); d >= time.Second || d < 0 {
			v.looked, v.oldest = sc.At, sc.At
			for i := range active {
				if at(i).Created().Before(v.oldest) {
					bar := render.TaskBar(sc, at(i))
					v.oldest = earlier(v.oldest, bar.Begin())
				}
			}
		}
		v.from = earlier(v.oldest, later(first, sc.At.Add(-leastRange)))
	}
	v.from = later(v.from, newest.Add(-mostRange))
}

func earlier(times ...time.Time) time.Time { return slices.MinFunc(times, time.Time.Compare) }
func later(times ...time.Time) time.Time   { return slices.MaxFunc(times, time.Time.Compare) }

func (v *Timeline) end(sc *screen.Screen) time.Time {
	if v.to.IsZero() {
		return sc.At
	}
	return v.to
}

func (v *Timeline) Do(sc *screen.Screen, a keys.Action) (tea.Cmd, bool) {
	length := v.end(sc).Sub(v.from)
	switch a {
	case keys.ZoomIn:
		v.span = max(leastZoom, length/2)
	case keys.ZoomOut:
		v.span = min(mostZoom, length*2)
	case keys.Earlier:
		v.span, v.to = length, v.end(sc).Add(-length/2)
	case keys.Later:
		if v.to = v.end(sc).Add(length / 2); !v.to.Before(sc.At) {
			v.to = time.Time{}
		}
	case keys.Now:
		v.span, v.to = 0, time.Time{}
	case keys.Right, keys.Left:
		k, ok := v.selected(sc, true)
		if !ok {
			break
		}
		if v.opened[k.task] = true; a == keys.Left {
			delete(v.opened, k.task)
			v.key.feature = -1
		}
		v.relist(sc, v.rows.(*lines).tasks)
	default:
		return v.list.Do(sc, a)
	}
	return nil, true
}

func (v *Timeline) Selection(sc *screen.Screen, target bool) screen.Selection {
	k, ok := v.selected(sc, target)
	if !ok {
		return screen.Selection{}
	}
	return screen.Selection{Task: sc.Board.At(int(k.task))}
}

// Shown is the number of tasks.
func (v *Timeline) Shown(*screen.Screen) (n int, looking bool) { return len(v.order.Rows()), false }

func (v *Timeline) Draw(sc *screen.Screen, w, h int) []string {
	if len(v.order.Rows()) == 0 {
		return render.Empty(sc, false, w, h)
	}
	end := h - v.foot
	var rows []render.TimelineRow
	for i := v.Top; i < min(v.rows.Len(), v.Top+end-1); i++ {
		k := v.rows.At(i)
		rows = append(rows, render.TimelineRow{Task: sc.Board.At(int(k.task)), Feature: k.feature, Selected: i == v.Cursor})
	}
	drawn := render.DrawTimeline(sc, rows, v.from, v.end(sc), w)
	if len(rows) == 0 {
		drawn = append(drawn, draw.NewLine(sc.Theme, w).Space(2).Put(draw.Dim, "No task in this period; 0 goes back to now.").String())
	}
	drawn = draw.PadHeight(sc.Theme, drawn, w, end)
	if end < h {
		note := ""
		if v.before > 0 {
			note = fmt.Sprintf("%s ended earlier; - zooms out", words.Count(v.before, "task", "tasks"))
		}
		drawn = append(drawn, render.Legend(sc, note, w))
	}
	return drawn
}
