package ui

import (
	"errors"
	"fmt"

	tea "charm.land/bubbletea/v2"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/screen"
	"aspectop/words"
)

// replay sends the selected delivery to the user's handler.
func (m *Model) replay() tea.Cmd {
	seq := m.sendable("replay")
	if seq == 0 {
		return nil
	}
	m.sending = fmt.Sprintf("#%d", seq)
	return func() tea.Msg {
		d, err := m.message(seq)
		var again []string
		var answer model.Forward
		if err == nil {
			again, answer, err = m.Resend(m.Ctx, d, nil)
		}
		return screen.Result(func() { m.answered(fmt.Sprintf("#%d", d.Seq), again, &answer, err) })
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

// answered says what became of a message that was sent again: at once, or by
// forwarding at the handlers again.
func (m *Model) answered(what string, again []string, f *model.Forward, err error) {
	m.sending = ""
	switch {
	case err != nil:
		m.say(what + " was not sent: " + err.Error())
		return
	case len(again) == 1:
		m.say(what + " had been given up; retrying it at " + m.Shown(again[0]))
		return
	case len(again) > 1:
		m.say(fmt.Sprintf("%s had been given up; retrying it at %d handlers", what, len(again)))
		return
	}
	m.say(what + " " + draw.GlyphArrow + " " + m.Shown(f.To) + ": " + words.Forward(f, m.Masked).String())
}
