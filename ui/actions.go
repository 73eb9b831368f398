package ui

import (
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/feed"
	"aspectop/ui/draw"
	"aspectop/ui/keys"
	"aspectop/ui/screen"
	"aspectop/ui/view"
	"aspectop/words"
)

// key handles a key: what is typed into first, then the view, then the program.
func (m *Model) key(msg tea.KeyPressMsg) tea.Cmd {
	msg = keys.Latin(msg)
	if m.filterLine.open {
		return m.typed(msg)
	}
	if m.searching() {
		return m.reader().Typed(msg, m.say)
	}
	a := m.keys.Pressed(msg, m.place())
	if a == keys.None && msg.Text != "" && !m.advised {
		m.advised = true
		m.say(msg.Text + " does nothing here; ? shows the keys, ctrl+c quits")
	}
	if a != keys.Suspend {
		m.warned = false
	}
	return m.act(a)
}

// place is where a key is looked up.
func (m *Model) place() keys.Place {
	if m.connect || m.detail != nil || m.help != nil || m.overlay != nil {
		return keys.InText
	}
	if _, is := m.views[m.view].(*view.Timeline); is {
		return keys.InTimeline
	}
	return keys.InList
}

func (m *Model) act(a keys.Action) tea.Cmd {
	switch a { // whatever is open
	case keys.Interrupt:
		return tea.Quit
	case keys.Picture:
		return m.savePicture()
	}
	if m.connect {
		return m.doOnConnect(a)
	}
	if m.help != nil {
		switch {
		case a == keys.Help || a == keys.Back || a == keys.Quit:
			m.help = nil
		default:
			m.help.do(m, a, m.layout().body)
		}
		return nil
	}
	var cmd tea.Cmd
	var done bool
	switch {
	case m.overlay != nil:
		cmd, done = m.doOnOverlay(a)
	case m.detail != nil:
		cmd, done = m.detail.Do(m.Screen, a)
	default:
		cmd, done = m.views[m.view].Do(m.Screen, a)
	}
	if done {
		return cmd
	}
	if a >= keys.View {
		m.closeOverlay()
		m.detail = nil
		m.view = int(a - keys.View)
		return nil
	}
	switch a {
	case keys.NextPane:
		m.view = (m.view + 1) % len(m.views)
	case keys.PrevPane:
		m.view = (m.view + len(m.views) - 1) % len(m.views)
	case keys.Back:
		m.back()
	case keys.Quit:
		if m.detail != nil {
			m.detail = nil
			return nil
		}
		return tea.Quit
	case keys.Filter:
		m.detail = nil
		m.filterLine.open, m.filterLine.before = true, m.filterLine.input.Value()
		return m.filterLine.input.Focus()
	case keys.Failures:
		m.Filter.Failures = !m.Filter.Failures
		m.changed(screen.Change{Filter: true})
	case keys.Freeze:
		m.freeze()
	case keys.Open:
		if s := m.pointed(); m.detail == nil && (s.Task != nil || s.Row != feed.RowKey{}) {
			m.Open(s.Task, s.Row)
		}
	case keys.Sort, keys.Follow, keys.NextMatch, keys.PrevMatch:
		m.say("that key does nothing here")
	case keys.Preview:
		if !m.means(keys.Binding{Do: keys.Preview}) {
			m.say("this view has nothing to show beside")
			return nil
		}
		m.preview = m.layout().preview.h == 0
		m.previewChosen = true
	case keys.Replay:
		return m.replay()
	case keys.Edit:
		return m.edit()
	case keys.CopyID:
		return m.copyID()
	case keys.CopyPayload, keys.CopyCurl:
		return m.fetch(a)
	case keys.CopyURL:
		return m.copyURL()
	case keys.Export:
		return m.export()
	case keys.AskAgain:
		m.say("nothing to reload here; press 4 to ask Aspect what it sent")
	case keys.Mouse:
		m.mouse = !m.mouse
		if m.mouse {
			m.say("mouse on; hold shift to select text")
		} else {
			m.say("mouse off")
		}
	case keys.Theme:
		m.nextTheme()
	case keys.Present:
		m.Masked = !m.Masked
		m.flash.text = "" // it may tell a URL
	case keys.Connect:
		m.connect = true
	case keys.Help:
		m.help = &helpPage{}
	case keys.Suspend:
		return m.suspend()
	}
	return nil
}

// back closes what is open, then clears the filter.
func (m *Model) back() {
	switch {
	case m.detail != nil:
		m.detail = nil
	case m.Filter.Active():
		m.clearFilter()
	}
}

// suspend stops the process as ctrl+z does elsewhere, but says first what that
// means here.
func (m *Model) suspend() tea.Cmd {
	if m.CanSuspend == nil || !m.CanSuspend() {
		m.say("cannot suspend: no shell could resume this process")
		return nil
	}
	if m.Receiver != "" && !m.warned {
		m.warned = true
		m.say("suspending also stops receiving (Svix will retry); press ctrl+z again to suspend")
		return nil
	}
	m.warned = false
	m.suspended = m.Now()
	return tea.Suspend
}

func (m *Model) resumed() {
	if m.suspended.IsZero() {
		return
	}
	m.At = m.Now()
	m.say(fmt.Sprintf("back after %s; Svix retries what it could not deliver", words.Ago(m.At.Sub(m.suspended))))
	m.suspended = time.Time{}
	if m.Resumed != nil {
		m.Resumed()
	}
}

// freeze freezes the screen or resumes it. The feed goes on folding.
func (m *Model) freeze() {
	if !m.Frozen() {
		m.Board.Freeze()
		m.changed(screen.Change{})
		return
	}
	m.Board.Thaw()
	m.At = m.Now()
	m.take(m.Feed.Loading())
	m.changed(screen.Change{All: true})
}

func (m *Model) click(e tea.Mouse) {
	lay := m.layout()
	if lay.tabs > 0 && e.Y == 2 && e.Button == tea.MouseLeft {
		m.clickTab(e.X)
		return
	}
	y := e.Y - 2 - lay.tabs - len(lay.advice)
	if e.Button != tea.MouseLeft || m.place() == keys.InText || y < 0 || y >= lay.body || e.X >= lay.main {
		return
	}
	v := m.views[m.view]
	before := v.Selection(m.Screen, false)
	if v.Click(m.Screen, e.X, y) && v.Selection(m.Screen, false) == before {
		m.act(keys.Open) // a second click
	}
}

// clickTab turns to the view whose title is at the cell.
func (m *Model) clickTab(x int) {
	at := 0
	for i := range views {
		if at += draw.Cells(tabTitle(i, tabsWidth(false)+draw.Cells(m.drawnPart()) > m.W)) + 1; x < at {
			m.connect, m.connectTop, m.help = false, 0, nil
			m.act(keys.View + keys.Action(i))
			return
		}
	}
}

func (m *Model) wheel(e tea.Mouse) tea.Cmd {
	a := keys.Down
	if e.Button == tea.MouseWheelUp {
		a = keys.Up
	}
	rows := 3
	if m.place() != keys.InText {
		rows = views[m.view].notch
	}
	var cmds []tea.Cmd
	for range rows {
		cmds = append(cmds, m.act(a))
	}
	return tea.Batch(cmds...)
}
