package ui

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/keys"
	"aspectop/ui/render"
	"aspectop/ui/screen"
	"aspectop/ui/view"
)

// The least size that shows anything useful.
const (
	MinWidth  = 30
	MinHeight = 6
)

type layout struct {
	tabs    int // lines of the view's titles
	advice  []string
	filter  int // lines of the filter
	body    int // lines of the view
	main    int // cells of the view
	preview rect
}

// rect is the size of the preview, and whether it stands at the right.
type rect struct {
	w, h  int
	right bool
}

func (m *Model) layout() layout {
	l := layout{tabs: 1, main: m.W}
	if m.H < 12 {
		l.tabs = 0
	}
	if m.H >= leastWithFilterLine && m.narrowed() {
		l.filter = 1
	}
	l.body = max(1, m.H-3-l.tabs-l.filter)
	l.advice = m.advice(l.body / 3)
	l.body -= len(l.advice)
	shown, chosen := m.previewShown()
	if !shown {
		return l
	}
	free := 0 // lines that the list leaves
	if v, is := m.views[m.view].(interface{ Height(*screen.Screen) int }); is {
		if _, looking := m.views[m.view].Shown(m.Screen); !looking { // else there may soon be more rows
			free = l.body - v.Height(m.Screen)
		}
	}
	_, cards := m.views[m.view].(*view.Cards) // at the right it would take cards from them
	below := m.W < 150 || cards
	switch {
	case below && free >= leastBelow && (!chosen || m.W < 100 || cards):
		l.preview = rect{w: m.W, h: free}
		l.body -= free
	case below && !chosen:
	case m.W >= 100:
		l.preview = rect{w: min(m.W*2/5, 64), h: l.body, right: true}
		l.main = m.W - l.preview.w
	case m.W >= 70 && l.body >= 14:
		l.preview = rect{w: m.W, h: l.body * 2 / 5}
		l.body -= l.preview.h
	}
	return l
}

// leastBelow is how many lines a list must leave for what is selected to stand below it.
const leastBelow = 8

// previewShown reports whether what is selected is shown where there is room, and whether
// also where it takes room from the list: by choice.
func (m *Model) previewShown() (shown, chosen bool) {
	if m.connect || m.detail != nil || m.help != nil || m.overlay != nil || !m.views[m.view].Has(m.Screen, keys.Preview) {
		return false, false
	}
	if m.previewChosen {
		return m.preview, m.preview
	}
	return true, views[m.view].preview
}

func (m *Model) draw() string {
	if m.W < MinWidth || m.H < MinHeight {
		return m.frameOf([]string{draw.NewLine(m.Theme, m.W).Put(draw.Warn, fmt.Sprintf("too small: %dx%d is the least", MinWidth, MinHeight)).String()})
	}
	lay := m.layout()
	lines := m.drawHeader()
	if lay.tabs > 0 {
		lines = append(lines, m.drawTabs())
	}
	lines = append(lines, lay.advice...)
	switch {
	case m.connect:
		lines = append(lines, m.drawConnect(lay.body)...)
	case m.help != nil:
		lines = append(lines, m.help.draw(m, m.W, lay.body)...)
	case m.overlay != nil:
		lines = append(lines, m.drawOverlay(m.W, lay.body)...)
	case m.detail != nil:
		lines = append(lines, m.detail.Draw(m.Screen, m.W, lay.body)...)
	default:
		v := m.views[m.view]
		body := v.Draw(m.Screen, lay.main, lay.body)
		switch p := lay.preview; {
		case p.right:
			for i, line := range m.drawPreview(v, p) {
				body[i] += line
			}
		case p.h > 0:
			body = append(body, m.drawPreview(v, p)...)
		}
		lines = append(lines, body...)
	}
	return m.frameOf(append(lines, m.drawFooter()...))
}

func (m *Model) drawPreview(v oneView, p rect) []string {
	if p.right {
		lines := draw.PadHeight(m.Theme, m.beside(v, p.w-2, p.h), p.w-2, p.h)
		for i := range lines {
			lines[i] = draw.NewLine(m.Theme, 2).Put(draw.Faint, draw.GlyphWall).String() + lines[i]
		}
		return lines
	}
	lines := append([]string{m.previewTitle(v, p.w)}, m.beside(v, p.w, p.h-1)...)
	return draw.PadHeight(m.Theme, lines, p.w, p.h)
}

// beside is what a view shows of its selection, or what all do.
func (m *Model) beside(v oneView, w, h int) []string {
	if own, is := v.(*view.Messages); is {
		return own.Preview(m.Screen, w, h)
	}
	return render.Beside(m.Screen, v.Selection(m.Screen, false), w, h)
}

func (m *Model) previewTitle(v oneView, w int) string {
	l := draw.NewLine(m.Theme, w).Put(draw.Faint, draw.Repeat(draw.GlyphRule, 2))
	switch s := v.Selection(m.Screen, false); {
	case s.Sent != "":
		l.Put(draw.Dim, " "+s.Sent+" ")
	case s.Task != nil:
		l.Put(draw.Dim, " "+draw.Short(s.Task.ID(), 8)+" ")
	}
	return l.Put(draw.Faint, draw.Repeat(draw.GlyphRule, l.Free)).String()
}

func (m *Model) frameOf(lines []string) string {
	frame := strings.Join(draw.PadHeight(m.Theme, lines, m.W, m.H), "\n")
	if m.ASCII {
		return draw.ToASCII(frame)
	}
	return frame
}

// tabTitle is the title of a view, without blanks around it if that is all there is room for.
func tabTitle(i int, tight bool) string {
	if tight {
		return fmt.Sprintf("%d %s", i+1, views[i].title)
	}
	return fmt.Sprintf(" %d %s ", i+1, views[i].title)
}

// tabsWidth is that of all titles.
func tabsWidth(tight bool) (w int) {
	for i := range views {
		w += draw.Cells(tabTitle(i, tight)) + 1
	}
	return w - 1
}

// drawnPart says how much of the terminal is drawn on; "" for all of it.
func (m *Model) drawnPart() string {
	if m.Terminal != nil {
		if w, h := m.Terminal(); w > m.W || h > m.H {
			return fmt.Sprintf(" drawn %d×%d of %d×%d", m.W, m.H, w, h)
		}
	}
	return ""
}

// drawTabs draws the titles of the views and, at the right end, a notice or how much of the
// terminal is drawn on if that is not all of it.
func (m *Model) drawTabs() string {
	note, r := m.drawnPart(), draw.Warn
	if note == "" && m.flash.text != "" && m.noticeInTabs() {
		note, r = " "+m.flash.text, draw.Accent
	}
	l := draw.NewLine(m.Theme, m.W)
	tight := tabsWidth(false)+draw.Cells(note) > m.W
	for i := range views {
		title, covered := tabTitle(i, tight), m.connect || m.help != nil
		if covered { // no view is open, and the numbers do something else or nothing
			title = strings.Replace(title, strconv.Itoa(i+1), " ", 1)
		}
		l.Tab(title, i == m.view && !covered)
	}
	_, n, _ := draw.Fit(note, m.W)
	return l.To(m.W-n).Put(r, note).String()
}

func (m *Model) windowTitle() string {
	if n := m.Board.Count(model.Failed); n > 0 {
		return fmt.Sprintf("aspectop: %d failed", n)
	}
	active := 0
	for _, s := range model.CountedStates() {
		if !s.Terminal() {
			active += m.Board.Count(s)
		}
	}
	return fmt.Sprintf("aspectop: %d active", active)
}

// FrameOptions say what a frame without a terminal shows.
type FrameOptions struct {
	W, H int
	View string // one of Views
	Task string // the beginning of a task's id, to open it; "" opens none
}

// Draw draws one frame of what is folded by now, and returns it with its theme. What it
// needs of the journal is read first.
func (f FrameOptions) Draw(ctx context.Context, o screen.Options) (frame, theme string, err error) {
	m := New(ctx, o)
	m.Feed.RLock()
	m.changed(screen.Change{Filter: true})
	m.view = max(0, slices.Index(Views(), f.View))
	if f.Task != "" {
		err = m.openTask(f.Task)
	}
	m.Feed.RUnlock()
	if err != nil {
		return "", "", err
	}
	m.settle(func() tea.Msg { return tea.WindowSizeMsg{Width: f.W, Height: f.H} })
	return m.View().Content, m.ThemeName(), ctx.Err()
}

func (m *Model) openTask(name string) error {
	board := m.Feed.Board()
	var found []*model.Task
	for i := range board.Len() {
		if t := board.At(i); strings.HasPrefix(t.ID(), name) {
			found = append(found, t)
		}
	}
	if t := board.Task(name); t != nil { // a whole id may be the beginning of another
		found = []*model.Task{t}
	}
	switch {
	case len(found) == 0:
		return fmt.Errorf("the journal has no task %q", name)
	case len(found) > 1:
		return fmt.Errorf("%q fits %d tasks; write more of the id", name, len(found))
	}
	m.Open(found[0], feed.RowKey{})
	return nil
}

// settle carries out a command, and what follows from it, to its end.
func (m *Model) settle(cmd tea.Cmd) {
	if cmd == nil || m.Ctx.Err() != nil {
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range msg {
			m.settle(c)
		}
	default:
		_, next := m.Update(msg)
		m.settle(next)
	}
}

// ThemeName is the theme that the screen has now: dark, light, terminal or mono.
func (m *Model) ThemeName() string { return m.Theme.Name }
