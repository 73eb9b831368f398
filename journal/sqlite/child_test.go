package sqlite

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// childJob names, in the environment of a process that a test started, which of
// childJobs it is to do.
const childJob = "JOURNAL_TEST_CHILD"

// childJobs run in a process of their own, with the arguments the test gave.
var childJobs = map[string]func(args []string) error{
	"load":      loadUntilKilled,
	"hold":      holdOpen,
	"follow":    followLive,
	"fill":      fillLimited,
	"filldisk":  fillSmallDisk,
	"smalldisk": keepOnSmallDisk,
	"readonly":  useReadOnly,
}

func TestMain(m *testing.M) {
	job, ok := childJobs[os.Getenv(childJob)]
	if !ok {
		os.Exit(m.Run())
	}
	if err := job(os.Args[1:]); err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}

// child is a process that does one of childJobs. It prints lines.
type child struct {
	*exec.Cmd
	in    io.WriteCloser
	lines <-chan string // closed when it has closed its end
}

func startChild(t *testing.T, job string, args ...string) *child {
	t.Helper()
	c, err := tryChild(t, nil, job, args...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func tryChild(t *testing.T, attributes *syscall.SysProcAttr, job string, args ...string) (*child, error) {
	t.Helper()
	c := &child{Cmd: exec.Command(os.Args[0], args...)}
	c.Env = append(os.Environ(), childJob+"="+job)
	c.Stderr = os.Stderr
	c.SysProcAttr = attributes
	in, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	lines := make(chan string)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
	}()
	c.in, c.lines = in, lines
	return c, nil
}

// line returns the child's next line.
func (c *child) line(t *testing.T) string {
	t.Helper()
	select {
	case line, ok := <-c.lines:
		if !ok {
			t.Fatalf("%s ended early: %v", c.Path, c.Wait())
		}
		return line
	case <-time.After(time.Minute):
		t.Fatal("the child prints nothing")
	}
	panic("unreachable")
}

// finish lets the child end and wants it to end well.
func (c *child) finish(t *testing.T) {
	t.Helper()
	c.in.Close()
	for range c.lines {
	}
	if err := c.Wait(); err != nil {
		t.Fatal(err)
	}
}
