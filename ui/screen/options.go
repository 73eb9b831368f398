package screen

import (
	"context"
	"os/exec"
	"time"

	"aspectop/feed"
	"aspectop/model"
)

// Options are what the screen is given. Everything that depends on the world
// outside is in them.
type Options struct {
	// Feed is what the process has folded, for all screens.
	Feed *feed.Feed
	// Journal reads deliveries with all that is kept of them.
	Journal Journal
	Now     func() time.Time // nil: time.Now
	// Pace is the least time between two frames that news brings, if that is more
	// than 33 ms.
	Pace time.Duration

	// Receiver is the URL that takes deliveries, "" if this process does not
	// receive.
	Receiver string
	// Secrets are the names of the secrets in use.
	Secrets []string
	// Endpoint tells in words which webhook endpoint leads here, "" if none was
	// registered; nil: there is none.
	Endpoint func() string
	// Sources tell in words how the ways in beside the receiver do; nil: there
	// are none.
	Sources func() []string
	// Failing are the names of those that do not work now; nil: there are none.
	Failing func() []string
	// Names tells what assets are called, as far as it is known, and is told
	// which ones are looked at; nil: ids are shown.
	Names interface {
		Get(asset string) (name string, known bool)
		Want(assets ...string)
	}
	// Resumed is called after ctrl+z, for what was missed meanwhile; it may be
	// nil.
	Resumed func()
	// JournalPath is where the journal is, for people.
	JournalPath string
	// Conceal is a secret that remarks and notices tell and pictures may not, such as
	// the token of the live page; "" is none.
	Conceal string
	// Remarks are said in the footer at the start, such as that the port moved.
	Remarks []string
	// Try is a command that makes a first event come, for the empty screen.
	Try string

	// Remote is a screen for somebody elsewhere: it looks, and has no key that
	// acts on this machine.
	Remote bool
	// Private starts the screen in presentation mode and keeps it there: user
	// ids, URLs and payloads with them can be neither shown nor copied.
	Private bool

	// Viewers are those who watch this process's screens from elsewhere; nil:
	// nobody can.
	Viewers func() []model.Viewer

	Theme         string // auto, light, dark, mono
	ASCII         bool
	ReducedMotion bool
	Filter        *model.Filter // nil: none
	Since         time.Time     // show only what was heard since then; zero: all
	// CanSuspend says whether ctrl+z would come back: a process that nobody can
	// continue must not stop.
	CanSuspend func() bool
	// Notify rings the bell and sends a notice by OSC 9 when tasks finish, fail
	// or stall.
	Notify bool
	// Export writes a report about a task, from its deliveries, to a file and
	// returns its path; nil: there is no export. In a private one there are no user
	// ids and no URLs.
	Export func(task string, deliveries []model.Delivery, private bool) (path string, err error)
	// Picture writes a picture of what is shown, an SVG, to a file and returns its
	// path; nil: there are no pictures.
	Picture func(of, svg string) (path string, err error)

	// API tells what Aspect says it sent. It is asked only while somebody looks
	// at the deliveries; nil: there is no key.
	API API
	// Queues tells how the forwarding to the user's handlers does, a queue for
	// each; nil: nothing is forwarded.
	Queues func() []model.Queue
	// Resend posts a delivery to the handler at ResendTo once more, re-signed, with
	// another body and as another message if body is not nil. A message that
	// forwarding gave up is tried again by forwarding instead, at the handlers that are
	// returned. An error says why nothing was sent; nil: there is no handler.
	Resend   func(ctx context.Context, d model.Delivery, body []byte) (again []string, answer model.Forward, err error)
	ResendTo string // without credentials
	// Editor makes the command that lets the user edit a file on this terminal,
	// and that ends with ctx; nil: there is no handler to send to.
	Editor func(ctx context.Context, path string) (*exec.Cmd, error)
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
