package source

import (
	"time"

	"aspectop/model"
)

// State says in one word how a source does.
type State string

const (
	Connecting State = "connecting" // for the first time, or after a connection ended as they do
	OK         State = "ok"
	Trouble    State = "trouble" // it is being tried again
	Stopped    State = "stopped" // it will not be tried again; Detail says why
)

// Report is how a source does at one moment, in words that can be shown. Texts
// from a server are in it, so it must be cleaned before it reaches a terminal.
type Report struct {
	Source  model.Source
	State   State
	Since   time.Time // when State began
	Detail  string    // what is there, or what is wrong and what to do; one line
	NextTry time.Time // the zero time if nothing waits
	// Notice is a sentence for the log, "" if this report only brings the others
	// up to date: trouble is noticed when it begins, when its cause changes, and
	// when it ends.
	Notice string
}

// reporter tells reports and what is new in them. It is for one goroutine.
type reporter struct {
	tell func(Report)
	name string // of the source, at the beginning of sentences
	last Report

	noticed State     // what the last notice about the state said
	cause   string    // of the trouble in it
	since   time.Time // when that began
}

func newReporter(source model.Source, name string, tell func(Report)) *reporter {
	if tell == nil {
		tell = func(Report) {}
	}
	r := &reporter{tell: tell, name: name, noticed: Connecting}
	r.last.Source = source
	r.report(Connecting, "", time.Time{}, "")
	return r
}

// ok tells that the source works. Its beginning and the end of trouble are news.
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

// connecting tells that a connection ended as connections do, which is no news.
func (r *reporter) connecting(detail string, next time.Time) {
	r.report(Connecting, detail, next, "")
}

// trouble tells what is wrong. Its details may differ each time (ports, times);
// it is news if the cause does.
func (r *reporter) trouble(cause, detail string, next time.Time) {
	notice := ""
	if r.noticed != Trouble || r.cause != cause {
		notice = detail
	}
	if r.noticed != Trouble {
		r.since = time.Now()
	}
	r.noticed, r.cause = Trouble, cause
	r.report(Trouble, detail, next, notice)
}

func (r *reporter) stopped(detail string) { r.report(Stopped, detail, time.Time{}, detail) }

// note tells something that does not change the state.
func (r *reporter) note(text string) {
	r.report(r.last.State, r.last.Detail, r.last.NextTry, text)
}

func (r *reporter) report(s State, detail string, next time.Time, notice string) {
	if s != r.last.State {
		r.last.State, r.last.Since = s, time.Now().UTC()
	}
	if notice != "" {
		notice = r.name + ": " + notice
	}
	r.last.Detail, r.last.NextTry, r.last.Notice = detail, next, notice
	r.tell(r.last)
}
