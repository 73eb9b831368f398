package render

import (
	"strconv"

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

// PutState draws the task's own state: sign and word, or sign and letter. What a
// person looks for, a failed or stalled task, is a block of colour.
func PutState(sc *screen.Screen, l *draw.Line, t *model.Task, w int, stalled bool) {
	s := t.State()
	told, r := s.Word(), draw.StateRole(s)
	switch {
	case t.Gone():
		told, r, stalled = "gone", draw.Dim, true
	case stalled:
		told, r = "stalled", draw.Alert
	case s == model.Failed:
		r = draw.Alarm
	}
	if w < 12 {
		l.Cell(r, Sign(sc, s, !stalled)+told[:1], w)
		return
	}
	l.Cell(r, Sign(sc, s, !stalled)+" "+told, w)
}

// Healthy reports whether nothing of the task needs attention: it has ended well.
func Healthy(t *model.Task) bool { return !t.Active() && !screen.HasFailed(t) }

// Sign is the glyph of a state; what is processing moves.
func Sign(sc *screen.Screen, s model.State, moving bool) string {
	if s == model.Processing && moving && !sc.ReducedMotion && !sc.Frozen() {
		return draw.GlyphMotion[sc.Beat%len(draw.GlyphMotion)]
	}
	return draw.Glyph(s)
}

// PutFeature draws one feature in w cells: its sign, its state as a letter or, if
// there is room in all columns, as a word, and how long it has been so.
func PutFeature(sc *screen.Screen, l *draw.Line, t *model.Task, name string, w int, spelt bool) {
	s, ok := t.Feature(name)
	if !ok {
		l.Space(w)
		return
	}
	told := draw.Letter(s)
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
	if age != "" {
		age = " " + age
	}
	r := draw.StateRole(s)
	if s == model.Completed && Healthy(t) {
		r = draw.Dim
	}
	l.Cell(r, Sign(sc, s, true)+told+age, w)
}

// took is how long the feature was processed before it ended.
func took(t *model.Task, feature string) string {
	spans := t.Timeline(feature)
	for i := len(spans) - 1; i >= 0; i-- {
		if spans[i].State == model.Processing {
			return words.Ago(spans[i].Length(spans[i].From))
		}
	}
	return ""
}

// PutProgress draws how many features are done, as a bar and in figures.
func PutProgress(sc *screen.Screen, l *draw.Line, t *model.Task, w int) {
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
