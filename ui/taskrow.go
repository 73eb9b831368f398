package ui

import (
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"aspectop/model"
	"aspectop/printer"
	"aspectop/ui/draw"
)

// shortNames head the columns of features that are too narrow for the name.
var shortNames = map[string]string{
	"preview": "prev", "visual": "vis", "transcription": "transc", "embedding": "embed",
	"scene_detect": "scene", "audio_proxy": "audio", "model_proxy": "model",
}

// heading is a feature's name in w cells.
func heading(feature string, w int) string {
	if short, ok := shortNames[feature]; ok && draw.Cells(feature) > w {
		return short
	}
	return feature
}

// remaining is an estimate of the time left. The estimate of what takes longer
// than usual has run out.
func remaining(left time.Duration) string {
	if left < time.Second {
		return "soon"
	}
	return draw.Ago(left)
}

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
func (m *Model) taskColumns(w int) columns {
	c := columns{state: 13, id: 9, asset: 9, feature: 7, progress: 12, eta: 7, age: 6}
	if m.opt.Names != nil {
		c.asset = 16 // names say more than ids
	}
	c.features = m.features()
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

// features are the names of all features seen, the documented ones first.
func (m *Model) features() []string {
	names := []string{"proxy", "preview", "visual", "transcription"}
	for _, name := range m.board.Stats().Features() {
		if model.CompareFeatures(name, names[3]) > 0 {
			names = append(names, name)
		}
	}
	return names
}

func (c *columns) head(m *Model, w int) string {
	l := draw.NewLine(m.th, w).Space(2)
	title := func(s string, w int) {
		// An ellipsis would say less than a letter more.
		s = ansi.Truncate(printer.Clean(s), max(0, w-1), "")
		l.Cell(draw.Dim, s, w-1).Space(min(w, 1))
	}
	title("STATE", c.state)
	title("TASK", c.id)
	title("ASSET", c.asset)
	for _, f := range c.features {
		title(strings.ToUpper(heading(f, c.feature-1)), c.feature)
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

func (c *columns) row(m *Model, t *model.Task, w int, selected bool) string {
	l := draw.NewLine(m.th, w)
	l.Selected = selected
	if selected {
		l.Put(draw.Accent, draw.GlyphCursor)
	}
	l.To(2)
	_, stalled := m.board.Stalled(t, m.at)
	m.putState(l, t, c.state-1, stalled)
	l.Space(1)
	l.Cell(draw.Plain, draw.Short(t.ID(), c.id-1), c.id-1).Space(1)
	if c.asset > 0 {
		l.Cell(draw.Dim, draw.Short(m.assetName(t), c.asset-1), c.asset-1).Space(1)
	}
	for _, f := range c.features {
		m.putFeature(l, t, f, c.feature-1)
		l.Space(1)
	}
	if c.progress > 0 {
		m.putProgress(l, t, c.progress-1)
		l.Space(1)
	}
	if c.eta > 0 {
		eta := ""
		if left, ok := m.board.ETA(t, m.at); ok {
			eta = remaining(left)
		}
		l.Right(draw.Dim, eta, c.eta-1).Space(1)
	}
	if c.age > 0 {
		r := draw.Dim
		if stalled {
			r = draw.Warn
		}
		l.Right(r, draw.Since(t.Heard(), m.at), c.age-1)
	}
	return l.String()
}

// putState draws the task's own state: sign and word, or sign and letter.
func (m *Model) putState(l *draw.Line, t *model.Task, w int, stalled bool) {
	s := t.State()
	told, r := draw.Word(s), draw.StateRole(s)
	switch {
	case t.Gone():
		told, r, stalled = "gone", draw.Dim, true
	case stalled:
		told, r = "stalled", draw.Warn
	}
	if w < 12 {
		l.Cell(r, m.sign(s, !stalled)+told[:1], w)
		return
	}
	l.Cell(r, m.sign(s, !stalled)+" "+told, w)
}

// sign is the glyph of a state; what is processing moves.
func (m *Model) sign(s model.State, moving bool) string {
	if s == model.Processing && moving && !m.opt.ReducedMotion && m.frozen == nil {
		return draw.GlyphMotion[m.beat%len(draw.GlyphMotion)]
	}
	return draw.Glyph(s)
}

// putFeature draws one feature in w cells: its sign, its state in as many
// letters as there is room for, and how long it has been so.
func (m *Model) putFeature(l *draw.Line, t *model.Task, name string, w int) {
	s, ok := t.Feature(name)
	if !ok {
		l.Space(w)
		return
	}
	told := draw.Letter(s)
	age := draw.Since(t.Since(name), m.at)
	if s.Terminal() {
		age = took(t, name)
	}
	switch {
	case w < 5:
		age = ""
	case w >= 16 || !s.Known():
		told = " " + draw.Word(s)
	}
	if age != "" {
		age = " " + age
	}
	l.Cell(draw.StateRole(s), m.sign(s, true)+told+age, w)
}

// took is how long the feature was processed before it ended.
func took(t *model.Task, feature string) string {
	spans := t.Timeline(feature)
	for i := len(spans) - 1; i >= 0; i-- {
		if spans[i].State == model.Processing {
			return draw.Ago(spans[i].Length(spans[i].From))
		}
	}
	return ""
}

// putProgress draws how many features are done, as a bar and in figures.
func (m *Model) putProgress(l *draw.Line, t *model.Task, w int) {
	done, total := t.Progress()
	figures := strconv.Itoa(done) + "/" + strconv.Itoa(total)
	if bar := w - len(figures) - 1; bar >= 4 && total > 0 {
		full := bar * done / total
		l.Put(draw.StateRole(t.State()), draw.Repeat(draw.GlyphThick, full))
		l.Put(draw.Faint, draw.Repeat(draw.GlyphEmpty, bar-full)).Space(1)
		w = len(figures)
	}
	l.Cell(draw.Dim, figures, w)
}
