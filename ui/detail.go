package ui

import (
	tea "charm.land/bubbletea/v2"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/keys"
)

// detail is what is open over a view: a task with its messages, or a row of the
// log that belongs to none.
type detail struct {
	task   string        // "": none
	row    rowKey        // what Payload and Headers show; chosen in Events
	status *model.Status // of a row that is no delivery; a copy, as the log forgets
	pane   paneID
	h      int // lines of a pane

	top     int // first line of the Task pane
	events  taskEvents
	payload draw.TextPane
	headers draw.TextPane

	shown   content // what payload and headers hold
	shows   rowKey  // of which row, even when that is to be read anew
	reading bool    // the next content is on its way
}

// paneID names one of the panes of a detail.
type paneID int

const (
	paneTask paneID = iota
	paneEvents
	panePayload
	paneHeaders
)

var paneTitles = [...]string{"Task", "Events", "Payload", "Headers"}

// openTask opens a task, a row of the log, or both: then what the row brought
// is what the reader wants to see first.
func (m *Model) openTask(t *model.Task, row rowKey) {
	d := &detail{row: row, payload: draw.NewTextPane(), headers: draw.NewTextPane()}
	m.detail = d
	if row.pos > 0 {
		if s := m.log.status(row); s != nil {
			kept := *s
			d.status = &kept
		}
	}
	if t != nil {
		d.task = t.ID()
	}
	d.events.opened = row.seq
	if d.events.follow = row == (rowKey{}); !d.events.follow || t == nil {
		d.pane = panePayload
	}
}

// panes are those that there is something for.
func (d *detail) panes() []paneID {
	if d.task == "" {
		return []paneID{panePayload, paneHeaders}
	}
	return []paneID{paneTask, paneEvents, panePayload, paneHeaders}
}

// reader is the pane of text that is open, or nil.
func (d *detail) reader() *draw.TextPane {
	switch d.pane {
	case panePayload:
		return &d.payload
	case paneHeaders:
		return &d.headers
	}
	return nil
}

// selection is the task and the row that the reader looks at.
func (d *detail) selection(m *Model) selection {
	return selection{task: m.board.Task(d.task), row: d.row}
}

// inSight are the deliveries whose rows the Events pane shows.
func (d *detail) inSight(*Model) []int64 {
	if d.pane != paneEvents {
		return nil
	}
	return d.events.inSight()
}

func (d *detail) arrange(m *Model, w, h int) {
	d.h = max(1, h-1)
	d.hold(m)
	d.load(m)
	if p := d.reader(); p != nil {
		p.Arrange(w, d.h)
	}
}

// hold keeps the rows of the Events pane up to date. A reader of a payload
// keeps that payload, whatever comes.
func (d *detail) hold(m *Model) {
	t := m.board.Task(d.task)
	if t == nil {
		return
	}
	e := &d.events
	e.update(t)
	e.hold(d.h, d.row.seq)
	if e.follow {
		d.row = rowKey{seq: e.selected()}
	}
}

func (d *detail) do(m *Model, a keys.Action) (tea.Cmd, bool) {
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
		return nil, d.scrollTask(m, a)
	case paneEvents:
		if a == keys.Open {
			d.turnTo(panePayload)
			return nil, true
		}
		if !d.events.do(m, a) {
			return nil, false
		}
		d.row = rowKey{seq: d.events.selected()}
		return nil, true
	}
	if a == keys.Wrap {
		on := !d.reader().Wrap
		d.payload.Wrap, d.headers.Wrap = on, on
		return nil, true
	}
	return d.reader().Do(a, m.say)
}

// step turns to the next pane, or to the previous one.
func (d *detail) step(by int) {
	panes := d.panes()
	at := 0
	for i, p := range panes {
		if p == d.pane {
			at = i
		}
	}
	d.turnTo(panes[(at+by+len(panes))%len(panes)])
}

func (d *detail) turnTo(p paneID) {
	d.pane = p
	e := &d.events
	switch p {
	case paneEvents: // with the last row selected, it follows again
		e.follow = len(e.seqs) == 0 || e.selected() == e.seqs[len(e.seqs)-1]
	case panePayload, paneHeaders:
		e.follow = false
	}
}

// scrollTask moves the Task pane and reports whether a was a movement.
func (d *detail) scrollTask(m *Model, a keys.Action) bool {
	t := m.board.Task(d.task)
	if t == nil {
		return false
	}
	return draw.Scroll(&d.top, a, len(m.overview(t, m.w, d.h)), d.h)
}

func (d *detail) draw(m *Model, w, h int) []string {
	lines := []string{d.drawTitles(m, w)}
	h--
	switch d.pane {
	case paneTask:
		if t := m.board.Task(d.task); t != nil {
			all := m.overview(t, w, h)
			lines = append(lines, all[max(0, min(d.top, len(all)-h)):]...)
		}
	case paneEvents:
		lines = append(lines, d.events.draw(m, w, h)...)
	default:
		lines = append(lines, d.reader().Draw(m.th, w, h)...)
	}
	return draw.Tall(m.th, lines, w, h+1)
}

// drawTitles draws the titles of the panes, and what the open one shows.
func (d *detail) drawTitles(m *Model, w int) string {
	l := draw.NewLine(m.th, w)
	for _, p := range d.panes() {
		r := draw.Dim
		if l.Selected = p == d.pane; l.Selected {
			r = draw.Strong
		}
		l.Put(r, " "+paneTitles[p]+" ")
		l.Selected = false
		l.Space(1)
	}
	told, width, _ := draw.Fit(d.about(m), 80)
	if l.Free > width {
		l.Space(l.Free-width).Put(draw.Dim, told)
	}
	return l.String()
}

// about says in a few words what the open pane shows.
func (d *detail) about(m *Model) string {
	switch d.pane {
	case paneTask:
		return draw.Short(d.task, 8)
	case paneEvents:
		return draw.Count(len(d.events.seqs), "event", "events")
	}
	return d.shown.about(m, d)
}
