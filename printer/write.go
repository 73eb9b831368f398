package printer

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"syscall"
)

// flush writes the lines gathered so far.
func (p *printer) flush() error {
	if p.buf.Len() == 0 {
		return nil
	}
	_, err := p.Out.Write(p.buf.Bytes())
	p.buf.Reset()
	switch {
	case err == nil:
		return nil
	case closedPipe(err):
		return errGone
	}
	return fmt.Errorf("the output cannot be written: %w", err)
}

// errGone says that nobody reads the output any more.
var errGone = errors.New("the output is closed")

// closedPipe reports whether a write failed because nobody reads any more.
func closedPipe(err error) bool {
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		return true
	}
	const brokenPipe, noData = syscall.Errno(109), syscall.Errno(232) // Windows has its own
	return runtime.GOOS == "windows" && (errors.Is(err, brokenPipe) || errors.Is(err, noData))
}
