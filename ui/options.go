package ui

import (
	"context"
	"os/exec"
	"time"

	"aspectop/model"
)

// Options are what the screen is given. Everything that depends on the world
// outside is in them.
type Options struct {
	Journal Journal
	// Feed reads the same journal for what is folded. Its deliveries need no
	// headers, which makes it twice as fast, and a window of the log need not
	// wait for a batch of history. Nil: Journal serves for that too.
	Feed Journal
	// Status is the log of what is no kept delivery; nil where there is none,
	// which the screen says.
	Status interface {
		After(cursor int64) (entries []model.Status, lost, next int64)
	}
	Now func() time.Time // nil: time.Now

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
	// Export writes the deliveries of a task to a file and returns its path;
	// nil: there is no export.
	Export func(task string, deliveries []model.Delivery) (path string, err error)

	// API tells what Aspect says it sent. It is asked only while somebody looks
	// at the deliveries; nil: there is no key.
	API API
	// Queues tells how the forwarding to the user's handlers does, a queue for
	// each; nil: nothing is forwarded.
	Queues func() []Queue
	// Retry has a queue try a message again that it had given up.
	Retry func(ctx context.Context, to string, seq int64) error
	// Replay posts a delivery to the handler at ReplayTo once more, signed anew,
	// with another body and as another message if body is not nil. An error says
	// why nothing was posted; nil: there is no handler to replay to.
	Replay   func(ctx context.Context, d model.Delivery, body []byte) (model.Forward, error)
	ReplayTo string // without credentials
	// Editor makes the command that lets the user edit a file on this terminal,
	// and that ends with ctx; nil: there is no handler to send to.
	Editor func(ctx context.Context, path string) (*exec.Cmd, error)
}
