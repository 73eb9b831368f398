package render

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/screen"
	"aspectop/words"
)

// The least and the greatest width of a card. From the least on there is room
// for the sign of every state and for every Duration.
const (
	CardMin = 36
	CardMax = 48
)

// CardCols are the columns inside a card.
type CardCols struct {
	Width                         int // of the card, with its frame
	name, queued, processing, end int
}

// CardColumns divides a card. Between the frame and the text there is a blank
// at either side, between columns there is one.
func CardColumns(width int) CardCols {
	w := draw.Share(width-3, []draw.Size{draw.Part(1, 14)}, []draw.Size{draw.Whole(0, 8)},
		[]draw.Size{draw.Whole(0, 8), draw.Part(3, 11)}, []draw.Size{draw.Whole(0, 3), draw.Part(2, 12), draw.Part(4, width)})
	return CardCols{Width: width, name: w[0] - 1, queued: w[1] - 1, processing: w[2] - 1, end: w[3] - 1}
}

// Heading names the columns of n cards side by side, in w cells.
func (c *CardCols) Heading(sc *screen.Screen, n, w int) string {
	processing := "PROCESSING"
	if c.processing < len(processing) {
		processing = "PROC"
	}
	l := draw.NewLine(sc.Theme, w)
	for i := range n {
		l.To(i*c.Width+2).Cell(draw.Dim, "FEATURE", c.name).Space(1)
		l.Cell(draw.Dim, "QUEUED", c.queued).Space(1)
		l.Cell(draw.Dim, processing, c.processing).Space(1)
		l.Cell(draw.Dim, "END", c.end)
	}
	return l.String()
}

// CardHeight is the height of a card that shows all of the task's features.
func CardHeight(t *model.Task) int { return 3 + max(1, len(t.Features())) }

// DrawCard draws a task in h lines: the title and the frame, a line for each
// feature, and how far it has come. What moves is bright, what is done is dim.
func DrawCard(sc *screen.Screen, c *CardCols, t *model.Task, h int, selected bool) []string {
	f, r := draw.Round, draw.Faint
	_, stalled := sc.Board.Stalled(t, sc.At)
	switch {
	case selected:
		f, r = draw.Heavy, draw.Accent
	case t.State() == model.Failed:
		r = draw.Bad
	case stalled:
		r = draw.Warn
	}
	lines := []string{cardTitle(sc, c, t, f, r)}
	put := func(content func(l *draw.Line)) {
		l := draw.NewLine(sc.Theme, c.Width).Put(r, f.Wall).Space(1)
		content(l)
		lines = append(lines, l.To(c.Width-1).Put(r, f.Wall).String())
	}
	features := t.Features()
	room := max(0, h-3)
	if len(features) > room { // what a person looks for first
		features = slices.SortedStableFunc(slices.Values(features), func(a, b model.Feature) int {
			return cmp.Compare(a.State.Info().Order, b.State.Info().Order)
		})
	}
	for i, feature := range features {
		if more := len(features) - i; i == room-1 && more > 1 {
			put(func(l *draw.Line) { l.Put(draw.Dim, draw.GlyphEllipsis+" "+strconv.Itoa(more)+" more") })
		}
		if i >= room || len(lines) > room {
			break
		}
		put(func(l *draw.Line) { cardFeature(sc, c, l, t, feature) })
	}
	if len(features) == 0 && room > 0 {
		put(func(l *draw.Line) { l.Put(draw.Dim, "no features yet") })
	}
	for len(lines) <= room {
		put(func(*draw.Line) {})
	}
	put(func(l *draw.Line) { cardProgress(sc, c, l, t) })
	return append(lines, cardBottom(sc, c, t, f, r))[:h]
}

// cardTitle draws the upper edge of the frame with the task's state and id,
// and when it was last heard of.
func cardTitle(sc *screen.Screen, c *CardCols, t *model.Task, f draw.Box, r draw.Role) string {
	s := t.State()
	_, stalled := sc.Board.Stalled(t, sc.At)
	l := draw.NewLine(sc.Theme, c.Width).Put(r, f.TopLeft).Space(1)
	word, stateRole := s.Word(), draw.StateRole(s)
	switch {
	case stalled:
		word, stateRole = "stalled", draw.Alert
	case s == model.Failed:
		stateRole = draw.Alarm
	}
	l.Put(stateRole, Sign(sc, s, !stalled)+" "+word).Space(2)
	age := words.Since(t.Heard(), sc.At)
	if age != "" && c.Width >= 38 { // even beside the longest state there is room
		age += " ago"
	}
	l.Put(idRole(t), draw.Short(t.ID(), max(8, l.Free-len(age)-4))).Space(1)
	l.Put(r, draw.Repeat(f.Edge, l.Free-len(age)-3)).Space(1)
	ageRole := draw.Dim
	if stalled {
		ageRole = draw.Warn
	}
	return l.Put(ageRole, age).Space(1).Put(r, f.TopRight).String()
}

// idRole makes the ids of finished tasks as calm as the rest of their cards.
func idRole(t *model.Task) draw.Role {
	if t.Active() || t.State() == model.Failed {
		return draw.Strong
	}
	return draw.Dim
}

// cardBottom draws the lower edge of the frame with the asset.
func cardBottom(sc *screen.Screen, c *CardCols, t *model.Task, f draw.Box, r draw.Role) string {
	l := draw.NewLine(sc.Theme, c.Width).Put(r, f.BottomLeft)
	if name := draw.Short(sc.AssetName(t), 8); name != "" {
		name, n, _ := draw.Fit(name, c.Width-6)
		l.Space(1).Cell(draw.Dim, name, n).Space(1)
	}
	return l.Put(r, draw.Repeat(f.Edge, l.Free-1)).Put(r, f.BottomRight).String()
}

// cardFeature draws the way of one feature so far: how long it was queued and
// processing, and how it ended. The state it is in now has its sign.
func cardFeature(sc *screen.Screen, c *CardCols, l *draw.Line, t *model.Task, feature model.Feature) {
	s := feature.State
	until, moving := sc.At, t.Active()
	nameRole, stateRole := draw.Plain, draw.StateRole(s)
	if !moving { // what had not ended then stands still
		until, nameRole = t.Updated(), draw.Dim
	}
	if model.Internal(feature.Name) || !moving && !s.Terminal() {
		nameRole, stateRole = draw.Dim, draw.Dim
	}
	p := pathOf(t, feature.Name, until)
	if times := "×" + strconv.Itoa(p.runs()); p.runs() > 1 {
		w := draw.Cells(times)
		l.Cell(nameRole, feature.Name, c.name-w-1).Space(1).Put(draw.Warn, times).Space(1)
	} else {
		l.Cell(nameRole, feature.Name, c.name).Space(1)
	}
	now := Sign(sc, s, moving) + " "
	switch {
	case s == model.Queued:
		l.Cell(stateRole, now+p.queued.String(), c.queued).Space(1)
		l.Cell(draw.Dim, "  "+p.processing.String(), c.processing)
	case s == model.Processing:
		l.Cell(draw.Dim, "  "+p.queued.String(), c.queued).Space(1)
		l.Cell(stateRole, now+p.processing.String(), c.processing)
	case !s.Terminal():
		l.Cell(draw.Dim, "  "+p.queued.String(), c.queued).Space(1)
		l.Cell(stateRole, now+s.Word()+" "+p.processing.String(), c.processing+1+c.end)
	default:
		l.Cell(draw.Dim, "  "+p.queued.String(), c.queued).Space(1)
		l.Cell(draw.Dim, "  "+p.processing.String(), c.processing).Space(1)
		l.Cell(stateRole, ending(s, c.end), c.end)
	}
}

// ending is a terminal state in w cells: its sign, and as much of its word as
// fits.
func ending(s model.State, w int) string {
	switch {
	case w < 6:
		return draw.Glyph(s) + draw.Letter(s)
	case w < 2+len(model.Completed):
		return draw.Glyph(s) + " " + s.Word()[:min(4, len(s))]
	}
	return draw.Glyph(s) + " " + s.Word()
}

// cardProgress draws how far the task has come, and how long that took or will
// take.
func cardProgress(sc *screen.Screen, c *CardCols, l *draw.Line, t *model.Task) {
	told, r := "", draw.Dim
	_, stalled := sc.Board.Stalled(t, sc.At)
	left, known := sc.Board.ETA(t, sc.At)
	switch {
	case stalled:
		told, r = "silent "+words.Ago(sc.At.Sub(t.Heard())), draw.Warn
	case known:
		told = "eta " + words.Remaining(left)
	case !t.Active() && t.Took(sc.At) > 0:
		told = "took " + words.Ago(t.Took(sc.At))
	}
	done, total := t.Progress()
	figures := " " + strconv.Itoa(done) + "/" + strconv.Itoa(total)
	if told != "" {
		told = "  " + told
	}
	bar := draw.StateRole(t.State())
	if t.State() == model.Completed || t.State() == model.Cancelled {
		bar = draw.Dim
	}
	l.Bar(bar, int64(done), int64(total), c.Width-4-len(figures)-len(told))
	l.Put(draw.Dim, figures).Put(r, told)
}

// cardPath is the way of a feature through its states so far. Unknown states
// count as processing.
type cardPath struct{ queued, processing cardPhase }

// cardPhase is how often a feature was in a phase, and how long in all.
type cardPhase struct {
	times int
	total time.Duration
}

func pathOf(t *model.Task, feature string, now time.Time) cardPath {
	var (
		p      cardPath
		before *cardPhase
	)
	for _, span := range t.Timeline(feature) {
		var in *cardPhase
		switch {
		case span.State == model.Queued:
			in = &p.queued
		case !span.State.Terminal():
			in = &p.processing
		}
		if in != nil {
			in.total += span.Length(now)
			if in != before {
				in.times++
			}
		}
		before = in
	}
	return p
}

// runs is how often the feature was on its way to an end.
func (p *cardPath) runs() int { return max(p.queued.times, p.processing.times) }

// String is how long the feature was in the phase, "" if it never was.
func (p cardPhase) String() string {
	if p.times == 0 {
		return ""
	}
	return words.Ago(p.total)
}
