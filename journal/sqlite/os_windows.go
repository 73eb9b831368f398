package sqlite

import (
	"errors"

	"golang.org/x/sys/windows"
)

func isReadOnlyFS(err error) bool { return errors.Is(err, windows.ERROR_WRITE_PROTECT) }

func isFull(err error) bool { return errors.Is(err, windows.ERROR_DISK_FULL) }

// mayWrite cannot be told here without trying.
func mayWrite(string) error { return nil }

// freeSpace is how many bytes this user can still write to the folder's disk.
func freeSpace(folder string) (int64, error) {
	name, err := windows.UTF16PtrFromString(folder)
	if err != nil {
		return 0, err
	}
	var free uint64
	err = windows.GetDiskFreeSpaceEx(name, &free, nil, nil)
	return int64(free), err
}

// sharesMemory cannot be told here without a journal.
func sharesMemory(string) error { return nil }

func cannotLock(error) bool { return false }
