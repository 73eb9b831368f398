//go:build linux

package bench

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// built is the folder that the program was built in, which TestMain removes.
var built string

// buildProgram builds aspectop as a release is built, once.
var buildProgram = sync.OnceValues(func() (path string, err error) {
	if built, err = os.MkdirTemp("", "aspectop-bench-"); err != nil {
		return "", err
	}
	path = filepath.Join(built, "aspectop")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "..")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	return path, cmd.Run()
})

// program is aspectop itself in a process of its own.
type program struct {
	cmd      *exec.Cmd
	folder   string // its home
	receiver string // the address that it receives on
	metrics  string // the address of its metrics
	drained  chan struct{}
}

// screen is where a program draws: on a terminal of 120×40, or nowhere.
type screen bool

const (
	withScreen    screen = true
	withoutScreen screen = false // it prints JSON lines
)

// startWatch starts aspectop watch with more arguments, and returns when it
// receives.
func startWatch(b testing.TB, on screen, args ...string) *program {
	b.Helper()
	p := &program{folder: b.TempDir(), receiver: freeAddress(b), metrics: freeAddress(b)}
	args = append([]string{"watch", "--listen", p.receiver, "--metrics", p.metrics}, args...)
	p.start(b, on, args)
	awaitReady(b, p.receiver)
	return p
}

// awaitReady returns when aspectop accepts deliveries at the address.
func awaitReady(b testing.TB, address string) {
	b.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		answer, err := client.Get("http://" + address + "/readyz")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			b.Fatalf("aspectop does not receive: %v", err)
		}
	}
}

// start starts the program; what it prints or draws is read and dropped.
func (p *program) start(b testing.TB, on screen, args []string) {
	b.Helper()
	path, err := buildProgram()
	if err != nil {
		b.Fatal(err)
	}
	if on == withoutScreen {
		args = append(args, "--json")
	}
	p.cmd = exec.Command(path, args...)
	p.cmd.Env = []string{"HOME=" + p.folder, "XDG_STATE_HOME=" + p.folder, "ASPECT_WEBHOOK_SECRET=" + secret, "TERM=xterm-256color"}
	var out io.Reader
	if on == withScreen {
		out, err = pty.StartWithSize(p.cmd, &pty.Winsize{Cols: 120, Rows: 40})
	} else {
		if out, err = p.cmd.StdoutPipe(); err == nil {
			err = p.cmd.Start()
		}
	}
	if err != nil {
		b.Fatal(err)
	}
	p.drained = make(chan struct{})
	go func() {
		defer close(p.drained)
		io.Copy(io.Discard, out)
	}()
}

func (p *program) stop(b testing.TB) {
	p.cmd.Process.Signal(syscall.SIGTERM)
	<-p.drained
	if err := p.cmd.Wait(); err != nil {
		b.Errorf("aspectop ended with %v", err)
	}
}

func (p *program) pid() int { return p.cmd.Process.Pid }

// journal is the program's journal.
func (p *program) journal() string { return filepath.Join(p.folder, "aspectop", "journal.db") }

// freeAddress is one that nobody listens on.
func freeAddress(b testing.TB) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
