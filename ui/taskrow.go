package ui

import (
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"aspectop/model"
	"aspectop/printer"
)

// shortNames head the columns of features that are too narrow for the name.
var shortNames = map[string]string{
	"preview": "prev", "visual": "vis", "transcription": "transc", "embedding": "embed",
	"scene_detect": "scene", "audio_proxy": "audio", "model_proxy": "model",
}

// heading is a feature's name in w cells.
func heading(feature string, w int) string {
	if short, ok := shortNames[feature]; ok && cells(feature) > w {
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
	return ago(left)
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
	l := newLine(m.th, w).space(2)
	title := func(s string, w int) {
		// An ellipsis would say less than a letter more.
		s = ansi.Truncate(printer.Clean(s), max(0, w-1), "")
		l.cell(dim, s, w-1).space(min(w, 1))
	}
	title("STATE", c.state)
	title("TASK", c.id)
	title("ASSET", c.asset)
	for _, f := range c.features {
		title(strings.ToUpper(heading(f, c.feature-1)), c.feature)
	}
	title("PROGRESS", c.progress)
	if c.eta > 0 {
		l.right(dim, "ETA", c.eta-1).space(1)
	}
	if c.age > 0 {
		l.right(dim, "NEWS", c.age-1).space(1)
	}
	return l.String()
}

func (c *columns) row(m *Model, t *model.Task, w int, selected bool) string {
	l := newLine(m.th, w)
	l.selected = selected
	if selected {
		l.put(accent, glyphCursor)
	}
	l.to(2)
	_, stalled := m.board.Stalled(t, m.at)
	m.putState(l, t, c.state-1, stalled)
	l.space(1)
	l.cell(plain, short(t.ID(), c.id-1), c.id-1).space(1)
	if c.asset > 0 {
		l.cell(dim, short(m.assetName(t), c.asset-1), c.asset-1).space(1)
	}
	for _, f := range c.features {
		m.putFeature(l, t, f, c.feature-1)
		l.space(1)
	}
	if c.progress > 0 {
		m.putProgress(l, t, c.progress-1)
		l.space(1)
	}
	if c.eta > 0 {
		eta := ""
		if left, ok := m.board.ETA(t, m.at); ok {
			eta = remaining(left)
		}
		l.right(dim, eta, c.eta-1).space(1)
	}
	if c.age > 0 {
		r := dim
		if stalled {
			r = warn
		}
		l.right(r, since(t.Heard(), m.at), c.age-1)
	}
	return l.String()
}

// putState draws the task's own state: sign and word, or sign and letter.
func (m *Model) putState(l *line, t *model.Task, w int, stalled bool) {
	s := t.State()
	told, r := word(s), stateRole(s)
	switch {
	case t.Gone():
		told, r, stalled = "gone", dim, true
	case stalled:
		told, r = "stalled", warn
	}
	if w < 12 {
		l.cell(r, m.sign(s, !stalled)+told[:1], w)
		return
	}
	l.cell(r, m.sign(s, !stalled)+" "+told, w)
}

// sign is the glyph of a state; what is processing moves.
func (m *Model) sign(s model.State, moving bool) string {
	if s == model.Processing && moving && !m.opt.ReducedMotion && m.frozen == nil {
		return glyphMotion[m.beat%len(glyphMotion)]
	}
	return glyph(s)
}

// putFeature draws one feature in w cells: its sign, its state in as many
// letters as there is room for, and how long it has been so.
func (m *Model) putFeature(l *line, t *model.Task, name string, w int) {
	s, ok := t.Feature(name)
	if !ok {
		l.space(w)
		return
	}
	told := letter(s)
	age := since(t.Since(name), m.at)
	if s.Terminal() {
		age = took(t, name)
	}
	switch {
	case w < 5:
		age = ""
	case w >= 16 || !s.Known():
		told = " " + word(s)
	}
	if age != "" {
		age = " " + age
	}
	l.cell(stateRole(s), m.sign(s, true)+told+age, w)
}

// took is how long the feature was processed before it ended.
func took(t *model.Task, feature string) string {
	spans := t.Timeline(feature)
	for i := len(spans) - 1; i >= 0; i-- {
		if spans[i].State == model.Processing {
			return ago(spans[i].Length(spans[i].From))
		}
	}
	return ""
}

// putProgress draws how many features are done, as a bar and in figures.
func (m *Model) putProgress(l *line, t *model.Task, w int) {
	done, total := t.Progress()
	figures := strconv.Itoa(done) + "/" + strconv.Itoa(total)
	if bar := w - len(figures) - 1; bar >= 4 && total > 0 {
		full := bar * done / total
		l.put(stateRole(t.State()), repeat(glyphThick, full))
		l.put(faint, repeat(glyphEmpty, bar-full)).space(1)
		w = len(figures)
	}
	l.cell(dim, figures, w)
}
