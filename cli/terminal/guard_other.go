//go:build !unix

package terminal

// StartGuard does nothing where a console is the process's own.
func StartGuard() (end func()) { return func() {} }

// Guard is false: nothing starts one.
func Guard() bool { return false }
