package render

import (
	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/screen"
	"aspectop/words"
)

// explain tells what a delivery meant when it arrived. What depends on earlier
// deliveries is left out until those have been read.
func explain(sc *screen.Screen, a *feed.Arrival) words.Event {
	how := words.Arrival{Attempt: a.Attempt, Differs: a.Differs, Damage: a.Damage}
	if a.Task != nil && !sc.Loading() {
		if t := sc.Board.Task(a.Task.ID); t != nil {
			effect, _ := t.Effect(a.Seq)
			how.Effect = &effect
		}
	}
	return words.EventOf(&a.Event, how)
}

// PutChanges draws what changed: name, from, to.
func PutChanges(sc *screen.Screen, l *draw.Line, changes []model.FeatureChange) {
	for i := range changes {
		if i > 0 {
			l.Put(draw.Faint, "  ")
		}
		name, from, to := words.Change(&changes[i])
		// What it became fits, with a sign that there is more; or just that sign,
		// rather than to stop where it looks complete.
		least := draw.Cells(name) + 1 + draw.Cells(to.Text)
		if i < len(changes)-1 {
			least += 3
		}
		if least > l.Free && len(changes) > 1 {
			l.Put(draw.Faint, draw.GlyphEllipsis)
			l.Cut = true
			return
		}
		l.Put(draw.Plain, name+" ")
		if n := draw.Cells(from); n > 0 && least+n-draw.Cells(name) <= l.Free {
			l.Put(draw.Dim, from+draw.GlyphArrow) // if there is room
		}
		l.Put(to.Role, to.Text)
	}
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
			say("message", draw.Plain, words.OrNone(s.Rejected.ID))
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
	say("type", e.Type.Role, e.Type.Text)
	verdict := e.Verdict.Text
	if a.Secret != "" {
		verdict += ", secret " + a.Secret
	}
	say("verdict", e.Verdict.Role, verdict)
	say("message", draw.Plain, a.ID)
	say("received", draw.Plain, draw.Moment(a.Received, sc.At))
	for _, mark := range e.Marks {
		say("mark", draw.Warn, mark)
	}
	for _, f := range sc.Forwards(a.Seq) {
		lines = append(lines, draw.NewLine(sc.Theme, w).Cell(draw.Dim, "handler", 10).PutAll(words.Forward(f, sc.Masked)).String())
	}
	if e.Text.Text != "" {
		say("meaning", e.Text.Role, e.Text.Text)
	}
	for i, c := range e.Changes {
		if i == MaxFeatures {
			break
		}
		l := draw.NewLine(sc.Theme, w).Cell(draw.Dim, map[bool]string{true: "changes"}[i == 0], 10)
		PutChanges(sc, l, []model.FeatureChange{c})
		lines = append(lines, l.String())
	}
	return lines
}
