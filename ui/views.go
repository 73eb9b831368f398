package ui

import (
	"slices"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"aspectop/ui/keys"
	"aspectop/ui/screen"
	"aspectop/ui/view"
)

// viewKind is a view before a screen has it.
type viewKind struct {
	name    string // for --view
	title   string // of its tab
	help    string
	open    func(sc *screen.Screen, tasks *view.Tasks) oneView
	notch   int  // rows that a notch of the wheel goes
	preview bool // shown on narrow terminals too
}

// views are all views, in order. Keys, tabs, footer, help, manual and --view follow.
var views = []viewKind{
	{"tasks", "Tasks", "tasks, one per row", func(_ *screen.Screen, t *view.Tasks) oneView { return t }, 3, false},
	{"board", "Board", "board, one card per task", func(_ *screen.Screen, t *view.Tasks) oneView { return view.NewCards(t) }, 1, false},
	{"events", "Events", "event log", func(sc *screen.Screen, _ *view.Tasks) oneView { return view.NewEvents(sc) }, 3, false},
	// A message says little without its attempts.
	{"messages", "Messages", "what Aspect says it sent", func(*screen.Screen, *view.Tasks) oneView { return view.NewMessages() }, 3, true},
	{"stats", "Stats", "statistics", func(_ *screen.Screen, t *view.Tasks) oneView { return view.NewStats(t) }, 3, false},
	{"timeline", "Timeline", "timeline of all tasks", func(*screen.Screen, *view.Tasks) oneView { return view.NewTimeline() }, 3, false},
}

// Views are the names of the views.
func Views() []string {
	var names []string
	for _, k := range views {
		names = append(names, k.name)
	}
	return names
}

// Bindings are the keys of the views and those of [keys.Bindings].
func Bindings() keys.Set {
	var open keys.Set
	for i, k := range views {
		open = append(open, keys.Binding{
			Do: keys.View + keys.Action(i), Topic: keys.Views, Keys: []string{strconv.Itoa(i + 1)}, Help: k.help,
		})
	}
	at := slices.IndexFunc(keys.Bindings, func(b keys.Binding) bool { return b.Topic == keys.Views })
	return slices.Insert(slices.Clone(keys.Bindings), at, open...)
}

// oneView is a full-screen view.
type oneView interface {
	// Changed tells that the board or the filter changed.
	Changed(sc *screen.Screen, c screen.Change)
	// Arrange gives the view its room, ahead of drawing and of need.
	Arrange(sc *screen.Screen, w, h int)
	// Draw returns exactly h lines of exactly w cells.
	Draw(sc *screen.Screen, w, h int) []string
	// Do carries out an action and reports whether it meant something here.
	Do(sc *screen.Screen, a keys.Action) (tea.Cmd, bool)
	// Has reports whether the view can sort, follow, open or preview.
	Has(sc *screen.Screen, a keys.Action) bool
	// Selection is what is selected or, with target, what a key pressed now means.
	Selection(sc *screen.Screen, target bool) screen.Selection
	// Shown is how many rows match the filter, and whether more are being searched.
	Shown(sc *screen.Screen) (n int, looking bool)
	// Click selects what is drawn in the cell, and reports whether it could.
	Click(sc *screen.Screen, x, y int) bool
}
