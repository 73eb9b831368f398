package ui

import (
	"context"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/screen"
)

// FrameOptions say what a frame without a terminal shows.
type FrameOptions struct {
	W, H int
	View string // one of Views
	Task string // the beginning of a task's id, to open it; "" opens none
}

// Draw draws one frame without a terminal, of what the feed has folded by now, and
// tells its theme. All that the frame needs of the journal is read before it is
// drawn.
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

// openTask opens the task whose id begins so.
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

// ThemeName is the theme that the screen has now: dark, light or mono.
func (m *Model) ThemeName() string { return m.Theme.Name }
