package model

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"aspectop/broadcast"
)

// Status is one entry of the [StatusLog]: something that happened here and is
// not a kept delivery. Exactly one of Rejected, Forward, Tunnel, Viewer and Notice
// is set.
type Status struct {
	Pos      int64 // place in the log, from 1
	At       time.Time
	Rejected *Rejected
	Forward  *Forward
	Tunnel   *Tunnel
	Viewer   *Viewer
	Notice   string // a sentence about the program itself, such as why it answers 503
}

// Rejected is a request that was refused, with as much of it as is held. The tags are for
// the journal.
type Rejected struct {
	At      time.Time           `json:"-"`                // when it came, UTC
	ID      string              `json:"id,omitempty"`     // svix-id as claimed, unverified; "" if none was
	Method  string              `json:"method,omitempty"` // where it is the reason, "" otherwise
	Path    string              `json:"path,omitempty"`   // where it or the method is the reason: escaped, without the query, at most 200 bytes
	Verdict Verdict             `json:"verdict"`
	Header  map[string][]string `json:"-"`    // at most 4 KiB, without credentials
	Body    []byte              `json:"-"`    // the first 8 KiB
	Size    int64               `json:"size"` // of the body as far as it was read, in bytes
}

// Viewer is a remote viewer who joined or left.
type Viewer struct {
	Name     string // as the host calls them
	Address  string
	Since    time.Time
	Left     bool
	Watching int // how many viewers there are then
}

func (v *Viewer) String() string {
	what := " watches"
	if v.Left {
		what = " has left"
	}
	return fmt.Sprintf("%s (%s)%s; %d watching", v.Name, v.Address, what, v.Watching)
}

// StatusLog holds the newest entries in memory, for readers with a cursor each. It
// never blocks a writer nor grows: what a reader was too slow for is counted instead.
// Any number of goroutines may use it.
type StatusLog struct {
	mu   sync.Mutex
	ring []Status // entry at Pos p stands at (p-1) % cap
	last int64
	more int64 // rejected requests that are no entries
	news broadcast.Signal
}

// NewStatusLog returns an empty log that holds the newest n entries; n is
// greater than 0.
func NewStatusLog(n int) *StatusLog { return &StatusLog{ring: make([]Status, n)} }

// Add appends s and gives it its Pos.
func (l *StatusLog) Add(s Status) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	s.Pos = l.last
	l.ring[(s.Pos-1)%int64(len(l.ring))] = s
	l.news.Send()
}

// Notice adds a sentence about the program.
func (l *StatusLog) Notice(text string) { l.Add(Status{At: time.Now().UTC(), Notice: text}) }

// AddUntold counts a rejected request that gets no entry, as there are too many of its kind.
func (l *StatusLog) AddUntold() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.more++
}

// Untold is how many rejected requests AddUntold counted.
func (l *StatusLog) Untold() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.more
}

// Wait returns when there is an entry behind the cursor, or ctx ends.
func (l *StatusLog) Wait(ctx context.Context, cursor int64) error {
	return l.news.Wait(ctx, func() bool { return l.newest() > cursor })
}

func (l *StatusLog) newest() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// News sends on the channel when there are entries that it has not signalled, until ctx
// ends; see [News].
func (l *StatusLog) News(ctx context.Context) <-chan struct{} {
	cursor := int64(0)
	return News(ctx, func(ctx context.Context) error {
		err := l.Wait(ctx, cursor)
		cursor = l.newest()
		return err
	})
}

// After returns the entries behind the cursor, oldest first, how many were overwritten
// before they were read, and the next cursor. A new reader starts at 0.
func (l *StatusLog) After(cursor int64) (entries []Status, lost, next int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	from := min(max(cursor, l.last-int64(len(l.ring))), l.last)
	entries = make([]Status, 0, l.last-from)
	for p := from + 1; p <= l.last; p++ {
		entries = append(entries, l.ring[(p-1)%int64(len(l.ring))])
	}
	return entries, max(0, from-cursor), l.last
}

// newsPace is the least time between two signals of [News], so that a flood is
// read in batches.
const newsPace = 20 * time.Millisecond

// News calls wait until ctx ends, and sends on the returned channel after each call,
// unless a signal is pending: at most 50 times a second, after an error once a second.
// The error is for the next read to report.
func News(ctx context.Context, wait func(context.Context) error) <-chan struct{} {
	news := make(chan struct{}, 1)
	go func() {
		for ctx.Err() == nil {
			pause := newsPace
			if err := wait(ctx); err != nil {
				pause = time.Second
			}
			broadcast.Nudge(news)
			_ = broadcast.Sleep(ctx, pause)
		}
	}()
	return news
}

// Forward is what became of one delivery at one of the user's own handlers: the
// newest try, and how many there were.
type Forward struct {
	Seq int64
	To  string // the handler's URL without its credentials
	// Name is what the user calls the handler, "" for nothing. The journal has none.
	Name string

	At      time.Time     // when this try began, UTC
	Status  int           // of the answer; 0 if there was none
	Latency time.Duration // until the answer's headers, or until the failure
	Tries   int           // so far, this one included

	Resigned bool // the handler got another timestamp and signature than Svix had sent
	Final    bool // there will be no further try, unless one is asked for
	GaveUp   bool // it is final because tries or time ran out

	Error string // why the handler does not have it, "" if it has: the status was 2xx
	Hint  string // a sentence about what to look at, "" if there is nothing to say
	// Answer is what the handler itself said, in one line of clean text of at most 1 KiB; ""
	// if it said nothing.
	Answer string
	// Body is the start of the answer's body, at most 64 KiB. In the [StatusLog] it is
	// nil; the journal has it.
	Body []byte
}

// Handler is how the handler is called.
func (f *Forward) Handler() string { return cmp.Or(f.Name, f.To) }

// Delivered reports whether the handler took it.
func (f *Forward) Delivered() bool { return f.Error == "" }

// TunnelState says in one word how reachable the receiver is from outside.
type TunnelState string

const (
	TunnelOff          TunnelState = "off"          // not wanted, or ended
	TunnelStarting     TunnelState = "starting"     // the first attempt is under way
	TunnelConnected    TunnelState = "connected"    // the way is open; whether requests come through is the probe's to say
	TunnelUnchecked    TunnelState = "not checked"  // there is a public URL, and no probes are wanted
	TunnelReconnecting TunnelState = "reconnecting" // no way in at present; it is being tried again
	TunnelFailed       TunnelState = "failed"       // it stays so until what Detail says is done
)

// Tunnel is how the receiver can be reached from outside at one moment, in words that
// can be shown. It does not change.
type Tunnel struct {
	Kind  string // cloudflared, svix or url
	State TunnelState
	// PublicURL is the address for the sender, path included; "" as long as
	// there is none. It may differ after a reconnect.
	PublicURL string
	// Detail is one line of text: "1 of 1" connections, or why there is none
	// and what to do.
	Detail string
	// NextTry is when it will be tried again, the zero time if nothing waits.
	NextTry time.Time
	// Doubt says why Svix cannot, or may not, reach PublicURL although the probe comes
	// through, "" if nothing is known against it.
	Doubt string
	// Probe is the newest probe of PublicURL whose outcome counts, nil before
	// there is one.
	Probe *Probe
}

// Probe is the outcome of one request of our own to the public URL.
type Probe struct {
	At        time.Time // when it was sent
	OK        bool      // it came through to this process, and its answer came back
	RoundTrip time.Duration
	Detail    string // if not OK: the hop that is broken, and what to do
}

// Reason is the machine-readable part of a [Verdict]: the value of "reason" in
// a rejected line.
type Reason string

const (
	Verified       Reason = "verified"
	MissingHeaders Reason = "missing_headers"
	Malformed      Reason = "malformed"
	NoMatch        Reason = "no_match"
	TooOld         Reason = "too_old"
	TooNew         Reason = "too_new"
	TooLarge       Reason = "too_large"
	WrongPath      Reason = "wrong_path"
	WrongMethod    Reason = "wrong_method"
	NotHTTP        Reason = "not_http"
)

// Verdict is what the receiver found out about one request's signature.
type Verdict struct {
	Reason Reason `json:"reason"`
	Secret string `json:"-"` // name of the secret that matched, only when Verified
	// Detail says in words what was found, such as "too old by 7m12s". It may
	// quote the request, so it must be cleaned before it reaches a terminal.
	Detail string `json:"detail"`
	// Hint says what would mend it, "" when there is no cheap guess.
	Hint string `json:"hint,omitempty"`
	// Evidence names the change on the way that, undone, made the signature match: it is
	// proved. "" if none did.
	Evidence string `json:"evidence,omitempty"`
	// SkewSeconds is by how much the stamp of a rightly signed request lies before the
	// clock of this machine, negative if it lies after it, and ToleranceSeconds how much
	// is allowed. Both are 0 unless the time is the reason.
	SkewSeconds      int64 `json:"skew_seconds,omitempty"`
	ToleranceSeconds int64 `json:"tolerance_seconds,omitempty"`
}

// OK reports whether the request may be kept.
func (v Verdict) OK() bool { return v.Reason == Verified }

// SentMessage is a webhook message as Aspect's API tells it. Its format is not
// documented: fields that were not found are empty, and Raw has everything.
type SentMessage struct {
	ID        string // msg_…, the svix-id of its deliveries
	EventType string
	EventID   string
	TaskID    string // told by its payload
	Status    string // as in SentAttempt; not in all lists
	Time      time.Time
	Raw       json.RawMessage
}

// SentAttempt is one try to deliver a message; see [SentMessage].
type SentAttempt struct {
	ID           string // atmpt_…
	MessageID    string
	EndpointID   string
	EventType    string
	URL          string // without user:password@
	Status       string // success, pending, fail, sending, canceled, or as it came
	ResponseCode int    // 0: no answer, or unknown
	Reason       string // why it failed: what was answered, or why nothing was; at most 200 characters
	Trigger      string // scheduled or manual; "" if unknown
	Took         time.Duration
	Time         time.Time
	Raw          json.RawMessage
}

// About says how an attempt came about, how long it took and why it failed, as far as
// that is known.
func (a *SentAttempt) About() string {
	var parts []string
	if a.Trigger != "" {
		parts = append(parts, a.Trigger)
	}
	if a.Took > 0 {
		parts = append(parts, fmt.Sprintf("took %d ms", a.Took.Milliseconds()))
	}
	if a.Reason != "" {
		parts = append(parts, "failed: "+a.Reason)
	}
	return strings.Join(parts, ", ")
}

// Queue is the state of the forwarding to one of the user's handlers. It counts
// messages, not attempts.
type Queue struct {
	To   string // the handler's URL without credentials
	Name string // what the user calls it, "" for nothing

	Waiting  int // for their first try
	InFlight int
	Retrying int       // after a failed attempt
	NextTry  time.Time // when the first of those is retried; zero if there are none
	More     bool      // the journal holds further messages that were not read yet

	// What became of messages in this run.
	Delivered, Failed, GaveUp int
}

// Handler is how the handler is called.
func (q *Queue) Handler() string { return cmp.Or(q.Name, q.To) }

// Left is how many messages that were read from the journal are not settled.
func (q *Queue) Left() int { return q.Waiting + q.InFlight + q.Retrying }
