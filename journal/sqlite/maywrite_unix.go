//go:build unix

package sqlite

import "golang.org/x/sys/unix"

// mayWrite says why this user may not write a file or a folder. It does not open
// it: closing a file would drop the locks that SQLite holds on it.
func mayWrite(name string) error { return unix.Access(name, unix.W_OK) }
