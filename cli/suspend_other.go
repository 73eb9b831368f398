//go:build !unix

package cli

// canSuspend is false where there is no job control.
func canSuspend() bool { return false }
