package render

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/screen"
	"aspectop/words"
)

// shortNames head the columns of features that are too narrow for the name.
var shortNames = map[string]string{
	"preview": "prev", "visual": "vis", "transcription": "transc", "embedding": "embed",
	"scene_detect": "scene", "audio_proxy": "audio", "model_proxy": "model",
}

// tinyNames head columns of two cells.
var tinyNames = map[string]string{"proxy": "px", "preview": "pv"}

// Heading is a feature's name in w cells.
func Heading(feature string, w int) string {
	if tiny, ok := tinyNames[feature]; ok && w <= 2 {
		return tiny
	}
	if short, ok := shortNames[feature]; ok && draw.Cells(feature) > w {
		return short
	}
	return feature
}

// PutState draws the task's state: sign and word, or sign and letter.
func PutState(sc *screen.Screen, l *draw.Line, t *model.Task, w int, stalled bool) {
	s := t.State()
	told, r, moving := stateWord(t, stalled)
	if w < 12 {
		mark := letter(sc, s)
		switch {
		case t.Gone():
			mark = "?"
		case stalled:
			mark = "!"
		}
		l.Cell(r, Sign(sc, s, moving)+mark, w)
		return
	}
	l.Cell(r, Sign(sc, s, moving)+" "+told, w)
}

func stateWord(t *model.Task, stalled bool) (word string, r draw.Role, moving bool) {
	switch s := t.State(); {
	case t.Gone():
		return "gone", draw.Dim, false
	case stalled:
		return "stalled", draw.Alert, false
	case s == model.Failed:
		return s.Word(), draw.Alarm, true
	default:
		return s.Word(), s.Info().Role, true
	}
}

// letter is that of a state where signs may not tell states apart: without colours and in
// ASCII; else "".
func letter(sc *screen.Screen, s model.State) string {
	if sc.ASCII || sc.Theme.Name == "mono" {
		return s.Info().Letter
	}
	return ""
}

// Healthy reports whether nothing of the task needs attention: it has ended well.
func Healthy(t *model.Task) bool { return !t.Active() && !screen.HasFailed(t) }

// Sign is the glyph of a state; what is processing moves.
func Sign(sc *screen.Screen, s model.State, moving bool) string {
	if s == model.Processing && moving && !sc.ReducedMotion && !sc.Frozen() {
		return draw.GlyphMotion[sc.Beat%len(draw.GlyphMotion)]
	}
	return s.Info().Sign
}

// PutFeature draws a feature: its sign, its state spelt if there is room, and its time.
func PutFeature(sc *screen.Screen, l *draw.Line, t *model.Task, name string, w int, spelt bool) {
	s, ok := t.Feature(name)
	if !ok {
		l.Space(w)
		return
	}
	told := letter(sc, s)
	age := words.Since(t.Since(name), sc.At)
	if s.Terminal() {
		age = took(t, name)
	}
	switch {
	case w < 5:
		age = ""
	case spelt || !s.Known():
		told = " " + s.Word()
	}
	if whole := " " + age; age != "" && (told == "" || 1+draw.Cells(told+whole) <= w) {
		age = whole
	}
	r := s.Info().Role
	if s == model.Completed && Healthy(t) {
		r = draw.Dim
	}
	l.Cell(r, Sign(sc, s, true)+told+age, w)
}

// took is how long the feature was processed before it ended, without the time in the queue.
func took(t *model.Task, feature string) string {
	for _, span := range slices.Backward(t.Timeline(feature)) {
		if span.State == model.Processing {
			return words.Ago(span.Length(span.From))
		}
	}
	return ""
}

// PutProgress draws how many features have ended, however they did, as a bar and in figures.
func PutProgress(sc *screen.Screen, l *draw.Line, t *model.Task, w int) {
	done, total := t.Progress()
	figures := strconv.Itoa(done) + "/" + strconv.Itoa(total)
	if bar := w - len(figures) - 1; bar >= 4 && total > 0 {
		l.Bar(t.State().Info().Role, int64(done), int64(total), bar).Space(1)
		w = len(figures)
	}
	l.Cell(draw.Dim, figures, w)
}

// The least width of a card has room for every sign and duration.
const (
	CardMin = 36
	CardMax = 48
)

// CardCols are the columns inside a card.
type CardCols struct {
	Width                         int // of the card, with its frame
	name, queued, processing, end int
}

// CardColumns divides a card, with one blank inside the frame and between columns.
func CardColumns(width int) CardCols {
	w := draw.Share(width-3, []draw.Size{draw.Part(1, 14)}, []draw.Size{draw.Whole(0, 7), draw.Part(3, 8)},
		[]draw.Size{draw.Whole(0, 7), draw.Part(4, 11)}, []draw.Size{draw.Whole(0, 3), draw.Part(2, 12), draw.Part(5, width)})
	return CardCols{Width: width, name: w[0] - 1, queued: w[1] - 1, processing: w[2] - 1, end: w[3] - 1}
}

// Heading names the columns of n cards side by side, in w cells.
func (c *CardCols) Heading(sc *screen.Screen, n, w int) string {
	l := draw.NewLine(sc.Theme, w)
	for i := range n {
		l.To(i*c.Width+2).Cell(draw.Dim, "FEATURE", c.name).Space(1)
		l.Cell(draw.Dim, "QUEUED", c.queued).Space(1)
		if c.processing < len("PROCESSING") { // the signs of the ends need no title
			l.Cell(draw.Dim, "PROCESSING", c.processing+1+c.end)
			continue
		}
		l.Cell(draw.Dim, "PROCESSING", c.processing).Space(1)
		l.Cell(draw.Dim, "END", c.end)
	}
	return l.String()
}

// CardHeight is the height of a card that shows all of the task's features.
func CardHeight(t *model.Task) int { return 3 + max(1, len(t.Features())) }

// DrawCard draws a task in h lines. What is active is bright, what has ended is dim.
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
	if len(features) > room { // the most urgent ones
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

func cardTitle(sc *screen.Screen, c *CardCols, t *model.Task, f draw.Box, r draw.Role) string {
	s := t.State()
	_, stalled := sc.Board.Stalled(t, sc.At)
	l := draw.NewLine(sc.Theme, c.Width).Put(r, f.TopLeft).Space(1)
	word, stateRole, moving := stateWord(t, stalled)
	l.Put(stateRole, Sign(sc, s, moving)+" "+word).Space(2)
	age := words.Since(t.Heard(), sc.At)
	if age != "" && c.Width >= 38 { // even beside the longest state there is room
		age += " ago"
	}
	idRole := draw.Dim
	if t.Active() || s == model.Failed {
		idRole = draw.Strong
	}
	room := max(8, l.Free-len(age)-4)
	id, n, _ := draw.Fit(draw.Short(t.ID(), room), room)
	l.Cell(idRole, id, n).Space(1)
	l.Put(r, draw.Repeat(f.Edge, l.Free-len(age)-3)).Space(1)
	ageRole := draw.Dim
	if stalled {
		ageRole = draw.Warn
	}
	return l.Put(ageRole, age).Space(1).Put(r, f.TopRight).String()
}

func cardBottom(sc *screen.Screen, c *CardCols, t *model.Task, f draw.Box, r draw.Role) string {
	l := draw.NewLine(sc.Theme, c.Width).Put(r, f.BottomLeft)
	if name := draw.Short(sc.AssetName(t), 8); name != "" {
		name, n, _ := draw.Fit(name, c.Width-6)
		l.Space(1).Cell(draw.Dim, name, n).Space(1)
	}
	return l.Put(r, draw.Repeat(f.Edge, l.Free-1)).Put(r, f.BottomRight).String()
}

// cardFeature draws how long a feature was queued and processing, and how it ended.
func cardFeature(sc *screen.Screen, c *CardCols, l *draw.Line, t *model.Task, feature model.Feature) {
	s := feature.State
	until, moving := sc.At, t.Active()
	nameRole, stateRole := draw.Plain, s.Info().Role
	if !moving {
		until, nameRole = t.Updated(), draw.Dim
	}
	if model.Internal(feature.Name) || !moving && !s.Terminal() {
		nameRole, stateRole = draw.Dim, draw.Dim
	}
	queued, processing := phasesOf(t.Timeline(feature.Name), until)
	if runs := max(queued.times, processing.times); runs > 1 {
		times := "×" + strconv.Itoa(runs)
		l.Cell(nameRole, feature.Name, c.name-draw.Cells(times)-1).Space(1).Put(draw.Warn, times).Space(1)
	} else {
		l.Cell(nameRole, feature.Name, c.name).Space(1)
	}
	now := Sign(sc, s, moving) + " "
	put := func(p phase, current bool, w int) {
		if current {
			l.Cell(stateRole, now+p.in(w-2), w).Space(1)
		} else {
			l.Cell(draw.Dim, "  "+p.in(w-2), w).Space(1)
		}
	}
	put(queued, s == model.Queued, c.queued)
	if !s.Known() {
		l.Cell(stateRole, now+s.Word()+" "+processing.in(5), c.processing+1+c.end)
		return
	}
	if put(processing, s == model.Processing, c.processing); s.Terminal() {
		l.Cell(stateRole, ending(sc, s, c.end), c.end)
	}
}

// ending is a terminal state in w cells: its sign, and its word if that fits.
func ending(sc *screen.Screen, s model.State, w int) string {
	if w < 2+len(s.Word()) {
		return s.Info().Sign + letter(sc, s)
	}
	return s.Info().Sign + " " + s.Word()
}

func cardProgress(sc *screen.Screen, c *CardCols, l *draw.Line, t *model.Task) {
	told, r := timeOf(sc, t)
	done, total := t.Progress()
	figures := " " + strconv.Itoa(done) + "/" + strconv.Itoa(total)
	if told != "" {
		told = "  " + told
	}
	bar := t.State().Info().Role
	if t.State() == model.Completed || t.State() == model.Cancelled {
		bar = draw.Dim
	}
	l.Bar(bar, int64(done), int64(total), c.Width-4-len(figures)-len(told))
	l.Put(draw.Dim, figures).Put(r, told)
}

// timeOf tells since when a task is silent, or how long it is expected to need or took.
func timeOf(sc *screen.Screen, t *model.Task) (told string, r draw.Role) {
	_, stalled := sc.Board.Stalled(t, sc.At)
	left, known := sc.Board.ETA(t, sc.At)
	switch {
	case t.Gone():
		return "gone from Aspect", draw.Warn
	case stalled:
		return "no event for " + words.Since(t.News(), sc.At), draw.Warn
	case known && left <= 0:
		return words.Remaining(left), draw.Plain
	case known && left < time.Second:
		return "done " + words.Remaining(left), draw.Plain
	case known:
		return words.Ago(left) + " left", draw.Plain
	case t.Created().IsZero():
		return "", draw.Plain
	case t.Active():
		return "running " + words.Ago(t.Took(sc.At)), draw.Dim
	}
	return "took " + words.Ago(t.Took(sc.At)), draw.Dim
}

// phase is how often a feature was queued or processing, and how long in all.
type phase struct {
	times int
	total time.Duration
}

// phasesOf counts undocumented states as processing.
func phasesOf(intervals []model.Interval, now time.Time) (queued, processing phase) {
	var before *phase
	for _, span := range intervals {
		var in *phase
		switch {
		case span.State == model.Queued:
			in = &queued
		case !span.State.Terminal():
			in = &processing
		}
		if in != nil {
			in.total += span.Length(now)
			if in != before {
				in.times++
			}
		}
		before = in
	}
	return queued, processing
}

// in is how long the feature was in the phase, in w cells: without the smaller unit if that
// is too long; "" if it never was.
func (p phase) in(w int) string {
	if p.times == 0 {
		return ""
	}
	told := words.Ago(p.total)
	if end := strings.IndexAny(told, "mhd"); len(told) > w && end >= 0 {
		told = told[:end+1]
	}
	return told
}
