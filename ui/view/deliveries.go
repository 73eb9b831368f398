package view

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/keys"
	"aspectop/ui/screen"
)

// Deliveries lists what Aspect says it sent, each message beside what came
// here. What is known of the selected one stands in the preview.
type Deliveries struct {
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

// NewDeliveries returns the list, with the first row selected.
func NewDeliveries() *Deliveries {
	return &Deliveries{follow: true, preview: draw.NewTextPane()}
}

func (v *Deliveries) Title() string { return "Deliveries" }

func (v *Deliveries) Has(sc *screen.Screen, a keys.Action) bool {
	return a != keys.Sort && sc.API != nil
}

// Empty reports whether Aspect has told of no message yet.
func (v *Deliveries) Empty() bool { return len(v.sent.messages) == 0 }

func (v *Deliveries) Shown(*screen.Screen) int { return len(v.shown) }

// Update takes in what Aspect has told, and reports whether msg was that.
func (v *Deliveries) Update(sc *screen.Screen, msg tea.Msg) bool {
	switch msg := msg.(type) {
	case messagesMsg:
		v.sent.messagesRead(sc, msg)
	case attemptsMsg:
		v.sent.attemptsRead(sc, msg)
	default:
		return false
	}
	return true
}

func (v *Deliveries) Changed(*screen.Screen, screen.Change) {}

func (v *Deliveries) Arrange(sc *screen.Screen, w, h int) {
	if sc.API == nil {
		return
	}
	v.update(sc)
	v.head = len(v.drawHead(sc, w, h))
	v.h = max(1, h-v.head)
	v.hold()
	v.sent.need(sc, v.id)
}

// update holds what Aspect told against what came here and against the filter.
func (v *Deliveries) update(sc *screen.Screen) {
	v.joined = join(sc, v.sent.messages)
	v.shown = v.shown[:0]
	for i := range v.sent.messages {
		if v.keep(sc, i) {
			v.shown = append(v.shown, i)
		}
	}
	v.hold()
}

// hold keeps the selection on its message, or on the first row while following.
func (v *Deliveries) hold() {
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

func (v *Deliveries) message(row int) *screen.SentMessage { return &v.sent.messages[v.shown[row]] }

// keep reports whether message i passes the filter: by what came here, as far
// as that is at hand, or by what Aspect tells.
func (v *Deliveries) keep(sc *screen.Screen, i int) bool {
	f, h := &sc.Filter, v.joined[i]
	if f.Failures && !v.failed(i) {
		return false
	}
	if f.Words.Empty() {
		return true
	}
	msg := &v.sent.messages[i]
	s := model.Subject{Now: sc.At, Event: &model.Event{
		ID: msg.ID, EventID: msg.EventID, Type: msg.EventType, Source: model.SourceWebhook, Received: msg.Time,
	}}
	if a := sc.Log.Row(h.row.Seq); h.is == hereArrived && a != nil {
		s.Event = &a.Event
		if a.Task != nil {
			if s.Task = sc.Board.Task(a.Task.ID); s.Task != nil {
				s.Name = sc.AssetName(s.Task)
			}
		}
	}
	if h.is == hereRefused {
		if n := sc.Log.Status(h.row); n != nil {
			s.Rejected, s.Rejection = true, n.Rejected
		}
	}
	return f.Words.Match(&s)
}

// failed reports whether message i did not come to where it should be.
func (v *Deliveries) failed(i int) bool {
	_, word, _ := statusWord(v.sent.status(i))
	return v.joined[i].is == hereMissing || v.joined[i].is == hereRefused || word == "failed"
}

func (v *Deliveries) Selection(sc *screen.Screen) screen.Selection {
	if len(v.shown) == 0 {
		return screen.Selection{}
	}
	s := screen.Selection{Sent: v.id}
	switch h := v.joined[v.shown[v.rows.Cursor]]; h.is {
	case hereArrived, hereRefused:
		s.Row = h.row
	}
	if a := sc.Log.Row(s.Row.Seq); s.Row.Pos == 0 && a != nil && a.Task != nil {
		s.Task = sc.Board.Task(a.Task.ID)
	}
	return s
}

// InSight are the deliveries whose rows tell more of the messages.
func (v *Deliveries) InSight(*screen.Screen) []int64 {
	var seqs []int64
	for _, h := range v.joined {
		if h.is == hereArrived {
			seqs = append(seqs, h.row.Seq)
		}
	}
	return seqs
}

func (v *Deliveries) Do(sc *screen.Screen, a keys.Action) (tea.Cmd, bool) {
	if sc.API == nil {
		return nil, false
	}
	n := len(v.shown)
	switch a {
	case keys.AskAgain:
		if v.sent.again = true; v.sent.asking {
			sc.Say("still waiting for Aspect's answer")
		}
	case keys.Follow:
		v.follow = !v.follow
		sc.SayFollow(v.follow)
	case keys.Open:
		switch s := v.Selection(sc); {
		case n == 0:
		case s.Row != feed.RowKey{}:
			sc.Open(s.Task, s.Row)
		default:
			v.openSheet(sc)
		}
	case keys.Right:
		if n > 0 {
			v.openSheet(sc)
		}
	case keys.NextMatch, keys.PrevMatch:
		v.toFailure(sc, a)
	default:
		if !v.rows.Move(a, n, v.h) {
			return nil, false
		}
		v.moved(sc)
	}
	return nil, true
}

// moved notes that the reader chose a row: following would take it away.
func (v *Deliveries) moved(sc *screen.Screen) {
	if len(v.shown) == 0 {
		return
	}
	v.id = v.message(v.rows.Cursor).ID
	if v.follow && v.rows.Cursor > 0 {
		v.follow = false
		sc.SayFollow(false)
	}
}

func (v *Deliveries) toFailure(sc *screen.Screen, a keys.Action) {
	n, step := len(v.shown), 1
	if a == keys.PrevMatch {
		step = -1
	}
	for i := 1; i <= n; i++ {
		row := ((v.rows.Cursor+i*step)%n + n) % n
		if v.failed(v.shown[row]) {
			v.rows.Set(row, n, v.h)
			v.moved(sc)
			return
		}
	}
	sc.Say("no failures")
}

func (v *Deliveries) Click(sc *screen.Screen, _, y int) bool {
	if row := v.rows.Top + y - v.head; y >= v.head && row < len(v.shown) {
		v.rows.Set(row, len(v.shown), v.h)
		v.moved(sc)
		return true
	}
	return false
}

// openSheet shows all that Aspect tells of the selected message.
func (v *Deliveries) openSheet(sc *screen.Screen) {
	id := v.id
	v.follow = false // r and e are about the message that is read
	sc.Cover(&screen.Sheet{
		Title: func() string { return "message " + id },
		Content: func() *draw.Document {
			v.update(sc)
			v.sent.need(sc, id)
			return v.text(sc, id)
		},
	})
}

// summary counts what the list shows.
func (v *Deliveries) summary() string {
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
		told += fmt.Sprintf(", %d rejected here", refused)
	}
	return told
}
