package ui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/clean"
	"aspectop/model"
	"aspectop/printer"
	"aspectop/sig"
	"aspectop/ui/draw"
	"aspectop/ui/keys"
	"aspectop/ui/picture"
	"aspectop/ui/screen"
	"aspectop/words"
)

// clipboardTime is how long the system's clipboard has to take a text.
const clipboardTime = 2 * time.Second

// copied puts text on the clipboard and says what is known of it. OSC 52 works over SSH, but
// many terminals ignore it and none answers; the system's clipboard says whether it took the
// text. Control characters are removed: pasted into a shell, they would act.
func (m *Model) copied(what, text string) tea.Cmd {
	text = clean.Text(text)
	sent := tea.SetClipboard(text)
	if m.Clipboard == nil {
		m.say("sent to the terminal: " + what)
		return sent
	}
	return tea.Batch(sent, func() tea.Msg {
		taken := make(chan error, 1)
		go func() { taken <- m.Clipboard(text) }()
		select {
		case err := <-taken:
			if err == nil {
				return Say("copied " + what)
			}
		case <-time.After(clipboardTime):
		}
		return Say("sent to the terminal: " + what)
	})
}

// pointed is the selection, of what is open or of the view.
func (m *Model) pointed() screen.Selection {
	if m.detail != nil {
		return m.detail.Selection(m.Screen)
	}
	return m.views[m.view].Selection(m.Screen, true)
}

func (m *Model) copyID() tea.Cmd {
	s := m.pointed()
	if s.Sent != "" {
		return m.copied("message id "+s.Sent, s.Sent)
	}
	if s.Task != nil {
		return m.copied("task id "+draw.Short(s.Task.ID(), 8), s.Task.ID())
	}
	if st := m.Log.Status(s.Row); st != nil && st.Rejected != nil && st.Rejected.ID != "" {
		return m.copied("message id "+st.Rejected.ID, st.Rejected.ID)
	}
	if a := m.Log.Row(s.Row.Seq); a != nil && s.Row.Pos == 0 {
		return m.copied("message id "+a.ID, a.ID)
	}
	m.say("nothing to copy here")
	return nil
}

func (m *Model) copyURL() tea.Cmd {
	if m.Receiver == "" {
		m.say("not receiving, so there is no URL")
		return nil
	}
	if t := m.Feed.Tunnel(); t != nil && t.PublicURL != "" {
		return m.copied("the public URL", t.PublicURL)
	}
	return m.copied("the receiver's URL", m.Receiver)
}

// pointedDelivery is the selected delivery or the task's newest; 0, with a message, if none.
func (m *Model) pointedDelivery(to string) (seq int64) {
	s := m.pointed()
	switch {
	case s.Row.Pos > 0 && m.Log.Status(s.Row) != nil && m.Log.Status(s.Row).Rejected != nil:
		m.say("a rejected request is not a delivery: nothing to " + to)
	case s.Row.Pos > 0:
		m.say("not a delivery: nothing to " + to)
	case s.Row.Seq > 0:
		return s.Row.Seq
	case s.Sent != "":
		m.say("this message never arrived here: nothing to " + to)
	case s.Task != nil:
		seqs := s.Task.Seqs()
		return seqs[len(seqs)-1]
	default:
		m.say("nothing to " + to + " here")
	}
	return 0
}

func (m *Model) fetch(as keys.Action) tea.Cmd {
	seq := m.pointedDelivery("copy")
	if seq == 0 {
		return nil
	}
	return func() tea.Msg {
		d, err := m.Journal.Get(m.Ctx, seq)
		if err == nil && d.Repeat() && d.Body == nil { // it has the body of the first
			var first model.Delivery
			first, err = m.Journal.Get(m.Ctx, d.Message)
			d.Body = first.Body
		}
		return screen.Result(func() { m.Later(m.fetched(&d, as, err)) })
	}
}

func (m *Model) fetched(d *model.Delivery, as keys.Action, err error) tea.Cmd {
	switch {
	case err != nil:
		m.say("cannot read the delivery: " + err.Error())
		return nil
	case as == keys.CopyCurl:
		url := m.Receiver
		if url == "" {
			url = "http://127.0.0.1:8787/webhooks/aspect"
		}
		return m.copied(fmt.Sprintf("#%d as curl; its signature %s", d.Seq, m.validity(d)), printer.Curl(d, url))
	}
	return m.copied(fmt.Sprintf("the payload of #%d, %d bytes", d.Seq, len(d.Body)), payloadText(d.Body))
}

// validity tells for how long receivers accept the signature of a delivery.
func (m *Model) validity(d *model.Delivery) string {
	signed := sig.Signed(d.Header)
	if signed.IsZero() {
		return "has no time"
	}
	left := signed.Add(sig.Tolerance).Sub(m.Now())
	if left < 0 {
		return "expired " + words.Ago(-left) + " ago"
	}
	return "is valid for another " + words.Ago(left)
}

func payloadText(body []byte) string {
	var b bytes.Buffer
	if json.Compact(&b, body) != nil {
		return string(body)
	}
	return b.String()
}

func (m *Model) export() tea.Cmd {
	t := m.pointed().Task
	if t == nil || m.Export == nil {
		m.say("no task selected: nothing to export")
		return nil
	}
	id, seqs, private := t.ID(), t.Seqs(), m.Masked
	return func() tea.Msg {
		deliveries := make([]model.Delivery, 0, len(seqs))
		for _, seq := range seqs {
			d, err := m.Journal.Get(m.Ctx, seq)
			var repeats []model.Delivery
			if err == nil {
				repeats, err = m.Journal.Repeats(m.Ctx, seq)
			}
			if err != nil {
				return m.exported("", "", err)
			}
			deliveries = append(append(deliveries, d), repeats...)
		}
		path, err := m.Export(id, deliveries, private)
		return m.exported(words.Count(len(deliveries), "event", "events"), path, err)
	}
}

func (m *Model) savePicture() tea.Cmd {
	if m.Picture == nil {
		m.say("there is no place for pictures here")
		return nil
	}
	recorded := m.Recorded
	m.Recorded = true // others will see it
	frame := m.draw()
	m.Recorded = recorded
	svg, of := picture.SVG(draw.Redact(frame, m.Redact), m.W, m.H, m.Theme.Name), m.shownNow()
	return func() tea.Msg {
		path, err := m.Picture(of, svg)
		return m.exported("a picture", path, err)
	}
}

func (m *Model) shownNow() string {
	switch {
	case m.connect:
		return "connect"
	case m.help != nil:
		return "help"
	case m.detail != nil && m.pointed().Task != nil:
		return "task"
	}
	return views[m.view].name
}

func (m *Model) exported(what, path string, err error) screen.Result {
	return func() {
		if err != nil {
			m.say("cannot write it: " + err.Error())
			return
		}
		m.say("wrote " + what + " to " + path)
	}
}
