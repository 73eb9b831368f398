package ui

import (
	"strings"

	"aspectop/ui/draw"
)

// The least size that shows anything useful.
const (
	minWidth  = 30
	minHeight = 6
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
	l := layout{tabs: 1, main: m.w}
	if m.h < 12 {
		l.tabs = 0
	}
	l.body = max(1, m.h-3-l.tabs)
	if !m.previewShown() {
		return l
	}
	switch {
	case m.w >= 100:
		l.preview = rect{w: min(m.w*2/5, 64), h: l.body, right: true}
		l.main = m.w - l.preview.w
	case m.w >= 70 && l.body >= 14:
		l.preview = rect{w: m.w, h: l.body * 2 / 5}
		l.body -= l.preview.h
	}
	return l
}

// previewShown reports whether the preview is wanted: by choice, or because the
// terminal is wide.
func (m *Model) previewShown() bool {
	if m.detail != nil || m.help != nil || m.sheet != nil {
		return false
	}
	switch m.view {
	case viewTasks, viewEvents:
	case viewDeliveries: // a message says little without its attempts
		return len(m.deliveries().sent.messages) > 0 && (m.preview || !m.previewChosen)
	default:
		return false
	}
	if m.previewChosen {
		return m.preview
	}
	return m.w >= 150
}

// draw draws the whole frame.
func (m *Model) draw() string {
	if m.w < minWidth || m.h < minHeight {
		return m.frameOf([]string{draw.NewLine(m.th, m.w).Put(draw.Warn, "too small").String()})
	}
	lay := m.layout()
	lines := m.drawHeader()
	if lay.tabs > 0 {
		lines = append(lines, m.drawTabs())
	}
	switch {
	case m.help != nil:
		lines = append(lines, m.help.draw(m, m.w, lay.body)...)
	case m.sheet != nil:
		lines = append(lines, m.sheet.draw(m, m.w, lay.body)...)
	case m.detail != nil:
		lines = append(lines, m.detail.draw(m, m.w, lay.body)...)
	default:
		body := m.views[m.view].draw(m, lay.main, lay.body)
		switch p := lay.preview; {
		case p.right:
			body = draw.Beside(body, m.drawPreview(p.w, p.h, true))
		case p.h > 0:
			body = append(body, m.drawPreview(p.w, p.h, false)...)
		}
		lines = append(lines, body...)
	}
	return m.frameOf(append(lines, m.drawFooter()))
}

// frameOf makes the lines exactly as many as the terminal has.
func (m *Model) frameOf(lines []string) string {
	frame := strings.Join(draw.Tall(m.th, lines, m.w, m.h), "\n")
	if m.opt.ASCII {
		return draw.ToASCII(frame)
	}
	return frame
}

// drawTabs draws the titles of the views.
func (m *Model) drawTabs() string {
	l := draw.NewLine(m.th, m.w)
	for i, v := range m.views {
		r := draw.Dim
		if l.Selected = viewID(i) == m.view; l.Selected {
			r = draw.Strong
		}
		l.Put(r, " "+string(rune('1'+i))+" "+v.title()+" ")
		l.Selected = false
		l.Space(1)
	}
	return l.String()
}

// inSight are the deliveries whose rows are on the screen.
func (m *Model) inSight() []int64 {
	switch {
	case m.detail != nil:
		return m.detail.inSight(m)
	case m.view == viewEvents:
		return m.views[viewEvents].(*eventsView).inSight(m)
	case m.view == viewDeliveries:
		return m.deliveries().inSight()
	}
	return nil
}
