package tty

import "time"

const (
	// escTime is how long what may be a sequence's first byte is held. Bubble Tea would
	// wait 50 ms, and then until the next frame.
	escTime = 20 * time.Millisecond
	// heldTime is how long the rest of a sequence may take.
	heldTime = 500 * time.Millisecond
	// maxHeld is the length of the longest sequence that is handed on, in bytes.
	maxHeld = 1 << 10
	// chunk is how much is read at a time, in bytes. One may become five.
	chunk = 256
)

// escKey is the key Esc as a sequence, which nothing can continue.
const escKey = "\x1b[27u"

// reader hands on whole sequences.
type reader struct {
	read  readFunc
	ready []byte    // to be handed on
	held  []byte    // the beginning of a sequence
	since time.Time // when it came
	paste bool      // within a bracketed paste
	// escaped is when a lone Esc was handed on. What comes soon after may be the rest of
	// a sequence; virtual tells that held begins with that Esc.
	escaped time.Time
	virtual bool
}

// Read returns when nothing is held: Bubble Tea calls it when there is something to read,
// and would not when time has passed. All that becomes ready has room in its buffer.
func (r *reader) Read(p []byte) (int, error) {
	for len(r.ready) == 0 || len(r.held) > 0 {
		limit := time.Duration(-1)
		if len(r.held) > 0 {
			limit = max(0, time.Until(r.since.Add(r.patience())))
		}
		room := chunk
		if len(r.ready) > len(p)/2 {
			room = 1
		}
		n, err := r.read(p[:min(len(p), room)], limit)
		switch {
		case err != nil && n == 0:
			return 0, err
		case n == 0:
			r.giveUp()
		default:
			r.take(p[:n])
		}
	}
	n := copy(p, r.ready)
	r.ready = r.ready[:copy(r.ready, r.ready[n:])]
	return n, nil
}

// patience is how long what is held may stay unfinished.
func (r *reader) patience() time.Duration {
	if r.loneEsc() {
		return escTime
	}
	return heldTime
}

// loneEsc reports whether what is held is the key Esc, or that twice, if nothing follows.
func (r *reader) loneEsc() bool {
	return !r.paste && (string(r.held) == "\x1b" || string(r.held) == "\x1b\x1b")
}

// take takes what was read, which is not empty.
func (r *reader) take(b []byte) {
	if len(r.held) == 0 {
		r.since = time.Now()
		if time.Since(r.escaped) < heldTime && (b[0] == '[' || b[0] == ']' || b[0] == 'O') {
			r.held, r.virtual, r.since = []byte{'\x1b'}, true, r.escaped
		}
	}
	r.escaped = time.Time{}
	r.held = append(r.held, b...)
	for len(r.held) > 0 {
		n, is := next(r.held, r.paste)
		if is == unfinished {
			if len(r.held) > maxHeld {
				r.held = r.held[:2] // the rest of it is dropped too
			}
			break
		}
		if is == whole {
			unit := withText(r.held[:n])
			switch string(unit) {
			case "\x1b":
				unit = []byte(escKey)
			case "\x1b[200~":
				r.paste = true
			case pasteEnd:
				r.paste = false
			}
			r.ready = append(r.ready, unit...)
		}
		r.held, r.virtual, r.since = r.held[n:], false, time.Now()
	}
}

// giveUp does what is held without its end: Esc is the key, its sequence and another
// character are a key with alt, and more is nothing at all.
func (r *reader) giveUp() {
	switch {
	case r.loneEsc():
		for range r.held {
			r.ready = append(r.ready, escKey...)
		}
		r.escaped = time.Now()
	case r.virtual && len(r.held) == 2:
		r.ready = append(r.ready, r.held[1])
	case r.paste, len(r.held) == 2 && r.held[0] == '\x1b':
		r.ready = append(r.ready, r.held...)
	}
	r.held, r.virtual = r.held[:0], false
}
