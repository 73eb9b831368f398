package tunnel

import "syscall"

// dieWithUs has the kernel kill the child when we end without having stopped
// it. Only SIGKILL is sure: nobody would be there to insist.
func dieWithUs(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
