package exit

import (
	"os"
	"syscall"
	"testing"
	"time"
)

// How close two signals come depends on what else the machine does, so the times are given here.
func TestALaterSignalInsistsUnlessItIsTheSameRequest(t *testing.T) {
	for _, c := range []struct {
		what        string
		first, next os.Signal
		after       time.Duration
		insists     bool
	}{
		{"timeout -s INT", os.Interrupt, os.Interrupt, time.Millisecond, false},
		{"ctrl+c twice", os.Interrupt, os.Interrupt, 100 * time.Millisecond, true},
		{"timeout(1)", syscall.SIGTERM, syscall.SIGTERM, time.Millisecond, false},
		{"a terminal that closes", syscall.SIGHUP, syscall.SIGTERM, 300 * time.Millisecond, false},
		{"a supervisor", syscall.SIGTERM, os.Interrupt, 300 * time.Millisecond, false},
		{"another signal later", syscall.SIGTERM, syscall.SIGTERM, 1100 * time.Millisecond, true},
	} {
		if got := insists(c.first, c.next, c.after); got != c.insists {
			t.Errorf("%s: %v", c.what, got)
		}
	}
}
