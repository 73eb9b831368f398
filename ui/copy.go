package ui

import (
	"bytes"
	"encoding/json"
	"fmt"

	tea "charm.land/bubbletea/v2"

	"aspectop/clean"
	"aspectop/model"
	"aspectop/printer"
	"aspectop/sig"
	"aspectop/ui/draw"
	"aspectop/ui/keys"
	"aspectop/ui/screen"
	"aspectop/words"
)

// copied puts text on the user's clipboard by OSC 52, which works over SSH
// too, and says so. Nothing that is copied holds a control character: pasted
// into a shell, it must not run by itself.
func (m *Model) copied(what, text string) tea.Cmd {
	m.say("copied " + what)
	return tea.SetClipboard(clean.Text(text))
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
	if m.Tunnel() != nil && m.Tunnel().PublicURL != "" {
		return m.copied("the public URL", m.Tunnel().PublicURL)
	}
	return m.copied("the receiver's URL", m.Receiver)
}

// pointedDelivery is the selected delivery: the row of the log,
// or the task's newest message. If there is none, it says so and returns 0.
func (m *Model) pointedDelivery(to string) (seq int64) {
	s := m.pointed()
	switch {
	case s.Row.Pos > 0 && m.Log.Status(s.Row) != nil && m.Log.Status(s.Row).Rejected != nil:
		m.say("rejected requests are not kept: nothing to " + to)
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

// fetch reads the selected delivery.
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

// payloadText is a body as one line of text.
func payloadText(body []byte) string {
	var b bytes.Buffer
	if json.Compact(&b, body) != nil {
		return string(body)
	}
	return b.String()
}
