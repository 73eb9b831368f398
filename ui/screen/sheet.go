package screen

import (
	tea "charm.land/bubbletea/v2"

	"aspectop/ui/draw"
)

// Sheet is a text that covers the view, or what is open over it, until it is
// closed: what Aspect tells of a message, or what an edit has changed.
type Sheet struct {
	Text    draw.TextPane
	Title   func() string
	Content func() *draw.Document // the same one as long as it has not changed
	Enter   func() tea.Cmd        // what enter does; nil: nothing
	Dropped string                // said when it is left in another way
}
