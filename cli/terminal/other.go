//go:build !unix

package terminal

// StartGuard does nothing: Windows restores the console.
func StartGuard() (end func()) { return func() {} }

// Guard is always false.
func Guard() bool { return false }

// CanSuspend is false where there is no job control.
func CanSuspend() bool { return false }
