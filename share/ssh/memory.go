package ssh

import (
	"runtime/debug"
	"sync"
	"time"

	"charm.land/ssh"
)

// Bubble Tea keeps two buffers of 112 bytes a cell for a screen. So of a larger
// window this much is drawn, at its top left: 11 MB.
const (
	maxRows  = 120
	maxCells = 48_000
)

// drawn is the size of which a window is drawn.
func drawn(w ssh.Window) (width, height int) {
	height = min(max(w.Height, 0), maxRows)
	return min(max(w.Width, 0), maxCells/max(height, 1)), height
}

// A shrink by so many cells, 2 MB, leaves enough behind to be given back.
const largeShrink = maxCells / 5

// watchedPercent is how much garbage Go lets lie while somebody watches, of what is in
// use. Usually it is as much again; but buffers of screens become garbage only when
// they end.
const watchedPercent = 50

// collect sets that percentage, unless less is set, and keeps the one before.
func (s *Server) collect(percent int) {
	s.percent = debug.SetGCPercent(percent)
	if percent == watchedPercent && s.percent >= 0 && s.percent < percent {
		debug.SetGCPercent(s.percent)
	}
}

// released gives memory back to the system a while after screens have ended or
// shrunk, once for all of them: Go keeps what is free for minutes, and a collection
// costs the more the larger the board is.
type released struct {
	after time.Duration
	free  func()

	mu      sync.Mutex // guards what follows
	pending bool       // it is due
	more    bool       // something has ended since that was so
}

// soon asks for it. What asks while it is due already is heard afterwards.
func (r *released) soon() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.more = r.pending; !r.pending {
		r.pending = true
		time.AfterFunc(r.after, r.now)
	}
}

func (r *released) now() {
	r.free()
	r.mu.Lock()
	r.pending = false
	more := r.more
	r.mu.Unlock()
	if more {
		r.soon()
	}
}
