package source

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"slices"
	"time"

	"aspectop/aspect"
	"aspectop/broadcast"
	"aspectop/model"
)

// PollerConfig configures a [Poller].
type PollerConfig struct {
	API     API
	Journal Appender
	History *History      // of the same journal
	Every   time.Duration // ±10 percent; 0 polls only at the start and after each [Poller.Gap]
	// Wanted, if not nil, is called once, with the ids of the active tasks, before they
	// are stored. The tasks that it returns are polled by id until they are done, even
	// if they are unknown to the journal or to the API.
	Wanted func(active []string) []string
	Report func(Report) // called with each change, from one goroutine; must not block; may be nil
}

// Poller reads the account's tasks from Aspect's API and stores what is new.
//
// A poll is one call for the active tasks, and one for each task that is unfinished in
// the journal but not among them: it has ended or is gone. A task that the API does not
// know is stored as gone, once, and asked for again for an hour: a lagging server may not
// know it yet. A task that failed more than a day ago and is not in the journal is
// ignored, although the API still lists it as active.
type Poller struct {
	c    PollerConfig
	gap  chan struct{}
	asks map[string]ask // by task

	wanted  []string // nil before the first list
	noticed string   // the last refusal of a task
}

// ask says when to ask again for a task without news.
type ask struct {
	gone bool // the API did not know it
	wait time.Duration
	next time.Time
}

const (
	longAgo = 24 * time.Hour

	// The pauses between questions for an unfinished task that is not listed grow: it
	// may belong to another user. One that the API did not know is asked for sooner, until
	// goneAsked has passed.
	firstAsk     = time.Minute
	firstGoneAsk = 5 * time.Second
	lastAsk      = 15 * time.Minute
	goneAsked    = time.Hour

	asksAtOnce = 50 // in one poll, so that the list is not stale meanwhile
	askPause   = 100 * time.Millisecond

	firstRetry = 5 * time.Second
	lastRetry  = 5 * time.Minute
)

// NewPoller makes no call yet.
func NewPoller(c PollerConfig) *Poller {
	return &Poller{c: c, gap: make(chan struct{}, 1), asks: map[string]ask{}}
}

// Gap triggers a poll at once, because deliveries may have been missed while the tunnel
// was down or the machine asleep. It does not block.
func (p *Poller) Gap() {
	broadcast.Nudge(p.gap)
}

// Run polls until ctx ends. Call it once.
func (p *Poller) Run(ctx context.Context) {
	r := newReporter(model.SourceAPI, "Aspect's API", p.c.Report)
	for failures := 0; ctx.Err() == nil; {
		result, err := p.poll(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil && result.more {
			continue
		}
		wait, next := p.c.Every, time.Time{}
		if failures++; err != nil {
			wait = retryIn(err, broadcast.Grow(max(p.c.Every, firstRetry), lastRetry, failures))
		} else {
			failures = 0
		}
		if wait > 0 {
			wait = broadcast.Jittered(wait)
			next = time.Now().Add(wait).UTC()
		}
		if err != nil {
			r.trouble(causeOf(err), err, next)
		} else {
			r.ok(result.String(), next)
		}
		if result.refusal != nil && result.refusal.Error() != p.noticed {
			p.noticed = result.refusal.Error()
			r.note(p.noticed)
		}
		p.pause(ctx, wait)
	}
}

// pause waits until d has passed (never, if zero) or there is a gap.
func (p *Poller) pause(ctx context.Context, d time.Duration) {
	var over <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-ctx.Done():
	case <-over:
	case <-p.gap:
		clear(p.asks)
	}
}

// maxRetryAfter is the longest pause that a server can ask for.
const maxRetryAfter = time.Hour

// retryIn is the pause after an error: d, or longer if the server asks for it.
func retryIn(err error, d time.Duration) time.Duration {
	if refused, ok := errors.AsType[*aspect.APIError](err); ok {
		return max(d, min(refused.RetryAfter, maxRetryAfter))
	}
	return d
}

// errJournal marks errors of the journal.
var errJournal = errors.New("the journal")

func causeOf(err error) string {
	if refused, ok := errors.AsType[*aspect.APIError](err); ok {
		return fmt.Sprint(refused.Status)
	}
	if errors.Is(err, errJournal) {
		return "journal"
	}
	return "other"
}

// aboutOne reports whether the API refused only this task, and may not refuse others.
func aboutOne(err error) bool {
	refused, ok := errors.AsType[*aspect.APIError](err)
	return ok && refused.Status/100 == 4 && !slices.Contains([]int{401, 408, 429}, refused.Status)
}

// pollResult is what one poll found.
type pollResult struct {
	active  int
	more    bool  // there are tasks left to ask for
	refused int   // tasks that could not be asked for
	refusal error // the first
}

func (r pollResult) String() string {
	s := fmt.Sprintf("%d active tasks", r.active)
	if r.active == 1 {
		s = "1 active task"
	}
	if r.refused > 0 {
		s += fmt.Sprintf("; %d failed: %v", r.refused, r.refusal)
	}
	return s
}

// poll asks for the active tasks, and for those that are missing among them.
func (p *Poller) poll(ctx context.Context) (r pollResult, err error) {
	// A task that is unfinished now and not in the list was not created in between.
	if err := p.catchUp(ctx); err != nil {
		return r, err
	}
	missing := p.c.History.unfinished(time.Now().Add(-goneAsked))
	list, err := p.c.API.ActiveTasks(ctx)
	if err != nil {
		return r, err
	}
	listed := make(map[string]bool, len(list))
	ids := make([]string, len(list))
	for i, t := range list {
		listed[t.ID], ids[i] = true, t.ID
	}
	if p.c.Wanted != nil && p.wanted == nil {
		if p.wanted = p.c.Wanted(ids); ctx.Err() != nil {
			return r, ctx.Err()
		}
	}
	if err := p.catchUp(ctx); err != nil {
		return r, err
	}
	r.active = len(list)
	for _, t := range list {
		if _, err := p.store(ctx, t, true); err != nil {
			return r, err
		}
	}
	for _, id := range p.wanted {
		if t, known := p.c.History.task(id); (!known || t.gone && !t.terminal) && !slices.Contains(missing, id) {
			missing = append(missing, id)
		}
	}
	missing = slices.DeleteFunc(missing, func(id string) bool { return listed[id] })
	return r, p.askFor(ctx, missing, &r)
}

// askFor asks for tasks by their ids, as far as they are due.
func (p *Poller) askFor(ctx context.Context, ids []string, r *pollResult) error {
	before := p.asks
	p.asks = make(map[string]ask, len(ids)) // without those that need not be asked for any more
	for _, id := range ids {
		if a, ok := before[id]; ok {
			p.asks[id] = a
		}
	}
	asked := 0
	for _, id := range ids {
		last := p.asks[id]
		if t, _ := p.c.History.task(id); last.gone && !t.gone { // it came back by another way
			last = ask{}
		}
		if time.Now().Before(last.next) {
			continue
		}
		if asked == asksAtOnce {
			r.more = true
			return nil
		}
		if asked++; asked > 1 {
			broadcast.Sleep(ctx, askPause)
		}
		news, gone, err := p.ask(ctx, id)
		if err != nil {
			if !aboutOne(err) {
				return err
			}
			r.refused++
			r.refusal = cmp.Or(r.refusal, err)
		}
		if !news && !slices.Contains(p.wanted, id) {
			first := firstAsk
			if gone {
				first = firstGoneAsk
			}
			wait := min(max(first, 2*last.wait), lastAsk)
			p.asks[id] = ask{gone, wait, time.Now().Add(wait)}
		}
	}
	return nil
}

// ask asks for one task. gone: the API does not know it.
func (p *Poller) ask(ctx context.Context, id string) (news, gone bool, err error) {
	t, err := p.c.API.Task(ctx, id)
	gone = errors.Is(err, aspect.ErrNotFound)
	if err != nil && !gone {
		return false, false, err
	}
	if err := p.catchUp(ctx); err != nil {
		return false, gone, err
	}
	if gone {
		news, err = p.storeGone(ctx, id)
	} else {
		news, err = p.store(ctx, t, false)
	}
	return news, gone, err
}

// store appends a task to the journal if it is news. A listed one, from the active tasks,
// may be too old for that.
func (p *Poller) store(ctx context.Context, t aspect.Task, listed bool) (news bool, err error) {
	d := &model.Delivery{Source: model.SourceAPI, Received: time.Now().UTC(), Body: t.Raw}
	s := model.Decode(d).Task
	if s == nil {
		return false, nil // no task has an empty id
	}
	d.ID = snapshotID(s)
	switch before, known := p.c.History.task(s.ID); {
	case !known:
		if listed && failedLongAgo(s, d.Received) {
			return false, nil
		}
	case before.gone:
		d.ID = turnID(s, before)
	case !newsTo(before, s):
		return false, nil
	}
	if p.c.History.has(d.ID) {
		return false, nil
	}
	return true, p.append(ctx, d)
}

// storeGone stores that the API does not know a task, if that is news.
func (p *Poller) storeGone(ctx context.Context, id string) (news bool, err error) {
	before, known := p.c.History.task(id)
	if before.gone || known && before.terminal { // it ended while it was asked for
		return false, nil
	}
	before.ID = id
	now := time.Now().UTC()
	return true, p.append(ctx, &model.Delivery{
		ID: turnID(&before.Snapshot, before), Source: model.SourceAPI, Received: now,
		Body: goneBody(&before.Snapshot, now),
	})
}

func (p *Poller) append(ctx context.Context, d *model.Delivery) error {
	if err := p.c.Journal.Append(ctx, d); err != nil {
		return fmt.Errorf("%w could not store what Aspect's API returned: %w", errJournal, err)
	}
	return nil
}

func (p *Poller) catchUp(ctx context.Context) error {
	if err := p.c.History.catchUp(ctx); err != nil {
		return fmt.Errorf("%w could not be read: %w", errJournal, err)
	}
	return nil
}

// failedLongAgo reports whether the task failed and was not changed since. Without a
// time it may be new.
func failedLongAgo(s *model.Snapshot, now time.Time) bool {
	last := cmp.Or(s.Updated, s.Created)
	return !last.IsZero() && now.Sub(last) > longAgo && s.State() == model.Failed
}

// snapshotID depends only on features and time: the rest of a task may be formatted
// differently each time.
func snapshotID(s *model.Snapshot) string { return "api:" + s.ID + ":" + digest(content(s)) }

// turnID identifies the change of a task to gone or back. As this can happen repeatedly,
// it includes the number of messages so far.
func turnID(s *model.Snapshot, before known) string {
	h := content(s)
	fmt.Fprintf(h, "gone %v after %d", !before.gone, before.messages)
	return "api:" + s.ID + ":" + digest(h)
}

func content(s *model.Snapshot) hash.Hash {
	h := sha256.New()
	fmt.Fprintln(h, s.Updated.UTC().Format(time.RFC3339Nano))
	for _, f := range s.Features {
		fmt.Fprintf(h, "%q %q\n", f.Name, f.State)
	}
	return h
}

// digest is 64 bits of the hash: ids are compared within one task.
func digest(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)[:8]) }

// newsTo reports whether s is newer than k.
func newsTo(k known, s *model.Snapshot) bool {
	return s.Updated.After(k.Updated) || s.Updated.Equal(k.Updated) && !slices.Equal(s.Features, k.Features)
}

// goneBody says that the API no longer knows a task; see [model.Gone].
func goneBody(s *model.Snapshot, at time.Time) []byte {
	type feature struct {
		State model.State `json:"state"`
	}
	body := struct {
		ID        string             `json:"id"`
		AssetID   string             `json:"asset_id,omitempty"`
		Features  map[string]feature `json:"features,omitempty"`
		UserID    string             `json:"user_id,omitempty"`
		Created   time.Time          `json:"created,omitzero"`
		Updated   time.Time          `json:"updated,omitzero"`
		Gone      bool               `json:"gone"`
		Timestamp time.Time          `json:"timestamp"`
	}{
		ID: s.ID, AssetID: s.AssetID, UserID: s.UserID, Created: s.Created, Updated: s.Updated,
		Features: map[string]feature{}, Gone: true, Timestamp: at,
	}
	for _, f := range s.Features {
		body.Features[f.Name] = feature{f.State}
	}
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // texts and times out of JSON; years beyond four digits were never read
	}
	return b
}
