package session

import (
	"fmt"
	"net"
	"path/filepath"
	"testing"

	"aspectop/cli/exit"
)

func TestTheNextFreePortIsNoneThatAnotherFlagAsksFor(t *testing.T) {
	st, err := OpenStore(t.Context(), filepath.Join(t.TempDir(), "j.db"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	s := New(Options{}, st)
	defer s.Close()
	after := func(n int) string { return fmt.Sprint("127.0.0.1:", port+n) }
	if err := s.Listen(taken.Addr().String(), true, [2]string{"ssh"}, [2]string{"web", after(1)}, [2]string{"metrics", after(2)}); err != nil {
		t.Fatal(err)
	}
	if got := s.listener.Addr().String(); got == after(1) || got == after(2) {
		t.Errorf("it listens on %s", got)
	}
}

func TestAnAddressThatTwoFlagsAskForIsTheirsAndNoOtherPrograms(t *testing.T) {
	for _, next := range []bool{true, false} {
		st, err := OpenStore(t.Context(), filepath.Join(t.TempDir(), "j.db"), 0)
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		l.Close()
		s := New(Options{}, st)
		defer s.Close()
		if err := s.Listen(address, next, [2]string{"web", address}); err != nil {
			t.Fatal(err)
		}
		_, _, err = s.listeners.Open("web", address, false)
		if got := exit.Code(err); next && err != nil || !next && got != 2 {
			t.Errorf("if the receiver may move is %v: %v, exit code %d", next, err, got)
		}
	}
}
