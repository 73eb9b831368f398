// Package cast records what a screen shows as an asciicast, which asciinema's
// player plays and agg makes a GIF of.
//
// It records frames, not what is written to the terminal: so a recording holds
// what was seen and nothing else. What presentation mode hides is not in it, nor
// the secret that [Options] name, nor what was copied, nor what an editor showed
// meanwhile.
package cast

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

const (
	// MaxSize is how many bytes a recording may have.
	MaxSize = 256 << 20
	// pace is the least time between two events. What is drawn in between is not
	// recorded.
	pace = time.Second / 30
	// prelude is how long the first frame waits: by then the terminal has told
	// what its background is like, and the screen has its theme.
	prelude = 300 * time.Millisecond
)

// Options of a recording.
type Options struct {
	Version int    // of the format, 2 or 3
	Command string // that is recorded
	// Ended is called when the recording ends before it is closed, with the
	// reason, from another goroutine.
	Ended func(error)
	Limit int64 // of bytes; 0 is MaxSize
	// Redact is a secret that the screen may show and the recording may not; ""
	// is none.
	Redact string
}

// Recorder writes a recording. Writing is done in the background: a slow disk
// delays no frame, and a full one ends the recording only.
type Recorder struct {
	Options
	file *os.File

	mu      sync.Mutex
	latest  *frame // not written yet; nil if there is none
	changed chan struct{}
	closing chan struct{}
	done    chan struct{}

	// What follows belongs to the writing goroutine, and to Close after it.
	size    int64
	started time.Time
	total   time.Duration // of all events so far, as they were written
	shown   *frame        // by the events so far
	err     error
}

// Create begins a recording in a new file, for this user only. A file that is
// there is left alone.
func Create(path string, o Options) (*Recorder, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s already exists", path)
	} else if err != nil {
		return nil, err
	}
	return record(f, o), nil
}

// record begins a recording in an empty file.
func record(f *os.File, o Options) *Recorder {
	if o.Limit == 0 {
		o.Limit = MaxSize
	}
	r := &Recorder{Options: o, file: f, changed: make(chan struct{}, 1), closing: make(chan struct{}), done: make(chan struct{})}
	go r.run()
	return r
}

// frame records that the screen now shows a frame.
func (r *Recorder) frame(f frame) {
	r.mu.Lock()
	r.latest = &f
	r.mu.Unlock()
	select {
	case r.changed <- struct{}{}:
	default: // it is told already
	}
}

func (r *Recorder) take() *frame {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.latest
	r.latest = nil
	return f
}

// run writes the latest frame whenever there is one, at the pace.
func (r *Recorder) run() {
	defer close(r.done)
	wait := prelude
	for {
		select {
		case <-r.changed:
		case <-r.closing:
			r.err = r.end()
			return
		}
		if r.started.IsZero() {
			r.started = time.Now()
		}
		select {
		case <-time.After(wait):
		case <-r.closing:
			r.err = r.end()
			return
		}
		wait = pace
		if r.err = r.write(r.take()); r.err != nil {
			if r.Ended != nil {
				r.Ended(r.err)
			}
			return
		}
	}
}

// Close writes what was shown last, and ends the recording. It returns the error
// that ended it before, if one did.
func (r *Recorder) Close() error {
	close(r.closing)
	<-r.done
	err := errors.Join(r.err, r.file.Close())
	if r.size == 0 { // nothing was shown
		err = errors.Join(err, os.Remove(r.file.Name()))
	}
	return err
}

// Size and Length are how large and how long the recording is. They may be asked
// for when it is closed.
func (r *Recorder) Size() int64           { return r.size }
func (r *Recorder) Length() time.Duration { return r.total }

// errFull says that the recording has the size it may have.
var errFull = errors.New("it has reached its largest size")

// append writes one line whole, or not at all.
func (r *Recorder) append(line []byte) error {
	if r.size+int64(len(line)) > r.Limit {
		return fmt.Errorf("%w, %d MiB", errFull, r.Limit>>20)
	}
	n, err := r.file.Write(line)
	if err != nil {
		if n > 0 {
			err = errors.Join(err, r.file.Truncate(r.size)) // half a line is no event
		}
		return err
	}
	r.size += int64(n)
	return nil
}
