package view

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"aspectop/clean"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/look"
	"aspectop/ui/screen"
)

// columns is the layout of the task list: the width of each column, 0 for one
// that had to give way.
type columns struct {
	state, id, asset   int
	features           []featureColumn
	words              bool // each feature has room for its state as a word
	progress, eta, age int
}

type featureColumn struct {
	name string
	w    int
}

// The width of a feature's column: for its sign and time, for the sign alone, and
// for the longest state as a word.
const (
	featureWidth      = 7
	featureLeast      = 3
	featureSpelledOut = 18
)

// taskColumns lays the list out for the width: columns give way from the right;
// then what is left over goes to the names of the features, their states, the
// asset and the id.
func taskColumns(sc *screen.Screen, w int) columns {
	c := columns{state: 13, id: 9, asset: 9, progress: 12, eta: 7, age: 6}
	if sc.Names != nil {
		c.asset = 16 // names say more than ids
	}
	for _, name := range sc.Features() {
		c.features = append(c.features, featureColumn{name, featureWidth})
	}
	left := func() int {
		w := w - 2 - c.state - c.id - c.asset - c.progress - c.eta - c.age
		for _, f := range c.features {
			w -= f.w
		}
		return w
	}
	for _, giveWay := range []func(){
		func() { c.progress = 6 },
		func() { c.asset = 0 },
		func() { c.progress = 0 },
		func() { c.state = 3 },
		func() { c.eta = 0 },
		func() { c.age = 0 },
		func() {
			for i := range c.features {
				c.features[i].w = featureLeast
			}
		},
	} {
		if left() >= 0 {
			break
		}
		giveWay()
	}
	for len(c.features) > 0 && left() < 0 {
		c.features = c.features[:len(c.features)-1]
	}
	give := func(column *int, most int) { *column += max(0, min(left(), most-*column)) }
	if n := len(c.features); n > 0 && c.features[0].w > featureLeast {
		if left() >= n { // for minutes and seconds
			for i := range c.features {
				c.features[i].w++
			}
		}
		for i := range c.features {
			if f := &c.features[i]; draw.Cells(f.name)+1-f.w <= left() { // all of the name, or none of it
				f.w = max(f.w, draw.Cells(f.name)+1)
			}
		}
		for i := range c.features {
			f := &c.features[i]
			f.w += max(0, min(left()/(n-i), featureSpelledOut-f.w))
		}
		c.words = !slices.ContainsFunc(c.features, func(f featureColumn) bool { return f.w < featureSpelledOut-1 })
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
		s = ansi.Truncate(clean.Text(s), max(0, w-1), "")
		l.Cell(draw.Dim, s, w-1).Space(min(w, 1))
	}
	title("STATE", c.state)
	title("TASK", c.id)
	title("ASSET", c.asset)
	for _, f := range c.features {
		title(strings.ToUpper(look.Heading(f.name, f.w-1)), f.w)
	}
	title("PROGRESS", c.progress)
	if c.eta > 0 {
		l.Right(draw.Dim, "ETA", c.eta-1).Space(1)
	}
	if c.age > 0 {
		l.Right(draw.Dim, "LAST", c.age-1).Space(1)
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
	id := draw.Plain
	switch {
	case look.Calm(t):
		id = draw.Dim
	case t.State() == model.Failed:
		id = draw.Strong
	}
	l.Cell(id, draw.Short(t.ID(), c.id-1), c.id-1).Space(1)
	if c.asset > 0 {
		l.Cell(draw.Dim, draw.Short(sc.AssetName(t), c.asset-1), c.asset-1).Space(1)
	}
	for _, f := range c.features {
		look.PutFeature(sc, l, t, f.name, f.w-1, c.words)
		l.Space(1)
	}
	if c.progress > 0 {
		look.PutProgress(sc, l, t, c.progress-1)
		l.Space(1)
	}
	if c.eta > 0 {
		eta := ""
		if left, ok := sc.Board.ETA(t, sc.At); ok && !stalled {
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
