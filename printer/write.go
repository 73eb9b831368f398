package printer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"syscall"
)

// flush writes the buffered lines.
func (p *printer) flush() error { return write(p.Out, &p.buf) }

// write writes buf with a single Write and empties it.
func write(out io.Writer, buf *bytes.Buffer) error {
	if buf.Len() == 0 {
		return nil
	}
	_, err := out.Write(buf.Bytes())
	buf.Reset()
	switch {
	case err == nil:
		return nil
	case closedPipe(err):
		return errGone
	}
	return fmt.Errorf("cannot write the output: %w", err)
}

// WriteAll writes text to out. A closed pipe is not an error.
func WriteAll(out io.Writer, text []byte) error {
	if err := write(out, bytes.NewBuffer(text)); err != errGone {
		return err
	}
	return nil
}

// errGone means that the output is a closed pipe.
var errGone = errors.New("the output is closed")

// closedPipe reports whether a write failed because of a closed pipe.
func closedPipe(err error) bool {
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		return true
	}
	const brokenPipe, noData = syscall.Errno(109), syscall.Errno(232) // Windows has its own
	return runtime.GOOS == "windows" && (errors.Is(err, brokenPipe) || errors.Is(err, noData))
}
