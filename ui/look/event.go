package look

import (
	"fmt"
	"slices"
	"strings"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/screen"
)

// explained is what a row of the log says of a delivery.
type explained struct {
	verdict     string
	verdictRole draw.Role
	role        draw.Role // of the type
	marks       []string
	changes     []model.Change
	text        string // in place of changes
}

// explain tells what a delivery meant when it arrived. What depends on earlier
// deliveries is left out until those have been read.
func explain(sc *screen.Screen, a *feed.Arrival) explained {
	e := explained{verdict: "verified", verdictRole: draw.Good, role: draw.Plain}
	if a.Source != model.SourceWebhook {
		e.verdict = string(a.Source)
	}
	if a.Damage != "" {
		e.marks = append(e.marks, "damaged: "+a.Damage)
	}
	switch a.Kind {
	case model.Done:
		e.role = draw.Good
	case model.Failure:
		e.role = draw.Bad
	case model.Ping, model.Other, model.Unrecognised:
		e.role = draw.Dim
	}
	if a.Repeat() {
		e.role = draw.Dim
		e.verdict, e.verdictRole = "duplicate", draw.Warn
		e.text = fmt.Sprintf("arrival %d of #%d", a.Attempt, a.Message)
		if a.Differs {
			e.marks = append(e.marks, "differs")
			e.text += ", with a different body"
		}
		return e
	}
	switch a.Kind {
	case model.Ping:
		e.text = "test message; the signature is valid"
		return e
	case model.Unrecognised:
		e.text = "verified, but not an Aspect event"
		return e
	case model.Other:
		e.text = "not about a task"
		return e
	case model.Gone:
		e.role, e.text = draw.Warn, "Aspect no longer has this task"
		return e
	}
	t := sc.Board.Task(a.Task.ID)
	if t == nil || sc.Loading() {
		e.text = told(a.Task.Features)
		return e
	}
	late, changes, _ := t.Arrival(a.Seq)
	switch {
	case late:
		e.marks = append(e.marks, "late")
		e.text = "older state: " + told(a.Task.Features)
	case len(changes) == 0:
		e.text = "no change"
	default:
		e.changes = failuresFirst(changes)
	}
	return e
}

// told lists features and their states.
func told(features []model.Feature) string {
	words := make([]string, len(features))
	for i, f := range features {
		words[i] = f.Name + " " + f.State.Word()
	}
	return strings.Join(words, ", ")
}

// PutChanges draws what changed: name, from, to.
func PutChanges(sc *screen.Screen, l *draw.Line, changes []model.Change) {
	for i, c := range changes {
		if i > 0 {
			l.Put(draw.Faint, "  ")
		}
		// What it became fits, with a sign that there is more; or just that sign,
		// rather than to stop where it looks complete.
		least := draw.Cells(c.Feature) + 1 + draw.Cells(string(c.To))
		if i < len(changes)-1 {
			least += 3
		}
		if least > l.Free && len(changes) > 1 {
			l.Put(draw.Faint, draw.GlyphEllipsis)
			l.Cut = true
			return
		}
		l.Put(draw.Plain, c.Feature+" ")
		if from := draw.Cells(string(c.From)); from > 0 && least+from+1-draw.Cells(c.Feature)-1 <= l.Free {
			l.Put(draw.Dim, string(c.From)+draw.GlyphArrow) // if there is room
		}
		if c.To == "" {
			l.Put(draw.Dim, "gone")
		} else {
			l.Put(draw.StateRole(c.To), string(c.To))
		}
	}
}

// failuresFirst puts in front what a person looks for.
func failuresFirst(changes []model.Change) []model.Change {
	return slices.SortedStableFunc(slices.Values(changes), func(a, b model.Change) int {
		switch {
		case (a.To == model.Failed) == (b.To == model.Failed):
			return 0
		case a.To == model.Failed:
			return -1
		}
		return 1
	})
}

// DescribeRow tells in words what a row of the log means, in lines of w cells.
func DescribeRow(sc *screen.Screen, k feed.RowKey, w int) []string {
	var lines []string
	say := func(name string, r draw.Role, value string) {
		lines = append(lines, draw.NewLine(sc.Theme, w).Cell(draw.Dim, name, 10).Put(r, value).String())
	}
	if k.Pos > 0 {
		s := sc.Log.Status(k)
		switch {
		case s == nil:
		case s.Rejected == nil:
			say("notice", draw.Warn, s.Notice)
			say("at", draw.Plain, draw.Moment(s.At, sc.At))
		default:
			say("rejected", draw.Bad, s.Rejected.Verdict.Detail)
			if s.Rejected.Verdict.Hint != "" {
				say("hint", draw.Warn, s.Rejected.Verdict.Hint)
			}
			say("message", draw.Plain, draw.OrNone(s.Rejected.ID))
			say("received", draw.Plain, draw.Moment(s.At, sc.At))
		}
		return lines
	}
	a := sc.Log.Row(k.Seq)
	if u, failed := sc.Log.Unread(k.Seq); a == nil && failed {
		say("row", draw.Warn, u.Why)
		return lines
	}
	if a == nil {
		return []string{draw.NewLine(sc.Theme, w).Put(draw.Faint, draw.GlyphEllipsis).String()}
	}
	e := explain(sc, a)
	say("type", e.role, a.Type)
	verdict := e.verdict
	if a.Secret != "" {
		verdict += ", secret " + a.Secret
	}
	say("verdict", e.verdictRole, verdict)
	say("message", draw.Plain, a.ID)
	say("received", draw.Plain, draw.Moment(a.Received, sc.At))
	for _, mark := range e.marks {
		say("mark", draw.Warn, mark)
	}
	for _, f := range sc.Forwards(a.Seq) {
		r := draw.Bad
		if f.Delivered() {
			r = draw.Good
		}
		say("handler", r, Outcome(f))
	}
	if e.text != "" {
		say("meaning", draw.Plain, e.text)
	}
	for i, c := range e.changes {
		if i == MaxFeatures {
			break
		}
		l := draw.NewLine(sc.Theme, w).Cell(draw.Dim, map[bool]string{true: "changes"}[i == 0], 10)
		PutChanges(sc, l, []model.Change{c})
		lines = append(lines, l.String())
	}
	return lines
}
