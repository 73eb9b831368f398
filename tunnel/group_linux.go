package tunnel

import "syscall"

// dieWithUs has the kernel kill the child when this process ends without stopping it.
func dieWithUs(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
