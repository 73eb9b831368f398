//go:build !unix

package tty

import (
	"os"
	"time"
)

// Open is the terminal of these files. Windows gives keys, not sequences.
func Open(in, out *os.File) *Terminal {
	t := &Terminal{In: in, in: in, out: out, asked: map[string]time.Time{}}
	t.Out = fileOut{out, t}
	return t
}
