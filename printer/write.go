package printer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"syscall"
)

// flush writes the lines gathered so far.
func (p *printer) flush() error { return write(p.Out, &p.buf) }

// write writes what is in buf with one Write, and empties it.
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

// WriteAll writes text to out. That nobody reads it any more is no error.
func WriteAll(out io.Writer, text []byte) error {
	return writeOnce(out, bytes.NewBuffer(text))
}

// writeOnce writes what is in buf. That nobody reads it any more is no error.
func writeOnce(out io.Writer, buf *bytes.Buffer) error {
	if err := write(out, buf); err != errGone {
		return err
	}
	return nil
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
