// Package source contains the sources other than webhooks: [Poller] reads tasks from
// Aspect's REST API, to fill gaps or to work with nothing but a key, and [Stream] reads
// the provider's event stream. They append deliveries to the journal like the receiver.
// [Names] looks up the names of assets. Nothing in the account is changed.
package source

import (
	"context"
	"time"

	"aspectop/aspect"
	"aspectop/model"
)

// Appender stores deliveries. After Append returns nil, the delivery is durable and
// its Seq, Message and Attempt are set.
type Appender interface {
	Append(ctx context.Context, d *model.Delivery) error
}

// API are the calls of Aspect's API. The client retries where that makes sense.
type API interface {
	ActiveTasks(ctx context.Context) ([]aspect.Task, error)
	Task(ctx context.Context, id string) (aspect.Task, error)
	Asset(ctx context.Context, id string) (aspect.Asset, error)
}

// State is the state of a source.
type State string

const (
	Connecting State = "connecting" // first connection, or an ordinary reconnection
	OK         State = "ok"
	Trouble    State = "trouble" // retrying
	Stopped    State = "stopped" // not retrying; Detail says why
)

// Report describes the state of a source. Its text must be cleaned for a terminal.
type Report struct {
	Source  model.Source
	State   State
	Since   time.Time // when State began
	Detail  string    // what is there, or what is wrong and what to do; one line
	NextTry time.Time // zero if none is scheduled
	Err     error     // of Trouble
	// Notice is a sentence for the log, "" for a mere update. There is one when
	// trouble begins, changes its cause, or ends.
	Notice string
}

// reporter creates reports and notices. It is not safe for concurrent use.
type reporter struct {
	publish func(Report)
	name    string // of the source, as the prefix of notices
	last    Report

	noticed State     // of the last notice
	cause   string    // of its trouble
	since   time.Time // when that trouble began
}

func newReporter(source model.Source, name string, publish func(Report)) *reporter {
	if publish == nil {
		publish = func(Report) {}
	}
	r := &reporter{publish: publish, name: name, noticed: Connecting}
	r.last.Source = source
	r.report(Connecting, "", time.Time{}, "")
	return r
}

// ok reports that the source works, with a notice at the start and after trouble.
func (r *reporter) ok(detail string, next time.Time) {
	notice := ""
	switch r.noticed {
	case Connecting:
		notice = detail
	case Trouble:
		notice = "recovered after " + time.Since(r.since).Round(time.Second).String() + "; " + detail
	}
	r.noticed = OK
	if r.last.State == OK && notice == "" && r.last.Detail == detail && r.last.NextTry.Equal(next) {
		return
	}
	r.report(OK, detail, next, notice)
}

// connecting reports an ordinary reconnection, without a notice.
func (r *reporter) connecting(detail string, next time.Time) { r.report(Connecting, detail, next, "") }

// trouble reports a problem, with a notice if the cause is new. The detail may differ
// each time (ports, times).
func (r *reporter) trouble(cause string, err error, next time.Time) {
	notice := err.Error()
	if r.noticed != Trouble {
		r.since = time.Now()
	} else if r.cause == cause {
		notice = ""
	}
	r.noticed, r.cause, r.last.Err = Trouble, cause, err
	r.report(Trouble, err.Error(), next, notice)
}

func (r *reporter) stopped(detail string) { r.report(Stopped, detail, time.Time{}, detail) }

// note adds a notice without changing the state.
func (r *reporter) note(text string) { r.report(r.last.State, r.last.Detail, r.last.NextTry, text) }

func (r *reporter) report(s State, detail string, next time.Time, notice string) {
	if s != r.last.State {
		r.last.State, r.last.Since = s, time.Now().UTC()
	}
	if s != Trouble {
		r.last.Err = nil
	}
	if notice != "" {
		notice = r.name + ": " + notice
	}
	r.last.Detail, r.last.NextTry, r.last.Notice = detail, next, notice
	r.publish(r.last)
}
