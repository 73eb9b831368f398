// Package cast records a screen as an asciicast, for asciinema's player and agg. It
// records frames, not the terminal's output: what presentation mode hides, the secret
// that [Options] name, copied text and the editor are not in it.
package cast

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	uv "github.com/charmbracelet/ultraviolet"

	"aspectop/jsonl"
	"aspectop/ui/draw"
	"aspectop/ui/picture"
)

const (
	// MaxSize is how many bytes a recording may have.
	MaxSize = 256 << 20
	// pace is the least time between two events; frames in between are left out.
	pace = time.Second / 30
	// prelude is how long the first frame waits for the terminal's background colour.
	prelude = 300 * time.Millisecond
	// wholeAfter is how long after a whole frame another one is written.
	wholeAfter = 10 * time.Second
	// reserve is kept free of what a recording may have, in bytes, for its end.
	reserve = 160
)

// Options of a recording.
type Options struct {
	Version int    // of the format, 2 or 3
	Command string // that is recorded
	// Ended is called, in another goroutine, if the recording ends before it is closed.
	Ended func(error)
	Limit int64 // of bytes; 0 is MaxSize
	// Redact is a secret that is not recorded; "" is none.
	Redact string
}

// Recorder writes a recording in the background, so a slow or full disk delays no frame.
type Recorder struct {
	Options
	file *os.File

	latest  chan *frame // the one that is not written yet
	closing chan struct{}
	done    chan struct{}

	// What follows belongs to the writing goroutine, and to Close after it.
	size    int64
	started time.Time
	total   time.Duration    // of all events so far, as they were written
	shown   *frame           // by the events so far
	cells   *uv.ScreenBuffer // of shown
	whole   time.Time        // when a frame was last written whole
	ending  bool             // what is kept free for the end may be used
	err     error
}

// Create begins a recording in a new file that only this user can read.
func Create(path string, o Options) (*Recorder, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s already exists", path)
	} else if err != nil {
		return nil, err
	}
	return record(f, o), nil
}

func record(f *os.File, o Options) *Recorder {
	if o.Limit == 0 {
		o.Limit = MaxSize
	}
	r := &Recorder{Options: o, file: f, latest: make(chan *frame, 1), closing: make(chan struct{}), done: make(chan struct{})}
	go r.run()
	return r
}

func (r *Recorder) frame(f frame) {
	r.newest(nil)
	r.latest <- &f // never blocks: one goroutine draws
}

// newest takes the latest frame, f if there is none newer.
func (r *Recorder) newest(f *frame) *frame {
	select {
	case f = <-r.latest:
	default:
	}
	return f
}

// run writes the latest frame whenever there is one, at the pace.
func (r *Recorder) run() {
	defer close(r.done)
	for wait := prelude; ; wait = pace {
		var f *frame
		select {
		case f = <-r.latest:
		case <-r.closing:
			r.err = r.end(nil)
			return
		}
		if r.started.IsZero() {
			r.started = time.Now()
		}
		select {
		case <-time.After(wait):
		case <-r.closing:
			r.err = r.end(f)
			return
		}
		if r.err = r.write(r.newest(f)); r.err != nil {
			r.err = r.finish(r.err)
			if r.Ended != nil {
				r.Ended(r.err)
			}
			return
		}
	}
}

// Close writes the last frame and returns the error that ended the recording, if any.
func (r *Recorder) Close() error {
	close(r.closing)
	<-r.done
	err := errors.Join(r.err, r.file.Close())
	if r.size == 0 { // nothing was shown
		err = errors.Join(err, os.Remove(r.file.Name()))
	}
	return err
}

// Size and Length are valid after Close.
func (r *Recorder) Size() int64           { return r.size }
func (r *Recorder) Length() time.Duration { return r.total }

// errFull says that the recording has the size it may have.
var errFull = errors.New("it has reached its largest size")

// append writes a value as a line of JSON, whole or not at all.
func (r *Recorder) append(v any) error {
	line, err := jsonl.Line(v)
	if err != nil {
		return err
	}
	free := r.Limit - r.size
	if !r.ending {
		free -= reserve
	}
	if int64(len(line)) > free {
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

// frame is lines with SGR sequences, exactly h and each at most w cells wide.
type frame struct {
	text  string
	w, h  int
	theme string
}

const termType = "xterm-256color"

func (r *Recorder) begin(f *frame) error {
	fore, back := picture.Palette(f.theme)
	theme := map[string]string{"fg": fore, "bg": back, "palette": strings.Join(picture.Sixteen, ":")}
	header := map[string]any{"version": r.Version, "timestamp": r.started.Unix(), "title": "aspectop"}
	if r.Command != "" {
		header["command"] = r.Command
	}
	if r.Version == 2 {
		header["width"], header["height"], header["theme"] = f.w, f.h, theme
		header["env"] = map[string]string{"TERM": termType}
	} else {
		header["term"] = map[string]any{"cols": f.w, "rows": f.h, "type": termType, "theme": theme}
	}
	return r.append(header)
}

func (r *Recorder) write(f *frame) error {
	if f == nil || f.w <= 0 || f.h <= 0 || r.shown != nil && *f == *r.shown {
		return nil
	}
	switch {
	case r.shown == nil:
		if err := r.begin(f); err != nil {
			return err
		}
	case r.shown.w != f.w || r.shown.h != f.h:
		if err := r.event("r", fmt.Sprintf("%dx%d", f.w, f.h)); err != nil {
			return err
		}
	}
	before, cells := r.cells, cellsOf(f)
	if r.shown == nil || r.shown.w != f.w || r.shown.h != f.h || time.Since(r.whole) >= wholeAfter {
		before, r.whole = nil, time.Now() // players may begin here
	}
	r.shown, r.cells = f, cells
	if data := changes(before, cells); data != "" {
		return r.event("o", data)
	}
	return nil
}

// event writes an event of now. Times are in ms; rounding errors do not add up.
func (r *Recorder) event(code, data string) error {
	now := max(r.total, time.Since(r.started).Round(time.Millisecond))
	at := now - r.total // since the event before
	if r.Version == 2 {
		at = now
	}
	seconds := json.RawMessage(fmt.Sprintf("%d.%03d", at/time.Second, at%time.Second/time.Millisecond))
	if err := r.append([]any{seconds, code, data}); err != nil {
		return err
	}
	r.total = now
	return nil
}

func (r *Recorder) end(f *frame) error { return r.finish(r.write(r.newest(f))) }

// finish leaves a player's terminal as a shell wants it, with a cursor, below the last frame,
// unless the recording has ended with another error than errFull.
func (r *Recorder) finish(err error) error {
	if r.shown == nil || err != nil && !errors.Is(err, errFull) {
		return err
	}
	r.ending = true
	last := r.event("o", fmt.Sprintf("\x1b[m\x1b[%d;1H\x1b[?25h\r\n", r.shown.h))
	if last == nil && r.Version == 3 { // version 2 has no word for it
		last = r.event("x", "0")
	}
	return errors.Join(err, last)
}

type model struct {
	tea.Model
	recorder *Recorder
	w, h     int
}

// Model returns the screen with its frames recorded, in the theme of its method ThemeName.
func (r *Recorder) Model(screen tea.Model) tea.Model { return &model{Model: screen, recorder: r} }

func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if size, ok := msg.(tea.WindowSizeMsg); ok {
		m.w, m.h = size.Width, size.Height
	}
	var cmd tea.Cmd
	m.Model, cmd = m.Model.Update(msg)
	return m, cmd
}

func (m *model) View() tea.View {
	v := m.Model.View()
	f := frame{text: draw.Redact(v.Content, m.recorder.Redact), w: m.w, h: m.h}
	if screen, ok := m.Model.(interface{ ThemeName() string }); ok {
		f.theme = screen.ThemeName()
	}
	m.recorder.frame(f)
	return v
}
