//go:build !unix

package terminal

// CanSuspend is false where there is no job control.
func CanSuspend() bool { return false }
