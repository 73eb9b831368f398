package private

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	tempPrefix = "aspectop-"
	tempLock   = ".in-use" // in every Temp, locked by the process that uses it
)

// Temp is a temporary folder for this user only. If its process ends without removing it,
// a later one does, by [SweepTemps].
type Temp struct {
	Path string
	lock *os.File
}

// NewTemp creates a folder whose name begins with aspectop-purpose-.
func NewTemp(purpose string) (*Temp, error) {
	for {
		path, err := os.MkdirTemp("", tempPrefix+purpose+"-") // mode 0700
		if err != nil {
			return nil, fmt.Errorf("cannot create a temporary directory: %w", err)
		}
		lock, err := Lock(filepath.Join(path, tempLock))
		if err == nil {
			return &Temp{path, lock}, nil
		}
		os.RemoveAll(path)
		// A sweep may have removed the folder before it was locked.
		if !errors.Is(err, ErrLocked) && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("cannot create a temporary directory: %w", err)
		}
	}
}

// Remove removes the folder with everything in it.
func (t *Temp) Remove() error {
	t.lock.Close() // first, because Windows does not remove an open file
	return os.RemoveAll(t.Path)
}

// SweepTemps removes this user's temporary folders whose processes are gone.
// What cannot be removed stays for the next sweep.
func SweepTemps() {
	paths, _ := filepath.Glob(filepath.Join(os.TempDir(), tempPrefix+"*")) // fails only on a bad pattern
	for _, path := range paths {
		name := filepath.Join(path, tempLock)
		if Check(path, fs.ModeDir) != nil || Check(name, 0) != nil {
			continue
		}
		lock, err := os.OpenFile(name, os.O_RDWR|noFollow, 0)
		if err != nil {
			continue
		}
		if TryLock(lock) != nil {
			lock.Close()
			continue
		}
		// Renamed while locked, so that a concurrent [NewTemp] notices. Windows cannot
		// rename a folder with an open file.
		if swept := path + ".swept"; os.Rename(path, swept) == nil {
			path = swept
		}
		lock.Close()
		os.RemoveAll(path)
	}
}
