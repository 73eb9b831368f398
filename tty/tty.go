// Package tty is what lies between Bubble Tea and a terminal, here or over SSH: it keeps
// escape sequences whole that arrive in pieces, and lets nobody have the terminal while
// answers of it are under way. What it mends is shown in findings/.
package tty

import (
	"bytes"
	"io"
	"maps"
	"os"
	"os/exec"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"aspectop/broadcast"
)

const (
	// answerTime is how long after a question its answer is waited for.
	answerTime = 500 * time.Millisecond
	// endTime is how long the end waits for answers.
	endTime = 300 * time.Millisecond
)

// questions are what Bubble Tea asks a terminal.
var questions = []string{
	ansi.RequestModeSynchronizedOutput, ansi.RequestModeUnicodeCore, ansi.RequestBackgroundColor, ansi.RequestKittyKeyboard,
}

// leave leaves the alternate screen. A terminal that has none ignores it, so what was
// drawn is erased before.
const leave, clear = ansi.ResetModeAltScreenSaveCursor, ansi.CursorHomePosition + ansi.EraseScreenBelow

// Terminal is a terminal for one Bubble Tea program, which has to be given In, Out and
// Filter.
type Terminal struct {
	In  io.Reader
	Out io.Writer

	in, out *os.File // nil if it is read and written as streams

	mu       sync.Mutex
	asked    map[string]time.Time // questions without an answer, and when they were asked
	silent   bool                 // no question is asked any more
	answered broadcast.Signal

	ending bool // for the program's loop only
}

// observe notes the questions in what is written, and returns what to write.
func (t *Terminal) observe(p []byte) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, q := range questions {
		switch {
		case !bytes.Contains(p, []byte(q)):
		case t.silent:
			p = bytes.ReplaceAll(p, []byte(q), nil)
		default:
			t.asked[q] = time.Now()
		}
	}
	return bytes.ReplaceAll(p, []byte(leave), []byte(clear+leave))
}

// Filter is the program's filter. It holds up its end, and its suspension, while
// answers are under way. At the end it waits 300 ms at most, and not at all if it is
// asked again.
func (t *Terminal) Filter(_ tea.Model, msg tea.Msg) tea.Msg {
	switch msg := msg.(type) {
	case tea.ModeReportMsg:
		t.answer(ansi.RequestMode(msg.Mode))
	case tea.BackgroundColorMsg:
		t.answer(ansi.RequestBackgroundColor)
	case tea.KeyboardEnhancementsMsg:
		t.answer(ansi.RequestKittyKeyboard)
	case tea.KeyPressMsg:
		if t.ending && !msg.Mod.Contains(tea.ModCtrl) {
			return nil
		}
	case tea.PasteMsg, tea.MouseMsg:
		if t.ending {
			return nil
		}
	case tea.QuitMsg:
		held := !t.ending && t.outstanding() > 0
		t.ending = true
		if held {
			return t.after(endTime, msg)
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.silent = true // what is still buffered would be asked for nobody
	case tea.SuspendMsg:
		if t.outstanding() > 0 && !t.ending {
			return t.after(answerTime, msg)
		}
	}
	return msg
}

// after sends the message again when all is answered.
func (t *Terminal) after(limit time.Duration, msg tea.Msg) tea.BatchMsg {
	return tea.BatchMsg{func() tea.Msg {
		t.settle(limit)
		return msg
	}}
}

func (t *Terminal) answer(question string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.asked, question)
	t.answered.Send()
}

// outstanding is how long answers may still come.
func (t *Terminal) outstanding() (left time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.DeleteFunc(t.asked, func(_ string, at time.Time) bool { return time.Since(at) >= answerTime })
	for _, at := range t.asked {
		left = max(left, answerTime-time.Since(at))
	}
	return left
}

// Exec gives the terminal to a command, as [tea.ExecProcess] does, when no answer is under
// way.
func (t *Terminal) Exec(cmd *exec.Cmd, ended tea.ExecCallback) tea.Cmd {
	cmd.Stdin, cmd.Stdout = t.in, t.out // those of the program are no files to os/exec
	return tea.Sequence(func() tea.Msg {
		t.settle(answerTime)
		return nil
	}, tea.ExecProcess(cmd, ended))
}

// settle waits until no answer is under way, but not in the program's loop, which takes
// the answers.
func (t *Terminal) settle(limit time.Duration) {
	for end := time.Now().Add(limit); ; {
		next := t.answered.Next()
		left := min(t.outstanding(), time.Until(end))
		if left <= 0 {
			return
		}
		select {
		case <-next:
		case <-time.After(left):
		}
	}
}
