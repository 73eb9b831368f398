//go:build unix

package sqlite

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

func isReadOnlyFS(err error) bool { return errors.Is(err, unix.EROFS) }

func isFull(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }

// mayWrite says why this user may not write a file or a folder. It does not open
// it: closing a file would drop the locks that SQLite holds on it.
func mayWrite(name string) error { return unix.Access(name, unix.W_OK) }

// freeSpace is how many bytes this user can still write to the folder's disk.
func freeSpace(folder string) (int64, error) {
	var s unix.Statfs_t
	err := unix.Statfs(folder, &s)
	return int64(s.Bavail) * int64(s.Bsize), err
}

// sharesMemory returns an [Unshareable] error if the file system of a folder cannot map
// a file into the memory of several processes, which SQLite needs for its log. To ask,
// it makes a file for an instant. What else may be wrong with the folder is left to
// those who use it.
func sharesMemory(folder string) error {
	f, err := os.CreateTemp(folder, ".aspectop-*")
	if err != nil {
		return nil
	}
	defer os.Remove(f.Name())
	defer f.Close()
	const size = 32 << 10 // SQLite's first step
	if f.Truncate(size) != nil {
		return nil
	}
	memory, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if errors.Is(err, unix.ENOMEM) || errors.Is(err, unix.EAGAIN) {
		return nil // for the moment
	} else if err != nil {
		return &Error{Unshareable, folder, err}
	}
	return unix.Munmap(memory)
}

// cannotLock reports whether err says that a file system has no locks.
func cannotLock(err error) bool {
	return errors.Is(err, unix.ENOLCK) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS)
}
