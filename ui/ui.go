// Package ui is aspectop's screen: a Bubble Tea program that folds the journal
// into a board and draws it. It reads the journal through a small interface and
// knows nothing of HTTP, SQL or the tunnel; whoever starts it hands in facts
// about those as plain words.
//
// There is one Bubble Tea model. Views below it are plain structs that draw
// lines and carry out actions; they exchange no messages.
//
//	journal ─▶ listen ───arrivedMsg──▶ Update: fold, move rows ─▶ listen …
//	journal ─▶ history ──historyMsg──▶ Update: fold, move rows ─▶ history …
//	journal ─▶ window ───windowMsg───▶ Update: rows of the log
//	journal ─▶ scan ─────scannedMsg──▶ Update: rows that pass the filter ─▶ scan …
//	clock ───▶ tick ─────tickMsg─────▶ Update: ages move on
//	keys ────▶ lookup ─▶ action ─────▶ Update: the view first, then the program
//
// Each command is in flight once at most. Whatever comes is gathered for
// frameTime and folded in one go, so a flood costs thirty frames a second, and
// a terminal that stops reading stops this loop but never a receiver.
package ui

import (
	"context"
	"os/exec"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/keys"
)

// Model is the Bubble Tea model.
type Model struct {
	opt    Options
	ctx    context.Context
	cancel context.CancelFunc
	th     *draw.Theme
	keys   keys.Set
	w, h   int
	at     time.Time // the moment that is shown; stands still while frozen
	beat   int       // counts ticks, for motion

	board    *model.Board
	log      eventLog
	received received
	run      counters
	filter   filterLine
	notices  notices

	// What was read: seen is the newest delivery, oldest the one up to which
	// the history was folded, first the journal's first.
	first, oldest, seen int64
	statusSeen          int64
	behind              bool // the last batch was full: more waits
	loading             bool // history is still being folded
	troubles            troubles
	trouble             string                                    // the first of them
	exec                func(*exec.Cmd, tea.ExecCallback) tea.Cmd // gives the terminal to a command
	answer              *model.Forward                            // of the last replay, with its body
	sending             string                                    // what the user's handler is about to answer, in words
	tunnel              *model.Tunnel                             // as it was last told; nil: there is none
	forwards            map[int64][]*model.Forward                // of this run, the newest try for each handler

	view   viewID
	views  [viewCount]view
	detail *detail // covers the view while open
	sheet  *sheet  // covers both
	help   *helpPage
	flash  flash
	frozen *frozen
	mouse  bool
	hidden bool // presentation: no user ids, no URLs

	// The preview is shown on wide terminals until the reader chooses.
	preview, previewChosen bool

	warned    bool      // ctrl+z was pressed once
	suspended time.Time // when ctrl+z stopped us
	later     []tea.Cmd // asked for while the message in hand is handled

	frame string // the last one, as long as nothing changed
	clean bool
}

type viewID int

const (
	viewTasks viewID = iota
	viewBoard
	viewEvents
	viewDeliveries
	viewStats
	viewCount
)

// view is one of the five full-screen views.
type view interface {
	title() string
	// changed tells that the board or the filter changed.
	changed(m *Model, c change)
	// arrange gives the view its room, ahead of drawing and of need.
	arrange(m *Model, w, h int)
	// draw returns exactly h lines of exactly w cells.
	draw(m *Model, w, h int) []string
	// do carries out an action and reports whether it meant something here.
	do(m *Model, a keys.Action) (tea.Cmd, bool)
	// selection is what is selected, for actions of the whole program.
	selection(m *Model) selection
	// click selects what is drawn in the cell.
	click(m *Model, x, y int)
}

// change says what is new since the last frame.
type change struct {
	tasks  []int32 // their indices in the board
	filter bool    // the filter, the sorting or the size changed: all is new
	all    bool    // any task may have changed; the filter is the same
}

// selection names what the reader points at; either may be missing.
type selection struct {
	task *model.Task
	row  rowKey // of the event log
	sent string // id of a message that Aspect tells of
}

// New returns the model. The program that runs it should use [ProgramOptions].
func New(ctx context.Context, o Options) *Model {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Feed == nil {
		o.Feed = o.Journal
	}
	ctx, cancel := context.WithCancel(ctx)
	m := &Model{
		opt: o, ctx: ctx, cancel: cancel, th: draw.NewTheme(o.Theme), keys: keys.For(o.Remote, o.Private), hidden: o.Private, w: 80, h: 24,
		at: o.Now(), board: model.NewBoard(),
		loading: true, exec: tea.ExecProcess,
	}
	m.filter.set(o.Filter)
	m.run.started, m.run.rate = m.at, newRate(time.Second, 60)
	m.log.pace, m.log.matchedPace = newPace(), newPace()
	tasks := &tasksView{follow: true}
	m.views = [viewCount]view{
		tasks, &boardView{tasks: tasks}, &eventsView{follow: true}, &deliveriesView{follow: true, preview: draw.NewTextPane()}, &statsView{},
	}
	return m
}

// ProgramOptions are the Bubble Tea options that the model is made for.
func ProgramOptions() []tea.ProgramOption {
	return []tea.ProgramOption{tea.WithFPS(30)}
}

// Init starts reading.
func (m *Model) Init() tea.Cmd {
	if len(m.opt.Remarks) > 0 {
		m.say(strings.Join(m.opt.Remarks, "; "))
	}
	cmds := append(m.takeLater(), m.open(), m.tick())
	if m.opt.Theme == "auto" || m.opt.Theme == "" {
		cmds = append(cmds, tea.RequestBackgroundColor)
	}
	return tea.Batch(cmds...)
}

// Update handles one message.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	m.clean = false
	cmd := m.handle(msg)
	m.arrange()
	return m, tea.Batch(append(m.takeLater(), cmd, m.log.need(m))...)
}

func (m *Model) handle(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.w, m.h = msg.Width, msg.Height
	case tea.BackgroundColorMsg:
		if !msg.IsDark() && m.th.Name == "dark" && m.opt.Theme != "dark" {
			m.th = draw.NewTheme("light")
		}
	case tea.KeyPressMsg:
		return m.key(msg)
	case tea.PasteMsg:
		switch {
		case m.filter.open:
			m.typed(msg)
		case m.searching():
			m.reader().Typed(msg, m.say)
		}
	case tea.MouseClickMsg:
		m.click(msg.Mouse())
	case tea.MouseWheelMsg:
		return m.wheel(msg.Mouse())
	case tickMsg:
		return m.ticked(msg)
	case openedMsg:
		return m.opened(msg)
	case arrivedMsg:
		return m.arrived(msg)
	case historyMsg:
		return m.historyRead(msg)
	case countedMsg:
		return m.counted(msg)
	case windowMsg:
		return m.log.windowRead(m, msg)
	case retryMsg:
		return msg()
	case scannedMsg:
		return m.log.scannedOn(m, msg)
	case payloadMsg:
		if m.detail != nil {
			m.detail.payloadRead(m, msg)
		}
	case fetchedMsg:
		return m.fetched(msg)
	case exportedMsg:
		m.exported(msg)
	case answeredMsg:
		m.answered(msg)
	case editableMsg:
		return m.openEditor(msg)
	case editorEndedMsg:
		return m.compare(msg)
	case editedMsg:
		m.review(msg)
	case messagesMsg:
		m.deliveries().sent.messagesRead(m, msg)
	case attemptsMsg:
		m.deliveries().sent.attemptsRead(m, msg)
	case tallyMsg:
		m.views[viewStats].(*statsView).walkOn(m)
	case unflashMsg:
		m.flash.clear(msg)
	case tea.ResumeMsg:
		m.resumed()
	default:
		m.clean = true
	}
	return nil
}

// takeLater returns the commands that were asked for while a message was
// handled.
func (m *Model) takeLater() []tea.Cmd {
	cmds := m.later
	m.later = nil
	return cmds
}

// arrange gives what is shown its room.
func (m *Model) arrange() {
	lay := m.layout()
	switch {
	case m.sheet != nil:
		m.sheet.arrange(m, m.w, lay.body)
		return
	case m.detail != nil:
		m.detail.arrange(m, m.w, lay.body)
		return
	}
	m.views[m.view].arrange(m, lay.main, lay.body)
}

// View draws the frame, exactly as high and wide as the terminal.
func (m *Model) View() tea.View {
	if !m.clean {
		m.frame, m.clean = m.draw(), true
	}
	v := tea.NewView(m.frame)
	v.AltScreen = true
	v.WindowTitle = m.windowTitle()
	if m.mouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	return v
}

// tell hands a change to all views and to the log.
func (m *Model) tell(c change) {
	for _, v := range m.views {
		v.changed(m, c)
	}
}

// keep reports whether a task passes the filter.
func (m *Model) keep(t *model.Task) bool {
	if !m.opt.Since.IsZero() && t.Heard().Before(m.opt.Since) {
		return false
	}
	return m.filter.keepTask(m, t)
}
