package render

import (
	"slices"
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

// PutState draws the task's state: sign and word, or sign and letter.
func PutState(sc *screen.Screen, l *draw.Line, t *model.Task, w int, stalled bool) {
	s := t.State()
	told, r := stateWord(s, stalled)
	if t.Gone() {
		told, r, stalled = "gone", draw.Dim, true
	}
	if w < 12 {
		l.Cell(r, Sign(sc, s, !stalled)+told[:1], w)
		return
	}
	l.Cell(r, Sign(sc, s, !stalled)+" "+told, w)
}

func stateWord(s model.State, stalled bool) (string, draw.Role) {
	switch {
	case stalled:
		return "stalled", draw.Alert
	case s == model.Failed:
		return s.Word(), draw.Alarm
	}
	return s.Word(), s.Info().Role
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

// PutFeature draws a feature: its sign, its state as a letter or spelt, and its time.
func PutFeature(sc *screen.Screen, l *draw.Line, t *model.Task, name string, w int, spelt bool) {
	s, ok := t.Feature(name)
	if !ok {
		l.Space(w)
		return
	}
	told := s.Info().Letter
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
	r := s.Info().Role
	if s == model.Completed && Healthy(t) {
		r = draw.Dim
	}
	l.Cell(r, Sign(sc, s, true)+told+age, w)
}

// took is how long the feature was processed before it ended.
func took(t *model.Task, feature string) string {
	for _, span := range slices.Backward(t.Timeline(feature)) {
		if span.State == model.Processing {
			return words.Ago(span.Length(span.From))
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
		l.Put(t.State().Info().Role, draw.Repeat(draw.GlyphThick, full))
		l.Put(draw.Faint, draw.Repeat(draw.GlyphEmpty, bar-full)).Space(1)
		w = len(figures)
	}
	l.Cell(draw.Dim, figures, w)
}
