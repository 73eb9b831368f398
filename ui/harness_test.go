package ui

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"

	"aspectop/feed"
	"aspectop/feed/feedtest"
	"aspectop/model"
	"aspectop/ui/screen"
)

func TestMain(m *testing.M) {
	time.Local = time.UTC // frames show times of day
	os.Exit(m.Run())
}

var (
	midnight = feedtest.Midnight
	event    = feedtest.Event
	taskID   = feedtest.TaskID
	folded   = feedtest.Folded
)

// soon is longer than what has come takes to be on the screen.
const soon = 100 * time.Millisecond

// options are those of a screen, and where its feed reads.
type options struct {
	screen.Options
	folded, rows feed.Journal // nil: the feedtest.Memory
	status       *model.StatusLog
	rejected     []model.Rejected // before the start, newest first
}

// terminal drives a model as Bubble Tea would, in the virtual time of a synctest
// bubble: the test decides when time passes.
type terminal struct {
	t       *testing.T
	m       *Model
	journal *feedtest.Memory
	status  *model.StatusLog
	msgs    chan tea.Msg
	printed []tea.Msg // messages for the terminal, such as what is copied
	quit    bool
}

// onScreen shows the deliveries on a terminal of w times h and hands it to the
// test. Options may be changed before the start. A test of the screen takes five
// lines:
//
//	onScreen(t, 80, 24, uploads(), func(s *terminal) {
//		s.press("2", "enter")
//		s.deliver(event(1, "task.completed", time.Minute, "proxy=completed"))
//		s.shows("✓ completed")
//	})
func onScreen(t *testing.T, w, h int, history []model.Delivery, test func(s *terminal), change ...func(*options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &terminal{t: t, journal: &feedtest.Memory{}, status: model.NewStatusLog(100), msgs: make(chan tea.Msg, 1000)}
		s.journal.Append(history...)
		o := options{folded: s.journal, rows: s.journal, status: s.status, Options: screen.Options{
			Journal: s.journal, Receiver: "http://127.0.0.1:8787/webhooks/aspect",
			Secrets: []string{"default"}, JournalPath: "journal.db", Try: "aspectop demo", Theme: "dark",
			ReducedMotion: true, CanSuspend: func() bool { return true },
		}}
		for _, c := range change {
			c(&o)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer func() { // also when the test has failed
			cancel()
			time.Sleep(time.Minute) // timers that are under way run out
			synctest.Wait()
		}()
		o.Feed = feed.New(feed.Options{Journal: o.folded, Rows: o.rows, Status: s.status, Rejected: o.rejected})
		go o.Feed.Run(ctx)
		s.m = New(ctx, o.Options)
		s.run(s.m.Init())
		s.send(tea.WindowSizeMsg{Width: w, Height: h})
		test(s)
	})
}

// run carries out a command in the background.
func (s *terminal) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	go func() {
		if msg := cmd(); msg != nil {
			s.msgs <- msg
		}
	}()
}

// send hands a message to the model and waits until all that follows from it
// at once has happened.
func (s *terminal) send(msg tea.Msg) {
	s.t.Helper()
	s.msgs <- msg
	s.settle()
}

func (s *terminal) settle() {
	s.t.Helper()
	for {
		synctest.Wait()
		select {
		case msg := <-s.msgs:
			switch msg := msg.(type) {
			case tea.BatchMsg:
				for _, cmd := range msg {
					s.run(cmd)
				}
			case tea.QuitMsg:
				s.quit = true
			default:
				if strings.HasPrefix(fmt.Sprintf("%T", msg), "tea.") {
					s.printed = append(s.printed, msg)
				}
				_, cmd := s.m.Update(msg)
				s.run(cmd)
				s.frame() // every state must be drawable
			}
		default:
			return
		}
	}
}

// wait lets time pass.
func (s *terminal) wait(d time.Duration) {
	s.t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(min(10*time.Millisecond, time.Until(end)))
		s.settle()
	}
}

// deliver appends to the journal and waits until the screen has seen it.
func (s *terminal) deliver(ds ...model.Delivery) {
	s.t.Helper()
	s.journal.Append(ds...)
	s.wait(2 * soon)
}

// press types keys by their Bubble Tea names.
func (s *terminal) press(keys ...string) {
	s.t.Helper()
	for _, k := range keys {
		s.send(keyPress(k))
	}
}

// write types text.
func (s *terminal) write(text string) {
	s.t.Helper()
	for _, r := range text {
		s.send(keyPress(string(r)))
	}
}

func keyPress(name string) tea.KeyPressMsg {
	special := map[string]rune{
		"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "space": tea.KeySpace, "backspace": tea.KeyBackspace,
		"up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight,
		"pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "home": tea.KeyHome, "end": tea.KeyEnd,
	}
	if rest, ok := strings.CutPrefix(name, "ctrl+"); ok {
		return tea.KeyPressMsg{Code: rune(rest[0]), Mod: tea.ModCtrl}
	}
	if rest, ok := strings.CutPrefix(name, "shift+"); ok {
		return tea.KeyPressMsg{Code: special[rest], Mod: tea.ModShift}
	}
	if code, ok := special[name]; ok {
		return tea.KeyPressMsg{Code: code}
	}
	return tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
}

// frame is what the terminal shows, as plain text. It fails the test if the
// frame is not exactly as high and wide as the terminal, or holds anything but
// text and colours.
func (s *terminal) frame() string {
	s.t.Helper()
	lines := strings.Split(s.m.View().Content, "\n")
	for i, l := range lines {
		c, known := checked[l]
		if !known {
			c = checkLine(l)
			checked[l] = c
		}
		switch {
		case c.wrong != "":
			s.t.Fatalf("line %d of the frame holds %s", i+1, c.wrong)
		case c.width != s.m.W:
			s.t.Fatalf("line %d is %d cells wide on a terminal of %dx%d: %s", i+1, c.width, s.m.W, s.m.H, c.text)
		}
		lines[i] = c.text
	}
	text := strings.Join(lines, "\n")
	if len(lines) != s.m.H {
		s.t.Fatalf("the frame has %d lines on a terminal of %dx%d:\n%s", len(lines), s.m.W, s.m.H, text)
	}
	return text
}

// checked remembers what was found out of a line, as frames repeat most of them.
var checked = map[string]checkedLine{}

type checkedLine struct {
	text  string
	width int
	wrong string // what it must not hold
}

func checkLine(l string) checkedLine {
	c := checkedLine{text: ansi.Strip(l)}
	c.width = ansi.StringWidthWc(c.text)
	for i := 0; i < len(l); i++ {
		if l[i] != '\x1b' {
			continue
		}
		end := strings.IndexFunc(l[i+1:], func(r rune) bool { return r != '[' && r != ';' && r != ':' && (r < '0' || r > '9') })
		if end < 0 || l[i+1] != '[' || l[i+1+end] != 'm' {
			c.wrong = fmt.Sprintf("an escape sequence that is no colour: %q", l[i:min(len(l), i+20)])
		}
	}
	if i := strings.IndexFunc(c.text, func(r rune) bool { return r < ' ' || 0x7f <= r && r <= 0x9f }); i >= 0 {
		c.wrong = fmt.Sprintf("a control character: %q", c.text[i:min(len(c.text), i+8)])
	}
	return c
}

// shows fails the test unless each text stands somewhere in the frame.
func (s *terminal) shows(texts ...string) {
	s.t.Helper()
	frame := s.frame()
	for _, text := range texts {
		if !strings.Contains(frame, text) {
			s.t.Errorf("the screen does not show %q:\n%s", text, frame)
		}
	}
}

// hides fails the test if one of the texts stands in the frame.
func (s *terminal) hides(texts ...string) {
	s.t.Helper()
	frame := s.frame()
	for _, text := range texts {
		if strings.Contains(frame, text) {
			s.t.Errorf("the screen shows %q:\n%s", text, frame)
		}
	}
}

// matchesGolden compares the frame with the one kept for the test; go test
// -update keeps it anew.
func (s *terminal) matchesGolden() {
	s.t.Helper()
	golden.RequireEqual(s.t, []byte(trimLines(s.frame())))
}

// trimLines drops blanks at the ends of lines, which editors would drop too.
func trimLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// uploads is a small history: one task in each state a reader wants to see.
func uploads() []model.Delivery {
	s := time.Second
	return []model.Delivery{
		event(1, "task.progress", 0, "proxy=queued", "preview=queued", "visual=queued", "transcription=queued"),
		event(1, "task.progress", 2*s, "proxy=processing", "preview=processing", "visual=queued", "transcription=queued"),
		event(2, "task.progress", 3*s, "proxy=queued", "preview=queued", "visual=na", "transcription=queued"),
		event(1, "task.progress", 5*s, "proxy=completed", "preview=completed", "visual=processing", "transcription=processing"),
		event(3, "task.progress", 6*s, "proxy=processing", "preview=queued", "visual=queued", "transcription=na", "scene_detect=processing"),
		event(1, "task.completed", 17*s, "proxy=completed", "preview=completed", "visual=completed", "transcription=completed"),
		event(2, "task.progress", 18*s, "proxy=completed", "preview=processing", "visual=na", "transcription=processing"),
		event(2, "task.failed", 20*s, "proxy=completed", "preview=failed", "visual=na", "transcription=processing"),
		event(3, "task.progress", 21*s, "proxy=completed", "preview=processing", "visual=processing", "transcription=na", "scene_detect=completed"),
		event(4, "task.progress", 22*s, "proxy=cancelled", "preview=cancelled", "visual=cancelled", "transcription=cancelled"),
		event(5, "task.progress", 24*s, "proxy=queued", "preview=queued", "visual=queued", "transcription=queued", "embedding=warming"),
	}
}
