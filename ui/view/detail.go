package view

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/keys"
	"aspectop/ui/render"
	"aspectop/ui/screen"
	"aspectop/words"
)

// Detail is an open task with its messages, or an open row of the log.
type Detail struct {
	task   string        // "": none
	row    feed.RowKey   // what Payload and Headers show; chosen in Events
	status *model.Status // of a row that is no delivery; a copy, as the log forgets
	pane   paneID
	h      int // lines of a pane

	top     int // first line of the Task pane
	events  taskEvents
	payload draw.TextPane
	headers draw.TextPane
	handler draw.TextPane // what handlers answered
	request draw.TextPane // what they were asked, beside
	handled bool          // there is a pane for them

	shown   content // what payload and headers hold
	reading bool    // the next content is on its way
}

// paneID names one of the panes of a detail.
type paneID int

const (
	paneTask paneID = iota
	paneEvents
	panePayload
	paneHeaders
	paneHandler
)

var paneTitles = [...]string{"Task", "Events", "Payload", "Headers", "Handler"}

// NewDetail opens a task, a row of the log, or both: then the payload is shown first.
func NewDetail(sc *screen.Screen, t *model.Task, row feed.RowKey) *Detail {
	d := &Detail{row: row, payload: draw.NewTextPane(), headers: draw.NewTextPane(), handler: draw.NewTextPane(), request: draw.NewTextPane()}
	if row.Pos > 0 {
		if s := sc.Log.Status(row); s != nil {
			kept := *s
			d.status = &kept
		}
	}
	if t != nil {
		d.task = t.ID()
	}
	d.events = newTaskEvents(row)
	if !d.events.follow || t == nil {
		d.pane = panePayload
	}
	return d
}

func (d *Detail) panes() []paneID {
	panes := []paneID{paneTask, paneEvents, panePayload, paneHeaders, paneHandler}
	if !d.handled {
		panes = panes[:4]
	}
	if d.task == "" {
		return panes[2:]
	}
	return panes
}

// Reader is the pane of text that is open, or nil.
func (d *Detail) Reader() *draw.TextPane {
	switch d.pane {
	case panePayload:
		return &d.payload
	case paneHeaders:
		return &d.headers
	case paneHandler:
		return &d.handler
	}
	return nil
}

// Selection is the task and the row that are shown.
func (d *Detail) Selection(sc *screen.Screen) screen.Selection {
	return screen.Selection{Task: sc.Board.Task(d.task), Row: d.row}
}

// InSight are the deliveries whose rows the Events pane shows.
func (d *Detail) InSight(*screen.Screen) []int64 {
	if d.pane != paneEvents {
		return nil
	}
	return seqsAround(&d.events.list)
}

func (d *Detail) Arrange(sc *screen.Screen, w, h int) {
	d.h = max(1, h-1)
	if t := sc.Board.Task(d.task); t != nil {
		if d.events.update(sc, t, d.h); d.events.follow { // else a payload that is read stays
			d.row = d.events.key
		}
		if d.pane == paneTask {
			sc.NeedAnswers(slices.Max(t.Seqs())) // the last event is told with them
		}
	}
	d.handled = d.row.Seq > 0 && d.row.Pos == 0 && !sc.Private && (sc.Resend != nil || len(sc.Queues()) > 0 || len(sc.Forwards(d.row.Seq)) > 0 || d.shown.asked)
	if d.pane == paneHandler && !d.handled {
		d.pane = paneHeaders
	}
	d.load(sc)
	switch p := d.Reader(); {
	case p == nil:
	case d.pane == paneHandler && w >= twoPanes:
		d.request.Arrange(w/2-1, d.h-1)
		p.Arrange(w-w/2-2, d.h-1)
	default:
		p.Arrange(w, d.h)
	}
}

func (d *Detail) Do(sc *screen.Screen, a keys.Action) (tea.Cmd, bool) {
	switch a {
	case keys.NextPane, keys.Right:
		d.step(1)
		return nil, true
	case keys.PrevPane, keys.Left:
		d.step(-1)
		return nil, true
	}
	switch d.pane {
	case paneTask:
		t := sc.Board.Task(d.task)
		return nil, t != nil && draw.Scroll(&d.top, a, len(render.Overview(sc, t, sc.W, d.h)), d.h)
	case paneEvents:
		if a == keys.Open {
			d.turnTo(panePayload)
			return nil, true
		}
		cmd, done := d.events.Do(sc, a)
		d.row = d.events.key
		return cmd, done
	}
	if a == keys.Wrap {
		on := !d.Reader().Wrap
		d.payload.Wrap, d.headers.Wrap, d.handler.Wrap, d.request.Wrap = on, on, on, on
		return nil, true
	}
	if d.pane == paneHandler && a <= keys.HalfDown { // both move
		d.request.Do(a, sc.Say)
	}
	return d.Reader().Do(a, sc.Say)
}

func (d *Detail) step(by int) {
	panes := d.panes()
	d.turnTo(panes[(slices.Index(panes, d.pane)+by+len(panes))%len(panes)])
}

func (d *Detail) turnTo(p paneID) {
	d.pane = p
	switch e := &d.events; p {
	case paneEvents: // with the last row selected, it follows again
		e.follow = e.Cursor >= e.newest()
	case panePayload, paneHeaders, paneHandler:
		e.follow = false
	}
}

func (d *Detail) Draw(sc *screen.Screen, w, h int) []string {
	lines := []string{d.drawTitles(sc, w)}
	h--
	switch d.pane {
	case paneTask:
		if t := sc.Board.Task(d.task); t != nil {
			all := render.Overview(sc, t, w, h)
			lines = append(lines, all[max(0, min(d.top, len(all)-h)):]...)
		}
	case paneEvents:
		lines = append(lines, drawLog(sc, &d.events.list, false, w, h)...)
	case paneHandler:
		lines = append(lines, d.drawHandler(sc, w, h)...)
	default:
		lines = append(lines, d.Reader().Draw(sc.Theme, w, h)...)
	}
	return draw.PadHeight(sc.Theme, lines, w, h+1)
}

// twoPanes is the least width for request and response side by side.
const twoPanes = 100

func (d *Detail) drawHandler(sc *screen.Screen, w, h int) []string {
	if w < twoPanes || h < 2 {
		return d.handler.Draw(sc.Theme, w, h)
	}
	one, other := w/2-1, w-w/2-2
	left := append([]string{draw.Rule(sc.Theme, "Request", "", one)}, d.request.Draw(sc.Theme, one, h-1)...)
	right := append([]string{draw.Rule(sc.Theme, "Response", "", other)}, d.handler.Draw(sc.Theme, other, h-1)...)
	for i := range left {
		left[i] += draw.NewLine(sc.Theme, 3).Space(1).Put(draw.Faint, draw.GlyphWall).String() + right[i]
	}
	return left
}

func (d *Detail) drawTitles(sc *screen.Screen, w int) string {
	l := draw.NewLine(sc.Theme, w)
	for _, p := range d.panes() {
		l.Tab(" "+paneTitles[p]+" ", p == d.pane)
	}
	told, _, _ := draw.Fit(d.about(sc), 80)
	return l.End(draw.Dim, told).String()
}

func (d *Detail) about(sc *screen.Screen) string {
	switch d.pane {
	case paneTask:
		return draw.Short(d.task, 8)
	case paneEvents:
		return words.Count(d.events.rows.Len(), "event", "events")
	}
	return d.shown.about(sc, d)
}

// taskEvents lists the messages of one task in the order of arrival.
type taskEvents struct {
	list[feed.RowKey]
	told   int   // messages of the task when the rows were listed
	opened int64 // the row that was opened, 0: none
}

// newTaskEvents returns the list with a row selected, the newest one by default.
func newTaskEvents(row feed.RowKey) taskEvents {
	return taskEvents{opened: row.Seq, list: list[feed.RowKey]{
		rows: keysOf[feed.RowKey](nil), key: row, log: true, follow: row == (feed.RowKey{}), silent: true,
		none: "no failures",
		failed: func(sc *screen.Screen, k feed.RowKey) (failed, known bool) {
			failed, _ = sc.Log.Failed(k)
			return failed, true
		},
	}}
}

// update lists new messages, and the row that was opened even if it is a repeat.
func (e *taskEvents) update(sc *screen.Screen, t *model.Task, h int) {
	if e.told != t.Messages() {
		e.told = t.Messages()
		seqs := t.Seqs()
		if e.opened != 0 && !slices.Contains(seqs, e.opened) {
			seqs = append(seqs, e.opened)
		}
		slices.Sort(seqs)
		keys := make(keysOf[feed.RowKey], len(seqs))
		for i, seq := range seqs {
			keys[i] = feed.RowKey{Seq: seq}
		}
		e.rows = keys
		e.hold(sc)
	}
	e.arrange(sc, h, min(1, h/6)) // titles, where there is room
}
