package view

import (
	"strings"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/render"
	"aspectop/ui/screen"
	"aspectop/words"
)

// taskRow is a row of the list of tasks.
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

// The width of a feature's column: for its sign and time, for the sign alone, and
// for the longest state as a word.
const (
	featureWidth      = 7
	featureLeast      = 3
	featureSpelledOut = 18
)

// The ranks of the columns' sizes: what comes first gives way last. Each feature
// has a rank of its own where there are several.
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
	rankWords
	rankWholeAsset
	rankWholeID
)

// taskTable lays the list out for the width. What is left over goes to the names
// of the features, their states, the asset and the id.
func taskTable(sc *screen.Screen, w int) draw.Table[taskRow] {
	asset := 9
	if sc.Names != nil {
		asset = 16 // names say more than ids
	}
	spelt := false // each feature has room for its state as a word
	table := draw.Table[taskRow]{
		{Title: "STATE", Sizes: []draw.Size{draw.Whole(rankLeast, 3), draw.Whole(rankState, 13)},
			Draw: func(l *draw.Line, t taskRow, w int) { render.PutState(sc, l, t.Task, w, t.stalled) }},
		{Title: "TASK", Sizes: []draw.Size{draw.Whole(rankLeast, 9), draw.Part(rankWholeID, 37)},
			Draw: func(l *draw.Line, t taskRow, w int) { l.Cell(t.idRole(), draw.Short(t.ID(), w), w) }},
		{Title: "ASSET", Sizes: []draw.Size{draw.Whole(rankAsset, asset), draw.Part(rankWholeAsset, 37)},
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
		draw.Column[taskRow]{Title: "PROGRESS", Sizes: []draw.Size{draw.Whole(rankFigures, 6), draw.Whole(rankBar, 12)},
			Draw: func(l *draw.Line, t taskRow, w int) { render.PutProgress(sc, l, t.Task, w) }},
		draw.Column[taskRow]{Title: "ETA", Right: true, Sizes: []draw.Size{draw.Whole(rankETA, 7)},
			Draw: func(l *draw.Line, t taskRow, w int) {
				if left, ok := sc.Board.ETA(t.Task, sc.At); ok && !t.stalled {
					l.Right(draw.Dim, words.Remaining(left), w)
				}
			}},
		draw.Column[taskRow]{Title: "LAST", Right: true, Sizes: []draw.Size{draw.Whole(rankAge, 6)},
			Draw: func(l *draw.Line, t taskRow, w int) {
				r := draw.Dim
				if t.stalled {
					r = draw.Warn
				}
				l.Right(r, words.Since(t.Heard(), sc.At), w)
			}})
	table.Arrange(w)
	features := table[first:last]
	spelt = len(features) > 0
	for i := range features {
		f := &features[i]
		f.Title = strings.ToUpper(render.Heading(f.Title, f.Width-1))
		spelt = spelt && f.Width >= featureSpelledOut-1
	}
	return table
}
