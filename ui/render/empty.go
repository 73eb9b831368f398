package render

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"aspectop/clean"
	"aspectop/ui/draw"
	"aspectop/ui/screen"
	"aspectop/words"
)

// Empty says why the event log or a list of tasks is empty, and what to do.
func Empty(sc *screen.Screen, log bool, w, h int) []string {
	var lines []string
	say := func(r draw.Role, s string) {
		lines = append(lines, draw.NewLine(sc.Theme, w).Space(2).Put(r, s).String())
	}
	say(draw.Plain, "")
	switch {
	case log && sc.Log.Looking():
		say(draw.Plain, "Searching the journal ...")
	case sc.Filter.Active() && sc.Board.Len() > 0:
		say(draw.Plain, "Nothing matches the filter.")
		say(draw.Dim, "Press esc to clear it.")
	case !sc.Since.IsZero() && sc.Board.Len() > 0:
		say(draw.Plain, "No event since "+draw.Moment(sc.Since, sc.At)+"; --since hides older ones.")
	case sc.Loading():
		say(draw.Plain, "Reading the journal ...")
	case sc.Receiver == "" && len(sc.Sources()) > 0:
		say(draw.Plain, "No task yet.")
		say(draw.Dim, "Tasks appear here as soon as Aspect reports them.")
	case sc.Receiver == "":
		say(draw.Plain, "The journal is empty.")
		say(draw.Dim, "aspectop watch fills it.")
	default:
		sayWaiting(sc, say)
		lines = append(append(lines, draw.Blank(sc.Theme, w)), Connect(sc, false, w)...)
	}
	return draw.PadHeight(sc.Theme, lines, w, h)
}

func sayWaiting(sc *screen.Screen, say func(draw.Role, string)) {
	switch refused := sc.Log.Refused(); {
	case sc.Board.Counters().Verified > 0:
		say(draw.Plain, words.Count(sc.Board.Counters().Verified, "delivery is", "deliveries are")+" verified, but none is about a task; press 3 to see them.")
	case sc.Board.Counters().Unsigned > 0:
		say(draw.Plain, words.Count(sc.Board.Counters().Unsigned, "event", "events")+" came without a signature, but none is about a task; press 3 to see them.")
	case refused != nil && sc.Board.Counters().Rejected > 0:
		say(draw.Bad, words.Count(sc.Board.Counters().Rejected, "request was", "requests were")+" rejected, none verified yet; press 3 to see them.")
		say(draw.Bad, "Latest: "+words.RejectedFor(refused, sc.Masked))
		if refused.Verdict.Hint != "" {
			say(draw.Warn, refused.Verdict.Hint)
		}
	default:
		say(draw.Plain, "Waiting for the first event.")
	}
}

// Paragraph is a text in lines of at most 72 cells, as many as most.
func Paragraph(sc *screen.Screen, r draw.Role, text string, w, most int) []string {
	return Wrapped(sc, r, text, w, 72, most)
}

// Wrapped is a text in lines of at most so many cells, as many as most.
func Wrapped(sc *screen.Screen, r draw.Role, text string, w, cells, most int) (lines []string) {
	for line := range strings.Lines(ansi.Wrap(clean.Text(text), max(8, min(cells, w-3)), "")) {
		if len(lines) == most {
			break
		}
		lines = append(lines, draw.NewLine(sc.Theme, w).Space(2).Put(r, strings.TrimSuffix(line, "\n")).String())
	}
	return lines
}
