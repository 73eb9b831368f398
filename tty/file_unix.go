//go:build unix

package tty

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Open is the terminal of these files.
func Open(in, out *os.File) *Terminal {
	t := &Terminal{in: in, out: out, asked: map[string]time.Time{}}
	t.In = fileIn{in, &reader{read: func(p []byte, limit time.Duration) (int, error) {
		if limit >= 0 && !readable(int(in.Fd()), limit) {
			return 0, nil
		}
		return in.Read(p)
	}}}
	t.Out = fileOut{out, t}
	return t
}

// fileIn is a file for Bubble Tea, which sets its mode and waits for it.
type fileIn struct {
	*os.File
	reader *reader
}

func (f fileIn) Read(p []byte) (int, error) { return f.reader.Read(p) }

// readable waits until there is something to read. It uses select, because poll of macOS
// knows no terminals.
func readable(fd int, limit time.Duration) bool {
	for end := time.Now().Add(limit); ; {
		var set unix.FdSet
		set.Set(fd)
		left := unix.NsecToTimeval(max(0, time.Until(end)).Nanoseconds())
		n, err := unix.Select(fd+1, &set, nil, nil, &left)
		if err != unix.EINTR {
			return n > 0 || err != nil // reading tells the error
		}
	}
}
