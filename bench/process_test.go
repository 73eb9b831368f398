//go:build linux

package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// cpuOf is the time that the process has computed so far.
func cpuOf(b testing.TB, pid int) time.Duration {
	b.Helper()
	var t unix.Timespec
	clock := ^pid<<3 | 2 // what clock_getcpuclockid gives
	if err := unix.ClockGettime(int32(clock), &t); err != nil {
		b.Fatalf("the CPU time of process %d: %v", pid, err)
	}
	return time.Duration(t.Nano())
}

// memoryOf is what the process has in memory, in bytes.
func memoryOf(b testing.TB, pid int) int {
	b.Helper()
	return statusOf(b, pid, "VmRSS:") << 10
}

// statusOf is a number in the status of the process.
func statusOf(b testing.TB, pid int, name string) int {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := bytes.Cut(status, []byte("\n"+name))
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		b.Fatalf("process %d has no %s", pid, name)
	}
	n, err := strconv.Atoi(string(fields[0]))
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// wakesOf is how often threads of the process have gone to sleep so far: each has
// been woken as often.
func wakesOf(b testing.TB, pid int) (wakes int) {
	b.Helper()
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		b.Fatal(err)
	}
	for _, t := range threads {
		thread, err := strconv.Atoi(t.Name())
		if err != nil {
			b.Fatal(err)
		}
		wakes += statusOf(b, thread, "voluntary_ctxt_switches:")
	}
	return wakes
}
