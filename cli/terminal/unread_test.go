//go:build unix

package terminal

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

func TestUnread(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) (out *os.File, end func()){
		"pipe": func(t *testing.T) (*os.File, func()) {
			r, w, err := os.Pipe()
			must(t, err)
			return w, func() { r.Close() }
		},
		"full pipe": func(t *testing.T) (*os.File, func()) {
			r, w, err := os.Pipe()
			must(t, err)
			w.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
			w.Write(make([]byte, 1<<20))
			return w, func() { r.Close() }
		},
		"named pipe": func(t *testing.T) (*os.File, func()) {
			path := filepath.Join(t.TempDir(), "fifo")
			must(t, syscall.Mkfifo(path, 0o600))
			both, err := os.OpenFile(path, os.O_RDWR, 0)
			must(t, err)
			w, err := os.OpenFile(path, os.O_WRONLY, 0)
			must(t, err)
			return w, func() { both.Close() }
		},
		"socket of a parent": func(t *testing.T) (*os.File, func()) {
			fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
			must(t, err)
			must(t, syscall.Shutdown(fds[1], syscall.SHUT_WR)) // it reads still
			return os.NewFile(uintptr(fds[0]), "socket"), func() { syscall.Close(fds[1]) }
		},
		"TCP": func(t *testing.T) (*os.File, func()) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			must(t, err)
			defer l.Close()
			far, err := net.Dial("tcp", l.Addr().String())
			must(t, err)
			near, err := l.Accept()
			must(t, err)
			out, err := near.(*net.TCPConn).File()
			must(t, err)
			near.Close()
			return out, func() { far.Close() }
		},
	} {
		t.Run(name, func(t *testing.T) {
			out, end := open(t)
			defer out.Close()
			if Unread(out) {
				t.Fatal("it is read")
			}
			end()
			for deadline := time.Now().Add(time.Minute); !Unread(out); time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("nobody reads it, and that is not seen")
				}
			}
		})
	}
}

func TestFilesAndTerminalsAreAlwaysRead(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	must(t, err)
	defer file.Close()
	master, tty, err := pty.Open()
	must(t, err)
	defer tty.Close()
	master.Close()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	must(t, err)
	defer null.Close()
	for _, out := range []*os.File{file, tty, null} {
		if Unread(out) {
			t.Errorf("%s is unread", out.Name())
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
