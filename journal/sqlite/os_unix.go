//go:build unix

package sqlite

import (
	"errors"

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
