package cast

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
)

// shows is a screen that shows what it is told to.
type shows struct{ text string }

func (s *shows) Init() tea.Cmd     { return nil }
func (s *shows) ThemeName() string { return "light" }
func (s *shows) View() tea.View    { return tea.NewView(s.text) }
func (s *shows) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if text, ok := msg.(string); ok {
		s.text = text
	}
	return s, nil
}

// stage records a screen in virtual time.
type stage struct {
	t      *testing.T
	r      *Recorder
	screen tea.Model
	path   string
}

func onStage(t *testing.T, o Options, test func(s *stage)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.cast")
	playOn(t, path, func() (*Recorder, error) { return Create(path, o) }, test)
}

func playOn(t *testing.T, path string, create func() (*Recorder, error), test func(s *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r, err := create()
		if err != nil {
			t.Fatal(err)
		}
		s := &stage{t, r, r.Model(&shows{}), path}
		s.tell(tea.WindowSizeMsg{Width: 10, Height: 2})
		test(s)
	})
}

// tell passes a message to the screen and has it drawn.
func (s *stage) tell(msg tea.Msg) {
	s.screen, _ = s.screen.Update(msg)
	s.screen.View()
}

func (s *stage) close() {
	s.t.Helper()
	if err := s.r.Close(); err != nil {
		s.t.Error(err)
	}
}

// event is an event of a recording.
type event struct {
	at         float64
	code, data string
}

// read reads a recording as its format says, with times since its beginning.
func read(t *testing.T, path string) (header map[string]any, events []event) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if err := json.Unmarshal([]byte(lines[0]), &header); err != nil {
		t.Fatal(err)
	}
	at := 0.0
	for _, line := range lines[1:] {
		var e []any
		if err := json.Unmarshal([]byte(line), &e); err != nil || len(e) != 3 {
			t.Fatalf("%s is no event: %v", line, err)
		}
		if header["version"] == 3.0 {
			at += e[0].(float64)
		} else {
			at = e[0].(float64)
		}
		events = append(events, event{at, e[1].(string), e[2].(string)})
	}
	return header, events
}

// replayed is what a terminal shows after the events.
func replayed(w, h int, events []event) string {
	terminal := vt.NewEmulator(w, h)
	for _, e := range events {
		switch e.code {
		case "o":
			terminal.WriteString(e.data)
		case "r":
			w, h, _ := strings.Cut(e.data, "x")
			terminal.Resize(int(w[0]-'0')*10, int(h[0]-'0'))
		}
	}
	lines := strings.Split(terminal.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

func TestARecordingShowsWhatTheScreenShowed(t *testing.T) {
	for _, version := range []int{2, 3} {
		onStage(t, Options{Version: version, Command: "aspectop watch"}, func(s *stage) {
			s.tell("one\nfull width")
			time.Sleep(time.Second)
			s.tell("\x1b[m\x1b[1mtwo\x1b[m\nfull width")
			time.Sleep(time.Second)
			s.tell(tea.WindowSizeMsg{Width: 20, Height: 3})
			s.tell("界 three <&>\n\nlast")
			time.Sleep(time.Second)
			s.tell("界 three <&>\nend\nlast")
			s.close()
			header, events := read(t, s.path)
			if version == 3 {
				term := header["term"].(map[string]any)
				if term["cols"] != 10.0 || term["rows"] != 2.0 || term["theme"].(map[string]any)["bg"] != "#fbfcfe" {
					t.Errorf("the header is %v", header)
				}
				last := events[len(events)-1]
				if last.code != "x" || last.data != "0" {
					t.Errorf("the last event is %v", last)
				}
				events = events[:len(events)-1]
			} else if header["width"] != 10.0 || header["height"] != 2.0 {
				t.Errorf("the header is %v", header)
			}
			if last := events[len(events)-1]; last.code != "o" || last.data != "\x1b[m\x1b[3;1H\x1b[?25h\r\n" {
				t.Errorf("the cursor is not shown again below the last frame, but %v", last)
			}
			events = events[:len(events)-1]
			var codes string
			for _, e := range events {
				codes += e.code
			}
			if codes != "ooroo" {
				t.Fatalf("the events are %v", events)
			}
			for i, want := range map[int]string{1: "one\nfull width", 2: "two\nfull width", 4: "界 three <&>\n\nlast", 5: "界 three <&>\nend\nlast"} {
				if got := replayed(10, 2, events[:i]); got != want {
					t.Errorf("version %d: after %d events the terminal shows %q, want %q", version, i, got, want)
				}
			}
			if strings.Contains(events[1].data, "full") {
				t.Errorf("a line that did not change is written again: %q", events[1].data)
			}
			for i, want := range []float64{0.3, 1.033, 2.033, 2.033, 3} {
				if got := events[i].at; got < want-0.0011 || got > want+0.0011 {
					t.Errorf("version %d: event %d comes after %.3f s, want %.3f", version, i, got, want)
				}
			}
		})
	}
}

// TestOnlyWhatChangedIsWritten, and each time the terminal shows the whole frame.
func TestOnlyWhatChangedIsWritten(t *testing.T) {
	const w, h = 30, 4
	random := rand.New(rand.NewPCG(1, 2))
	line := func() string {
		parts := []string{"a", " ", "界", "     ", "\x1b[31m", "\x1b[1;38;2;1;2;3m", "\x1b[7m", "\x1b[m", "नमस्ते", "─"}
		var b strings.Builder
		for range random.IntN(20) {
			b.WriteString(parts[random.IntN(len(parts))])
		}
		return ansi.TruncateWc(b.String(), w, "") + "\x1b[m"
	}
	lines := []string{"", "", "", ""}
	var before *uv.ScreenBuffer
	terminal := vt.NewEmulator(w, h)
	for range 2000 {
		lines[random.IntN(h)] = line()
		cells := cellsOf(&frame{text: strings.Join(lines, "\n"), w: w, h: h})
		written := changes(before, cells)
		terminal.WriteString(written)
		for y := range h {
			for x := range w {
				want, got := cells.CellAt(x, y), terminal.CellAt(x, y)
				if want.Width > 0 && utf8.RuneCountInString(want.Content) == 1 && (got.Content != want.Content || !got.Style.Equal(&want.Style)) {
					t.Fatalf("after %q the terminal has %+v at %d, %d, not %+v", written, got, x, y, want)
				}
			}
		}
		before = cells
	}
	few := changes(cellsOf(&frame{text: "the time is 10:00:01 now", w: w, h: 1}), cellsOf(&frame{text: "the time is 10:00:02 now", w: w, h: 1}))
	if few != "\x1b[1;20H2" {
		t.Errorf("a changed digit is written as %q", few)
	}
}

// TestAFrameIsWholeEveryTenSeconds: players that seek begin there.
func TestAFrameIsWholeEveryTenSeconds(t *testing.T) {
	onStage(t, Options{Version: 3}, func(s *stage) {
		for i := range 35 {
			s.tell(fmt.Sprintf("still\n%d", i))
			time.Sleep(time.Second)
		}
		s.close()
		_, events := read(t, s.path)
		whole := 0
		for i, e := range events {
			if strings.Contains(e.data, "\x1b[2J") {
				whole++
				if got := replayed(10, 2, events[i:i+1]); !strings.HasPrefix(got, "still\n") {
					t.Errorf("the frame at %.1f s shows %q by itself", e.at, got)
				}
			}
		}
		if whole != 4 {
			t.Errorf("%d whole frames in 35 s", whole)
		}
	})
}

func TestARecordingHasThirtyEventsASecondAtMost(t *testing.T) {
	onStage(t, Options{Version: 3}, func(s *stage) {
		for i := range 3000 {
			s.tell(strings.Repeat("x", i%10) + "\nb")
			time.Sleep(time.Millisecond)
		}
		s.tell("end\nb")
		s.close()
		_, events := read(t, s.path)
		if len(events) < 70 || len(events) > 3*30+2 {
			t.Errorf("%d events of 3,000 frames in 3 s", len(events))
		}
		if got := replayed(10, 2, events[:len(events)-2]); got != "end\nb" {
			t.Errorf("in the end it shows %q", got)
		}
		if s.r.Length() < 2990*time.Millisecond || s.r.Size() < 1000 {
			t.Errorf("%v long, %d bytes", s.r.Length(), s.r.Size())
		}
	})
}

func TestARecordingEndsAtItsLargestSizeAndTheScreenGoesOn(t *testing.T) {
	ended := make(chan error, 1)
	onStage(t, Options{Version: 3, Limit: 2000, Ended: func(err error) { ended <- err }}, func(s *stage) {
		for i := range 1000 {
			s.tell(strings.Repeat("x", i%10) + "\nb")
			time.Sleep(50 * time.Millisecond)
		}
		if err := s.r.Close(); !errors.Is(err, errFull) {
			t.Errorf("closing tells %v", err)
		}
		if len(ended) != 1 || !errors.Is(<-ended, errFull) {
			t.Error("it did not say that it ended")
		}
		read(t, s.path) // every line is whole
		if info, err := os.Stat(s.path); err != nil || info.Size() > 2000 || info.Size() < 1850 {
			t.Errorf("the file has %d bytes, %v", info.Size(), err)
		}
		if text, err := os.ReadFile(s.path); err != nil || !strings.Contains(string(text), "?25h") {
			t.Errorf("it leaves no cursor: %v", err)
		}
	})
}

func TestAFullDiskEndsTheRecordingOnly(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("runs where there is /dev/full")
	}
	ended := make(chan error, 1)
	full := func() (*Recorder, error) {
		f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		return record(f, Options{Version: 3, Ended: func(err error) { ended <- err }}), err
	}
	playOn(t, "", full, func(s *stage) {
		s.tell("one\n")
		time.Sleep(time.Second)
		s.tell("two\n")
		time.Sleep(time.Second)
		if len(ended) != 1 {
			t.Fatal("it did not say that it ended")
		}
		if err := <-ended; !strings.Contains(err.Error(), "no space left") {
			t.Errorf("it ended with %v", err)
		}
		<-s.r.done // Close would remove the device, as nothing was recorded
		s.r.file.Close()
	})
}

func TestARecordingIsANewFileForThisUserOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new.cast")
	r, err := Create(path, Options{Version: 3})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("it has mode %v, %v", info.Mode(), err)
	}
	if _, err := Create(path, Options{Version: 3}); err == nil || !strings.Contains(err.Error(), "already exists") {
		t.Errorf("over a file that is there: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a recording of nothing is left: %v", err)
	}
	if _, err := Create(filepath.Join(t.TempDir(), "none", "new.cast"), Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a folder that is not there: %v", err)
	}
}

func TestWhatIsNotDrawnIsNotRecorded(t *testing.T) {
	onStage(t, Options{Version: 3}, func(s *stage) {
		s.tell("hidden\n")
		s.tell("(hidden)\n") // within the same frame
		time.Sleep(time.Second)
		s.close()
		_, events := read(t, s.path)
		if slices.ContainsFunc(events, func(e event) bool { return strings.Contains(e.data, "Khidden") }) {
			t.Errorf("recorded: %v", events)
		}
	})
}
