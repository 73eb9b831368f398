package screen

import (
	"context"
	"os/exec"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/feed"
	"aspectop/model"
)

// Options are what the screen is given. Everything that depends on the world outside
// is in them. A nil func or interface means that there is no such thing.
type Options struct {
	Feed    *feed.Feed       // what the process has folded, for all screens
	Journal Journal          // deliveries with all that is kept of them
	Now     func() time.Time // nil: time.Now
	Pace    time.Duration    // least time between two frames that news brings

	Receiver    string                // the URL that takes deliveries, "" if this process does not receive
	Secrets     []string              // names of the secrets in use
	Endpoint    func() string         // the webhook endpoint that leads here, in words; "" if none was registered
	Sources     func() []string       // state of the ways in beside the receiver, in words
	Failing     func() []string       // names of those that do not work now
	Viewers     func() []model.Viewer // those who watch this process's screens from elsewhere
	Names       Names                 // of assets; nil: ids are shown
	JournalPath string                // for display
	Redact      string                // a secret that remarks may show and pictures may not, such as the live page's token
	Remarks     []string              // shown in the footer at the start
	Try         string                // a command that makes a first event come, for the empty screen
	Resumed     func()                // called after ctrl+z, for what was missed

	// Remote is the screen of a viewer elsewhere: no key acts on this machine.
	Remote bool
	// Private keeps the screen in presentation mode: user ids, URLs and payloads with
	// them can be neither shown nor copied.
	Private bool
	// Terminal is the size of a viewer's terminal, of which less may be drawn; nil: all
	// of it is.
	Terminal func() (width, height int)

	Theme         string // auto, light, dark, mono
	ASCII         bool
	ReducedMotion bool
	Filter        *model.Filter // nil: none
	Since         time.Time     // show only what was heard since then; zero: all
	CanSuspend    func() bool   // whether ctrl+z would come back: a process without a shell to resume it must not stop
	Notify        bool          // bell and OSC 9 when tasks finish, fail or stall

	// Export writes a report about a task, from its deliveries, to a file and returns
	// its path. In a private one there are no user ids and no URLs.
	Export func(task string, deliveries []model.Delivery, private bool) (path string, err error)
	// Picture writes an SVG of what is shown to a file and returns its path.
	Picture func(of, svg string) (path string, err error)

	API    API                  // what Aspect says it sent, asked for only while it is looked at
	Queues func() []model.Queue // state of the forwarding, a queue for each handler
	// Resend posts a delivery to the handler at ResendTo once more, re-signed, with
	// another body and as another message if body is not nil. A message that
	// forwarding gave up is tried again by forwarding instead, at the handlers that are
	// returned. An error says why nothing was sent.
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

// Journal is what a screen reads of the journal by itself: what is opened. It is
// used by several goroutines at once.
type Journal interface {
	Get(ctx context.Context, seq int64) (model.Delivery, error)
	Repeats(ctx context.Context, message int64) ([]model.Delivery, error)
	// Forwards are what became of a delivery at each of the user's handlers.
	Forwards(ctx context.Context, seq int64) ([]model.Forward, error)
}

// API is what the screen asks Aspect's API. A call may take long and make
// several requests; one is made at a time.
type API interface {
	// Messages are the recent webhook messages, at most limit.
	Messages(ctx context.Context, limit int) ([]model.SentMessage, error)
	// AttemptsByMessage are the tries to deliver a message, at most limit.
	AttemptsByMessage(ctx context.Context, message string, limit int) ([]model.SentAttempt, error)
}
