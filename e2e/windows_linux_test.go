package e2e

import (
	"os"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// bytesSeen counts what a screen was sent.
type bytesSeen struct{ atomic.Int64 }

func (s *bytesSeen) Write(p []byte) (int, error) {
	s.Add(int64(len(p)))
	return len(p), nil
}

func TestLargeWindowsOverSSHTakeLittleMemoryAndGiveItBack(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute; runs without -short, as in the gate")
	}
	if os.Getenv("ASPECTOP_TEST_RACE") != "" {
		t.Skip("the race detector takes several times the memory; runs without it, as in the gate")
	}
	const viewers, most, kept = 8, 200_000, 15_000 // kB; they took 1.5 GB, and take 170 MB
	ada := newGuest(t, "ada")
	text, err := os.ReadFile(ada.key)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParsePrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	p := inPipe(t, program(t, "demo", "--json", "--ssh", "127.0.0.1:0", "--ssh-keys", listOf(t, ada)))
	address := "127.0.0.1:" + p.says(`ssh -p (\d+) 127\.0\.0\.1`)
	p.next("event")
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
	for i, deadline := 0, time.Now().Add(patience); i < viewers; time.Sleep(10 * time.Millisecond) {
		if seen[i].Load() > 10_000 {
			i++
		} else if time.Now().After(deadline) {
			t.Fatalf("viewer %d is sent %d bytes", i, seen[i].Load())
		}
	}
	watched := 0 // the demo goes on meanwhile, and the screens with it
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		watched = max(watched, resident(t, p))
	}
	if watched > most {
		t.Errorf("%d viewers of 1000×400 take %d kB, more than %d", viewers, watched, most)
	}
	for i := range clients {
		clients[i].Close()
	}
	left, after := time.Now(), watched
	for after > before+kept && time.Since(left) < 30*time.Second {
		time.Sleep(100 * time.Millisecond)
		after = resident(t, p)
	}
	if after > before+kept {
		t.Errorf("30 s after they left it has %d kB, and had %d before", after, before)
	}
	t.Logf("before %d kB, watched %d, %s after they left %d", before, watched, time.Since(left).Round(time.Second), after)
}
