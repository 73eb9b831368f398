//go:build !unix

package terminal

import "os"

// StartGuard does nothing: Windows restores the console.
func StartGuard() (end func()) { return func() {} }

// Guard is always false.
func Guard() bool { return false }

// CanSuspend is false where there is no job control.
func CanSuspend() bool { return false }

// Unread is always false: Windows tells it of a write only.
func Unread(*os.File) bool { return false }
