package tunnel

import (
	"io"
	"os/exec"
	"runtime"
	"time"
)

// child is a process that ends with us, including its descendants.
type child struct {
	cmd   *exec.Cmd
	group group
	done  chan struct{} // closed when it and its descendants have ended
}

// start runs a program. Its output goes to out.
func start(program string, args, env []string, out io.Writer) (*child, error) {
	c := &child{cmd: exec.Command(program, args...), done: make(chan struct{})}
	c.cmd.Env = env
	c.cmd.Stdout, c.cmd.Stderr = out, out
	// A descendant may outlive it and hold the pipe open.
	c.cmd.WaitDelay = time.Second
	started := make(chan error)
	go func() {
		// On Linux the parent-death signal is tied to the thread that started the
		// child, so this thread must live as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(c.done)
		err := c.group.start(c.cmd)
		started <- err
		if err != nil {
			return
		}
		_ = c.cmd.Wait() // see state
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
	case <-c.done: // its pid may be reused by now
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
