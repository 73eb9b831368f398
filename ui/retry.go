package ui

import (
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
