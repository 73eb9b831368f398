package e2e

import (
	"os"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// bytesSeen counts what a screen is sent.
type bytesSeen struct{ atomic.Int64 }

func (s *bytesSeen) Write(p []byte) (int, error) {
	s.Add(int64(len(p)))
	return len(p), nil
}

func TestLargeWindowsOverSSHTakeLittleMemoryAndGiveItBack(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	const viewers, most, kept = 8, 200_000, 15_000 // kB
	ada := newGuest(t, "ada")
	p := inPipe(t, program(t, "demo", "--json", "--ssh", "127.0.0.1:0", "--ssh-keys", listOf(t, ada)))
	address := "127.0.0.1:" + p.says(`ssh -p (\d+) 127\.0\.0\.1`)
	text, err := os.ReadFile(ada.key)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParsePrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(0)
	before := resident(t, p)
	clients, seen := make([]*ssh.Client, viewers), make([]bytesSeen, viewers)
	for i := range clients {
		clients[i], err = ssh.Dial("tcp", address, &ssh.ClientConfig{
			User: "ada", Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(),
		})
		if err != nil {
			t.Fatal(err)
		}
		s, err := clients[i].NewSession()
		if err != nil {
			t.Fatal(err)
		}
		s.Stdout = &seen[i]
		if err := s.RequestPty("xterm-256color", 400, 1000, nil); err != nil {
			t.Fatal(err)
		}
		if err := s.Shell(); err != nil {
			t.Fatal(err)
		}
	}
	most1 := 0
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		most1 = max(most1, resident(t, p))
	}
	_ = most
	_ = kept
	t.Log(before, most1)
	for i := range seen {
		t.Log(seen[i].Load())
	}
	for _, c := range clients {
		c.Close()
	}
	for range 30 {
		time.Sleep(time.Second)
		t.Log(resident(t, p))
	}
}
