// Package exit decides the exit code and reports errors.
package exit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"aspectop/clean"
	"aspectop/jsonl"
)

// Exit codes, the same for all commands.
const (
	OK          = 0
	Failed      = 1
	Misused     = 2 // flags, environment or config file
	NotSetUp    = 3 // port, journal: the command could not start
	TimedOut    = 124
	Interrupted = 130
)

// Error is an error with an exit code. The code of other errors is Failed.
type Error struct {
	Code int
	Err  error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// With gives err an exit code.
func With(code int, err error) error { return &Error{code, err} }

// Usage is an error in flags, arguments, environment or config file.
func Usage(format string, args ...any) error { return With(Misused, fmt.Errorf(format, args...)) }

// Setup marks err as the reason why a command could not start.
func Setup(err error) error { return With(NotSetUp, err) }

// Code is the exit code of a command that ended with err.
func Code(err error) int {
	if err == nil {
		return OK
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Failed
}

// Report writes err, as a message or as a JSON object, and returns the exit code.
// It writes nothing if err is nil. command is the one that failed, such as
// "aspectop send".
func Report(w io.Writer, err error, command string, asJSON bool) int {
	code := Code(err)
	switch {
	case err == nil:
	case asJSON:
		line, _ := jsonl.Line(map[string]any{"error": map[string]string{"code": reasons[code], "message": err.Error()}})
		w.Write(line)
	default:
		fmt.Fprintln(w, "aspectop: "+clean.Lines(err.Error()))
		if code == Misused && !strings.Contains(err.Error(), "\n") { // longer messages say what to do
			fmt.Fprintln(w, "see "+command+" --help")
		}
	}
	return code
}

var reasons = map[int]string{
	Failed: "failed", Misused: "usage", NotSetUp: "setup_failed", TimedOut: "timeout", Interrupted: "interrupted",
}

// signals are those of the process, and what [Interrupt] adds to them.
var signals = make(chan os.Signal, 2)

// Interrupt counts as a ctrl+c. A screen calls it when a key has ended it, because
// the terminal sends no signal then: the next ctrl+c is the second one.
func Interrupt() {
	select {
	case signals <- os.Interrupt:
	default: // two are waiting already
	}
}

// OnSignal returns a context that the first signal cancels. A later one that
// [insists] exits at once, without cleaning up; see [Leave].
func OnSignal() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		first := <-signals
		start := time.Now()
		cancel()
		for next := range signals {
			if insists(first, next, time.Since(start)) {
				printLeft(os.Stderr)
				os.Exit(Interrupted)
			}
		}
	}()
	return ctx, cancel
}

// insists reports whether a later signal asks to exit at once. A single request
// often arrives as two signals: timeout(1) signals its child and then the child's
// group, a closing terminal sends SIGHUP and then SIGTERM. A person who presses
// ctrl+c twice is slower than that.
func insists(first, next os.Signal, after time.Duration) bool {
	if first == os.Interrupt && next == os.Interrupt {
		return after >= 20*time.Millisecond
	}
	return after >= time.Second
}

// left is what an exit without clean-up would leave behind, a string.
var left atomic.Value

// Leave sets what an exit without clean-up would leave behind outside this machine,
// and what to do about it, as one sentence. A second ctrl+c prints it. The next start
// clears up what is left on this machine. An empty text means nothing.
func Leave(text string) { left.Store(text) }

// printLeft prints what is left behind, in one write so that other output cannot split
// it.
func printLeft(w io.Writer) {
	if text, _ := left.Load().(string); text != "" {
		io.WriteString(w, "\naspectop: "+strings.TrimSpace(clean.Text(text))+"\n")
	}
}
