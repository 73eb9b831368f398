package ui

import (
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/keys"
)

type tickMsg time.Time

// tick wakes the screen when ages move on: once a second, or a little oftener
// while something moves.
func (m *Model) tick() tea.Cmd {
	d := time.Second
	if !m.opt.ReducedMotion && m.board.Count(model.Processing) > 0 {
		d = time.Second / 2
	}
	return tea.Tick(d, func(t time.Time) tea.Msg { return tickMsg(t) })
}

func (m *Model) ticked(tickMsg) tea.Cmd {
	m.beat++
	if m.frozen == nil {
		m.at = m.opt.Now()
	}
	m.lookForStalled()
	m.filterAgain()
	m.wantNames()
	return tea.Batch(m.tick(), m.notify())
}

// filterEvery is how often all tasks are held against a filter that drifts.
const filterEvery = 5 * time.Second

// filterAgain takes up what has come to pass the filter in the meantime.
func (m *Model) filterAgain() {
	if f := &m.filter; m.frozen == nil && f.drifts(m) && m.at.Sub(f.looked) >= filterEvery {
		f.looked = m.at
		m.views[viewTasks].changed(m, change{all: true})
	}
}

// key handles a key: what is typed into first, then the view, then the program.
func (m *Model) key(msg tea.KeyPressMsg) tea.Cmd {
	if m.filter.open {
		return m.typed(msg)
	}
	if m.searching() {
		return m.reader().Typed(msg, m.say)
	}
	a := m.keys.Lookup(msg.String(), m.place())
	if a != keys.Suspend {
		m.warned = false
	}
	return m.act(a)
}

// place is where the reader is, for the key table.
func (m *Model) place() keys.Place {
	if m.detail != nil || m.help != nil || m.sheet != nil {
		return keys.InText
	}
	return keys.InList
}

func (m *Model) act(a keys.Action) tea.Cmd {
	if a == keys.Interrupt {
		return tea.Quit
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
	do := m.views[m.view].do
	switch {
	case m.sheet != nil:
		do = m.sheet.do
	case m.detail != nil:
		do = m.detail.do
	}
	if cmd, ok := do(m, a); ok {
		return cmd
	}
	switch a {
	case keys.Tasks, keys.Board, keys.Events, keys.Deliveries, keys.Stats:
		m.closeSheet()
		m.detail = nil
		m.view = viewID(a - keys.Tasks)
	case keys.NextPane:
		m.view = (m.view + 1) % viewCount
	case keys.PrevPane:
		m.view = (m.view + viewCount - 1) % viewCount
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
		m.filter.open = true
		return m.filter.input.Focus()
	case keys.Failures:
		m.filter.failures = !m.filter.failures
		m.tell(change{filter: true})
	case keys.Freeze:
		return m.freeze()
	case keys.Sort, keys.Follow, keys.Open, keys.NextMatch, keys.PrevMatch:
		m.say("that key has no use here")
	case keys.Preview:
		if !m.means(keys.Binding{Do: keys.Preview}) {
			m.say("there is no preview here")
			return nil
		}
		m.preview = !m.previewShown()
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
		m.say("nothing to ask again here; 4 shows what Aspect says it sent")
	case keys.Mouse:
		m.mouse = !m.mouse
		if m.mouse {
			m.say("mouse on; shift+drag still selects text in most terminals")
		} else {
			m.say("mouse off")
		}
	case keys.Theme:
		next := map[string]string{"dark": "light", "light": "mono", "mono": "dark"}
		m.th = draw.NewTheme(next[m.th.Name])
		m.say("theme " + m.th.Name)
	case keys.Present:
		m.hidden = !m.hidden
		m.flash.text = "" // it may tell a URL
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
	case m.filter.active():
		m.filter.clear()
		m.tell(change{filter: true})
	}
}

// suspend stops the process as ctrl+z does elsewhere, but says first what that
// means here.
func (m *Model) suspend() tea.Cmd {
	if m.opt.CanSuspend == nil || !m.opt.CanSuspend() {
		m.say("cannot suspend here: nothing could continue this process")
		return nil
	}
	if m.opt.Receiver != "" && !m.warned {
		m.warned = true
		m.say("suspending stops receiving too; Svix will retry. ctrl+z again to suspend")
		return nil
	}
	m.warned = false
	m.suspended = m.opt.Now()
	return tea.Suspend
}

func (m *Model) resumed() {
	if m.suspended.IsZero() {
		return
	}
	m.at = m.opt.Now()
	m.say(fmt.Sprintf("back after %s; deliveries refused meanwhile are retried by Svix", draw.Ago(m.at.Sub(m.suspended))))
	m.suspended = time.Time{}
	if m.opt.Resumed != nil {
		m.opt.Resumed()
	}
}

// windowTitle names the program and what it sees, for the terminal's tab.
func (m *Model) windowTitle() string {
	if n := m.board.Count(model.Failed); n > 0 {
		return fmt.Sprintf("aspectop: %d failed", n)
	}
	return fmt.Sprintf("aspectop: %d active", m.board.Count(model.Processing)+m.board.Count(model.Queued))
}
