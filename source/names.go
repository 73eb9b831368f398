package source

import (
	"context"
	"slices"
	"sync"
	"time"

	"aspectop/broadcast"
)

// Names looks up the names of the assets on the screen. They must be cleaned for a
// terminal. Methods are safe for concurrent use.
type Names struct {
	api     API
	changed func()

	mu     sync.RWMutex
	known  map[string]string
	failed map[string]time.Time // when it may be asked for again
	wanted []string
	wake   chan struct{}
}

const (
	namesPause = 500 * time.Millisecond // two calls per second
	nameAgain  = 15 * time.Minute       // until an asset without a name, or a refused one, is asked for again
	namesAgain = time.Minute            // until all are, after a problem with the network or the key
)

// NewNames makes no call yet. changed is called from [Names.Run] after each new name;
// it may be nil.
func NewNames(api API, changed func()) *Names {
	return &Names{
		api: api, changed: changed,
		known: map[string]string{}, failed: map[string]time.Time{}, wake: make(chan struct{}, 1),
	}
}

// Get returns the asset's name and whether it is known. If not, show the id.
func (n *Names) Get(id string) (string, bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	name, ok := n.known[id]
	return name, ok
}

// Want replaces the list of assets to look up, in this order: what is no longer on
// the screen is not looked up. It is cheap enough to be called for every frame.
func (n *Names) Want(ids ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.wanted = n.wanted[:0]
	for _, id := range ids {
		if _, ok := n.known[id]; !ok && id != "" {
			n.wanted = append(n.wanted, id)
		}
	}
	if len(n.wanted) == 0 {
		return
	}
	broadcast.Nudge(n.wake)
}

// Run looks names up until ctx ends, at most two per second. Call it once.
func (n *Names) Run(ctx context.Context) {
	for ctx.Err() == nil {
		id, ok := n.next()
		if !ok {
			select {
			case <-ctx.Done():
			case <-n.wake:
			}
			continue
		}
		asked := time.Now()
		asset, err := n.api.Asset(ctx, id)
		pause := namesPause - time.Since(asked)
		if err != nil && !aboutOne(err) {
			pause = retryIn(err, namesAgain)
		} else {
			n.set(id, asset.Name)
		}
		broadcast.Sleep(ctx, pause)
	}
}

// next is the first wanted asset that is due.
func (n *Names) next() (id string, ok bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	now := time.Now()
	i := slices.IndexFunc(n.wanted, func(id string) bool {
		return n.known[id] == "" && !now.Before(n.failed[id])
	})
	if i < 0 {
		return "", false
	}
	return n.wanted[i], true
}

func (n *Names) set(id, name string) {
	n.mu.Lock()
	if name == "" {
		n.failed[id] = time.Now().Add(nameAgain)
	} else {
		n.known[id] = name
		delete(n.failed, id)
	}
	n.mu.Unlock()
	if name != "" && n.changed != nil {
		n.changed()
	}
}
