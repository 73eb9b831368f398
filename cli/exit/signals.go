package exit

import (
	"context"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"aspectop/clean"
)

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
