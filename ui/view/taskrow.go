package view

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"aspectop/model"
	"aspectop/printer"
	"aspectop/ui/draw"
	"aspectop/ui/look"
	"aspectop/ui/screen"
)

// columns is the layout of the task list: the width of each column, 0 for one
// that had to give way.
type columns struct {
	state, id, asset   int
	features           []string
	feature            int // width of each
	progress, eta, age int
}

// taskColumns lays the list out for the width: columns give way from the right,
// then what is left over goes to the features and the asset.
func taskColumns(sc *screen.Screen, w int) columns {
	c := columns{state: 13, id: 9, asset: 9, feature: 7, progress: 12, eta: 7, age: 6}
	if sc.Names != nil {
		c.asset = 16 // names say more than ids
	}
	c.features = sc.Features()
	used := func() int {
		return 2 + c.state + c.id + c.asset + c.feature*len(c.features) + c.progress + c.eta + c.age
	}
	for _, giveWay := range []func(){
		func() { c.progress = 6 },
		func() { c.asset = 0 },
		func() { c.progress = 0 },
		func() { c.state = 3 },
		func() { c.eta = 0 },
		func() { c.age = 0 },
		func() { c.feature = 3 },
	} {
		if used() <= w {
			break
		}
		giveWay()
	}
	for len(c.features) > 0 && used() > w {
		c.features = c.features[:len(c.features)-1]
	}
	give := func(column *int, most int) { *column += max(0, min(w-used(), most-*column)) }
	if n := len(c.features); n > 0 && c.feature > 3 {
		// Room for the longest heading, and for the state as a word.
		c.feature += min((w-used())/n, 18-c.feature)
	}
	if c.asset > 0 {
		give(&c.asset, 37)
	}
	give(&c.id, 37)
	return c
}

func (c *columns) head(sc *screen.Screen, w int) string {
	l := draw.NewLine(sc.Theme, w).Space(2)
	title := func(s string, w int) {
		// An ellipsis would say less than a letter more.
		s = ansi.Truncate(printer.Clean(s), max(0, w-1), "")
		l.Cell(draw.Dim, s, w-1).Space(min(w, 1))
	}
	title("STATE", c.state)
	title("TASK", c.id)
	title("ASSET", c.asset)
	for _, f := range c.features {
		title(strings.ToUpper(look.Heading(f, c.feature-1)), c.feature)
	}
	title("PROGRESS", c.progress)
	if c.eta > 0 {
		l.Right(draw.Dim, "ETA", c.eta-1).Space(1)
	}
	if c.age > 0 {
		l.Right(draw.Dim, "NEWS", c.age-1).Space(1)
	}
	return l.String()
}

func (c *columns) row(sc *screen.Screen, t *model.Task, w int, selected bool) string {
	l := draw.NewLine(sc.Theme, w)
	l.Selected = selected
	if selected {
		l.Put(draw.Accent, draw.GlyphCursor)
	}
	l.To(2)
	_, stalled := sc.Board.Stalled(t, sc.At)
	look.PutState(sc, l, t, c.state-1, stalled)
	l.Space(1)
	l.Cell(draw.Plain, draw.Short(t.ID(), c.id-1), c.id-1).Space(1)
	if c.asset > 0 {
		l.Cell(draw.Dim, draw.Short(sc.AssetName(t), c.asset-1), c.asset-1).Space(1)
	}
	for _, f := range c.features {
		look.PutFeature(sc, l, t, f, c.feature-1)
		l.Space(1)
	}
	if c.progress > 0 {
		look.PutProgress(sc, l, t, c.progress-1)
		l.Space(1)
	}
	if c.eta > 0 {
		eta := ""
		if left, ok := sc.Board.ETA(t, sc.At); ok {
			eta = look.Remaining(left)
		}
		l.Right(draw.Dim, eta, c.eta-1).Space(1)
	}
	if c.age > 0 {
		r := draw.Dim
		if stalled {
			r = draw.Warn
		}
		l.Right(r, draw.Since(t.Heard(), sc.At), c.age-1)
	}
	return l.String()
}
