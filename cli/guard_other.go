//go:build !unix

package cli

const guardName = ""

// startGuard does nothing where a console is the process's own.
func startGuard() (end func()) { return func() {} }

func guard() int { return exitFailed }
