//go:build unix

package forward

import (
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
)

// reserve takes a port on which nothing listens until listen is called.
func reserve(t *testing.T) (address string, listen func() net.Listener) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	socket := os.NewFile(uintptr(fd), "reserved")
	t.Cleanup(func() { socket.Close() })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint("127.0.0.1:", name.(*syscall.SockaddrInet4).Port), func() net.Listener {
		t.Helper()
		if err := syscall.Listen(fd, 128); err != nil {
			t.Fatal(err)
		}
		l, err := net.FileListener(socket)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
}

func TestAHandlerThatWasDownForAThousandDeliveriesGetsThemAllOnceAndInOrder(t *testing.T) {
	t.Parallel()
	address, listen := reserve(t)
	r := forwardTo(t, "http://"+address)
	for n := range 1000 {
		r.append(message(fmt.Sprint("t", n%90), n))
	}
	until(t, "all wait", func() bool { q := r.Queue(); return q.Waiting+q.Retrying+q.InFlight == 1000 && q.Retrying > 70 })
	if f := r.outcome(1); f.Final || f.Status != 0 || !strings.Contains(f.Hint, "nothing listens on "+address) {
		t.Errorf("meanwhile the first is %+v", f)
	}
	h := &handler{}
	h.Server = httptest.NewUnstartedServer(h)
	h.Listener.Close()
	h.Listener = listen()
	h.Start()
	t.Cleanup(h.Close)
	r.idle()
	inOrder(t, h.requests(), 1000)
	if q := r.Queue(); q.Delivered != 1000 || q.Waiting+q.Retrying+q.InFlight+q.GaveUp != 0 || !q.NextTry.IsZero() {
		t.Errorf("the queue is %+v", q)
	}
}
