package ui

import (
	"errors"
	"fmt"

	tea "charm.land/bubbletea/v2"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/words"
)

// answeredMsg is the result of sending a message again.
type answeredMsg struct {
	what    string   // "#12"
	again   []string // the handlers at which forwarding tries it again, instead of all below
	forward model.Forward
	err     error
}

// replay sends the selected delivery to the user's handler.
func (m *Model) replay() tea.Cmd {
	seq := m.sendable("replay")
	if seq == 0 {
		return nil
	}
	m.sending = fmt.Sprintf("#%d", seq)
	return func() tea.Msg {
		d, err := m.message(seq)
		msg := answeredMsg{what: fmt.Sprintf("#%d", d.Seq), err: err}
		if err == nil {
			msg.again, msg.forward, msg.err = m.Resend(m.Ctx, d, nil)
		}
		return msg
	}
}

// sendable is the selected delivery, if it can be sent now. If not, it says why and
// returns 0.
func (m *Model) sendable(to string) (seq int64) {
	switch {
	case m.Resend == nil:
		m.say("no handler to send to: start with --forward-to URL")
		return 0
	case m.sending != "":
		m.say("still waiting for the handler's answer to " + m.sending)
		return 0
	}
	return m.pointedDelivery(to)
}

// message reads a delivery to be sent or, if that only repeats a message, the
// first one.
func (m *Model) message(seq int64) (model.Delivery, error) {
	d, err := m.Journal.Get(m.Ctx, seq)
	switch {
	case err != nil:
		return model.Delivery{Seq: seq}, err
	case d.Source == model.SourceAPI:
		return d, errors.New("it came from Aspect's API and is not a webhook")
	case d.Repeat() && !d.Differs:
		return m.Journal.Get(m.Ctx, d.Message)
	}
	return d, nil
}

func (m *Model) answered(msg answeredMsg) {
	m.sending = ""
	f := &msg.forward
	switch {
	case msg.err != nil:
		m.say(msg.what + " was not sent: " + msg.err.Error())
		return
	case len(msg.again) == 1:
		m.say(msg.what + " had been given up; retrying it at " + m.Shown(msg.again[0]))
		return
	case len(msg.again) > 1:
		m.say(fmt.Sprintf("%s had been given up; retrying it at %d handlers", msg.what, len(msg.again)))
		return
	}
	m.say(msg.what + " " + draw.GlyphArrow + " " + m.Shown(f.To) + ": " + words.Forward(f, m.Hidden).String())
}
