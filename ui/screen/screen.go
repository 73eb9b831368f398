// Package screen is one person's state: the filter, the log, the frozen moment, theme and
// size, presentation mode, and what a view can ask of the program. It draws nothing.
package screen

import (
	"cmp"
	"context"
	"os/exec"
	"regexp"
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

	later   []tea.Cmd
	answers answers
}

// New returns a screen of 80 by 24 cells.
func New(ctx context.Context, o Options) *Screen {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Screen{Options: o, Ctx: ctx, Theme: draw.NewTheme(o.Theme), W: 80, H: 24, At: o.Now(), Masked: o.Private || o.Present}
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

// Filtered reports whether any task or delivery may be filtered out.
func (s *Screen) Filtered() bool { return s.Filter.Active() || !s.Since.IsZero() }

// Forwards are a delivery's outcomes at the handlers in this run; none if private.
func (s *Screen) Forwards(seq int64) []*model.Forward {
	if s.Private {
		return nil
	}
	return s.Feed.Forwards(seq)
}

// AssetName is the name of the task's asset, or its id if unknown; "" for no task.
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

// Shown is a text that presentation hides, such as a URL.
func (s *Screen) Shown(text string) string {
	if s.Masked {
		return "(hidden)"
	}
	return text
}

// addresses are what presentation hides of a sentence.
var addresses = regexp.MustCompile(`[a-z][a-z0-9+.-]*://[^\s,;)]+`)

// Notice is a notice as it may be shown. Details of the tunnel name hosts, and the address of
// the live page, which viewers elsewhere were not given, lets anybody in.
func (s *Screen) Notice(n *model.Status) string {
	switch {
	case s.Masked && n.Tunnel != nil:
		return "tunnel " + string(n.Tunnel.State)
	case s.Masked, s.Remote && n.Tunnel == nil:
		return addresses.ReplaceAllString(n.Notice, "(hidden)")
	}
	return n.Notice
}

// Handler is how the handler with that URL is called.
func (s *Screen) Handler(to string) string { return cmp.Or(s.HandlerName(to), s.Shown(to)) }

// HandlerName is what the user calls a handler, "" for nothing. Any goroutine may ask.
func (s *Screen) HandlerName(to string) string {
	for _, q := range s.Queues() {
		if q.To == to {
			return q.Name
		}
	}
	return ""
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

// Overlay is a text over the view or over what is open, until it is closed.
type Overlay struct {
	Text    draw.TextPane
	Title   func() string
	Content func() *draw.Document // the same one as long as it has not changed
	Enter   func() tea.Cmd        // what enter does; nil: nothing
	Dropped string                // said when it is left in another way
}

// Options are what a screen needs of the world outside. Nil means that there is none.
type Options struct {
	Feed    *feed.Feed           // what the process has folded, for all screens
	Journal Journal              // deliveries with all that is kept of them
	Now     func() time.Time     // nil: time.Now
	Pace    func() time.Duration // least time between two frames that news brings; nil: none but its own

	Receiver     string                // the URL that takes deliveries, "" if this process does not receive
	Secrets      []string              // names of the secrets in use
	Endpoint     func() string         // the webhook endpoint that leads here, in words; "" if none was registered
	Sources      func() []string       // state of the ways in beside the receiver, in words
	Failing      func() []string       // names of those that do not work now
	Viewers      func() []model.Viewer // those who watch this process's screens from elsewhere
	Names        Names                 // of assets; nil: ids are shown
	JournalPath  string                // for display
	LivePage     string                // its address, with the token; "" if there is none
	SSHCommand   string                // shows this screen elsewhere; "" without --ssh
	SecretSource string                // where the secrets come from
	Recorded     bool                  // the screen is recorded, for others to see
	Redact       string                // a secret that remarks may show and pictures may not, such as the live page's token
	Remarks      []string              // shown in the footer at the start
	Try          string                // a command that makes a first event come, for the empty screen
	Title        string                // in place of the program's name in the header
	Demo         bool                  // all that is shown is made up: the header says so
	Resumed      func()                // called after ctrl+z, for what was missed

	// Remote is the screen of a viewer elsewhere: no key acts on this machine.
	Remote bool
	// Private keeps the screen in presentation mode: no user ids, URLs and payloads.
	Private bool
	// Present starts in presentation mode, which can be left.
	Present bool
	// Terminal is the size of a viewer's terminal, of which less may be drawn; nil: all
	// of it is.
	Terminal func() (width, height int)

	Theme         string // auto, light, dark, mono
	ASCII         bool
	ReducedMotion bool
	Filter        *model.Filter // nil: none
	Filters       model.NamedFilters
	Since         time.Time   // show only what was heard since then; zero: all
	CanSuspend    func() bool // whether ctrl+z would come back: a process without a shell to resume it must not stop
	Notify        bool        // bell and OSC 9 when tasks finish, fail or stall

	// Export writes a report from a task's deliveries to a file and returns its path; if
	// private, without user ids and URLs.
	Export func(task string, deliveries []model.Delivery, private bool) (path string, err error)
	// Clipboard puts a text on the clipboard of this machine; nil: only the terminal is asked to.
	Clipboard func(text string) error
	// Picture writes an SVG of what is shown to a file and returns its path.
	Picture func(of, svg string) (path string, err error)

	API    API                  // what Aspect says it sent, asked for only while it is looked at
	Queues func() []model.Queue // state of the forwarding, a queue for each handler
	// Resend posts a delivery to ResendTo again, re-signed, with another body as another
	// message if body is not nil. What forwarding gave up it retries instead, at the
	// handlers that are returned. An error says why nothing was sent.
	Resend   func(ctx context.Context, d model.Delivery, body []byte) (again []string, answer model.Forward, err error)
	ResendTo string // without credentials
	// Editor makes the command, ending with ctx, that edits a file on this terminal.
	Editor func(ctx context.Context, path string) (*exec.Cmd, error)
	// Exec gives the terminal to a command; nil: tea.ExecProcess.
	Exec func(*exec.Cmd, tea.ExecCallback) tea.Cmd
}

// Names tells what assets are called, and is told which ones are looked at.
type Names interface {
	Get(asset string) (name string, known bool)
	Want(assets ...string)
}

// Journal is what a screen reads of the journal, from several goroutines.
type Journal interface {
	Get(ctx context.Context, seq int64) (model.Delivery, error)
	Repeats(ctx context.Context, message int64) ([]model.Delivery, error)
	// Forwards are what became of a delivery at each of the user's handlers.
	Forwards(ctx context.Context, seq int64) ([]model.Forward, error)
}

// API is what the screen asks of Aspect's API, one call at a time; a call may be slow.
type API interface {
	// Messages are the recent webhook messages, at most limit.
	Messages(ctx context.Context, limit int) ([]model.SentMessage, error)
	// AttemptsByMessage are the tries to deliver a message, at most limit.
	AttemptsByMessage(ctx context.Context, message string, limit int) ([]model.SentAttempt, error)
}
