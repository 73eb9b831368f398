package session

import (
	"fmt"
	"net"
	"path/filepath"
	"testing"
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
