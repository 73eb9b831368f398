package e2e

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// strangers opens so many connections to the program; each says something first.
func strangers(t *testing.T, url string, n int, first func(i int) string) (all []net.Conn) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Cur < uint64(n)+200 {
		t.Skipf("runs where %d open files are allowed, as in the gate; here it is %d", n+200, limit.Cur)
	}
	host, _, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	for i := range n {
		c, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if text := first(i); text != "" {
			go c.Write([]byte(text)) // may fail: it may have had to make room
		}
		all = append(all, c)
	}
	return all
}

func TestStrangersWhoHoldConnectionsDelayNoDelivery(t *testing.T) {
	const begun = "POST /webhooks/aspect HTTP/1.1\r\nHost: x\r\nsvix-"
	const most = 8 * time.Second // on a loaded machine; those that hold the connections are cut after ten
	for name, c := range map[string]struct {
		first string
		then  bool // go on byte by byte
	}{
		"idle":         {"", false},
		"slow headers": {begun, true},
		"slow bodies":  {"POST /webhooks/aspect HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			p := inPipe(t, watching(t, "--json"))
			url := p.next("ready")["url"].(string)
			conns := strangers(t, url, 3000, func(int) string { return c.first })
			stop := make(chan struct{})
			var trickling sync.WaitGroup
			defer trickling.Wait()
			defer close(stop)
			if c.then {
				trickling.Go(func() {
					for {
						for _, conn := range conns {
							conn.Write([]byte("x"))
						}
						select {
						case <-stop:
							return
						case <-time.After(200 * time.Millisecond):
						}
					}
				})
			}
			for i := range 3 {
				start := time.Now()
				keeps(t, url, delivery{id: fmt.Sprint("msg_", i), body: "{}"})
				if took := time.Since(start); took > most {
					t.Errorf("a delivery took %s, want at most %s", took, most)
				}
			}
		})
	}
}

func TestMemoryThatSlowBodiesTakeIsBoundedAndGivenBack(t *testing.T) {
	// kB more than before. In use are 32 large bodies and a thousand small ones with their
	// connections, some 60 MB, and Go lets as much garbage lie; all bodies would be 350 MB.
	const most, kept = 160 << 10, 24 << 10
	p := inPipe(t, watching(t, "--json"))
	url := p.next("ready")["url"].(string)
	keeps(t, url, delivery{id: "msg_1", body: "{}"})
	before := resident(t, p)
	var peak int
	for range 2 {
		conns := strangers(t, url, 1000, func(i int) string {
			size := []int{20_000, 60_000, 1_000_000}[i%3]
			return fmt.Sprintf("POST /webhooks/aspect HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", size) + strings.Repeat("g", size-1)
		})
		for until := time.Now().Add(2 * time.Second); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
			peak = max(peak, resident(t, p))
		}
		for _, c := range conns {
			c.Close()
		}
	}
	t.Logf("%d kB before, %d kB at most", before, peak)
	if peak-before > most {
		t.Errorf("it grew by %d kB, want at most %d", peak-before, most)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		now := resident(t, p)
		if now-before <= kept {
			t.Logf("%d kB after", now)
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("of %d kB more, %d were not given back", peak-before, now-before)
		}
	}
}

// resident is how much memory the program takes, in kB.
func resident(t *testing.T, p *piped) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
