package tty

import (
	"context"
	"io"
	"os"
	"time"
)

// New is a terminal that is read and written as streams, until ctx ends.
func New(ctx context.Context, in io.Reader, out io.Writer) *Terminal {
	t := &Terminal{asked: map[string]time.Time{}}
	t.In, t.Out = &reader{read: pumped(ctx, in)}, streamOut{out, t}
	return t
}

type streamOut struct {
	io.Writer
	t *Terminal
}

func (o streamOut) Write(p []byte) (int, error) { return written(o.Writer, o.t, p) }

// fileOut is a file for Bubble Tea, which looks whether it is a terminal.
type fileOut struct {
	*os.File
	t *Terminal
}

func (o fileOut) Write(p []byte) (int, error) { return written(o.File, o.t, p) }

func written(out io.Writer, t *Terminal, p []byte) (int, error) {
	if _, err := out.Write(t.observe(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// readFunc reads as io.Reader does, but for the limit: when it has passed, it returns 0
// and nil. A negative limit is none.
type readFunc func(p []byte, limit time.Duration) (int, error)

// pumped reads a stream that has no limits of its own.
func pumped(ctx context.Context, in io.Reader) readFunc {
	type result struct {
		b   []byte
		err error
	}
	results := make(chan result)
	go func() {
		for {
			b := make([]byte, chunk)
			n, err := in.Read(b)
			select {
			case results <- result{b[:n], err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	var left result
	return func(p []byte, limit time.Duration) (int, error) {
		if len(left.b) == 0 && left.err == nil {
			var over <-chan time.Time
			if limit >= 0 {
				over = time.After(limit)
			}
			select {
			case left = <-results:
			case <-over:
				return 0, nil
			case <-ctx.Done():
				return 0, io.EOF
			}
		}
		n := copy(p, left.b)
		left.b = left.b[n:]
		if len(left.b) == 0 {
			return n, left.err
		}
		return n, nil
	}
}
