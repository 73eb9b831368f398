package source

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Names finds out what assets are called, for as long as somebody looks at them.
// Names from outside must be cleaned before they reach a terminal. All methods
// are for any number of goroutines.
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
	// namesPause keeps it at two calls a second.
	namesPause = 500 * time.Millisecond
	// nameAgain is when an asset without a name, or one that could not be asked
	// for, is asked for again; namesAgain when all are after trouble with the
	// network or the key.
	nameAgain  = 15 * time.Minute
	namesAgain = time.Minute
)

// NewNames asks nothing yet. changed is called from [Names.Run] after each new
// name; nil is allowed.
func NewNames(api API, changed func()) *Names {
	if changed == nil {
		changed = func() {}
	}
	return &Names{
		api: api, changed: changed,
		known: map[string]string{}, failed: map[string]time.Time{}, wake: make(chan struct{}, 1),
	}
}

// Get returns the asset's name, and whether it is known. Otherwise show the id.
func (n *Names) Get(id string) (string, bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	name, ok := n.known[id]
	return name, ok
}

// Want asks for the names of these assets next, in this order, in place of those
// that were wanted before: what is no longer looked at is not asked for. It
// costs a look-up for each, so it may be called with every frame.
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
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// Run asks until ctx ends, at most twice a second. It is called once.
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
		sleep(ctx, pause)
	}
}

// next is the first of the wanted assets whose time has come.
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
	if name != "" {
		n.changed()
	}
}
