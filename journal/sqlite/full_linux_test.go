package sqlite

import (
	"fmt"
	"syscall"
)

// ownMounts are for a process whose mounts end with it.
var ownMounts = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}

func mountDisk(folder string, bytes int) error {
	return syscall.Mount("tmpfs", folder, "tmpfs", 0, fmt.Sprintf("size=%d", bytes))
}
