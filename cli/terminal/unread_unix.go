//go:build unix

package terminal

import (
	"os"

	"golang.org/x/sys/unix"
)

// Unread reports whether out is a pipe or a socket that nobody reads any more. Nothing is
// written to find out.
func Unread(out *os.File) bool {
	info, err := out.Stat()
	if err != nil || info.Mode()&(os.ModeNamedPipe|os.ModeSocket) == 0 {
		return false
	}
	fd := int(out.Fd())
	// macOS looks at a pipe only if it is asked for an event. One that can be written comes at once.
	polled := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	if n, err := unix.Poll(polled, 0); n > 0 && err == nil && polled[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0 {
		return true
	}
	// Over TCP the other side has closed it, or will send nothing more: there is no difference.
	switch name, _ := unix.Getsockname(fd); name.(type) {
	case *unix.SockaddrInet4, *unix.SockaddrInet6:
		n, _, err := unix.Recvfrom(fd, make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
		return n == 0 && err == nil
	}
	return false
}
