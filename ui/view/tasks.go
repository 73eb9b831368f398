package view

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/keys"
	"aspectop/ui/render"
	"aspectop/ui/screen"
	"aspectop/words"
)

// Tasks is the list of tasks. A task's key is its index in the board.
type Tasks struct {
	list[int32]
	by  feed.Sorting
	own feed.Order // of a filter, a sorting or a moment that is not everybody's
}

// NewTasks returns the list, with the first row selected.
func NewTasks() *Tasks {
	return &Tasks{list: list[int32]{
		rows: keysOf[int32](nil), follow: true, none: "no failed or stalled task",
		failed: func(sc *screen.Screen, i int32) (failed, known bool) {
			return sc.NeedsAttention(sc.Board.At(int(i))), true
		},
	}}
}

func (v *Tasks) Has(*screen.Screen, keys.Action) bool { return true }

// Visible are the tasks on the screen and those below it, n at most.
func (v *Tasks) Visible(sc *screen.Screen, n int) []*model.Task {
	var tasks []*model.Task
	for i := v.Top; i < min(v.Top+n, v.rows.Len()); i++ {
		tasks = append(tasks, v.task(sc, i))
	}
	return tasks
}

func (v *Tasks) Changed(sc *screen.Screen, c screen.Change) {
	var order []int32
	switch {
	case !sc.Filtered() && !sc.Frozen() && v.by == feed.ByNews:
		v.own, order = feed.Order{}, sc.Feed.ByNews()
	case c.Filter || c.All || v.own.Rows() == nil || v.own.By != v.by:
		v.own.By = v.by
		v.own.Rebuild(&sc.Board, sc.Keep)
		order = v.own.Rows()
	default:
		v.own.Update(&sc.Board, c.Tasks, sc.Keep)
		order = v.own.Rows()
	}
	v.rows = keysOf[int32](order)
	v.hold(sc)
}

func (v *Tasks) task(sc *screen.Screen, row int) *model.Task {
	return sc.Board.At(int(v.rows.At(row)))
}

func (v *Tasks) Selection(sc *screen.Screen, target bool) screen.Selection {
	i, ok := v.selected(sc, target)
	if !ok {
		return screen.Selection{}
	}
	return screen.Selection{Task: sc.Board.At(int(i))}
}

func (v *Tasks) Do(sc *screen.Screen, a keys.Action) (tea.Cmd, bool) {
	if a != keys.Sort {
		return v.list.Do(sc, a)
	}
	v.by = (v.by + 1) % feed.Sortings
	v.Changed(sc, screen.Change{})
	sc.Say("sorted by " + v.by.String())
	return nil, true
}

func (v *Tasks) Arrange(sc *screen.Screen, _, h int) { v.arrange(sc, h, 1) }

func (v *Tasks) Draw(sc *screen.Screen, w, h int) []string {
	if v.rows.Len() == 0 {
		return render.Empty(sc, false, w, h)
	}
	table := taskTable(sc, v.by, w)
	return draw.PadHeight(sc.Theme, v.drawRows([]string{table.Head(sc.Theme, w)}, h, func(i int32, selected bool) string {
		t := sc.Board.At(int(i))
		_, stalled := sc.Board.Stalled(t, sc.At)
		return table.Row(sc.Theme, w, taskRow{t, stalled}, selected)
	}), w, h)
}

type taskRow struct {
	*model.Task
	stalled bool
}

func (t taskRow) idRole() draw.Role {
	switch {
	case render.Healthy(t.Task):
		return draw.Dim
	case t.State() == model.Failed:
		return draw.Strong
	}
	return draw.Plain
}

// The widths of a feature's column: with time, sign only, with the longest state spelt.
const (
	featureWidth      = 7
	featureLeast      = 3
	featureSpelledOut = 18
)

// The ranks of the sizes: the first gives way last. Features may have ranks of their own.
const (
	rankLeast = iota * 1000
	rankFeatures
	rankTimes
	rankAge
	rankETA
	rankState
	rankFigures
	rankAsset
	rankBar
	rankMinutes
	rankNames
	rankWide
	rankWords
	rankWholeAsset
	rankWholeID
)

// taskTable lays the list out. Spare width goes to feature names, states, asset and id.
func taskTable(sc *screen.Screen, by feed.Sorting, w int) draw.Table[taskRow] {
	asset, assetTitle := 9, "ASSET"
	if sc.Names != nil {
		asset, assetTitle = 16, "NAME" // names say more than ids
	}
	title := func(title string, sorting feed.Sorting) string {
		if sorting == by {
			title += draw.GlyphSorted
		}
		return title
	}
	age, ageTitle, ageSize := func(t taskRow) string { return words.Since(t.Created(), sc.At) }, "AGE", draw.Whole(rankWide, 7)
	if by == feed.ByDuration {
		age, ageTitle = func(t taskRow) string { return words.Ago(t.Took(sc.At)) }, "TOOK"
	}
	if by == feed.ByDuration || by == feed.ByAge {
		ageTitle, ageSize = ageTitle+draw.GlyphSorted, draw.Whole(rankAge, 7)
	}
	spelt := false // each feature has room for its state as a word
	table := draw.Table[taskRow]{
		{Title: title("STATE", feed.ByState), Sizes: []draw.Size{draw.Whole(rankLeast, 3), draw.Whole(rankState, 13)},
			Draw: func(l *draw.Line, t taskRow, w int) { render.PutState(sc, l, t.Task, w, t.stalled) }},
		{Title: "TASK", Sizes: []draw.Size{draw.Whole(rankLeast, 9), draw.Part(rankWholeID, 37)},
			Draw: func(l *draw.Line, t taskRow, w int) { l.Cell(t.idRole(), draw.Short(t.ID(), w), w) }},
		{Title: assetTitle, Sizes: []draw.Size{draw.Whole(rankAsset, asset), draw.Part(rankWholeAsset, 37)},
			Draw: func(l *draw.Line, t taskRow, w int) { l.Cell(draw.Dim, draw.Short(sc.AssetName(t.Task), w), w) }},
	}
	first := len(table)
	names := sc.Features()
	for i, name := range names[:min(len(names), w/featureLeast)] {
		table = append(table, draw.Column[taskRow]{
			Title: name,
			Sizes: []draw.Size{
				draw.Whole(rankFeatures+i, featureLeast), draw.Whole(rankTimes, featureWidth), draw.Extra(rankMinutes, featureWidth+1),
				draw.Extra(rankNames+i, draw.Cells(name)+1), draw.Part(rankWords, featureSpelledOut),
			},
			Draw: func(l *draw.Line, t taskRow, w int) { render.PutFeature(sc, l, t.Task, name, w, spelt) },
		})
	}
	last := len(table)
	table = append(table,
		draw.Column[taskRow]{Title: "USER", Sizes: []draw.Size{draw.Whole(rankWide+1, 10)},
			Draw: func(l *draw.Line, t taskRow, w int) { l.Cell(draw.Dim, draw.Short(sc.Shown(t.UserID()), w), w) }},
		draw.Column[taskRow]{Title: "PROGRESS", Sizes: []draw.Size{draw.Whole(rankFigures, 6), draw.Whole(rankBar, 12)},
			Draw: func(l *draw.Line, t taskRow, w int) { render.PutProgress(sc, l, t.Task, w) }},
		draw.Column[taskRow]{Title: "ETA", Right: true, Sizes: []draw.Size{draw.Whole(rankETA, 7), draw.Extra(rankMinutes, 8)},
			Draw: func(l *draw.Line, t taskRow, w int) {
				if left, ok := sc.Board.ETA(t.Task, sc.At); ok && !t.stalled {
					told := words.Remaining(left)
					if draw.Cells(told) > w {
						told = "over" // docs/glossary.md names it
					}
					l.Right(draw.Dim, told, w)
				}
			}},
		draw.Column[taskRow]{Title: ageTitle, Right: true, Sizes: []draw.Size{ageSize},
			Draw: func(l *draw.Line, t taskRow, w int) { l.Right(draw.Dim, age(t), w) }},
		draw.Column[taskRow]{Title: title("LAST", feed.ByNews), Right: true, Sizes: []draw.Size{draw.Whole(rankAge, 6)},
			Draw: func(l *draw.Line, t taskRow, w int) {
				r := draw.Dim
				if t.stalled {
					r = draw.Warn
				}
				l.Right(r, words.Since(t.News(), sc.At), w)
			}})
	table.Arrange(w)
	if progress := &table[last+1]; progress.Width <= len(progress.Title) {
		progress.Title = "ENDED"
	}
	features := table[first:last]
	spelt = len(features) > 0
	for i := range features {
		f := &features[i]
		f.Title = strings.ToUpper(render.Heading(f.Title, f.Width-1))
		spelt = spelt && f.Width >= featureSpelledOut-1
	}
	return table
}
