// Package screen is what belongs to one person who looks on: what is shown of
// the feed (filter, rows of the log, the frozen moment), how it is shown (theme,
// size, presentation), and the few things that a view can ask of the program
// around it. Views get a [*Screen] and nothing else.
//
// It draws nothing, and knows no view.
package screen

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/draw"
)

// Screen is one person's. Whoever uses it holds the feed's read lock.
type Screen struct {
	Options
	Ctx   context.Context
	Theme *draw.Theme
	W, H  int
	At    time.Time // the moment that is shown; stands still while frozen
	Beat  int       // counts ticks, for motion

	Board  Board
	Log    Log
	Filter Filter
	Masked bool // presentation: no user ids, no URLs

	// Open shows a task, a row of the log, or both, over the view.
	Open func(t *model.Task, row feed.RowKey)
	// ShowOverlay shows a text over the view, or over what is open.
	ShowOverlay func(*Overlay)
	// Say tells something in the last line for a while.
	Say func(text string)

	later []tea.Cmd
}

// New returns a screen of 80 by 24 cells.
func New(ctx context.Context, o Options) *Screen {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Screen{Options: o, Ctx: ctx, Theme: draw.NewTheme(o.Theme), W: 80, H: 24, At: o.Now(), Masked: o.Private}
	s.Board.feed = o.Feed
	orNone(&s.Sources)
	orNone(&s.Failing)
	orNone(&s.Viewers)
	orNone(&s.Queues)
	s.Filter.set(o.Filter)
	s.Log = newLog(s)
	return s
}

// orNone makes a list of which there is none an empty one.
func orNone[T any](list *func() []T) {
	if *list == nil {
		*list = func() []T { return nil }
	}
}

// Change says what is new since the last frame.
type Change struct {
	Tasks  []int32 // their indices in the board
	All    bool    // any task may have changed; the filter is the same
	Filter bool    // the filter or the sorting changed: all is new
}

// Selection is what is selected; any part may be missing.
type Selection struct {
	Task *model.Task
	Row  feed.RowKey // of the event log
	Sent string      // id of a message that Aspect tells of
}

// Select is the selection of a row of the log.
func (s *Screen) Select(row feed.RowKey) Selection {
	selected := Selection{Row: row}
	if a := s.Log.Row(row.Seq); row.Pos == 0 && a != nil {
		selected.Task = s.Board.TaskOf(&a.Event)
	}
	return selected
}

// Result is the message of a command: Update calls it, so it may change what is shown.
type Result func()

// Later carries out a command after the message in hand.
func (s *Screen) Later(cmd tea.Cmd) { s.later = append(s.later, cmd) }

// TakeLater returns the commands that were asked for since the last call.
func (s *Screen) TakeLater() []tea.Cmd {
	cmds := s.later
	s.later = nil
	return cmds
}

// SayFollow tells whether the selection follows the newest.
func (s *Screen) SayFollow(on bool) {
	if on {
		s.Say("following the newest")
	} else {
		s.Say("no longer following; f follows the newest again")
	}
}

// Frozen reports whether the frame stands still.
func (s *Screen) Frozen() bool { return s.Board.frozen != nil }

// Moving reports whether glyphs may move by themselves.
func (s *Screen) Moving() bool { return !s.ReducedMotion && !s.ASCII && !s.Frozen() }

// Loading reports whether history is still being folded.
func (s *Screen) Loading() bool {
	loading, _, all := s.Feed.Loading()
	return loading && all > 0
}

// Trouble says why the journal cannot be read now; "" if it can.
func (s *Screen) Trouble() string {
	if t := s.Feed.Trouble(); t != "" {
		return t
	}
	return s.Log.trouble
}

// Keep reports whether a task passes the filter and --since.
func (s *Screen) Keep(t *model.Task) bool {
	if !s.Since.IsZero() && t.Heard().Before(s.Since) {
		return false
	}
	return s.Filter.keepTask(s, t)
}

// Filtered reports whether any task or delivery may be filtered out.
func (s *Screen) Filtered() bool { return s.Filter.Active() || !s.Since.IsZero() }

// Forwards are what became of a delivery at the user's handlers in this run. A
// private screen is not told.
func (s *Screen) Forwards(seq int64) []*model.Forward {
	if s.Private {
		return nil
	}
	return s.Feed.Forwards(seq)
}

// Tunnel is the tunnel's state; nil if there is none.
func (s *Screen) Tunnel() *model.Tunnel { return s.Feed.Tunnel() }

// AssetName is what the task's asset is called, or its id as long as that is not
// known; "" for no task.
func (s *Screen) AssetName(t *model.Task) string {
	if t == nil {
		return ""
	}
	if s.Names != nil {
		if name, ok := s.Names.Get(t.AssetID()); ok {
			return name
		}
	}
	return t.AssetID()
}

// UserID is the task's user, unless presentation hides it.
func (s *Screen) UserID(t *model.Task) string { return s.Shown(t.UserID()) }

// Shown is a text that presentation hides, such as a URL.
func (s *Screen) Shown(text string) string {
	if s.Masked {
		return "(hidden)"
	}
	return text
}

// Features are the names of all features seen, the documented ones first.
func (s *Screen) Features() []string {
	names := model.DocumentedFeatures()
	last := names[len(names)-1]
	for _, name := range s.Board.Stats().Features() {
		if model.CompareFeatures(name, last) > 0 {
			names = append(names, name)
		}
	}
	return names
}

// Overlay is a text that covers the view, or what is open over it, until it is
// closed: what Aspect tells of a message, or what an edit has changed.
type Overlay struct {
	Text    draw.TextPane
	Title   func() string
	Content func() *draw.Document // the same one as long as it has not changed
	Enter   func() tea.Cmd        // what enter does; nil: nothing
	Dropped string                // said when it is left in another way
}
