package source

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"aspectop/model"
)

// History is what the journal already contains, from any writer and any run. It
// catches up through its own reader when it is asked. One History serves a [Poller]
// and a [Stream] at the same time.
//
// It begins with the newest 200,000 deliveries, to start quickly with a journal of
// millions, and remembers at least the newest 50,000 ids. It uses the memory of a
// [model.Board] plus at most 4 MB. Anything older counts as new, which is harmless:
// the journal knows the ids of all messages, and repeated news does not change the
// board.
type History struct {
	reader Reader

	mu     sync.Mutex
	board  *model.Board
	begun  bool
	cursor int64
	ids    recent
	stream string // id of the newest stored event of the stream
}

// NewHistory does not read yet. Only a [Stream] needs headers, to continue where an
// earlier run stopped; a reader without headers is twice as fast.
func NewHistory(r Reader) *History {
	return &History{reader: r, board: model.NewBoard(), ids: newRecent(recentIDs)}
}

const (
	lookBack   = 200_000
	readAtOnce = 500
	recentIDs  = 50_000
)

// catchUp folds the deliveries since the last call.
func (h *History) catchUp(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.begun {
		_, last, err := h.reader.Range(ctx)
		if err != nil {
			return err
		}
		h.begun, h.cursor = true, max(0, last-lookBack)
	}
	for {
		deliveries, err := h.reader.After(ctx, h.cursor, readAtOnce)
		if err != nil {
			return err
		}
		for i := range deliveries {
			h.fold(&deliveries[i])
		}
		if len(deliveries) < readAtOnce {
			return nil
		}
	}
}

func (h *History) fold(d *model.Delivery) {
	e := model.Decode(d)
	h.board.Fold(&e)
	h.cursor = d.Seq
	if e.EventID != "" {
		h.ids.add(streamID(e.EventID))
	}
	if d.Source != model.SourceWebhook {
		h.ids.add(d.ID)
	}
	if id := d.Header[headerID]; d.Source == model.SourceSSE && len(id) == 1 {
		h.stream = id[0]
	}
}

// has reports whether a delivery with this id (not a webhook's) is already stored, or
// a webhook with the same event_id.
func (h *History) has(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ids.has(id)
}

// lastStreamID is the id of the newest stored event of the stream.
func (h *History) lastStreamID() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.stream
}

// known is a task according to the journal.
type known struct {
	model.Snapshot
	gone     bool
	terminal bool
	messages int
}

func (h *History) task(id string) (known, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.board.Task(id)
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

// unfinished are the tasks that are not done, without those that the API did not
// know when it was last asked, before goneSince.
func (h *History) unfinished(goneSince time.Time) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var ids []string
	for i := range h.board.Len() {
		t := h.board.At(i)
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
