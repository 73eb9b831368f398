//go:build unix

package terminal

import (
	"os"

	"golang.org/x/sys/unix"
)

// CanSuspend reports whether a shell can resume this process after ctrl+z: its
// parent has to be in the same session and in another process group. In an
// orphaned group the kernel ignores the stop signal, and the screen would wait
// forever to be resumed.
func CanSuspend() bool {
	parent := os.Getppid()
	ours, err1 := unix.Getsid(0)
	theirs, err2 := unix.Getsid(parent)
	group, err3 := unix.Getpgid(parent)
	return err1 == nil && err2 == nil && err3 == nil && ours == theirs && group != unix.Getpgrp()
}
