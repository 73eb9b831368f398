package ui

import (
	"fmt"
	"strings"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/keys"
)

// The least size that shows anything useful.
const (
	MinWidth  = 30
	MinHeight = 6
)

// layout divides the screen; it is worked out in one place, here.
type layout struct {
	tabs    int // lines of the view's titles
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
	l.body = max(1, m.H-3-l.tabs)
	if !m.previewShown() {
		return l
	}
	switch {
	case m.W >= 100:
		l.preview = rect{w: min(m.W*2/5, 64), h: l.body, right: true}
		l.main = m.W - l.preview.w
	case m.W >= 70 && l.body >= 14:
		l.preview = rect{w: m.W, h: l.body * 2 / 5}
		l.body -= l.preview.h
	}
	return l
}

// previewShown reports whether the preview is wanted: by choice, or because the
// terminal is wide.
func (m *Model) previewShown() bool {
	if m.detail != nil || m.help != nil || m.overlay != nil {
		return false
	}
	switch {
	case !m.views[m.view].Has(m.Screen, keys.Preview):
		return false
	case m.previewChosen:
		return m.preview
	}
	return views[m.view].preview || m.W >= 150
}

// draw draws the whole frame.
func (m *Model) draw() string {
	if m.W < MinWidth || m.H < MinHeight {
		return m.frameOf([]string{draw.NewLine(m.Theme, m.W).Put(draw.Warn, fmt.Sprintf("too small: %dx%d is the least", MinWidth, MinHeight)).String()})
	}
	lay := m.layout()
	lines := m.drawHeader()
	if lay.tabs > 0 {
		lines = append(lines, m.drawTabs())
	}
	switch {
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
			body = draw.Beside(body, m.drawPreview(v, p))
		case p.h > 0:
			body = append(body, m.drawPreview(v, p)...)
		}
		lines = append(lines, body...)
	}
	return m.frameOf(append(lines, m.drawFooter()))
}

// drawPreview shows what is selected beside or below the list.
func (m *Model) drawPreview(v oneView, p rect) []string {
	if p.right {
		lines := draw.PadHeight(m.Theme, v.Preview(m.Screen, p.w-2, p.h), p.w-2, p.h)
		for i := range lines {
			lines[i] = draw.NewLine(m.Theme, 2).Put(draw.Faint, draw.GlyphWall).String() + lines[i]
		}
		return lines
	}
	lines := append([]string{m.previewTitle(v, p.w)}, v.Preview(m.Screen, p.w, p.h-1)...)
	return draw.PadHeight(m.Theme, lines, p.w, p.h)
}

// previewTitle is the line between the list and the preview below it.
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

// frameOf makes the lines exactly as many as the terminal has.
func (m *Model) frameOf(lines []string) string {
	frame := strings.Join(draw.PadHeight(m.Theme, lines, m.W, m.H), "\n")
	if m.ASCII {
		return draw.ToASCII(frame)
	}
	return frame
}

func tabTitle(i int) string { return fmt.Sprintf(" %d %s ", i+1, views[i].title) }

// drawTabs draws the titles of the views, and how much of the terminal is drawn on if
// that is not all of it.
func (m *Model) drawTabs() string {
	note := ""
	if m.Terminal != nil {
		if w, h := m.Terminal(); w > m.W || h > m.H {
			note = fmt.Sprintf(" drawn %d×%d of %d×%d", m.W, m.H, w, h)
		}
	}
	l := draw.NewLine(m.Theme, m.W-draw.Cells(note))
	for i := range views {
		r := draw.Dim
		if l.Selected = i == m.view; l.Selected {
			r = draw.Strong
		}
		l.Put(r, tabTitle(i))
		l.Selected = false
		l.Space(1)
	}
	if note == "" {
		return l.String()
	}
	return l.String() + draw.NewLine(m.Theme, draw.Cells(note)).Put(draw.Warn, note).String()
}

// windowTitle names the program and what it sees, for the terminal's tab.
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
