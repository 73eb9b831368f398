package view

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/keys"
	"aspectop/ui/screen"
	"aspectop/words"
)

// Deliveries lists what Aspect says it sent, each message beside what came
// here. What is known of the selected one stands in the preview.
type Deliveries struct {
	list[string] // of the ids of the messages that pass the filter
	sent         sent
	joined       []here         // of each of the messages
	place        map[string]int // of the messages by id

	preview draw.TextPane
	told    toldText
}

// NewDeliveries returns the list, with the first row selected.
func NewDeliveries() *Deliveries {
	v := &Deliveries{preview: draw.NewTextPane()}
	v.list = list[string]{
		rows: keysOf[string](nil), follow: true, none: "no failures",
		failed: func(_ *screen.Screen, id string) (failed, known bool) { return v.failed(v.place[id]), true },
	}
	return v
}

func (v *Deliveries) Has(sc *screen.Screen, a keys.Action) bool {
	return a != keys.Sort && sc.API != nil && (a != keys.Preview || len(v.sent.messages) > 0)
}

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
	v.arrange(sc, h, len(v.drawHead(sc, w, h)))
	v.sent.need(sc, v.key)
}

// update joins the messages with what came here, and applies the filter.
func (v *Deliveries) update(sc *screen.Screen) {
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

// keep reports whether message i passes the filter: by what came here, as far
// as that is at hand, or by what Aspect tells.
func (v *Deliveries) keep(sc *screen.Screen, i int) bool {
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
	if n := sc.Log.Status(h.row); h.is == hereRefused && n != nil {
		return f.Words.MatchRejected(n.Rejected, e)
	}
	return f.Words.MatchEvent(e, nil, "", sc.At)
}

// failed reports whether message i did not reach its receiver.
func (v *Deliveries) failed(i int) bool {
	_, word, _ := statusWord(v.sent.status(i))
	return v.joined[i].is == hereMissing || v.joined[i].is == hereRefused || word == "failed"
}

func (v *Deliveries) Selection(sc *screen.Screen, target bool) screen.Selection {
	id, ok := v.selected(sc, target)
	if !ok {
		return screen.Selection{}
	}
	s := sc.Select(v.joined[v.place[id]].row)
	s.Sent = id
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
		return nil, v.do(sc, a)
	}
	return nil, true
}

// openOverlay shows all that Aspect tells of a message.
func (v *Deliveries) openOverlay(sc *screen.Screen, id string) {
	v.key, v.follow = id, false // r and e are about the message that is read
	v.hold(sc)
	sc.ShowOverlay(&screen.Overlay{
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
	told := words.Count(len(v.sent.messages), "message", "messages")
	if missing > 0 {
		told += fmt.Sprintf(", %d not received here", missing)
	}
	if refused > 0 {
		told += fmt.Sprintf(", %d rejected here", refused)
	}
	return told
}
