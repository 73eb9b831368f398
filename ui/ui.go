// Package ui is aspectop's screen: a Bubble Tea program that shows what a feed has
// folded. It has one Bubble Tea model; below it are plain structs that draw lines and
// carry out actions, and exchange no messages.
//
// Commands that wait for the feed, read the journal or tick are in flight once at
// most, so a flood of news costs thirty frames a second. Update and View hold the feed's
// read lock; commands do not.
package ui

import (
	"context"
	"os/exec"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/broadcast"
	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/keys"
	"aspectop/ui/screen"
	"aspectop/ui/view"
)

// Model is the Bubble Tea model: a screen, and what is open on it.
type Model struct {
	*screen.Screen
	keys keys.Set

	version  int64 // of the feed, when it was last looked at
	cursor   feed.Cursor
	lastNews time.Time
	loading  bool // history was still being folded then

	view       int // the open one of views
	views      []oneView
	tasks      *view.Tasks
	detail     *view.Detail    // covers the view while open
	overlay    *screen.Overlay // covers both
	help       *helpPage       // covers all
	connect    bool            // is open, and covers all
	connectTop int             // its first line on the screen
	filterLine filterLine
	flash      flash
	notices    notices
	stalled    int // tasks, when they were last counted
	mouse      bool
	colours    colours

	// The preview is shown on wide terminals until the user chooses.
	preview, previewChosen bool

	exec      func(*exec.Cmd, tea.ExecCallback) tea.Cmd // gives the terminal to a command
	sending   string                                    // what the user's handler is about to answer, in words
	warned    bool                                      // ctrl+z was pressed once
	advised   bool                                      // what to press instead of a key that does nothing was said
	suspended time.Time                                 // when ctrl+z stopped us

	frame string // the last one, as long as nothing changed
	clean bool
}

// New returns the model. The program that runs it should use [ProgramOptions].
func New(ctx context.Context, o screen.Options) *Model {
	m := &Model{Screen: screen.New(ctx, o), keys: Bindings().For(o.Remote, o.Private), exec: o.Exec}
	if m.exec == nil {
		m.exec = tea.ExecProcess
	}
	m.Open = func(t *model.Task, row feed.RowKey) { m.detail = view.NewDetail(m.Screen, t, row) }
	m.ShowOverlay = m.showOverlay
	m.Say = m.say
	m.tasks = view.NewTasks()
	for _, k := range views {
		m.views = append(m.views, k.open(m.Screen, m.tasks))
	}
	m.filterLine.set(m.Filter.Words)
	m.notices.started = m.At
	return m
}

// ProgramOptions are the Bubble Tea options that the model is made for.
func ProgramOptions() []tea.ProgramOption {
	return []tea.ProgramOption{tea.WithFPS(framesPerSecond)}
}

// Init starts listening.
func (m *Model) Init() tea.Cmd {
	m.Feed.RLock()
	defer m.Feed.RUnlock()
	if len(m.Remarks) > 0 {
		m.say(strings.Join(m.Remarks, "; "))
	}
	m.changed(screen.Change{Filter: true})
	cmds := append(m.TakeLater(), m.listen(), m.tick())
	m.chooseTheme()
	if m.autoTheme() {
		cmds = append(cmds, tea.RequestBackgroundColor)
	}
	return tea.Batch(cmds...)
}

// Update handles one message.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	m.Feed.RLock()
	defer m.Feed.RUnlock()
	m.clean = false
	m.catchUp()
	cmd := m.handle(msg)
	m.arrange()
	return m, tea.Batch(append(m.TakeLater(), cmd, m.Log.Need(m.inSight()))...)
}

func (m *Model) handle(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.W, m.H = msg.Width, msg.Height
	case tea.EnvMsg, tea.ColorProfileMsg, tea.BackgroundColorMsg:
		m.learnColours(msg)
	case tea.KeyPressMsg:
		return m.key(msg)
	case tea.PasteMsg:
		switch {
		case m.filterLine.open:
			m.typed(msg)
		case m.searching():
			m.reader().Typed(msg, m.say)
		}
	case tea.MouseClickMsg:
		m.click(msg.Mouse())
	case tea.MouseWheelMsg:
		return m.wheel(msg.Mouse())
	case tickMsg:
		return m.ticked()
	case newsMsg:
		return m.news()
	case screen.Result:
		msg()
		m.changed(screen.Change{})
	case Say:
		m.say(string(msg))
	case tea.ResumeMsg:
		m.resumed()
	default:
		m.clean = true
	}
	return nil
}

// framesPerSecond is what Bubble Tea's ticker is set to at the start: a change waits for
// half a frame on the average, and each frame wakes the process, also when nothing has
// changed, for 0.1 ms of processor time. The ticker can be neither changed later nor asked
// for a frame (bubbletea v2.1.1, tea.go, startRenderer).
const framesPerSecond = 70

// redrawTime is the least time between two redraws that news brings. It is less than a
// frame, or news that follows on a frame would miss the next one.
const redrawTime = 8 * time.Millisecond

// newsMsg says that the feed has news.
type newsMsg struct{}

// listen waits for news of the feed. One such command is in flight at all times.
func (m *Model) listen() tea.Cmd {
	version, next := m.version, m.lastNews.Add(m.pace())
	return func() tea.Msg {
		if m.Feed.Wait(m.Ctx, version) != nil {
			return nil
		}
		if broadcast.Sleep(m.Ctx, time.Until(next)) != nil {
			return nil
		}
		return newsMsg{}
	}
}

func (m *Model) pace() time.Duration {
	if m.Pace == nil {
		return redrawTime
	}
	return max(m.Pace(), redrawTime)
}

// news draws what the feed has folded since the last time.
func (m *Model) news() tea.Cmd {
	m.lastNews = time.Now()
	return tea.Batch(m.listen(), m.notify())
}

// catchUp takes in what the feed has folded, so that frames and keys agree with it. A
// frozen screen keeps its place.
func (m *Model) catchUp() {
	version := m.Feed.Version()
	if version == m.version {
		return
	}
	m.version = version
	if m.Frozen() {
		m.changed(screen.Change{})
		return
	}
	m.At = m.Now()
	m.take(m.Feed.Loading())
}

// take tells the views what has changed.
func (m *Model) take(loading bool, _, _ int64) {
	changed, all, next := m.Feed.Since(m.cursor)
	m.cursor = next
	c := screen.Change{All: all}
	for _, ch := range changed {
		c.Tasks = append(c.Tasks, ch.Task)
		if ch.Ended {
			t := m.Board.At(int(ch.Task))
			m.notices.add(t, t.State())
		}
	}
	slices.Sort(c.Tasks)
	c.Tasks = slices.Compact(c.Tasks)
	if m.loading && !loading {
		// What passes by its own words passes still; what is late is known only now.
		c.All, c.Filter = true, m.Filter.Words.NeedsBoard()
	}
	m.loading = loading
	m.Log.Follow()
	m.changed(c)
}

// arrange gives what is shown its room.
func (m *Model) arrange() {
	lay := m.layout()
	switch {
	case m.overlay != nil:
		m.arrangeOverlay(m.W, lay.body)
	case m.detail != nil:
		m.detail.Arrange(m.Screen, m.W, lay.body)
	default:
		v := m.views[m.view]
		if v.Arrange(m.Screen, lay.main, lay.body); lay.preview.h > 0 {
			m.NeedAnswers(delivery(v.Selection(m.Screen, false)))
		}
	}
}

// delivery is the one that a selection shows: its row, or the task's newest one; 0: none.
func delivery(s screen.Selection) int64 {
	switch {
	case s.Row.Pos > 0:
		return 0
	case s.Row.Seq == 0 && s.Task != nil:
		return slices.Max(s.Task.Seqs())
	}
	return s.Row.Seq
}

// inSight are the deliveries whose rows are on the screen; views without any have no such
// method.
func (m *Model) inSight() []int64 {
	if m.detail != nil {
		return m.detail.InSight(m.Screen)
	}
	if v, is := m.views[m.view].(interface {
		InSight(sc *screen.Screen) []int64
	}); is {
		return v.InSight(m.Screen)
	}
	return nil
}

// View draws the frame, exactly as high and wide as the terminal.
func (m *Model) View() tea.View {
	m.Feed.RLock()
	defer m.Feed.RUnlock()
	if !m.clean {
		m.catchUp()
		m.frame, m.clean = m.draw(), true
	}
	v := tea.NewView(m.frame)
	v.AltScreen = true
	v.WindowTitle = m.windowTitle()
	v.KeyboardEnhancements.ReportAlternateKeys = true // see [keys.Set.Pressed]
	if m.mouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	return v
}

// changed passes a change to all views.
func (m *Model) changed(c screen.Change) {
	for _, v := range m.views {
		v.Changed(m.Screen, c)
	}
}
