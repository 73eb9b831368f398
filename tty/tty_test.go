package tty

import (
	"context"
	"io"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

// answers are those of a terminal that knows all that it is asked.
var answers = map[string]string{
	ansi.RequestModeSynchronizedOutput: "\x1b[?2026;2$y", ansi.RequestModeUnicodeCore: "\x1b[?2027;0$y",
	ansi.RequestBackgroundColor: "\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\", ansi.RequestKittyKeyboard: "\x1b[?0u",
}

// far is a terminal that is a way off.
type far struct {
	delay time.Duration // until an answer is there; negative: none comes
	keys  *io.PipeWriter

	mu      sync.Mutex
	written strings.Builder
	due     int // answers under way
}

func (f *far) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.written.Write(p)
	for question, answer := range answers {
		if f.delay < 0 || !strings.Contains(string(p), question) {
			continue
		}
		f.due++
		time.AfterFunc(f.delay, func() {
			io.WriteString(f.keys, answer)
			f.mu.Lock()
			defer f.mu.Unlock()
			f.due--
		})
	}
	return len(p), nil
}

// program quits by q and ctrl+c, suspends by ctrl+z and runs a command by e. It notes its
// keys.
type program struct {
	t    *Terminal
	keys string
	ran  func(error) tea.Msg
}

func (p *program) Init() tea.Cmd { return tea.RequestBackgroundColor }

func (p *program) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if k, ok := msg.(tea.KeyPressMsg); ok {
		p.keys += k.String() + " "
		switch k.String() {
		case "q", "ctrl+c":
			return p, tea.Quit
		case "e":
			return p, p.t.Exec(exec.Command("/nowhere"), p.ran)
		}
	}
	return p, nil
}

func (p *program) View() tea.View {
	v := tea.NewView("frame")
	v.AltScreen = true
	return v
}

// play runs the program on a terminal with this delay while somebody acts. It returns what
// was left under way and when the end came.
func play(t *testing.T, delay time.Duration, act func(*tea.Program, *far, *program)) (f *far, m *program, took time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		in, keys := io.Pipe()
		f = &far{delay: delay, keys: keys}
		term := New(ctx, in, f)
		m = &program{t: term}
		p := tea.NewProgram(m, tea.WithInput(term.In), tea.WithOutput(term.Out), tea.WithFilter(term.Filter),
			tea.WithoutSignalHandler(), tea.WithWindowSize(80, 24), tea.WithColorProfile(colorprofile.ASCII),
			tea.WithEnvironment([]string{"TERM=xterm-256color"}))
		start := time.Now()
		go act(p, f, m)
		if _, err := p.Run(); err != nil {
			t.Error(err)
		}
		took = time.Since(start)
		cancel()
		in.Close()
		time.Sleep(time.Minute)
	})
	return f, m, took
}

func press(f *far, after time.Duration, keys string) {
	time.Sleep(after)
	io.WriteString(f.keys, keys)
}

func TestTheEndWaitsForAnswers(t *testing.T) {
	ms := time.Millisecond
	for _, c := range []struct {
		what      string
		delay     time.Duration
		act       func(*tea.Program, *far, *program)
		min, most time.Duration
		asked     int // questions in all
	}{
		{"at once, 250 ms away", 250 * ms, func(p *tea.Program, f *far, _ *program) { press(f, 60*ms, "q") }, 250 * ms, 350 * ms, 4},
		{"by the context, 250 ms away", 250 * ms, func(p *tea.Program, f *far, _ *program) { time.Sleep(60 * ms); p.Quit() }, 250 * ms, 350 * ms, 4},
		{"450 ms away", 450 * ms, func(p *tea.Program, f *far, _ *program) { press(f, 300*ms, "q") }, 450 * ms, 550 * ms, 4},
		{"all answered", 10 * ms, func(p *tea.Program, f *far, _ *program) { press(f, 200*ms, "q") }, 200 * ms, 220 * ms, 4},
		{"no answers", -1, func(p *tea.Program, f *far, _ *program) { press(f, 60*ms, "q") }, 350 * ms, 370 * ms, 4},
		{"no answers, later", -1, func(p *tea.Program, f *far, _ *program) { press(f, 600*ms, "q") }, 600 * ms, 620 * ms, 4},
		{"twice", -1, func(p *tea.Program, f *far, _ *program) { press(f, 60*ms, "\x03"); press(f, 60*ms, "\x03") }, 120 * ms, 140 * ms, 4},
		{"before anything was asked", 100 * ms, func(p *tea.Program, f *far, _ *program) { p.Quit() }, 0, 10 * ms, 0},
	} {
		f, _, took := play(t, c.delay, c.act)
		if took < c.min || took > c.most {
			t.Errorf("%s: it ended after %v, not within %v and %v", c.what, took, c.min, c.most)
		}
		asked := 0
		for question := range answers {
			asked += strings.Count(f.written.String(), question)
		}
		if asked != c.asked {
			t.Errorf("%s: %d questions were asked, not %d: %q", c.what, asked, c.asked, f.written.String())
		}
	}
}

func TestKeysAtTheEndActOnNothing(t *testing.T) {
	_, m, _ := play(t, 250*time.Millisecond, func(_ *tea.Program, f *far, _ *program) {
		press(f, 60*time.Millisecond, "q")
		press(f, 60*time.Millisecond, "e\x1b[200~pasted\x1b[201~x")
	})
	if m.keys != "q " {
		t.Errorf("the keys were %q", m.keys)
	}
}

func TestACommandGetsNoAnswers(t *testing.T) {
	var due int
	var at time.Duration
	play(t, 250*time.Millisecond, func(p *tea.Program, f *far, m *program) {
		start := time.Now()
		m.ran = func(error) tea.Msg {
			f.mu.Lock()
			defer f.mu.Unlock()
			due, at = f.due, time.Since(start)
			return tea.Quit()
		}
		press(f, 60*time.Millisecond, "e")
	})
	if due != 0 || at < 250*time.Millisecond || at > time.Second {
		t.Errorf("the command came after %v, with %d answers under way", at, due)
	}
}

func TestTheFrameIsErasedBeforeTheAlternateScreenIsLeft(t *testing.T) {
	f, _, _ := play(t, 0, func(_ *tea.Program, f *far, _ *program) { press(f, 100*time.Millisecond, "q") })
	if w := f.written.String(); strings.Count(w, leave) != 1 || !strings.Contains(w, clear+leave) {
		t.Errorf("written: %q", w)
	}
}
