//go:build linux

package bench

import (
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"golang.org/x/crypto/ssh"
)

const (
	sessionRounds = 5
	sessionTime   = 4 * time.Second
	sessionRate   = 2_000 // deliveries a second
	sessionSlots  = 32    // connections that carry them
)

// BenchmarkSessions receives 2,000 deliveries a second with nobody and with some
// who watch over SSH, on screens of 120×40 that draw all the time, and prints what
// the deliveries waited. A delivery's wait begins when it was due, so one that had
// to queue counts. The goal is a p99 of 1.5 times that without sessions.
func BenchmarkSessions(b *testing.B) {
	watching := []int{0, 4, 16}
	for b.Loop() {
		rounds := make([][]sessionFigures, len(watching))
		for range sessionRounds {
			for i, n := range watching {
				rounds[i] = append(rounds[i], receiveWatched(b, n))
			}
		}
		out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight|tabwriter.Debug)
		fmt.Fprintf(out, "\nsessions\tkept/s\tp50 ms\tof none\tp99 ms\tof none\tCPU of a core\tKiB/s to each\t\n")
		for i, n := range watching {
			over := func(of func(f sessionFigures) float64) float64 {
				values := make([]float64, sessionRounds)
				for r, f := range rounds[i] {
					values[r] = of(f)
				}
				slices.Sort(values)
				return values[len(values)/2]
			}
			p50 := spreadOfSessions(rounds[i], rounds[0], func(f sessionFigures) float64 { return f.p50.Seconds() })
			p99 := spreadOfSessions(rounds[i], rounds[0], func(f sessionFigures) float64 { return f.p99.Seconds() })
			fmt.Fprintf(out, "%d\t%.0f\t%.2f\t%s\t%.2f\t%s\t%.2f\t%.0f\t\n", n,
				over(func(f sessionFigures) float64 { return f.rate }),
				over(func(f sessionFigures) float64 { return f.p50.Seconds() * 1e3 }), p50,
				over(func(f sessionFigures) float64 { return f.p99.Seconds() * 1e3 }), p99,
				over(func(f sessionFigures) float64 { return f.cpu }),
				over(func(f sessionFigures) float64 { return f.drawn / 1024 / max(1, float64(n)) }))
		}
		out.Flush()
		fmt.Printf("medians of %d rounds of %s\n", sessionRounds, sessionTime)
	}
	b.ReportMetric(0, "ns/op")
}

type sessionFigures struct {
	rate, cpu, drawn float64 // a second
	p50, p99         time.Duration
}

func spreadOfSessions(of, base []sessionFigures, value func(sessionFigures) float64) spread {
	ratios := make([]float64, len(of))
	for r := range of {
		ratios[r] = value(of[r]) / value(base[r])
	}
	return spreadOf(ratios)
}

// watched is a watch that serves screens over SSH.
type watched struct {
	*program
	ssh       string // address
	signer    ssh.Signer
	drawn     atomic.Int64 // bytes that screens were sent
	connected []*ssh.Client
}

func startWatched(b *testing.B) *watched {
	b.Helper()
	w := &watched{ssh: freeAddress(b)}
	_, key, err := ed25519.GenerateKey(nil)
	if err == nil {
		w.signer, err = ssh.NewSignerFromKey(key)
	}
	keys := filepath.Join(b.TempDir(), "keys")
	if err == nil {
		err = os.WriteFile(keys, ssh.MarshalAuthorizedKey(w.signer.PublicKey()), 0o600)
	}
	if err != nil {
		b.Fatal(err)
	}
	w.program = startWatch(b, withoutScreen, "--ssh", w.ssh, "--ssh-keys", keys, "--ssh-sessions", "100")
	return w
}

func (w *watched) stop(b *testing.B) {
	for _, c := range w.connected {
		c.Close()
	}
	w.program.stop(b)
}

// join watches on a screen whose output is counted and dropped.
func (w *watched) join(b *testing.B) *ssh.Session {
	b.Helper()
	client, err := ssh.Dial("tcp", w.ssh, &ssh.ClientConfig{
		User: "bench", Auth: []ssh.AuthMethod{ssh.PublicKeys(w.signer)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	})
	if err != nil {
		b.Fatal(err)
	}
	w.connected = append(w.connected, client)
	s, err := client.NewSession()
	if err != nil {
		b.Fatal(err)
	}
	first := make(chan struct{})
	s.Stdout = &screenBytes{count: &w.drawn, first: first}
	if err := s.RequestPty("xterm-256color", 40, 120, nil); err != nil {
		b.Fatal(err)
	}
	if err := s.Shell(); err != nil {
		b.Fatal(err)
	}
	select {
	case <-first:
	case <-time.After(20 * time.Second):
		b.Fatal("a screen does not draw")
	}
	return s
}

type screenBytes struct {
	count *atomic.Int64
	once  sync.Once
	first chan struct{}
}

func (s *screenBytes) Write(p []byte) (int, error) {
	s.count.Add(int64(len(p)))
	s.once.Do(func() { close(s.first) })
	return len(p), nil
}

func receiveWatched(b *testing.B, sessions int) sessionFigures {
	w := startWatched(b)
	defer w.stop(b)
	for range sessions {
		w.join(b)
	}
	n := int(sessionTime.Seconds() * sessionRate)
	mail := sign(n+10*sessionSlots, 10)
	if _, err := closedLoop(w.receiver, mail[:10*sessionSlots], sessionSlots); err != nil {
		b.Fatal(err)
	}
	drawn, cpu := w.drawn.Load(), cpuOf(b, w.pid())
	begin := time.Now()
	waits, err := openLoop(w.receiver, mail[10*sessionSlots:], sessionSlots, sessionRate)
	if err != nil {
		b.Fatal(err)
	}
	took := time.Since(begin).Seconds()
	slices.Sort(waits)
	return sessionFigures{
		rate: float64(n) / took, p50: waits[len(waits)/2], p99: waits[len(waits)*99/100],
		drawn: float64(w.drawn.Load()-drawn) / took, cpu: (cpuOf(b, w.pid()) - cpu).Seconds() / took,
	}
}

// BenchmarkSessionMemory prints what memory sessions take that watch a small and a
// large board on screens of 120×40: what each takes beyond the first, which pays for
// what is shared. It stops if they take more than a gibibyte.
func BenchmarkSessionMemory(b *testing.B) {
	const enough = 1 << 30
	for b.Loop() {
		for _, board := range []struct{ tasks, sessions int }{{200, 8}, {100_000, 50}} {
			w := startWatched(b)
			if _, err := closedLoop(w.receiver, sign(board.tasks, 1), sessionSlots); err != nil {
				b.Fatal(err)
			}
			settle := func() int { // the least of what it has in a while
				least := memoryOf(b, w.pid())
				for range 50 {
					time.Sleep(100 * time.Millisecond)
					least = min(least, memoryOf(b, w.pid()))
				}
				return least
			}
			w.join(b)
			one, n := settle(), 1
			last := one
			for n < board.sessions && last < enough {
				for range min(7, board.sessions-n) {
					w.join(b)
					n++
				}
				last = settle()
			}
			fmt.Printf("%d tasks: %d MiB with one session, %d MiB with %d: %.1f MiB for each further one\n",
				board.tasks, one>>20, last>>20, n, float64(last-one)/float64(n-1)/(1<<20))
			w.stop(b)
		}
	}
	b.ReportMetric(0, "ns/op")
}
