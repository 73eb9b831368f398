package ui

import (
	tea "charm.land/bubbletea/v2"

	"aspectop/model"
	"aspectop/ui/draw"
)

// exportedMsg tells how writing a task's events to a file went.
type exportedMsg struct {
	path string
	n    int
	err  error
}

// export writes all messages of the task that the reader points at to a file.
func (m *Model) export() tea.Cmd {
	t := m.pointed().Task
	if t == nil || m.Export == nil {
		m.say("no task selected: nothing to export")
		return nil
	}
	id, seqs := t.ID(), t.Seqs()
	return func() tea.Msg {
		deliveries := make([]model.Delivery, 0, len(seqs))
		for _, seq := range seqs {
			d, err := m.Journal.Get(m.Ctx, seq)
			if err != nil {
				return exportedMsg{err: err}
			}
			deliveries = append(deliveries, d)
		}
		path, err := m.Export(id, deliveries)
		return exportedMsg{path, len(deliveries), err}
	}
}

func (m *Model) exported(msg exportedMsg) {
	if msg.err != nil {
		m.say("cannot export: " + msg.err.Error())
		return
	}
	m.say("wrote " + draw.Count(msg.n, "event", "events") + " to " + msg.path)
}
