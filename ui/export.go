package ui

import (
	tea "charm.land/bubbletea/v2"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/picture"
	"aspectop/ui/screen"
	"aspectop/words"
)

// export writes a report about the selected task to a file.
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
			if err != nil {
				return m.exported("", "", err)
			}
			repeats, err := m.Journal.Repeats(m.Ctx, seq)
			if err != nil {
				return m.exported("", "", err)
			}
			deliveries = append(append(deliveries, d), repeats...)
		}
		path, err := m.Export(id, deliveries, private)
		return m.exported(words.Count(len(deliveries), "event", "events"), path, err)
	}
}

// savePicture writes the current frame to a file.
func (m *Model) savePicture() tea.Cmd {
	if m.Picture == nil {
		m.say("there is no place for pictures here")
		return nil
	}
	svg, of := picture.SVG(draw.Redact(m.frame, m.Redact), m.W, m.H, m.Theme.Name), m.shownNow()
	return func() tea.Msg {
		path, err := m.Picture(of, svg)
		return m.exported("a picture", path, err)
	}
}

// shownNow names what is on the screen.
func (m *Model) shownNow() string {
	switch {
	case m.help != nil:
		return "help"
	case m.detail != nil && m.pointed().Task != nil:
		return "task"
	}
	return views[m.view].name
}

// exported says how writing a file went.
func (m *Model) exported(what, path string, err error) screen.Result {
	return func() {
		if err != nil {
			m.say("cannot write it: " + err.Error())
			return
		}
		m.say("wrote " + what + " to " + path)
	}
}
