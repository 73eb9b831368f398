package printer

import (
	"errors"
	"io"
	"runtime"
	"syscall"
)

// closedPipe reports whether a write failed because nobody reads any more.
func closedPipe(err error) bool {
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		return true
	}
	const brokenPipe, noData = syscall.Errno(109), syscall.Errno(232) // Windows has its own
	return runtime.GOOS == "windows" && (errors.Is(err, brokenPipe) || errors.Is(err, noData))
}
