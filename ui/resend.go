package ui

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"

	tea "charm.land/bubbletea/v2"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/edit"
	"aspectop/ui/screen"
	"aspectop/words"
)

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

// sendable is the selected delivery, or 0, with a message, if it cannot be sent now.
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

// message reads a delivery to be sent; of a repeat the first one.
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

func (m *Model) answered(what string, again []string, f *model.Forward, err error) {
	m.sending = ""
	switch {
	case err != nil:
		m.say(what + " was not sent: " + err.Error())
	case len(again) == 1:
		m.say(what + " had been given up; retrying it at " + m.Handler(again[0]))
	case len(again) > 1:
		m.say(fmt.Sprintf("%s had been given up; retrying it at %d handlers", what, len(again)))
	default:
		m.say(what + " " + draw.GlyphArrow + " " + m.Handler(f.To) + ": " + words.Forward(f, m.Masked).String())
	}
}

type draft struct {
	edit.Draft
	delivery model.Delivery
}

func (d *draft) name() string { return fmt.Sprintf("#%d", d.delivery.Seq) }

// edit opens the selected delivery's body in the editor, then shows the difference.
func (m *Model) edit() tea.Cmd {
	if m.Editor == nil && m.Resend != nil {
		m.say("no editor is available")
		return nil
	}
	seq := m.sendable("edit")
	if seq == 0 {
		return nil
	}
	return func() tea.Msg {
		d, err := m.message(seq)
		draft := draft{delivery: d}
		if err == nil {
			draft.Draft, err = edit.New(fmt.Sprintf("delivery-%d", d.Seq), d.Body)
		}
		return screen.Result(func() { m.openEditor(draft, err) })
	}
}

// openEditor gives the terminal to the editor. Receiving continues.
func (m *Model) openEditor(d draft, err error) {
	var cmd *exec.Cmd
	if err != nil {
		err = fmt.Errorf("cannot edit %s: %w", d.name(), err)
	} else {
		cmd, err = m.Editor(m.Ctx, d.Path())
	}
	if err != nil {
		d.Close()
		m.say(err.Error())
		return
	}
	// Clear away first: at the program's end what follows is not carried out.
	m.Later(m.exec(cmd, func(err error) tea.Msg {
		defer d.Close()
		edited, err := d.Edited(err)
		return screen.Result(func() { m.compare(d, edited, err) })
	}))
}

func (m *Model) compare(d draft, edited []byte, err error) {
	if err != nil {
		m.say(err.Error() + "; nothing was sent")
		return
	}
	m.Later(func() tea.Msg {
		body, flaw := edit.Compacted(edited)
		if !json.Valid(d.delivery.Body) {
			flaw = "" // it never was
		}
		changes := draw.Changes(d.Before, edit.LaidOut(edited))
		return screen.Result(func() { m.review(d, body, changes, flaw) })
	})
}

// review shows the changes; enter sends. flaw says why the body is no longer JSON.
func (m *Model) review(d draft, body []byte, changes []draw.DiffLine, flaw string) {
	if len(changes) == 0 {
		m.say(d.name() + " is unchanged; nothing was sent")
		return
	}
	shown := draw.Diff{Changes: changes, JSON: flaw == "" && json.Valid(body), Flaw: flaw}
	m.showOverlay(&screen.Overlay{
		Title: func() string {
			return "enter sends, esc discards: " + d.name() + " edited, to " + m.Handler(m.ResendTo)
		},
		Content: func() *draw.Document { return shown.Document(m.Masked) },
		Enter:   func() tea.Cmd { return m.sendEdited(d, body) },
		Dropped: "the edit of " + d.name() + " was discarded; nothing was sent",
	})
}

func (m *Model) sendEdited(d draft, body []byte) tea.Cmd {
	what := d.name() + " edited"
	if m.sending != "" {
		m.say("still waiting for the handler's answer to " + m.sending + "; the edit was discarded")
		return nil
	}
	m.sending = what
	return func() tea.Msg {
		_, f, err := m.Resend(m.Ctx, d.delivery, body)
		return screen.Result(func() { m.answered(what, nil, &f, err) })
	}
}
