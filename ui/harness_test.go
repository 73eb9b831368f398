package ui

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"

	"aspectop/model"
)

// memory is a journal in memory. The screen reads it as it reads a real one.
type memory struct {
	mu         sync.Mutex
	deliveries []model.Delivery // Seq is index + 1
	grown      bool
	forwards   map[int64][]model.Forward
}

func (j *memory) append(ds ...model.Delivery) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, d := range ds {
		d.Seq = int64(len(j.deliveries) + 1)
		if d.Message == 0 {
			d.Message = d.Seq
		}
		d.Attempt = max(1, d.Attempt)
		j.deliveries = append(j.deliveries, d)
	}
	j.grown = true
}

func (j *memory) After(_ context.Context, seq int64, limit int) ([]model.Delivery, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	from := min(int(seq), len(j.deliveries))
	return slices.Clone(j.deliveries[from:min(from+limit, len(j.deliveries))]), nil
}

func (j *memory) Before(_ context.Context, seq int64, limit int) ([]model.Delivery, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	to := min(int(seq-1), len(j.deliveries))
	out := slices.Clone(j.deliveries[max(0, to-limit):to])
	slices.Reverse(out)
	return out, nil
}

func (j *memory) Get(_ context.Context, seq int64) (model.Delivery, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if seq < 1 || int(seq) > len(j.deliveries) {
		return model.Delivery{}, fmt.Errorf("no delivery %d", seq)
	}
	return j.deliveries[seq-1], nil
}

func (j *memory) Repeats(_ context.Context, message int64) ([]model.Delivery, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var repeats []model.Delivery
	for _, d := range j.deliveries {
		if d.Message == message && d.Repeat() {
			repeats = append(repeats, d)
		}
	}
	return repeats, nil
}

func (j *memory) Forwards(_ context.Context, seq int64) ([]model.Forward, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.forwards[seq]), nil
}

func (j *memory) Range(context.Context) (first, last int64, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return min(1, int64(len(j.deliveries))), int64(len(j.deliveries)), nil
}

func (j *memory) Changed(context.Context) (bool, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	grown := j.grown
	j.grown = false
	return grown, nil
}

func TestMain(m *testing.M) {
	time.Local = time.UTC // frames show times of day
	os.Exit(m.Run())
}

// midnight is when every test starts: the clock of a synctest bubble.
var midnight = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// taskID is a believable id; the letter makes it easy to tell in a frame.
func taskID(n int) string {
	return fmt.Sprintf("%08x-4f8d-4e10-8d7a-0a6c0d3b1234", 0x2e1c7e00+n)
}

// event is a delivery that tells task n's features ("proxy=queued"), updated
// and received at the given time after midnight.
func event(n int, typ string, at time.Duration, features ...string) model.Delivery {
	type feature struct {
		State string `json:"state"`
	}
	told := map[string]feature{}
	for _, f := range features {
		name, state, _ := strings.Cut(f, "=")
		told[name] = feature{state}
	}
	stamp := midnight.Add(at).Format(time.RFC3339Nano)
	body, err := json.Marshal(map[string]any{
		"timestamp": stamp, "user_id": "3f5d7e38-8c7c-4a22-9a7d-5702a8c3a111", "event_type": typ,
		"event_id": fmt.Sprintf("8b7a2e8f-3a1c-4ff9-9f5e-%012x", int64(n)<<32|int64(at/time.Millisecond)),
		"data": map[string]any{"task": map[string]any{
			"id": taskID(n), "asset_id": fmt.Sprintf("c4b6b5f1-6a2d-4d75-9a90-%012x", n), "features": told,
			"user_id": "3f5d7e38-8c7c-4a22-9a7d-5702a8c3a111",
			"created": midnight.Add(time.Duration(-n) * time.Minute).Format(time.RFC3339Nano), "updated": stamp,
		}},
	})
	if err != nil {
		panic(err)
	}
	return model.Delivery{
		ID: fmt.Sprintf("msg_%027d", int64(n)<<32|int64(at/time.Millisecond)), Source: model.SourceWebhook, Secret: "default",
		Received: midnight.Add(at),
		Header: map[string][]string{
			"Svix-Id": {"msg_x"}, "Svix-Timestamp": {"946684800"}, "Svix-Signature": {"v1,xyz"},
			"Content-Type": {"application/json"}, "User-Agent": {"Svix-Webhooks/1.84.0"},
		},
		Body: body,
	}
}

// screen drives a model as Bubble Tea would, in the virtual time of a synctest
// bubble: the test decides when time passes.
type screen struct {
	t       *testing.T
	m       *Model
	journal *memory
	status  *model.StatusLog
	msgs    chan tea.Msg
	printed []tea.Msg // messages for the terminal, such as what is copied
	quit    bool
}

// onScreen shows the deliveries on a terminal of w times h and hands it to the
// test. Options may be changed before the start.
func onScreen(t *testing.T, w, h int, history []model.Delivery, test func(s *screen), change ...func(*Options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &screen{t: t, journal: &memory{}, status: model.NewStatusLog(100), msgs: make(chan tea.Msg, 1000)}
		s.journal.append(history...)
		o := Options{
			Journal: s.journal, Status: s.status, Receiver: "http://127.0.0.1:8787/webhooks/aspect",
			Secrets: []string{"default"}, JournalPath: "journal.db", Try: "aspectop demo", Theme: "dark",
			ReducedMotion: true, CanSuspend: func() bool { return true },
		}
		for _, c := range change {
			c(&o)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer func() { // also when the test has failed
			cancel()
			time.Sleep(time.Minute) // timers that are under way run out
			synctest.Wait()
		}()
		s.m = New(ctx, o)
		s.run(s.m.Init())
		s.send(tea.WindowSizeMsg{Width: w, Height: h})
		test(s)
	})
}

// run carries out a command in the background.
func (s *screen) run(cmd tea.Cmd) {
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
func (s *screen) send(msg tea.Msg) {
	s.t.Helper()
	s.msgs <- msg
	s.settle()
}

func (s *screen) settle() {
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
func (s *screen) wait(d time.Duration) {
	s.t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(min(10*time.Millisecond, time.Until(end)))
		s.settle()
	}
}

// deliver appends to the journal and waits until the screen has seen it.
func (s *screen) deliver(ds ...model.Delivery) {
	s.t.Helper()
	s.journal.append(ds...)
	s.wait(2 * idleTime)
}

// press types keys by their Bubble Tea names.
func (s *screen) press(keys ...string) {
	s.t.Helper()
	for _, k := range keys {
		s.send(keyPress(k))
	}
}

// write types text.
func (s *screen) write(text string) {
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
func (s *screen) frame() string {
	s.t.Helper()
	content := s.m.View().Content
	text := ansi.Strip(content)
	lines := strings.Split(text, "\n")
	if len(lines) != s.m.h {
		s.t.Fatalf("the frame has %d lines on a terminal of %dx%d:\n%s", len(lines), s.m.w, s.m.h, text)
	}
	for i, l := range lines {
		if n := ansi.StringWidth(l); n != s.m.w {
			s.t.Fatalf("line %d is %d cells wide on a terminal of %dx%d:\n%s", i+1, n, s.m.w, s.m.h, text)
		}
	}
	for i := 0; i < len(content); i++ {
		if content[i] != '\x1b' {
			continue
		}
		end := strings.IndexFunc(content[i+1:], func(r rune) bool { return r != '[' && r != ';' && r != ':' && (r < '0' || r > '9') })
		if end < 0 || content[i+1] != '[' || content[i+1+end] != 'm' {
			s.t.Fatalf("the frame holds an escape sequence that is no colour: %q", content[i:min(len(content), i+20)])
		}
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && r < ' ' || 0x7f <= r && r <= 0x9f }); i >= 0 {
		s.t.Fatalf("the frame holds a control character: %q", text[i:min(len(text), i+8)])
	}
	return text
}

// shows fails the test unless each text stands somewhere in the frame.
func (s *screen) shows(texts ...string) {
	s.t.Helper()
	frame := s.frame()
	for _, text := range texts {
		if !strings.Contains(frame, text) {
			s.t.Errorf("the screen does not show %q:\n%s", text, frame)
		}
	}
}

// hides fails the test if one of the texts stands in the frame.
func (s *screen) hides(texts ...string) {
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
func (s *screen) matchesGolden() {
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
