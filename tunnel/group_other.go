//go:build unix && !linux

package tunnel

import "syscall"

// dieWithUs is not available here: if this process is killed, cloudflared runs until it
// next prints a line, into a closed pipe.
func dieWithUs(*syscall.SysProcAttr) {}
