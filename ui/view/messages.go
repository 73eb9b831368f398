package view

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/keys"
	"aspectop/ui/render"
	"aspectop/ui/screen"
	"aspectop/words"
)

// Messages lists what Aspect says it sent, each message beside what came here.
type Messages struct {
	list[string] // of the ids of the messages that pass the filter
	sent         sent
	joined       []here         // of each of the messages
	place        map[string]int // of the messages by id

	preview draw.TextPane
	told    toldText
}

// NewMessages returns the list, with the first row selected.
func NewMessages() *Messages {
	v := &Messages{preview: draw.NewTextPane()}
	v.list = list[string]{
		rows: keysOf[string](nil), follow: true, none: "no failures",
		failed: func(_ *screen.Screen, id string) (failed, known bool) { return v.failed(v.place[id]), true },
	}
	return v
}

func (v *Messages) Has(sc *screen.Screen, a keys.Action) bool {
	return a != keys.Sort && sc.API != nil && (a != keys.Preview || len(v.sent.messages) > 0)
}

func (v *Messages) Changed(*screen.Screen, screen.Change) {}

func (v *Messages) Arrange(sc *screen.Screen, w, h int) {
	if sc.API == nil {
		return
	}
	v.update(sc)
	v.arrange(sc, h, len(v.drawHead(sc, w, h)))
	v.sent.need(sc, v.key, v.joined)
}

// update joins the messages with what came here, and applies the filter.
func (v *Messages) update(sc *screen.Screen) {
	v.joined = join(sc, v.sent.messages)
	v.place = make(map[string]int, len(v.joined))
	var shown keysOf[string]
	for i := range v.sent.messages {
		v.place[v.sent.messages[i].ID] = i
		if v.keep(sc, i) {
			shown = append(shown, v.sent.messages[i].ID)
		}
	}
	v.rows = shown
	if v.hold(sc); len(shown) == 0 {
		v.key = ""
	}
}

// keep reports whether message i matches the filter: by its delivery or Aspect's word.
func (v *Messages) keep(sc *screen.Screen, i int) bool {
	f, h := &sc.Filter, v.joined[i]
	if f.Failures && !v.failed(i) {
		return false
	}
	if a := sc.Log.Row(h.row.Seq); h.is == hereArrived && a != nil {
		t := sc.Board.TaskOf(&a.Event)
		return f.Words.MatchEvent(&a.Event, t, sc.AssetName(t), sc.At)
	}
	msg := &v.sent.messages[i]
	e := &model.Event{ID: msg.ID, EventID: msg.EventID, Type: msg.EventType, Source: model.SourceWebhook, Received: msg.Time}
	if msg.TaskID != "" {
		e.Task = &model.Snapshot{ID: msg.TaskID}
	}
	if n := sc.Log.Status(h.row); h.is == hereRefused && n != nil {
		return f.Words.MatchRejected(n.Rejected, e)
	}
	return f.Words.MatchEvent(e, nil, "", sc.At)
}

// failed reports whether message i did not reach its receiver.
func (v *Messages) failed(i int) bool {
	_, word, _ := statusWord(v.sent.status(i))
	return v.joined[i].is == hereMissing || v.joined[i].is == hereRefused || word == "failed"
}

func (v *Messages) Selection(sc *screen.Screen, target bool) screen.Selection {
	id, ok := v.selected(sc, target)
	if !ok {
		return screen.Selection{}
	}
	s := sc.Select(v.joined[v.place[id]].row)
	s.Sent = id
	return s
}

// InSight are the deliveries whose rows tell more of the messages.
func (v *Messages) InSight(*screen.Screen) []int64 {
	var seqs []int64
	for _, h := range v.joined {
		if h.is == hereArrived {
			seqs = append(seqs, h.row.Seq)
		}
	}
	return seqs
}

func (v *Messages) Do(sc *screen.Screen, a keys.Action) (tea.Cmd, bool) {
	if sc.API == nil {
		return nil, false
	}
	switch a {
	case keys.AskAgain:
		if v.sent.again = true; v.sent.asking {
			sc.Say("still waiting for Aspect's answer")
		}
	case keys.Open:
		switch s := v.Selection(sc, true); {
		case s.Sent == "":
		case s.Row != feed.RowKey{}:
			sc.Open(s.Task, s.Row)
		default:
			v.openOverlay(sc, s.Sent)
		}
	case keys.Right:
		if id, ok := v.selected(sc, true); ok {
			v.openOverlay(sc, id)
		}
	default:
		return v.list.Do(sc, a)
	}
	return nil, true
}

func (v *Messages) openOverlay(sc *screen.Screen, id string) {
	v.key, v.follow = id, false // r and e are about the message that is read
	v.hold(sc)
	sc.ShowOverlay(&screen.Overlay{
		Title: func() string { return "message " + id },
		Content: func() *draw.Document {
			v.update(sc)
			v.sent.need(sc, id, v.joined)
			return v.text(sc, id)
		},
	})
}

func (v *Messages) summary() string {
	missing, refused := 0, 0
	for _, h := range v.joined {
		switch h.is {
		case hereMissing:
			missing++
		case hereRefused:
			refused++
		}
	}
	told := words.Count(len(v.sent.messages), "message", "messages")
	if missing > 0 {
		told += fmt.Sprintf(", %d not received here", missing)
	}
	if refused > 0 {
		told += fmt.Sprintf(", %d rejected here", refused)
	}
	return told
}

func (v *Messages) Draw(sc *screen.Screen, w, h int) []string {
	if sc.API == nil {
		return drawNoKey(sc, w, h)
	}
	table := v.table(sc, w)
	return draw.PadHeight(sc.Theme, v.drawRows(v.drawHead(sc, w, h), h, func(id string, selected bool) string {
		return table.Row(sc.Theme, w, v.place[id], selected)
	}), w, h)
}

func drawNoKey(sc *screen.Screen, w, h int) []string {
	var lines []string
	if h > 8 {
		lines = append(lines, draw.Blank(sc.Theme, w))
	}
	say := func(r draw.Role, s string) { lines = append(lines, render.Paragraph(sc, r, s, w, h)...) }
	say(draw.Plain, "What Aspect says it sent, next to what arrived here.")
	say(draw.Dim, "One row per webhook message: when Aspect sent it, whether Svix delivered it, and whether it arrived here. "+
		"Opening one shows every delivery attempt with its response code.")
	lines = append(lines, draw.Blank(sc.Theme, w))
	say(draw.Dim, "This needs an API key:")
	say(draw.Accent, "  ASPECT_API_KEY=sk_… aspectop watch")
	lines = append(lines, draw.Blank(sc.Theme, w), draw.NewLine(sc.Theme, w).Space(2).Put(draw.Accent, "3").Put(draw.Dim, " shows every delivery that arrived here.").String())
	return draw.PadHeight(sc.Theme, lines, w, h)
}

func (v *Messages) drawHead(sc *screen.Screen, w, h int) []string {
	var lines []string
	s := &v.sent
	if s.failure != "" {
		lines = render.Paragraph(sc, draw.Bad, "Aspect's API failed: "+s.failure, w, max(1, h/2))
		if h > 5 {
			lines = append(lines, render.Paragraph(sc, draw.Dim, "Press R to retry now; otherwise the next try is within "+words.Ago(sentEvery)+".", w, 1)...)
		}
	}
	switch {
	case s.read.IsZero() && s.failure == "":
		return append(lines, render.Paragraph(sc, draw.Dim, "Asking Aspect what it sent "+draw.GlyphEllipsis, w, 1)...)
	case len(s.messages) == 0 && s.failure == "":
		return append(lines, render.Paragraph(sc, draw.Plain, "Aspect has sent no message.", w, 1)...)
	case len(s.messages) == 0:
		return lines
	case v.rows.Len() == 0:
		lines = append(lines, render.Paragraph(sc, draw.Plain, "Nothing matches the filter.", w, 1)...)
	}
	if h > 5 {
		l := draw.NewLine(sc.Theme, w).Space(2).Put(draw.Plain, v.summary())
		if age := ", asked " + words.Since(s.read, sc.At) + " ago"; len(age) <= l.Free {
			l.Put(draw.Dim, age)
		}
		lines = append(lines, l.String())
	}
	if h > 3 {
		lines = append(lines, v.table(sc, w).Head(sc.Theme, w))
	}
	return lines
}

// table lays the list out for the width; its rows are places of messages.
func (v *Messages) table(sc *screen.Screen, w int) draw.Table[int] {
	table := draw.Table[int]{
		{Title: "SENT", Sizes: []draw.Size{draw.Whole(0, draw.ClockWidth+1)}, Draw: func(l *draw.Line, i, w int) {
			l.Cell(draw.Dim, draw.Clock(v.sent.messages[i].Time), w)
		}},
		{Title: "STATUS", Sizes: []draw.Size{draw.Whole(0, 11)}, Draw: func(l *draw.Line, i, w int) {
			sign, word, r := statusWord(v.sent.status(i))
			l.Cell(r, sign+" "+word, w)
		}},
		{Title: "HERE", Sizes: []draw.Size{draw.Part(1, 18)}, Draw: func(l *draw.Line, i, w int) {
			here, r := v.joined[i].words()
			l.Cell(r, here, w)
		}},
		{Title: "TASK", Sizes: []draw.Size{draw.Whole(4, 10)}, Draw: func(l *draw.Line, i, w int) {
			h := v.joined[i]
			task := v.sent.messages[i].TaskID
			if a := sc.Log.Row(h.row.Seq); h.is == hereArrived && a != nil && a.Task != nil {
				task = a.Task.ID
			}
			l.Cell(draw.Plain, draw.Short(task, w), w)
		}},
		{Title: "TYPE", Sizes: []draw.Size{draw.Whole(3, 16)}, Draw: func(l *draw.Line, i, w int) {
			l.Cell(draw.Plain, v.sent.messages[i].EventType, w)
		}},
		{Title: "MESSAGE", Sizes: []draw.Size{draw.Whole(2, 12), draw.Part(5, 33)}, Draw: func(l *draw.Line, i, w int) {
			l.Cell(draw.Dim, v.sent.messages[i].ID, w)
		}},
	}
	table.Arrange(w + 1) // no blank behind the last one
	return table
}
