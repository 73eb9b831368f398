package tunnel

import (
	"io"
	"os"
	"os/exec"
	"runtime"
	"time"
)

// child is a process that ends with us, together with those it started.
type child struct {
	cmd   *exec.Cmd
	group group
	done  chan struct{} // closed when it has ended and nothing of it is left
}

// start runs a program. All it prints goes to out.
func start(program string, args, env []string, out io.Writer) (*child, error) {
	c := &child{cmd: exec.Command(program, args...), done: make(chan struct{})}
	c.cmd.Env = env
	c.cmd.Stdout, c.cmd.Stderr = out, out
	// A process that it started may outlive it and hold the pipe open.
	c.cmd.WaitDelay = time.Second
	started := make(chan error)
	go func() {
		// Linux takes the end of the thread that started the child for our
		// end, so this thread has to last as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(c.done)
		err := c.group.start(c.cmd)
		started <- err
		if err != nil {
			return
		}
		_ = c.cmd.Wait() // how it ended is in its state
		c.group.kill()
		c.group.close()
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return c, nil
}

// stop asks the child to end, and kills it if that takes longer than patience.
func (c *child) stop(patience time.Duration) {
	select {
	case <-c.done: // its number may be another's by now
		return
	default:
	}
	if c.group.terminate() == nil {
		limit := time.NewTimer(patience)
		defer limit.Stop()
		select {
		case <-c.done:
			return
		case <-limit.C:
		}
	}
	c.group.kill()
	<-c.done
}

// state is nil before the end.
func (c *child) state() *os.ProcessState { return c.cmd.ProcessState }
