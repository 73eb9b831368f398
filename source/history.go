package source

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"
	"time"

	"aspectop/feed"
	"aspectop/journal"
	"aspectop/model"
)

// History is what the journal already contains, from any writer and any run, as the
// feed folds it. A [Poller] and a [Stream] may share it. It remembers at least the newest
// 50,000 ids, in at most 5 MB. Older ones count as new, which is harmless: the journal
// knows the ids of all messages, and repeated news does not change the board.
type History struct {
	feed *feed.Feed

	mu     sync.Mutex
	ids    recent
	claims map[string]chan struct{} // ids that are being stored
	stream int64                    // number of the newest stored event of the stream
}

const recentIDs = 50_000

// NewHistory is called before the feed runs.
func NewHistory(f *feed.Feed) *History {
	h := &History{feed: f, ids: newRecent(recentIDs), claims: map[string]chan struct{}{}}
	f.Observe(h.note)
	return h
}

// note remembers the ids of what is folded.
func (h *History) note(arrivals []feed.Arrival, history bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range arrivals {
		a := &arrivals[i]
		if a.Source == model.SourceSSE {
			h.stream = max(h.stream, a.Seq)
		}
		if history && h.ids.full() {
			continue // it is older than all that is remembered
		}
		if a.Source != model.SourceWebhook {
			h.ids.add(a.ID, 0)
		}
		if a.EventID != "" && a.Source == model.SourceWebhook {
			h.ids.add(model.StreamID(a.EventID), a.Seq)
		} else if a.EventID != "" {
			h.ids.add(model.StreamID(a.EventID), 0)
		}
	}
}

// catchUp waits until all that is stored now is known.
func (h *History) catchUp(ctx context.Context) error { return h.feed.CatchUp(ctx) }

// has reports whether a delivery with this id, or a webhook with its event_id, is stored.
func (h *History) has(id string) bool {
	_, known := h.look(id)
	return known
}

// look finds a delivery with this id, or, by its number, a webhook with its event_id.
func (h *History) look(id string) (webhook int64, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ids.get(model.ValidText(id))
}

// enter stores events of the stream that no stream has brought yet. One that has come by
// webhook is stored as a repeat of that.
func (h *History) enter(ctx context.Context, j StreamJournal, events []*model.Delivery) error {
	ids := make([]string, len(events))
	for i, d := range events {
		ids[i] = d.ID
	}
	release, err := h.claim(ctx, ids...)
	if err != nil {
		return err
	}
	defer release()
	if err := h.catchUp(ctx); err != nil {
		return err
	}
	var news []*model.Delivery
	for _, d := range events {
		webhook, known := h.look(d.ID)
		if known && webhook > 0 {
			first, err := h.feed.Delivery(ctx, webhook)
			if errors.Is(err, journal.ErrNotFound) || errors.Is(err, journal.ErrDamaged) {
				continue
			} else if err != nil {
				return err
			}
			repeat := *d
			repeat.ID, known = first.ID, false
			d = &repeat
		}
		if !known {
			news = append(news, d)
		}
	}
	if len(news) == 0 {
		return nil
	}
	return j.AppendAll(ctx, news)
}

// claim waits until nobody else stores deliveries with these ids, nor twins of them, and
// holds others up until release is called.
func (h *History) claim(ctx context.Context, ids ...string) (release func(), err error) {
	done := make(chan struct{})
	for {
		h.mu.Lock()
		i := slices.IndexFunc(ids, func(id string) bool { return h.claims[id] != nil })
		if i < 0 {
			break
		}
		other := h.claims[ids[i]]
		h.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	defer h.mu.Unlock()
	for _, id := range ids {
		h.claims[id] = done
	}
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, id := range ids {
			delete(h.claims, id)
		}
		close(done)
	}, nil
}

// Webhooks is the journal for a receiver in the process of a [Stream]: of a webhook and an
// event of the stream that come at once, the one is stored before the other is looked for.
func (h *History) Webhooks(j Appender) Appender { return webhooks{j, h} }

type webhooks struct {
	Appender
	history *History
}

func (w webhooks) Append(ctx context.Context, d *model.Delivery) error {
	if d.Twin != "" {
		release, err := w.history.claim(ctx, d.Twin)
		if err != nil {
			return err
		}
		defer release()
	}
	return w.Appender.Append(ctx, d)
}

// lastStreamID is the id of the newest stored event of the stream, "" if there is none.
func (h *History) lastStreamID(ctx context.Context) (string, error) {
	h.mu.Lock()
	seq := h.stream
	h.mu.Unlock()
	if seq == 0 {
		return "", nil
	}
	d, err := h.feed.Delivery(ctx, seq)
	if err != nil || len(d.Header[headerID]) != 1 {
		return "", err
	}
	return d.Header[headerID][0], nil
}

// known is a task according to the journal.
type known struct {
	model.Snapshot
	gone     bool
	terminal bool
	messages int
}

func (h *History) task(id string) (known, bool) {
	h.feed.RLock()
	defer h.feed.RUnlock()
	t := h.feed.Board().Task(id)
	if t == nil {
		return known{}, false
	}
	return known{
		Snapshot: model.Snapshot{
			ID: t.ID(), AssetID: t.AssetID(), UserID: t.UserID(),
			Created: t.Created(), Updated: t.Updated(), Features: t.Features(),
		},
		gone: t.Gone(), terminal: t.State().Terminal(), messages: t.Messages(),
	}, true
}

// unfinished are the tasks that are not done, without those that are gone since before
// goneSince.
func (h *History) unfinished(goneSince time.Time) []string {
	h.feed.RLock()
	defer h.feed.RUnlock()
	var ids []string
	for i := range h.feed.Board().Len() {
		t := h.feed.Board().At(i)
		if !t.State().Terminal() && (!t.Gone() || !t.Heard().Before(goneSince)) {
			ids = append(ids, t.ID())
		}
	}
	return ids
}

// recent holds the newest strings, at least n, at most 2n, each with a number.
type recent struct {
	n        int
	new, old map[[16]byte]int64
}

func newRecent(n int) recent { return recent{n: n, new: map[[16]byte]int64{}} }

// add adds a string. One that has no number keeps none.
func (r *recent) add(s string, number int64) {
	k := short(s)
	if before, ok := r.new[k]; ok {
		r.new[k] = min(before, number)
		return
	}
	if before, ok := r.old[k]; ok {
		number = min(before, number)
	}
	if len(r.new) == r.n {
		r.old, r.new = r.new, make(map[[16]byte]int64, r.n)
	}
	r.new[k] = number
}

// full reports whether n strings are remembered.
func (r *recent) full() bool { return r.old != nil || len(r.new) == r.n }

func (r *recent) get(s string) (number int64, known bool) {
	k := short(s)
	if number, known = r.new[k]; !known {
		number, known = r.old[k]
	}
	return number, known
}

func short(s string) [16]byte {
	sum := sha256.Sum256([]byte(s))
	return [16]byte(sum[:16])
}
