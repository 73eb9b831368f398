package ui

import (
	"cmp"
	"time"

	tea "charm.land/bubbletea/v2"
)

// retryTime is how long to wait after the journal could not be read: whoever
// keeps it locked may be done by then.
const retryTime = time.Second

// retryMsg does again, in Update, what failed a moment ago.
type retryMsg func() tea.Cmd

func retry(again func() tea.Cmd) tea.Cmd {
	return tea.Tick(retryTime, func(time.Time) tea.Msg { return retryMsg(again) })
}

// reading is one of the ways in which the screen reads the journal.
type reading uint8

const (
	following reading = iota
	loading
	scanning
	readings
)

// troubles are what hinders each of them, in words; empty where all is well.
type troubles [readings]string

// setTrouble notes that r failed, or that it went well, which says nothing of
// the others.
func (m *Model) setTrouble(r reading, err error) {
	m.troubles[r] = ""
	if err != nil {
		m.troubles[r] = [...]string{"cannot read the journal: ", "cannot read the history: ", "cannot search the journal: "}[r] + err.Error()
	}
	m.trouble = cmp.Or(m.troubles[:]...)
}
