package render

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"aspectop/clean"
	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/screen"
	"aspectop/words"
)

// explain says what a delivery meant, as far as the deliveries before it have been read.
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

func putChanges(l *draw.Line, changes []model.FeatureChange) {
	for i := range changes {
		if i > 0 {
			l.Put(draw.Faint, "  ")
		}
		name, from, to := words.Change(&changes[i])
		// Without room for the new state, just an ellipsis: a cut one could look complete.
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
			l.Put(draw.Dim, from+draw.GlyphArrow)
		}
		l.Put(to.Role, to.Text)
	}
}

func describeRow(sc *screen.Screen, k feed.RowKey, w int) []string {
	var lines []string
	const label, most = 10, 4 // lines of one value
	say := func(name string, r draw.Role, value string) {
		told := strings.Split(ansi.Wrap(clean.Text(value), max(label, w-label), ""), "\n")
		for _, line := range told[:min(len(told), most)] {
			lines = append(lines, draw.NewLine(sc.Theme, w).Cell(draw.Dim, name, label).Put(r, line).String())
			name = ""
		}
	}
	e := RowOf(sc, k)
	a := e.arrival
	switch s := e.status; {
	case s != nil && s.Rejected == nil:
		say("notice", draw.Warn, sc.Notice(s))
		say("at", draw.Plain, draw.Moment(s.At, sc.At))
	case s != nil:
		say("rejected", draw.Bad, words.RejectedFor(s.Rejected, sc.Masked))
		if s.Rejected.Path != "" && !sc.Masked {
			say("request", draw.Plain, s.Rejected.Method+" "+s.Rejected.Path)
		}
		if s.Rejected.Verdict.Hint != "" {
			say("hint", draw.Warn, s.Rejected.Verdict.Hint)
		}
		say("message", draw.Plain, words.OrNone(s.Rejected.ID))
		say("received", draw.Plain, draw.Moment(s.At, sc.At))
	case k.Pos > 0:
	case e.unread != "":
		say("row", draw.Warn, e.unread)
	case a == nil:
		lines = append(lines, draw.NewLine(sc.Theme, w).Put(draw.Faint, draw.GlyphEllipsis).String())
	}
	if a == nil {
		return lines
	}
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
	for _, f := range sc.Answers(a.Seq) {
		lines = append(lines, drawAnswer(sc, f, w))
	}
	if e.Text.Text != "" {
		say("meaning", e.Text.Role, e.Text.Text)
	}
	for i, c := range e.Changes {
		if i == MaxFeatures {
			break
		}
		l := draw.NewLine(sc.Theme, w).Cell(draw.Dim, map[bool]string{true: "changes"}[i == 0], 10)
		putChanges(l, []model.FeatureChange{c})
		lines = append(lines, l.String())
	}
	return lines
}

// Event is a row of the log, as far as it was read.
type Event struct {
	words.Event
	arrival *feed.Arrival
	status  *model.Status
	unread  string // why there is neither; "" if it is being read
}

// RowOf is the row with the key.
func RowOf(sc *screen.Screen, k feed.RowKey) (e Event) {
	if k.Pos > 0 {
		e.status, e.unread = sc.Log.Status(k), " " // a private screen has no notices
	} else if e.arrival = sc.Log.Row(k.Seq); e.arrival != nil {
		e.Event = explain(sc, e.arrival)
	} else {
		e.unread = sc.Log.Unread(k.Seq)
	}
	return e
}

// EventTable lays the log out, with or without tasks. The rows are of one day, which the title
// names if it is another than today, or of several: then day is zero, and they name theirs.
func EventTable(sc *screen.Screen, w int, day time.Time, task bool) draw.Table[Event] {
	clock, title := draw.ClockWidth, "TIME"
	switch {
	case day.IsZero():
		clock, day = draw.DayWidth, sc.At
	case !draw.SameDay(day, sc.At):
		title = draw.Day(day)
	}
	verdict, handler := true, false // there is a column for it
	id, what := []draw.Size{draw.Whole(1, 10)}, 30
	if !task {
		id, what = nil, 40
	}
	// A row that is no delivery has one text in place of its other cells.
	delivery := func(put func(l *draw.Line, e Event, w int)) func(*draw.Line, Event, int) {
		return func(l *draw.Line, e Event, w int) {
			if e.arrival == nil {
				e.putStatus(sc, l, verdict)
				return
			}
			put(l, e, w)
		}
	}
	table := draw.Table[Event]{
		{Title: title, Sizes: []draw.Size{draw.Whole(0, clock+1)}, Draw: func(l *draw.Line, e Event, w int) { e.putTime(l, day, w) }},
		{Title: "#", Right: true, Sizes: []draw.Size{draw.Whole(6, 8)}, Draw: func(l *draw.Line, e Event, w int) {
			if e.arrival != nil {
				l.Right(draw.Faint, fmt.Sprint(e.arrival.Seq), w)
			}
		}},
		{Title: "VERDICT", Sizes: []draw.Size{draw.Whole(3, 10)}, Draw: func(l *draw.Line, e Event, w int) {
			switch {
			case e.arrival != nil:
				if told := e.Verdict; told.Role != draw.Good { // what is verified is usual
					l.Cell(told.Role, told.Text, w)
				}
			case e.status != nil && e.status.Rejected != nil:
				l.Cell(draw.Bad, "rejected", w)
			default:
				e.putStatus(sc, l, true)
			}
		}},
		{Title: "TYPE", Sizes: []draw.Size{draw.Whole(5, 16)}, Draw: delivery(func(l *draw.Line, e Event, w int) {
			r := e.Type.Role
			if r == draw.Plain {
				r = draw.Dim // the usual one
			}
			l.Cell(r, e.Type.Text, w)
		})},
		{Title: "TASK", Sizes: id, Draw: delivery(func(l *draw.Line, e Event, w int) {
			if e.arrival.Task != nil {
				l.Cell(draw.Plain, draw.Short(e.arrival.Task.ID, w), w)
			}
		})},
		{Title: "WHAT CHANGED", Sizes: []draw.Size{draw.Part(2, what), draw.Part(7, w)}, Draw: delivery(func(l *draw.Line, e Event, _ int) {
			e.putChange(sc, l, verdict, handler)
		})},
	}
	if handlers := sc.Queues(); len(handlers) > 0 && !sc.Private {
		table = slices.Insert(table, 3, draw.Column[Event]{Title: "HANDLER", Sizes: []draw.Size{draw.Whole(4, 12)}, Draw: func(l *draw.Line, e Event, w int) {
			if e.arrival != nil {
				putAnswers(l, sc.Forwards(e.arrival.Seq), w)
			} else {
				e.putStatus(sc, l, verdict)
			}
		}})
	}
	table.Arrange(w)
	handler = table[3].Title == "HANDLER" && table[3].Width > 0
	if verdict = table[2].Width > 0; verdict {
		last := &table[len(table)-1]
		for _, note := range []string{"  (no verdict: verified)", "  (blank: verified)"} {
			if len(last.Title)+len(note) < last.Width {
				last.Title += note
				break
			}
		}
	}
	return table
}

// putTime draws when it came, with the date unless it was on that day, or why it could not be read.
func (e Event) putTime(l *draw.Line, day time.Time, w int) {
	switch {
	case e.arrival != nil:
		l.Cell(draw.Dim, draw.DayClock(e.arrival.Received, day), w)
	case e.status != nil:
		l.Cell(draw.Dim, draw.DayClock(e.status.At, day), w)
	case e.unread != "":
		l.Put(draw.Warn, e.unread).Space(l.Free)
	default:
		l.Put(draw.Faint, draw.GlyphEllipsis).Space(l.Free)
	}
}

func (e Event) putChange(sc *screen.Screen, l *draw.Line, verdict, handler bool) {
	if !verdict && e.arrival.Repeat() {
		l.Put(e.Verdict.Role, e.Verdict.Text).Space(1)
	}
	for _, mark := range e.Marks {
		l.Put(draw.Warn, mark).Space(1)
	}
	if !handler {
		for _, f := range sc.Forwards(e.arrival.Seq) { // what stands beside, and the open delivery, have the reasons
			putForward(l, f)
		}
	}
	putChanges(l, e.Changes)
	l.Put(e.Text.Role, e.Text.Text)
}

// putAnswers draws the worst of what the handlers answered, and of how many.
func putAnswers(l *draw.Line, all []*model.Forward, w int) {
	if len(all) == 0 {
		return
	}
	worst := all[0]
	for _, f := range all {
		if !f.Delivered() && (worst.Delivered() || f.Final) {
			worst = f
		}
	}
	told := words.ForwardBriefly(worst)
	if len(all) > 1 {
		told.Text += fmt.Sprintf(" +%d", len(all)-1)
	}
	l.Cell(told.Role, told.Text, w)
}

func putForward(l *draw.Line, f *model.Forward) {
	told := words.ForwardBriefly(f)
	l.Put(told.Role, draw.GlyphArrow+told.Text).Space(1)
}

// putStatus draws a row that is no delivery; a column of verdicts says "rejected".
func (e Event) putStatus(sc *screen.Screen, l *draw.Line, verdict bool) {
	switch s := e.status; {
	case s == nil:
	case s.Tunnel != nil:
		l.PutAll(words.Tunnel(Tunnel(sc, s.Tunnel), s.At))
	case s.Rejected == nil:
		l.Put(draw.Warn, sc.Notice(s))
	default:
		if !verdict {
			l.Put(draw.Bad, "rejected: ")
		}
		l.PutAll(words.Rejected(s.Rejected, sc.Masked))
		if s.Rejected.ID != "" {
			l.Put(draw.Dim, "  "+s.Rejected.ID)
		}
	}
	l.Space(l.Free)
}

// Tunnel is the tunnel as far as it may be shown: reasons may name hosts.
func Tunnel(sc *screen.Screen, t *model.Tunnel) *model.Tunnel {
	if !sc.Masked {
		return t
	}
	shown := *t
	shown.Detail = ""
	if t.Doubt != "" {
		shown.Doubt = "(hidden)"
	}
	if t.PublicURL != "" {
		shown.PublicURL = sc.Shown(t.PublicURL)
	}
	if t.Probe != nil {
		shown.Probe = &model.Probe{OK: t.Probe.OK, RoundTrip: t.Probe.RoundTrip, Detail: "(hidden)"}
	}
	return &shown
}

// AddOutcomes lists what the user's handlers answered.
func AddOutcomes(t *draw.Document, outcomes []model.Forward, mask bool) {
	for i := range outcomes {
		f := &outcomes[i]
		to := f.Handler()
		if mask && f.Name == "" {
			to = "(hidden)"
		}
		if i > 0 {
			t.Add("", 0)
		}
		t.Add("handler: "+to, 0)
		t.Add("asked: "+draw.Stamp(f.At), 0)
		t.Add("outcome: "+words.Forward(f, mask).String(), 0)
		switch {
		case f.Status == 0:
		case len(f.Body) == 0:
			t.Add("answer: (empty, or not kept)", 0)
		case mask:
			t.Add("answer: (hidden)", 0)
		case !draw.Readable(f.Body):
			t.Add(fmt.Sprintf("answer: (%d bytes, not text)", len(f.Body)), 0)
		default:
			t.Add(fmt.Sprintf("answer: %d bytes", len(f.Body)), 0)
			if !t.AddJSON(f.Body, 1, false) {
				t.AddText(f.Body, 1)
			}
		}
	}
}

// QueueLines is how many lines of h the queues may take below the log.
func QueueLines(queues []model.Queue, h int) int { return min(len(queues), h/4) }

// DrawQueues draws a line for each queue, n at most; the last one counts the others.
func DrawQueues(sc *screen.Screen, queues []model.Queue, w, n int) []string {
	var lines []string
	for i := range n {
		l := draw.NewLine(sc.Theme, w).Space(2)
		if i == n-1 && n < len(queues) {
			l.Put(draw.Dim, fmt.Sprintf("and %d more handlers", len(queues)-i))
		} else {
			putQueue(sc, l, &queues[i])
		}
		lines = append(lines, l.String())
	}
	return lines
}

func putQueue(sc *screen.Screen, l *draw.Line, q *model.Queue) {
	l.Put(draw.Dim, "forwarding to ").Put(draw.Plain, sc.Handler(q.To)).Put(draw.Dim, ":")
	before := l.Free
	say := func(r draw.Role, n int, words string) {
		if n == 0 {
			return
		}
		if l.Free < before {
			l.Put(draw.Dim, ",")
		}
		l.Put(r, fmt.Sprintf(" %d%s", n, words))
	}
	more := ""
	if q.More {
		more = " or more"
	}
	say(draw.Plain, q.Waiting, more+" waiting")
	say(draw.Plain, q.InFlight, " in flight")
	retrying := " retrying"
	if wait := q.NextTry.Sub(sc.At); !q.NextTry.IsZero() && wait > 0 {
		retrying += " in " + words.Ago(wait)
	}
	say(draw.Warn, q.Retrying, retrying)
	say(draw.Bad, q.GaveUp, " given up")
	say(draw.Bad, q.Failed, " refused")
	say(draw.Good, q.Delivered, " forwarded")
	if l.Free == before {
		l.Put(draw.Dim, " nothing yet")
	}
}
