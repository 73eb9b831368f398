package source

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"aspectop/feed"
	"aspectop/model"
)

// History is what the journal already contains, from any writer and any run, as the
// feed folds it. A [Poller] and a [Stream] may share it. It remembers at least the newest
// 50,000 ids, in at most 4 MB. Older ones count as new, which is harmless: the journal
// knows the ids of all messages, and repeated news does not change the board.
type History struct {
	feed *feed.Feed

	mu     sync.Mutex
	ids    recent
	stream int64 // number of the newest stored event of the stream
}

const recentIDs = 50_000

// NewHistory is called before the feed runs.
func NewHistory(f *feed.Feed) *History {
	h := &History{feed: f, ids: newRecent(recentIDs)}
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
		if a.EventID != "" {
			h.ids.add(streamID(a.EventID))
		}
		if a.Source != model.SourceWebhook {
			h.ids.add(a.ID)
		}
	}
}

// catchUp waits until all that is stored now is known.
func (h *History) catchUp(ctx context.Context) error { return h.feed.CatchUp(ctx) }

// has reports whether a delivery with this id, or a webhook with its event_id, is stored.
func (h *History) has(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ids.has(model.ValidText(id))
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

// recent is a set of the newest strings: at least n, at most 2n.
type recent struct {
	n        int
	new, old map[[16]byte]struct{}
}

func newRecent(n int) recent { return recent{n: n, new: map[[16]byte]struct{}{}} }

func (r *recent) add(s string) {
	k := short(s)
	if _, ok := r.new[k]; ok {
		return
	}
	if len(r.new) == r.n {
		r.old, r.new = r.new, make(map[[16]byte]struct{}, r.n)
	}
	r.new[k] = struct{}{}
}

// full reports whether n strings are remembered.
func (r *recent) full() bool { return r.old != nil || len(r.new) == r.n }

func (r *recent) has(s string) bool {
	k := short(s)
	_, isNew := r.new[k]
	_, isOld := r.old[k]
	return isNew || isOld
}

func short(s string) [16]byte {
	sum := sha256.Sum256([]byte(s))
	return [16]byte(sum[:16])
}
