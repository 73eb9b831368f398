//go:build unix

package sqlite

import (
	"errors"
	"os"
	"runtime"

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

// firstHole is the offset of the first hole in a file, or size where there is none
// or the file system does not tell.
func firstHole(f *os.File, size int64) int64 {
	seekHole := 4 // package unix has no name for it on Linux
	if runtime.GOOS == "darwin" {
		seekHole = 3
	}
	hole, err := f.Seek(0, seekHole)
	if err != nil {
		return size
	}
	return hole
}
