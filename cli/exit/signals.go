package exit

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// OnSignal returns a context that the first signal ends. A later one that
// [insists] ends the process at once, without cleaning up.
func OnSignal() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		first := <-signals
		start := time.Now()
		cancel()
		for next := range signals {
			if insists(first, next, time.Since(start)) {
				os.Exit(Interrupted)
			}
		}
	}()
	return ctx, cancel
}

// insists reports whether a signal that comes some time after the first one asks
// for an end at once. One request to end often comes as two signals: timeout(1)
// signals its child and then the child's group, a terminal that closes sends
// SIGHUP and then SIGTERM. A person who presses ctrl+c again is slower than
// that.
func insists(first, next os.Signal, after time.Duration) bool {
	if first == os.Interrupt && next == os.Interrupt {
		return after >= 20*time.Millisecond
	}
	return after >= time.Second
}
