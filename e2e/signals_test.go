//go:build unix

package e2e

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hold begins a delivery and does not finish it, so that the program's end takes
// as long as it lets requests in flight finish.
func hold(t *testing.T, url string) {
	t.Helper()
	host, path, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	c, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	fmt.Fprintf(c, "POST /%s HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n", path)
	// The answer says that the body is being waited for.
	c.SetReadDeadline(time.Now().Add(patience))
	if _, err := c.Read(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
}

func TestSignalsThatMeanOneEndAreOne(t *testing.T) {
	t.Parallel() // it waits most of the time
	for name, signals := range map[string][]syscall.Signal{
		"timeout(1)":             {syscall.SIGTERM, syscall.SIGTERM},
		"a terminal that closes": {syscall.SIGHUP, syscall.SIGTERM},
		"a supervisor":           {syscall.SIGTERM, syscall.SIGINT},
	} {
		t.Run(name, func(t *testing.T) {
			p := inPipe(t, watching(t, "--json", "--journal", "memory"))
			url := p.next("ready")["url"].(string)
			hold(t, url)
			for _, s := range signals {
				p.signal(s)
			}
			p.next("end")
			if code := p.ends(); code != 0 {
				t.Errorf("ended with %d: %s", code, p.errors())
			}
			if left := temporary(t, p); len(left) > 0 {
				t.Errorf("it left %q", left)
			}
		})
	}
}

func TestALaterSignalEndsAtOnceAndTheNextStartClearsUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		signals [2]syscall.Signal
		pause   time.Duration
	}{
		"a second ctrl+c":                 {[2]syscall.Signal{syscall.SIGINT, syscall.SIGINT}, 100 * time.Millisecond},
		"another signal a second or more": {[2]syscall.Signal{syscall.SIGTERM, syscall.SIGTERM}, 1100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			var p *piped
			code := 0
			for range 5 { // on a loaded machine the first end may be over before the second signal is sent
				p = inPipe(t, watching(t, "--json", "--journal", "memory"))
				hold(t, p.next("ready")["url"].(string))
				p.signal(c.signals[0])
				time.Sleep(c.pause) // what is tested is the time between the two
				p.signal(c.signals[1])
				if code = p.ends(); code != 0 {
					break
				}
			}
			if code != 130 {
				t.Fatalf("ended with %d: %s", code, p.errors())
			}
			left := temporary(t, p)
			if len(left) == 0 {
				t.Fatal("it left nothing, so the next start has nothing to clear up")
			}
			next := watching(t, "--json", "--journal", "memory")
			next.Env = p.cmd.Env
			q := inPipe(t, next)
			q.next("ready")
			for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
				if now := temporary(t, q); len(now) == 1 && now[0] != left[0] {
					break
				} else if time.Now().After(deadline) {
					t.Fatalf("its own is not all there is: %q", now)
				}
			}
			q.signal(syscall.SIGTERM)
			q.next("end")
		})
	}
}

// temporary lists the program's temporary folders.
func temporary(t *testing.T, p *piped) []string {
	t.Helper()
	for _, v := range p.cmd.Env {
		if folder, ok := strings.CutPrefix(v, "TMPDIR="); ok {
			paths, err := filepath.Glob(filepath.Join(folder, "aspectop-*"))
			if err != nil {
				t.Fatal(err)
			}
			return paths
		}
	}
	t.Fatal("the program has no TMPDIR")
	return nil
}
