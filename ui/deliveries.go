package ui

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/keys"
)

// deliveriesView lists what Aspect says it sent, each message beside what came
// here. What is known of the selected one stands in the preview.
type deliveriesView struct {
	sent   sent
	joined []here // of each of the messages
	shown  []int  // those that pass the filter
	rows   draw.Window
	head   int // lines above the rows
	h      int // rows on screen
	id     string
	follow bool // the selection stays on the first row

	preview draw.TextPane
	told    toldText
}

func (m *Model) deliveries() *deliveriesView { return m.views[viewDeliveries].(*deliveriesView) }

func (v *deliveriesView) title() string          { return "Deliveries" }
func (v *deliveriesView) changed(*Model, change) {}

func (v *deliveriesView) arrange(m *Model, w, h int) {
	if m.opt.API == nil {
		return
	}
	v.update(m)
	v.head = len(v.drawHead(m, w, h))
	v.h = max(1, h-v.head)
	v.hold()
	v.sent.need(m, v.id)
}

// update holds what Aspect told against what came here and against the filter.
func (v *deliveriesView) update(m *Model) {
	v.joined = m.join(v.sent.messages)
	v.shown = v.shown[:0]
	for i := range v.sent.messages {
		if v.keep(m, i) {
			v.shown = append(v.shown, i)
		}
	}
	v.hold()
}

// hold keeps the selection on its message, or on the first row while following.
func (v *deliveriesView) hold() {
	n := len(v.shown)
	if n == 0 {
		v.rows.Set(0, 0, v.h)
		v.id = ""
		return
	}
	row := 0
	if !v.follow {
		row = min(v.rows.Cursor, n-1)
		for i := range v.shown {
			if v.message(i).ID == v.id {
				row = i
				break
			}
		}
	}
	v.rows.Shift(row, n, v.h)
	v.id = v.message(row).ID
}

func (v *deliveriesView) message(row int) *SentMessage { return &v.sent.messages[v.shown[row]] }

// keep reports whether message i passes the filter: by what came here, as far
// as that is at hand, or by what Aspect tells.
func (v *deliveriesView) keep(m *Model, i int) bool {
	f, h := &m.filter, v.joined[i]
	if f.failures && !v.failed(i) {
		return false
	}
	if f.filter.Empty() {
		return true
	}
	msg := &v.sent.messages[i]
	s := model.Subject{Now: m.at, Event: &model.Event{
		ID: msg.ID, EventID: msg.EventID, Type: msg.EventType, Source: model.SourceWebhook, Received: msg.Time,
	}}
	if a := m.log.rows[h.row.seq]; h.is == hereArrived && a != nil {
		s.Event = &a.Event
		if a.Task != nil {
			if s.Task = m.board.Task(a.Task.ID); s.Task != nil {
				s.Name = m.assetName(s.Task)
			}
		}
	}
	if h.is == hereRefused {
		if n := m.log.status(h.row); n != nil {
			s.Rejected, s.Rejection = true, n.Rejected
		}
	}
	return f.filter.Match(&s)
}

// failed reports whether message i did not come to where it should be.
func (v *deliveriesView) failed(i int) bool {
	_, word, _ := statusWord(v.sent.status(i))
	return v.joined[i].is == hereMissing || v.joined[i].is == hereRefused || word == "failed"
}

func (v *deliveriesView) selection(m *Model) selection {
	if len(v.shown) == 0 {
		return selection{}
	}
	s := selection{sent: v.id}
	switch h := v.joined[v.shown[v.rows.Cursor]]; h.is {
	case hereArrived, hereRefused:
		s.row = h.row
	}
	if a := m.log.rows[s.row.seq]; s.row.pos == 0 && a != nil && a.Task != nil {
		s.task = m.board.Task(a.Task.ID)
	}
	return s
}

// inSight are the deliveries whose rows tell more of the messages.
func (v *deliveriesView) inSight() []int64 {
	var seqs []int64
	for _, h := range v.joined {
		if h.is == hereArrived {
			seqs = append(seqs, h.row.seq)
		}
	}
	return seqs
}

func (v *deliveriesView) do(m *Model, a keys.Action) (tea.Cmd, bool) {
	if m.opt.API == nil {
		return nil, false
	}
	n := len(v.shown)
	switch a {
	case keys.AskAgain:
		if v.sent.again = true; v.sent.asking {
			m.say("still waiting for Aspect's answer")
		}
	case keys.Follow:
		v.follow = !v.follow
		m.sayFollow(v.follow)
	case keys.Open:
		switch s := v.selection(m); {
		case n == 0:
		case s.row != rowKey{}:
			m.openTask(s.task, s.row)
		default:
			v.openSheet(m)
		}
	case keys.Right:
		if n > 0 {
			v.openSheet(m)
		}
	case keys.NextMatch, keys.PrevMatch:
		v.toFailure(m, a)
	default:
		if !v.rows.Move(a, n, v.h) {
			return nil, false
		}
		v.moved(m)
	}
	return nil, true
}

// moved notes that the reader chose a row: following would take it away.
func (v *deliveriesView) moved(m *Model) {
	if len(v.shown) == 0 {
		return
	}
	v.id = v.message(v.rows.Cursor).ID
	if v.follow && v.rows.Cursor > 0 {
		v.follow = false
		m.sayFollow(false)
	}
}

func (v *deliveriesView) toFailure(m *Model, a keys.Action) {
	n, step := len(v.shown), 1
	if a == keys.PrevMatch {
		step = -1
	}
	for i := 1; i <= n; i++ {
		row := ((v.rows.Cursor+i*step)%n + n) % n
		if v.failed(v.shown[row]) {
			v.rows.Set(row, n, v.h)
			v.moved(m)
			return
		}
	}
	m.say("no failure in sight")
}

func (v *deliveriesView) click(m *Model, _, y int) {
	if row := v.rows.Top + y - v.head; y >= v.head && row < len(v.shown) {
		v.rows.Set(row, len(v.shown), v.h)
		v.moved(m)
	}
}

// openSheet shows all that Aspect tells of the selected message.
func (v *deliveriesView) openSheet(m *Model) {
	id := v.id
	v.follow = false // r and e are about the message that is read
	m.openSheet(&sheet{
		title: func(*Model) string { return "message " + id },
		content: func(m *Model) *draw.Document {
			v.update(m)
			v.sent.need(m, id)
			return v.text(m, id)
		},
	})
}

// summary counts what the list shows.
func (v *deliveriesView) summary() string {
	missing, refused := 0, 0
	for _, h := range v.joined {
		switch h.is {
		case hereMissing:
			missing++
		case hereRefused:
			refused++
		}
	}
	told := draw.Count(len(v.sent.messages), "message", "messages")
	if missing > 0 {
		told += fmt.Sprintf(", %d not received here", missing)
	}
	if refused > 0 {
		told += fmt.Sprintf(", %d refused here", refused)
	}
	return told
}
