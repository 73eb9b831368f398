//go:build unix

package terminal

import (
	"os"

	"golang.org/x/sys/unix"
)

// CanSuspend reports whether somebody could continue this process after ctrl+z:
// a shell with job control, which is the parent, of the same session, in
// another process group. In an orphaned group the stop signal is ignored while
// the screen waits to be continued, for ever.
func CanSuspend() bool {
	parent := os.Getppid()
	ours, err1 := unix.Getsid(0)
	theirs, err2 := unix.Getsid(parent)
	group, err3 := unix.Getpgid(parent)
	return err1 == nil && err2 == nil && err3 == nil && ours == theirs && group != unix.Getpgrp()
}
